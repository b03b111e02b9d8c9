"""Where a chunk of background work ends: a range of pairs in key order, of about a given number."""

from __future__ import annotations

from typing import Final, TypeVar

from rescind.propagation.jobs import FIRST, LAST, Extent, Job
from rescind.store import Store
from rescind.store.rows import Query
from rescind.store.rows.reconcile import (
    FIND_ASSIGNMENT_BOUND_ASSIGNMENT,
    FIND_ASSIGNMENT_BOUND_WHOLE,
    FIND_MEMBERSHIP_BOUND,
    AssignmentBoundRow,
    MembershipBoundRow,
)

Bound = TypeVar("Bound", MembershipBoundRow, AssignmentBoundRow)
MOST_BOUNDS: Final = 1_000
"""Bounds that are remembered: one for each chunk of one membership, for each size of chunks."""


class Ranges:
    """The ranges of one job's chunks. Remembers the bounds that it found within memberships."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._bounds: dict[tuple[int, int], int | None] = {}

    def forget(self) -> None:
        """Forget all bounds, because the job changed."""
        self._bounds.clear()

    def after(self, job: Job, extent: Extent, pairs: int) -> dict[str, int]:
        """The next range of pairs in key order, of about this many."""
        is_between = job.cursor_assignment == LAST
        chunk = {
            "from_m": job.cursor_membership + 1 if is_between else job.cursor_membership,
            "after_a": FIRST if is_between else job.cursor_assignment,
            "to_m": LAST,
            "up_to_a": LAST,
            "looked_at": extent.pairs,
        }
        if extent.assignments > pairs:
            return self._within_membership(job, chunk, pairs)
        if job.kind == "member":
            return chunk
        a_group = max(pairs // max(extent.assignments, 1) // extent.groups, 1)
        bound = self._find(job, FIND_MEMBERSHIP_BOUND, chunk, step=a_group)
        if bound is None:
            return chunk
        looked_at = a_group * extent.groups * extent.assignments
        return {**chunk, "to_m": bound, "looked_at": looked_at}

    def _within_membership(self, job: Job, chunk: dict[str, int], pairs: int) -> dict[str, int]:
        """A range within one membership that has too many assignments for one chunk."""
        if job.kind == "member":
            membership = job.ref
        else:
            first = self._find(job, FIND_MEMBERSHIP_BOUND, chunk, step=0)
            if first is None:
                return chunk
            membership = first
        query = (
            FIND_ASSIGNMENT_BOUND_ASSIGNMENT
            if job.kind == "assignment"
            else FIND_ASSIGNMENT_BOUND_WHOLE
        )
        # earlier memberships have only a pending place in the group: all of theirs is reconciled
        after = chunk if membership == chunk["from_m"] else {**chunk, "after_a": FIRST}
        bound = self._assignment_bound(job, query, after, step=pairs - 1)
        if bound is None and job.kind == "member":
            return chunk
        up_to = LAST if bound is None else bound
        return {**chunk, "to_m": membership, "up_to_a": up_to, "looked_at": pairs}

    def _assignment_bound(
        self, job: Job, query: Query[AssignmentBoundRow], after: dict[str, int], *, step: int
    ) -> int | None:
        """The end of a chunk within a membership. The next membership uses the same one: any bound is
        correct.
        """
        place = (after["after_a"], step)
        if place not in self._bounds:
            if len(self._bounds) == MOST_BOUNDS:
                self._bounds.clear()
            self._bounds[place] = self._find(job, query, after, step=step)
        return self._bounds[place]

    def _find(
        self, job: Job, query: Query[Bound], chunk: dict[str, int], *, step: int
    ) -> int | None:
        rows = self._store.fetch(query, {**job.params(), **chunk, "step": step})
        return rows[0].bound if rows else None
