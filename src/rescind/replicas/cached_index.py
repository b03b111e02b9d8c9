"""One organization in memory: its index, its state, and who says what that is good for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final, Protocol

from rescind.index.index import ALLOWED, Index
from rescind.model import Decision, DecisionPoint, Reason, Revision

REASONS: Final = (
    Reason.ALLOWED,
    Reason.UNKNOWN_SUBJECT,
    Reason.DEACTIVATED,
    Reason.UNKNOWN_PERMISSION,
    Reason.UNKNOWN_RESOURCE,
    Reason.NO_ROLE,
)
"""In the order of the index's verdicts."""


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
        "busy",
        "index",
        "is_used",
        "name",
        "revision",
        "revoked_at",
        "state",
        "used_at",
    )

    def __init__(self, name: str, index: Index, revision: Revision) -> None:
        self.name, self.index, self.revision = name, index, revision
        self.state: State | None = None
        self.busy = threading.Lock()
        self.is_used = True
        self.used_at = 0.0
        self.revoked_at = self.acknowledged = revision.organization


class Freshness(Protocol):
    """Says what an index in memory is good for, and until when."""

    def start(self) -> None:
        """Do what must be done before anything is held in this process."""

    server: str
    """The one that the expiry is of; what another one said may not be answered from."""

    def expiry(self) -> float:
        """Until when, by CLOCK, whatever is read from the store after this call may be answered from."""

    def hold(self, o: int, revision: Revision) -> None:
        """Make it known that this organization is held, before its log is read for the last time."""

    def release(self, o: int) -> None:
        """Make it known that it no longer is."""

    @property
    def look(self) -> Callable[[], None] | None:
        """Sees to it that what is held is fresh enough to be asked, where an expiry does not say so."""

    def together(self) -> AbstractContextManager[None]:
        """Looks once for all that this thread asks while it lasts."""

    def close(self) -> None:
        """Give up everything."""
