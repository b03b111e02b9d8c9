"""A chunk of background work costs what it does, however much is pending and however many are in the group.

Work is counted, never timed: blocks that PostgreSQL visits, which include those of rows that are deleted but
not vacuumed yet, and steps of SQLite's virtual machine. Chunks are of one size; a worker stays with its job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
import pytest
from lab.databases import writer

from rescind import Authority, changes
from rescind.changes import Change
from rescind.propagation.audit import audit
from rescind.propagation.worker import Worker
from rescind.settings import Settings
from tests.contract.test_view import run
from tests.contract.test_work import STATISTICS, vacuum, without_vacuum
from tests.faults.small import Steady
from tests.sql import ours

FEW, MANY = 200, 1_600
PER_CHANGE = 50
PAIRS: Final = 100
"""Of a chunk: 50 members of a group with two assignments."""
MARGIN: Final = 1.6
"""How much more than in proportion the larger group may cost: another level of an index."""
NOISE: Final = 30_000
PARKED: Final = (
    'INSERT INTO rescind.pending (organization, "group", kind, ref, direction, urgency, since, revision,'
    " recorded_at, parked) SELECT o.id, -1000000, 'member', i, 'grants', 2, 1000000, 1000000, i, TRUE"
    f" FROM rescind.organization AS o CROSS JOIN generate_series(1, {NOISE}) AS i WHERE o.slug = 'many'"
)
"""Of another group, and for somebody to look at; so no worker takes it."""
LONG: Final = Settings(slice_seconds=3_600)
BLOCKS: Final = (
    "SELECT CAST(sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0)) AS BIGINT)"
    " FROM pg_statio_all_tables WHERE schemaname = 'rescind'"
)

WHILE_PENDING: Final = "while work is pending"

Counter = Callable[[], int]


def _organization(members: int) -> list[Change]:
    return [
        changes.CreateOrganization(),
        changes.DefinePermission(permission="read"),
        changes.DefineRole(role="reader", permissions=("read",)),
        changes.DefineResourceType(type="doc"),
        *(changes.CreateResource(resource=f"doc:{n}") for n in range(2)),
        *(changes.AddMembership(subject=subject) for subject in _subjects(members)),
        *(changes.CreateGroup(group=group) for group in ("all", "top")),
        *(changes.Assign(role="reader", to="group:all", on=f"doc:{n}") for n in range(2)),
        changes.Assign(role="reader", to="group:top", on="doc:1"),
    ]


def _subjects(count: int) -> tuple[str, ...]:
    return tuple(f"user:{n}" for n in range(count))


def _parts(members: int) -> Iterator[tuple[str, ...]]:
    everybody = _subjects(members)
    for start in range(0, members, PER_CHANGE):
        yield everybody[start : start + PER_CHANGE]


STEPS: Final[dict[str, Callable[[int], list[Change]]]] = {
    "members join": lambda n: [changes.AddMembers(group="all", members=p) for p in _parts(n)],
    "they join again": lambda n: [
        *(changes.RemoveMembers(group="all", members=part) for part in _parts(n)),
        *(changes.AddMembers(group="all", members=part) for part in _parts(n)),
    ],
    "a role is given": lambda _: [changes.Assign(role="reader", to="group:all")],
    "a role is taken back": lambda _: [changes.Unassign(role="reader", to="group:all")],
    "the group is nested": lambda _: [changes.NestGroup(group="all", into="top")],
    "and taken out": lambda _: [changes.UnnestGroup(group="all", out_of="top")],
    "members leave": lambda n: [changes.RemoveMembers(group="all", members=p) for p in _parts(n)],
}
"""What leaves work for background jobs, one after the other in the same organization."""


@contextmanager
def _opened(engine: str, database: str) -> Iterator[tuple[Authority, Counter]]:
    with Authority.open(database, organization="few") as authority:
        if engine == "sqlite":
            with _sqlite_steps(authority) as counter:
                yield authority, counter
        else:
            with psycopg.connect(database, autocommit=True) as other:
                yield authority, lambda: _blocks(authority, other)


@contextmanager
def _sqlite_steps(authority: Authority) -> Iterator[Counter]:
    """In hundreds, on all connections."""
    count = 0

    def more() -> int:
        nonlocal count
        count += 1
        return 0

    store: Any = authority.store
    lines = [writer(authority), *(line.connection for line in store.readers.connections())]
    for line in lines:
        line.set_progress_handler(more, 100)
    yield lambda: count
    for line in lines:
        line.set_progress_handler(None, 0)


def _blocks(authority: Authority, other: psycopg.Connection[Any]) -> int:
    """Visited so far, by the authority's connection up to now."""
    with authority.store.connection() as own:
        own.execute("SELECT pg_stat_force_next_flush()")  # type: ignore[attr-defined]
    ((blocks,),) = other.execute(BLOCKS).fetchall()
    return int(blocks)


