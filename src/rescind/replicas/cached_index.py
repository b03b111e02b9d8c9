"""One cached organization: its index and its state.

Owns no behaviour; `cache` changes these values, `cached_answers` reads them.
"""

from __future__ import annotations

import threading

from rescind.index.index import ALLOWED, REASONS, Index
from rescind.model import Decision, DecisionPoint, Revision


class State:
    """An index at a revision, which may be answered from until `expiry` (by CLOCK). Immutable."""

    __slots__ = ("answers", "expiry", "index", "revision")

    def __init__(self, index: Index, revision: Revision, expiry: float) -> None:
        self.index, self.revision, self.expiry = index, revision, expiry
        self.answers = tuple(
            Decision(
                allowed=verdict == ALLOWED,
                reason=reason,
                point=DecisionPoint.INDEX,
                revision=revision,
            )
            for verdict, reason in enumerate(REASONS)
        )


class CachedIndex:
    """One organization in the cache. `state` is None while it must not be answered from.

    `revoked_at` is the revision of the last change that revokes; `acknowledged`, the last one acknowledged.
    """

    __slots__ = (
        "acknowledged",
        "index",
        "is_used",
        "name",
        "revision",
        "revoked_at",
        "state",
        "update_lock",
        "used_at",
    )

    def __init__(self, name: str, index: Index, revision: Revision) -> None:
        self.name, self.index, self.revision = name, index, revision
        self.state: State | None = None
        self.update_lock = threading.Lock()
        self.is_used = True
        self.used_at = 0.0
        self.revoked_at = self.acknowledged = revision.organization
