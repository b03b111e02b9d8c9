"""Pending memberships of one group, many in a chunk, in the order of their numbers.

Each has its own pending row, which is its fence and tells when it is settled. A chunk of many memberships
deletes the rows that it has done, so it needs no cursor.
"""

from __future__ import annotations

from dataclasses import dataclass

from rescind.propagation.jobs import Job
from rescind.store import Store
from rescind.store.rows.reconcile import LIST_PENDING_MEMBERS, PendingMemberRow


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive pending memberships of a group: those that a chunk may do, and where the next window
    begins.

    `may_settle` is false if the change that they come from has more memberships in the next window.
    """

    ready: tuple[PendingMemberRow, ...]
    next_first: int | None
    may_settle: bool


def read_window(store: Store, job: Job, *, first: int, limit: int) -> Window:
    """At most `limit` memberships of the job's group, from number `first` on. The job's own one is ready."""
    params = {**job.params(), "first": first, "limit": limit + 1}
    rows = store.fetch(LIST_PENDING_MEMBERS, params)
    ready = tuple(row for row in rows[:limit] if row.is_ready)
    following = rows[limit] if len(rows) > limit else None
    revisions = {(row.since, row.revision) for row in ready}
    goes_on = following is not None and revisions == {(following.since, following.revision)}
    return Window(ready, None if following is None else following.ref, may_settle=not goes_on)
