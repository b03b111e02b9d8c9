"""Background work: make the effective roles right that a pending row names, chunk by chunk.

A chunk rereads the facts for a range of pairs in key order, makes the rows right and moves the cursor, in
one transaction. So it may be repeated, killed or overtaken anywhere: the next one goes on from the
cursor. It locks the groups whose effective roles it touches, and gives way where it cannot have them.

`reconcile` is a plain function: any scheduler can call it. `worker` is ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from rescind.errors import GroupNotFound, PendingMoved, StoreConflict
from rescind.propagation.jobs import FIRST, LAST, Extent, Job, Progress, jobs
from rescind.propagation.pace import Pace
from rescind.propagation.purge import purge
from rescind.store import Store, Transaction
from rescind.store.base import Held

MOST_RESTARTS: Final = 100
"""Of one call, by changes that come while it works. Then somebody else must wait, or a worker do it."""
MOST_BOUNDS: Final = 1_000
"""That are remembered; there are as many as chunks of one membership, for each size of a chunk."""


def reconcile(store: Store, organization: str, group: str, *, pace: Pace | None = None) -> Progress:
    """Settle all that is pending for a group, parked or not.

    When this returns, what was pending for it at the call is settled. Raises GroupNotFound, GroupBusy
    where another worker has the group, StoreConflict where changes keep coming to what is being settled,
    or another StoreError; what was done by then stays done.
    """
    found = store.fetch("find_group", {"organization": organization, "group": group})
    if not found:
        raise GroupNotFound(organization=organization, group=group)
    return reconcile_numbered(store, *found[0], pace=pace)


def reconcile_numbered(store: Store, o: int, group: int, *, pace: Pace | None = None) -> Progress:
    """The same for a group by its numbers, which it keeps when it is deleted."""
    pace = pace or Pace(store.engine)
    start, made, unmade, restarts = time.perf_counter(), 0, 0, 0
    left = jobs(store.fetch("list_pending_of_group", {"o": o, "g": group}))
    up_to = max((job.revision for job in left), default=0)
    while left:
        work, is_settled = Work(store, left[0]), False
        while not is_settled:
            done = work.step(pace)
            made, unmade, is_settled = made + done.made, unmade + done.unmade, done.is_settled
            restarts += done.revision is None and not is_settled
            if restarts > MOST_RESTARTS:
                raise StoreConflict(group=group, why="what is pending for it kept changing")
        found = jobs(store.fetch("list_pending_of_group", {"o": o, "g": group}))
        left = [job for job in found if job.since <= up_to]  # what came later is not asked for
    purge(store)
    return Progress(made, unmade, True, time.perf_counter() - start)


class Work:
    """One job under way, by one worker. What it remembers is only how to do it faster."""

    def __init__(self, store: Store, job: Job) -> None:
        self.store, self.job = store, job
        self._extent: Extent | None = None
        self._bounds: dict[tuple[int, int], int | None] = {}

    def step(self, pace: Pace) -> Progress:
        """Do one chunk, and read anew where the job went on without us.

        Raises GroupBusy, or a StoreError; then nothing of the chunk was done.
        """
        start = time.perf_counter()
        if self._extent is None:
            self._extent = self._begun()
        chunk = self._chunk(self._extent, pace.pairs)
        try:
            done = self._carry_out(chunk, self._extent, start)
        except PendingMoved:
            self._extent = None
            self._bounds.clear()
            found = self.store.fetch(
                "list_pending_of_group", {"o": self.job.o, "g": self.job.group}
            )
            same = [job for job in jobs(found) if job.key == self.job.key]
            if not same:
                return Progress(0, 0, True, time.perf_counter() - start)
            was, self.job = self.job, same[0]
            is_overtaken = (was.since, was.revision) == (self.job.since, self.job.revision)
            seconds = time.perf_counter() - start
            return Progress(0, 0, False, seconds, is_overtaken=is_overtaken)
        is_full = (chunk["to_m"], chunk["up_to_a"]) != (LAST, LAST)
        pace.learn(done.held_seconds, done.waiting, is_full=is_full)
        return done

    def _begun(self) -> Extent:
        """Measure the job; one of assignments takes the group's others with it that nobody began."""
        query = f"measure_{self.job.kind}"
        ((*_, unbegun, _, _),) = rows = self.store.fetch(query, self.job.names())
        if unbegun > 1 and not self.job.is_begun:
            self._gather()
            rows = self.store.fetch(query, self.job.names())
        live, ended, groups, memberships, _, first, last = rows[0]
        return Extent(live, ended, max(groups, 1), memberships, first, last)

    def _gather(self) -> None:
        names = self.job.names()

        def gather(tx: Transaction) -> None:
            tx.guard("refuse_one_group_busy", **names)
            tx.run("gather_pending", **names)
            tx.run("delete_gathered", **names)

        self.store.transact(gather, gives_way=True)
        found = jobs(
            self.store.fetch("list_pending_of_group", {"o": self.job.o, "g": self.job.group})
        )
        self.job = next((job for job in found if job.key == self.job.key), self.job)

    def _chunk(self, extent: Extent, pairs: int) -> dict[str, int]:
        """The next range of pairs in key order, about so many of them."""
        job = self.job
        is_between = job.cursor_assignment == LAST
        chunk = {
            "from_m": job.cursor_membership + 1 if is_between else job.cursor_membership,
            "after_a": FIRST if is_between else job.cursor_assignment,
            "to_m": LAST,
            "up_to_a": LAST,
            "looked_at": extent.pairs,
        }
        if extent.assignments > pairs:
            return self._within_membership(chunk, pairs)
        if job.kind == "member":
            return chunk
        a_group = max(pairs // max(extent.assignments, 1) // extent.groups, 1)
        bound = self._find("find_membership_bound", chunk, step=a_group)
        if bound is None:
            return chunk
        looked_at = a_group * extent.groups * extent.assignments
        return {**chunk, "to_m": bound, "looked_at": looked_at}

    def _within_membership(self, chunk: dict[str, int], pairs: int) -> dict[str, int]:
        """Some of the assignments of one membership, where all of them are too many for a chunk."""
        job = self.job
        if job.kind == "member":
            membership = job.ref
        else:
            first = self._find("find_membership_bound", chunk, step=0)
            if first is None:
                return chunk
            membership = first
        what = "assignment" if job.kind == "assignment" else "whole"
        # of those before it, who are concerned only by a pending place in the group, all is looked at
        after = chunk if membership == chunk["from_m"] else {**chunk, "after_a": FIRST}
        bound = self._assignment_bound(f"find_assignment_bound_{what}", after, step=pairs - 1)
        if bound is None and job.kind == "member":
            return chunk
        up_to = LAST if bound is None else bound
        return {**chunk, "to_m": membership, "up_to_a": up_to, "looked_at": pairs}

    def _assignment_bound(self, query: str, after: dict[str, int], *, step: int) -> int | None:
        """The end of a chunk within a membership. It is the same for the next one: any would be right."""
        place = (after["after_a"], step)
        if place not in self._bounds:
            if len(self._bounds) == MOST_BOUNDS:
                self._bounds.clear()
            self._bounds[place] = self._find(query, after, step=step)
        return self._bounds[place]

    def _find(self, query: str, chunk: dict[str, int], *, step: int) -> int | None:
        rows = self.store.fetch(query, {**self.job.names(), **chunk, "step": step})
        return rows[0][0] if rows else None

    def _carry_out(self, chunk: dict[str, int], extent: Extent, start: float) -> Progress:
        job = self.job
        is_last = (chunk["to_m"], chunk["up_to_a"]) == (LAST, LAST)
        is_of_one = chunk["from_m"] == chunk["to_m"]
        names = {
            **job.names(),
            **chunk,
            "cursor_m": job.cursor_membership,
            "cursor_a": job.cursor_assignment,
            "total": extent.pairs,
            "first": extent.first,
            "last": extent.last,
            "above": chunk["after_a"] if is_of_one else FIRST,
            "up_to": chunk["up_to_a"] if is_of_one else LAST,
        }
        made: list[Callable[[], int]] = []
        unmade: list[Callable[[], int]] = []
        held: list[Callable[[], Held]] = []

        def make_right(tx: Transaction) -> None:
            made.clear()
            unmade.clear()
            tx.guard(
                "refuse_one_group_busy" if job.kind == "assignment" else "refuse_group_busy",
                **names,
            )
            tx.guard("refuse_pending_moved", **names)
            # which assignments a job is for is settled by its revisions: none is made in them any more
            if extent.live and job.kind == "assignment":  # before others: who has some of the rows
                made.append(tx.written("make_assignment_again", **names))
            if extent.live or job.kind != "assignment":
                made.append(tx.written(f"make_{job.kind}", **names))
            if extent.ended or job.kind != "assignment":
                unmade.append(tx.written(f"unmake_{job.kind}", **names))
            held[:] = [tx.held(o=job.o)]
            if is_last:
                tx.run("settle_changes", **names)
                tx.run("settle_pending", **names)
            else:
                tx.run("advance_pending", **names)

        # a chunk that a crash undoes takes its cursor with it; only what is told to be settled must last
        self.store.transact(make_right, gives_way=True, may_be_lost=not is_last)
        if not is_last:
            self.job = replace(
                job, cursor_membership=chunk["to_m"], cursor_assignment=chunk["up_to_a"]
            )
        cost = held[0]()
        return Progress(
            sum(rows() for rows in made),
            sum(rows() for rows in unmade),
            is_last,
            time.perf_counter() - start,
            cost.seconds,
            cost.waiting,
            cost.revision,
        )
