"""All that `Authority` offers about the past, besides `at=` of its questions."""

from __future__ import annotations

from abc import ABC

from rescind.history.access_reviews import AccessReviews
from rescind.history.histories import AccessHistories
from rescind.history.log_proof import LogProof
from rescind.history.logs import ChangeLogs
from rescind.history.replay_audits import ReplayAudits
from rescind.history.retention import Retention


class Histories(AccessHistories, AccessReviews, ChangeLogs, LogProof, ReplayAudits, Retention, ABC):
    """Who had access and when, and reviews of it; what the log proves, and whether the facts follow from it;
    how it is kept short.
    """
