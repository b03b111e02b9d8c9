"""All that `Authority` offers about the past, besides `at=` of its questions."""

from __future__ import annotations

from abc import ABC

from rescind.history.log_proof import LogProof
from rescind.history.replay_audit import ReplayAudits
from rescind.history.retention import Retention


class Histories(LogProof, ReplayAudits, Retention, ABC):
    """What the log proves, whether the facts follow from it, and how it is kept short."""
