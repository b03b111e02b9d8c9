"""Jobs of background work: as they were read, how large they are, and what a chunk did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rescind.model import AssignmentNumber, GroupNumber, Microseconds, OrganizationNumber
from rescind.store.rows.reconcile import PendingRow, SettledRow

FIRST, LAST = -(2**31), 2**31 - 1
"""Less and greater than the number of any assignment; LAST is also greater than any membership's."""


@dataclass(frozen=True, slots=True)
class Job:
    """A pending row as it was read: what to reconcile, and how far that is."""

    organization: OrganizationNumber
    group: GroupNumber
    kind: str
    ref: int
    since: int
    revision: int
    cursor_membership: int
    cursor_assignment: int
    urgency: int
    total: int | None
    attempts: int
    recorded_at: Microseconds

    @property
    def key(self) -> tuple[int, int, str, int]:
        return (self.organization, self.group, self.kind, self.ref)

    @property
    def is_begun(self) -> bool:
        return (self.cursor_membership, self.cursor_assignment) != (0, LAST)

    def params(self) -> dict[str, Any]:
        """The parameters of statements about this job."""
        return {
            "o": self.organization,
            "g": self.group,
            "kind": self.kind,
            "ref": self.ref,
            "since": self.since,
            "revision": self.revision,
            "urgency": self.urgency,
            "recorded_at": self.recorded_at,
            "top": self.ref if self.kind == "whole" else self.group,
            "is_measured": self.total is not None,
        }


@dataclass(frozen=True, slots=True)
class Extent:
    """How large a job is: assignments for each membership that hold, or were taken back; groups that
    those are in; memberships, none if they were counted before. `first` and `last` are the ends of the
    changed assignments that hold.
    """

    live: int
    ended: int
    groups: int
    memberships: int
    first: AssignmentNumber | None = None
    last: AssignmentNumber | None = None

    @property
    def assignments(self) -> int:
        return self.live + self.ended

    @property
    def pairs(self) -> int:
        return self.assignments * self.memberships


@dataclass(frozen=True, slots=True)
class Progress:
    """What a chunk did: effective roles made and unmade, and whether it was the job's last.

    A restart did nothing, because the job changed meanwhile; it is tried again.
    `held_seconds` is how long it kept others out, but for the commit; `waiting` how many waited for that to
    end; `waited_seconds` how long it waited itself; `revision` the organization's at that time. One that was
    overtaken did nothing: another worker is at the job.
    """

    made: int
    unmade: int
    is_settled: bool
    seconds: float
    held_seconds: float = 0.0
    waiting: int = 0
    revision: int | None = None
    is_restart: bool = False
    is_overtaken: bool = False
    waited_seconds: float = 0.0
    settled: tuple[SettledRow, ...] = ()
    """The changes that became settled."""


def jobs(rows: Iterable[PendingRow]) -> list[Job]:
    """Makes jobs from pending rows."""
    return [Job(**row._asdict()) for row in rows]
