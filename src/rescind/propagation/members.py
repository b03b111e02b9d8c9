"""Pending memberships of one group, many in a chunk, in the order of their numbers.

Each has its own pending row, which is its fence and tells when it is settled. A chunk of many memberships
deletes the rows that it has done, so it needs no cursor.
"""

from __future__ import annotations

from dataclasses import dataclass

from rescind.propagation.jobs import LAST, Job
from rescind.store import Store
from rescind.store.rows.reconcile import LIST_PENDING_MEMBERS, PendingMemberRow


@dataclass(frozen=True, slots=True)
class MembershipRange:
    """Numbers of memberships that are still to be looked at: from `first` on, before `end`.

    A job goes from its own membership, which may be the group's last, to the end, and then from the beginning
    to its own. So its chunks are full, in whichever order the memberships became pending.
    """

    own: int
    first: int
    end: int

    @staticmethod
    def of(job: Job) -> MembershipRange:
        """All of the group's memberships, beginning with the job's own."""
        return MembershipRange(job.ref, job.ref, LAST)

    def after(self, row: PendingMemberRow) -> MembershipRange:
        """What is left when all before this one are done."""
        end = LAST if row.ref >= self.own else self.own
        return MembershipRange(self.own, row.ref, end)


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive pending memberships of a group: those that a chunk may do, and what comes after them, if
    anything.

    `may_settle` is false if the change that they come from has more memberships in the next window.
    """

    ready: tuple[PendingMemberRow, ...]
    rest: MembershipRange | None
    may_settle: bool


def read_window(store: Store, job: Job, unread: MembershipRange, *, limit: int) -> Window:
    """At most `limit` memberships of the job's group from this range. The job's own one is ready."""
    rows = _listed(store, job, unread, limit + 1)
    ready = tuple(row for row in rows[:limit] if row.is_ready)
    following = rows[limit:]
    if not following and unread.end == LAST:
        beginning = MembershipRange(unread.own, 0, unread.own)
        following = _listed(store, job, beginning, 1)
    revisions = {(row.since, row.revision) for row in ready}
    goes_on = revisions == {(row.since, row.revision) for row in following}
    rest = unread.after(following[0]) if following else None
    return Window(ready, rest, may_settle=not goes_on)


def _listed(store: Store, job: Job, unread: MembershipRange, limit: int) -> list[PendingMemberRow]:
    params = {**job.params(), "first": unread.first, "end": unread.end, "limit": limit}
    return store.fetch(LIST_PENDING_MEMBERS, params)
