"""All that `Authority` offers about the past, besides `at=` of its questions."""

from __future__ import annotations

from abc import ABC

from rescind.history.log_proof import LogProof
from rescind.history.retention import Retention


class Histories(LogProof, Retention, ABC):
    """What the log proves, and how it is kept short."""
