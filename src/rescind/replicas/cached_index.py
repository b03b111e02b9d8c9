"""One organization in memory: its index, its state, and who says what that is good for."""

from __future__ import annotations

import threading

from rescind.index.index import ALLOWED, REASONS, Index
from rescind.model import Decision, DecisionPoint, Revision


class State:
    """An index at a revision, and until when (by CLOCK) it may be answered from. Never altered."""

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
    """One organization's place in memory. `state` is None while it cannot be answered from.

    `revoked_at` is the organization's revision when a change that revokes was last applied.
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
