"""A change that arrives while its group is being reconciled is never lost and never doubled.

Thousands of random schedules: RESCIND_SCHEDULES says how many, on each engine.
"""

from __future__ import annotations

import os
import random
import re
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import psycopg
import pytest

from rescind import Authority, changes
from rescind.errors import StoreConflict
from rescind.propagation.audit import audit
from rescind.propagation.work import Work
from rescind.store import Store, open_store
from tests.clock import SettableClock
from tests.faults.small import Steady
from tests.probe import Probe, probe_of
from tests.property import schedules
from tests.property.schedules import SUBJECTS, Schedule
from tests.sql import ours

NAMED = os.environ.get("RESCIND_SCHEDULES")
COUNTS = {"sqlite": int(NAMED or 500), "postgres": int(NAMED or 120)}
AN_ORGANIZATION = 50
"""Schedules that follow each other in one organization."""
OF_REVISION = (
    r"AND revision = (:revision|%\(revision\)s)|AND p\.revision \+ 0 = CAST\(i\.value ->> 1 AS INTEGER\)"
    r"|AND revision = CAST\(\(.*INTEGER\)"
)
BEFORE_TALLIES = 4
"""The statement of a chunk of assignments before which its rows are made."""
STATEMENTS = 12
"""So many a transaction has, about."""


@pytest.fixture
def clock() -> SettableClock:
    """The time of the schedules."""
    return SettableClock(schedules.clock())


@pytest.fixture
def authority(authority: Authority) -> Authority:
    """On each engine in turn; what a crash would leave is not the question here."""
    writer = getattr(authority.store, "writer", None)
    if isinstance(writer, sqlite3.Connection):
        writer.execute("PRAGMA synchronous = OFF")
    schedules.prepare(authority)
    return authority


def _seeded(authority: Authority, count: int) -> Iterator[Schedule]:
    """Schedules, a few in each organization, each from a seed of its own."""
    schedule = None
    for seed in range(count):
        rng = random.Random(seed)
        if schedule is None or seed % AN_ORGANIZATION == 0:
            schedule = Schedule(authority, rng)
        schedule.rng = rng
        yield schedule


def _between_chunks(schedule: Schedule) -> None:
    """Changes arrive between the chunks of jobs that know nothing of them."""
    rng = schedule.rng
    for _ in range(rng.randint(1, 2)):
        schedule.change(route="background")
    under_way: list[Work] = []
    for _ in range(rng.randint(2, 6)):
        if rng.random() < 0.4:
            schedule.change(route=rng.choice(schedules.ROUTES))
            continue
        if (not under_way or rng.random() < 0.3) and (chosen := schedule.chosen()):
            under_way.append(chosen)
        if under_way and schedule.step(work := rng.choice(under_way)):
            under_way.remove(work)
    schedule.agrees()
    schedule.drain()
    schedule.is_right()


def test_between_chunks(authority: Authority) -> None:
    """Wherever between its chunks a job is when a change arrives, both come to be."""
    for schedule in _seeded(authority, COUNTS[authority.store.engine]):
        _between_chunks(schedule)


@pytest.mark.parametrize("is_on", [True, False])
def test_an_overtaken_job_begins_anew(authority: Authority, probe: Probe, is_on: bool) -> None:
    """What takes back a change whose job is half done is done as well; a job that does not look loses it."""
    schedule = Schedule(authority, random.Random(0))
    queries = authority.store.queries
    if not is_on:
        probe.omitted.add("refuse_pending_moved")
        for query in ("advance_pending", "settle_pending"):
            queries[query] = re.sub(OF_REVISION, "", queries[query], flags=re.DOTALL)
    schedule.apply(changes.UnnestGroup(group="team", out_of="all"), route="background")
    work = schedule.chosen()
    assert work is not None
    assert not work.step(Steady(1)).is_settled
    schedule.apply(changes.NestGroup(group="team", into="all"), route="background")
    while not work.step(Steady(10)).is_settled:
        pass
    _drain_and_judge(schedule, is_right=is_on)