Between = Callable[[], object]


def _costs(
    authority: Authority,
    members: int,
    counted: Counter,
    between: Between,
    pace: Steady | None = None,
) -> dict[str, int]:
    """What it costs to settle each of the steps."""
    found = {}
    authority.apply(_organization(members), route="inline")
    for name, made in STEPS.items():
        for change in made(members):
            authority.apply([change], route="background")
        assert authority.has_due_work(), name
        between()
        start = counted()
        worker = Worker(authority.store, LONG, pace=pace or Steady(PAIRS))  # type: ignore[arg-type]
        while worker.work_once():
            pass
        found[name] = counted() - start
        assert not authority.has_due_work(), name
    assert audit(authority.store).is_clean
    assert all(entry.settled_at is not None for entry in authority.log())
    return found


def _costly(engine: str, database: str, statistics: str = "never") -> dict[str, float]:
    """The steps that cost more than in proportion with eight times as many members, and how much more."""

    def between() -> None:
        if statistics == WHILE_PENDING:
            vacuum(database)

    if engine == "postgres":
        without_vacuum(database)
    if statistics == "when empty":
        vacuum(database)
    with _opened(engine, database) as (authority, counted):
        few = _costs(authority, FEW, counted, between)
        if statistics == "since":
            vacuum(database)
        many = _costs(Authority(authority.store, organization="many"), MANY, counted, between)
    ratios = {name: many[name] * FEW / MANY / few[name] for name in few}
    return {name: round(ratio, 2) for name, ratio in ratios.items() if ratio > MARGIN}


@pytest.mark.parametrize("engine", ["sqlite"])
def test_work_is_in_proportion(engine: str, new_database: Callable[[str], str]) -> None:
    """Eight times as many members, eight times as much work, whatever the work is about."""
    assert _costly(engine, new_database(engine)) == {}


class Looking(Steady):
    """As `Steady`, with a look at every effective role after each chunk."""

    def __init__(self, authority: Authority) -> None:
        super().__init__(PAIRS)
        self.authority = authority

    def learn(self, seconds: float, waiting: int, *, is_full: bool) -> None:
        super().learn(seconds, waiting, is_full=is_full)
        sql = ours(self.authority, "SELECT sum(assignment) FROM rescind.effective_role")
        writer(self.authority).execute(sql).fetchall()


def test_control_of_the_measure(new_database: Callable[[str], str]) -> None:
    """Chunks that look at everything cost more than in proportion: most plainly those that else do least."""
    with _opened("sqlite", new_database("sqlite")) as (authority, counted):
        pace = Looking(authority)
        few = _costs(authority, FEW, counted, lambda: None, pace)
        other = Authority(authority.store, organization="many")
        many = _costs(other, MANY, counted, lambda: None, pace)
    ratios = {name: many[name] * FEW / MANY / few[name] for name in few}
    found = {name for name, ratio in ratios.items() if ratio > MARGIN}
    assert found >= {"a role is given", "a role is taken back"}, ratios


@pytest.mark.parametrize("statistics", [*STATISTICS, WHILE_PENDING])
def test_work_is_in_proportion_on_postgres(
    statistics: str, new_database: Callable[[str], str]
) -> None:
    """The same, in a database never analysed, analysed when it was empty, and since; or whenever work waits,
    as the server does by itself after a minute.
    """
    assert _costly("postgres", new_database("postgres"), statistics) == {}


@pytest.mark.parametrize("statistics", ["never", WHILE_PENDING])
def test_what_else_is_pending_costs_nothing(
    statistics: str, new_database: Callable[[str], str]
) -> None:
    """As much work, whether nothing else of the organization is pending or thirty thousand rows are."""
    database = new_database("postgres")
    without_vacuum(database)
    with _opened("postgres", database) as (authority, counted):
        alone = _costs(authority, FEW, counted, lambda: None)
        other = Authority(authority.store, organization="many")
        other.apply([changes.CreateOrganization()])
        run(database, PARKED)
        if statistics == WHILE_PENDING:
            vacuum(database)
        beside = _costs(other, FEW, counted, lambda: None)
    assert {
        name: (cost, alone[name]) for name, cost in beside.items() if cost > MARGIN * alone[name]
    } == {}
