"""One job of background work under way: chunk by chunk, each in a transaction of its own.

A chunk rereads the facts for a range of pairs in key order, corrects the rows and moves the cursor, in one
transaction. So it may be repeated, killed or overtaken at any point: the next one continues from the cursor.
A chunk locks the groups whose effective roles it changes. If it cannot have them, it yields.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from rescind.errors import PendingMoved, RescindError, StoreConflict, StoreReadOnly
from rescind.propagation.jobs import FIRST, LAST, Extent, Job, Progress, jobs
from rescind.propagation.members import MembershipRange, Window, read_window
from rescind.propagation.pace import Pace
from rescind.propagation.ranges import Ranges
from rescind.store import Store, Transaction
from rescind.store.contract import LockCost
from rescind.store.rows.reconcile import (
    FIND_PENDING,
    MEASURE_ASSIGNMENT,
    MEASURE_MEMBER,
    MEASURE_WHOLE,
    SETTLE_CHANGES,
    SettledRow,
)

MOST_MEMBERS: Final = 20_000
"""Memberships of a chunk, at most."""
EVERYTHING: Final = {"from_m": FIRST, "after_a": LAST, "to_m": LAST, "up_to_a": LAST}
"""The range of a chunk that does all pairs of the memberships that it lists."""
MEASURES: Final = {
    "assignment": MEASURE_ASSIGNMENT,
    "whole": MEASURE_WHOLE,
    "member": MEASURE_MEMBER,
}
"""The query for the size of a job, by kind."""


class Work:
    """One job under way, by one worker. What it remembers only makes it faster.

    A job of one membership continues with the group's other pending memberships that are ready, many in a
    chunk.
    """

    def __init__(self, store: Store, job: Job) -> None:
        self.store, self.job = store, job
        self._extent: Extent | None = None
        self._ranges = Ranges(store)
        self._unread = MembershipRange.of(job)
        self._most_members = MOST_MEMBERS

    def step(self, pace: Pace) -> Progress:
        """Do one chunk. Read the job anew if another worker continued it.

        Raises GroupBusy, or a StoreError; then nothing of the chunk was done.
        """
        start = time.perf_counter()
        try:
            if self._extent is None:
                self._extent = self._begun()
            if self.job.kind == "member" and self.fits_many(self._extent, pace):
                return self._step_members(self._extent, pace, start)
            return self._step_range(self._extent, pace, start)
        except PendingMoved:
            return self._moved(start)

    def _step_range(self, extent: Extent, pace: Pace, start: float) -> Progress:
        chunk = self._ranges.after(self.job, extent, pace.pairs)
        done = self._carry_out(chunk, extent, start)
        is_full = (chunk["to_m"], chunk["up_to_a"]) != (LAST, LAST)
        pace.learn(done.held_seconds, done.waiting, is_full=is_full)
        return done

    def _moved(self, start: float) -> Progress:
        """Read the job's row again, because a change or another worker altered it."""
        self._extent = None
        self._ranges.forget()
        found = jobs(self.store.fetch(FIND_PENDING, self.job.params()))
        if not found:
            return Progress(0, 0, True, time.perf_counter() - start)
        was, self.job = self.job, found[0]
        is_overtaken = (was.since, was.revision) == (self.job.since, self.job.revision)
        seconds = time.perf_counter() - start
        return Progress(0, 0, False, seconds, is_restart=True, is_overtaken=is_overtaken)

    # --- many memberships in a chunk ---------------------------------------------------------------

    def fits_many(self, extent: Extent, pace: Pace) -> bool:
        return not self.job.is_begun and extent.assignments <= pace.pairs

    def _step_members(self, extent: Extent, pace: Pace, start: float) -> Progress:
        """Do the next memberships of the group that are ready. If that fails, try fewer next time.

        The job ends where none is: those that are ready further on are found by their index, however many lie
        between.
        """
        most = pace.pairs // max(extent.assignments, 1)
        limit = max(min(most, self._most_members), 1)
        window = read_window(self.store, self.job, self._unread, limit=limit)
        if not window.ready:
            return Progress(0, 0, True, time.perf_counter() - start)
        lead = window.ready[0]
        self.job = replace(
            self.job,
            ref=lead.ref,
            since=lead.since,
            revision=lead.revision,
            recorded_at=lead.recorded_at,
        )
        try:
            done = self._carry_out_members(window, start)
        except PendingMoved:
            raise
        except Exception as error:
            if len(window.ready) == 1 or is_of_store(error):
                raise
            self._most_members = len(window.ready) // 2
            return Progress(0, 0, False, time.perf_counter() - start)
        pace.learn(done.held_seconds, done.waiting, is_full=len(window.ready) == most)
        if window.rest is not None:
            self._unread = window.rest
        return done

    def _carry_out_members(self, window: Window, start: float) -> Progress:
        members = json.dumps([row.ref for row in window.ready])
        names = {**self.job.params(), **EVERYTHING, "members": members}
        names |= {"cursor_m": 0, "cursor_a": LAST}
        settled: list[tuple[int, int, int, int]] = [
            (r.ref, r.revision, r.since, r.recorded_at) for r in window.ready
        ]
        return self._transact(
            names,
            {"make_members": True, "unmake_members": True},
            settled=settled,
            is_last=window.rest is None,
            may_settle=window.may_settle,
            start=start,
        )

    # --- a range of pairs in a chunk ---------------------------------------------------------------

    def _begun(self) -> Extent:
        """Measure the job. An `assignment` job first takes over the group's other assignment jobs that are
        not begun.
        """
        query = MEASURES[self.job.kind]
        (found,) = self.store.fetch(query, self.job.params())
        if found.unbegun > 1 and not self.job.is_begun:
            self._gather()
            (found,) = self.store.fetch(query, self.job.params())
        groups = max(found.groups, 1)
        return Extent(found.live, found.ended, groups, found.members, found.first, found.last)

    def _gather(self) -> None:
        """Raises PendingMoved if another worker has begun the job: then its revisions stay as they are."""
        names = {**self.job.params(), "cursor_m": 0, "cursor_a": LAST}

        def gather(tx: Transaction) -> None:
            tx.refuse("refuse_one_group_busy", **names)
            tx.refuse("refuse_pending_moved", **names)
            tx.run("gather_pending", **names)
            tx.run("delete_gathered", **names)

        self.store.transact(gather, yields=True)
        found = jobs(self.store.fetch(FIND_PENDING, names))
        self.job = found[0] if found else self.job

    def _carry_out(self, chunk: dict[str, int], extent: Extent, start: float) -> Progress:
        job = self.job
        is_last = (chunk["to_m"], chunk["up_to_a"]) == (LAST, LAST)
        is_of_one = chunk["from_m"] == chunk["to_m"]
        names = {
            **job.params(),
            **chunk,
            "cursor_m": job.cursor_membership,
            "cursor_a": job.cursor_assignment,
            "total": extent.pairs,
            "first": extent.first,
            "last": extent.last,
            "above": chunk["after_a"] if is_of_one else FIRST,
            "up_to": chunk["up_to_a"] if is_of_one else LAST,
        }
        # the job's revisions fix its assignments: no more can be made in them
        statements: dict[str, dict[str, Any]] = {
            "assignment": {
                "make_assignment_again": extent.live,  # first, because these have some of the rows
                "make_assignment": extent.live,
                "unmake_assignment": extent.ended,
            },
            "whole": {"make_whole": True, "unmake_whole": True},
            "member": {"make_member": True, "unmake_member": True},
        }
        own = (job.ref, job.revision, job.since, job.recorded_at)
        done = self._transact(
            names,
            statements[job.kind],
            settled=[own] if is_last else [],
            is_last=is_last,
            may_settle=is_last,
            start=start,
        )
        if not is_last:
            self.job = replace(
                job, cursor_membership=chunk["to_m"], cursor_assignment=chunk["up_to_a"]
            )
        return done

    def _transact(
        self,
        names: dict[str, Any],
        statements: dict[str, Any],
        *,
        settled: list[tuple[int, int, int, int]],
        is_last: bool,
        may_settle: bool,
        start: float,
    ) -> Progress:
        """A chunk's transaction: guards, then the statements on effective roles; then the job's row is
        deleted if it is settled, else its cursor is moved.
        """
        written: dict[str, list[Callable[[], int]]] = {}
        held: list[Callable[[], LockCost]] = []
        changes: list[Callable[[], list[SettledRow]]] = []
        is_of_one_group = self.job.kind == "assignment"
        done = {"settled": json.dumps(settled), "spans": spans_of(settled)}

        def make_right(tx: Transaction) -> None:
            written.update(make=[], unmake=[])
            tx.refuse("refuse_one_group_busy" if is_of_one_group else "refuse_group_busy", **names)
            tx.refuse("refuse_pending_moved", **names)
            for statement, is_needed in statements.items():
                if is_needed:
                    written[statement.partition("_")[0]].append(tx.rows_written(statement, **names))
            held[:] = [tx.lock_cost(number=self.job.organization)]
            if not settled:
                tx.run("advance_pending", **names)
                return
            tx.run("settle_pending", **names, **done)
            if may_settle:
                changes[:] = [tx.read_later(SETTLE_CHANGES, **names, **done)]

        # a crash that undoes a chunk undoes its cursor too; only what settles changes must be durable
        self.store.transact(make_right, yields=True, durable=may_settle)
        cost = held[0]()
        return Progress(
            sum(rows() for rows in written["make"]),
            sum(rows() for rows in written["unmake"]),
            is_last,
            time.perf_counter() - start,
            cost.seconds,
            cost.waiting,
            cost.revision,
            waited_seconds=cost.waited_seconds,
            settled=tuple(row for rows in changes for row in rows()),
        )


def spans_of(settled: list[tuple[int, int, int, int]]) -> str:
    """The distinct ranges of revisions of pending rows: since, revision, and when they became pending."""
    spans: dict[tuple[int, int], int] = {}
    for _, revision, since, recorded_at in settled:
        spans[(since, revision)] = min(recorded_at, spans.get((since, revision), recorded_at))
    return json.dumps([[*span, recorded_at] for span, recorded_at in spans.items()])


def is_of_store(error: Exception) -> bool:
    """Whether the whole store fails, so that the worker waits for it. A conflict concerns this job alone."""
    if isinstance(error, StoreReadOnly):
        return True
    return isinstance(error, RescindError) and error.retry and not isinstance(error, StoreConflict)