class Collisions:
    """Two processes' worth of authorities on one PostgreSQL database, whose transactions meet.

    Each statement is answered before the next is sent, so that the other comes in between.
    """

    def __init__(self, database: str) -> None:
        self.one, self.other, self.watcher = (
            Authority(open_store(database, probe=Probe()), clock=schedules.clock) for _ in range(3)
        )
        self._pool = ThreadPoolExecutor(1)
        schedules.prepare(self.one)

    def close(self) -> None:
        self._pool.shutdown()
        for authority in (self.one, self.other, self.watcher):
            authority.close()

    def meet(self, outer: Any, outer_store: Store, inner: Any, at: int) -> None:
        """Inner begins before that statement of outer; it is done, or waits for outer, when outer goes on."""
        begun: list[Future[None]] = []
        numbers = iter(range(1_000_000))

        def hook(_: str) -> None:
            if next(numbers) == at:
                begun.append(self._pool.submit(inner))
                while not begun[0].done() and not self.watcher.store.waiting():
                    pass

        probe_of(outer_store).before = hook
        try:
            outer()
        finally:
            probe_of(outer_store).before = None
            (begun[0] if begun else self._pool.submit(inner)).result()


@pytest.fixture
def collisions(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Collisions]:
    """On a fresh database."""
    monkeypatch.setattr(psycopg.Connection, "pipeline", lambda _: nullcontext())
    made = Collisions(new_database("postgres"))
    yield made
    made.close()


def _inside_a_chunk(schedule: Schedule, collisions: Collisions) -> int:
    """A change and a chunk meet, either inside the other, some times in a row."""
    rng, conflicts = schedule.rng, 0
    schedule.change(route="background")
    for _ in range(rng.randint(1, 3)):
        work = schedule.chosen()
        if work is None:
            schedule.change(route="background")
            continue
        route = rng.choice(schedules.ROUTES)

        def change(route: str | None = route) -> None:
            schedule.change(collisions.other, route)

        def chunk(work: Work = work) -> None:
            schedule.step(work)

        at = rng.randrange(STATEMENTS)
        try:
            if rng.random() < 0.5:
                collisions.meet(chunk, collisions.one.store, change, at)
            else:
                collisions.meet(change, collisions.other.store, chunk, at)
        except StoreConflict:
            conflicts += 1
    schedule.agrees()
    schedule.drain()
    schedule.is_right()
    return conflicts


def test_inside_a_chunk(collisions: Collisions) -> None:
    """At whatever statements a change and a chunk meet, both come to be, and neither stops the other."""
    found = _seeded(collisions.one, COUNTS["postgres"])
    assert sum(_inside_a_chunk(schedule, collisions) for schedule in found) == 0


@pytest.mark.parametrize("is_on", [True, False])
def test_the_locks_keep_them_apart(collisions: Collisions, is_on: bool) -> None:
    """Who leaves when a chunk has made its rows has none in the end; if the chunk locks nothing, some."""
    if not is_on:
        probe_of(collisions.one).omitted |= {"refuse_group_busy", "refuse_one_group_busy"}
    schedule = Schedule(collisions.one, random.Random(0))
    schedule.apply(changes.Assign(role="reader", to="group:team", on="doc:2"), route="background")
    work = schedule.chosen()
    assert work is not None
    leave = changes.RemoveMembers(group="team", members=SUBJECTS[:1])
    collisions.meet(
        lambda: work.step(Steady(100)),
        collisions.one.store,
        lambda: schedule.apply(leave, collisions.other),
        at=BEFORE_TALLIES,
    )
    _drain_and_judge(schedule, is_right=is_on)


@pytest.mark.parametrize("is_on", [True, False])
def test_a_repair_is_overtaken_too(collisions: Collisions, is_on: bool) -> None:
    """Who leaves while a repair of theirs is done has nothing in the end; if the repair had the number of the
    next revision, what is pending for that change would be taken for the repair, and be gone.
    """
    authority = collisions.one
    if not is_on:
        queries = authority.store.queries
        queries["pend_repair"] = queries["pend_repair"].replace(
            "o.revision, o.revision", "o.revision + 1, o.revision + 1"
        )
    schedule = Schedule(authority, random.Random(0))
    with authority.store.connection() as connection:
        connection.execute(ours(authority, "DELETE FROM rescind.effective_role"))  # type: ignore[attr-defined]
    audit(authority.store, schedule.organization, repair=True)
    team = {work.group_number for work in authority.pending() if work.group == "team"}
    job = min((job for job in schedule.pending() if job.group in team), key=lambda job: job.ref)
    leave = changes.RemoveMembers(group="team", members=SUBJECTS[:1])
    collisions.meet(
        lambda: Work(authority.store, job).step(Steady(100)),
        authority.store,
        lambda: schedule.apply(leave, collisions.other, "background"),
        at=BEFORE_TALLIES,
    )
    _drain_and_judge(schedule, is_right=is_on)


def _drain_and_judge(schedule: Schedule, *, is_right: bool) -> None:
    """Do what is left; then all is right, or, where a guard was off, something is not."""
    schedule.drain()
    with nullcontext() if is_right else pytest.raises(AssertionError):
        schedule.is_right()
