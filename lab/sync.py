"""A directory sync: many people join one group at once, and a file of many people is imported.

The people are written by one statement, since only what follows is measured: changes on the background route
of 10,000 members each (`record`), and then the work that they leave (`settle`). That is compared with one raw
`INSERT … SELECT` of as many effective roles in key order in the same run.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from lab.databases import bare, drop, servers
from lab.report import Goal, percentile
from lab.world_facts import write_memberships
from lab.worlds import apply_all, definitions, subjects
from rescind import Authority, changes
from rescind.changes import Change
from rescind.propagation.worker import Worker
from rescind.store.queries import Engine
from rescind.transfer import loading
from rescind.transfer.formats import Format, parse
from rescind.transfer.readers import read

ENGINES: Final[tuple[Engine, ...]] = ("sqlite", "postgres")
ASSIGNMENTS = 5
SYNCED = 200_000
FIXED_SECONDS = 10.0
"""A sync may take this long, beside twice the raw insert of its rows."""
SIZES = (1_000, 10_000, 100_000, SYNCED, 1_000_000)
QUICK_SIZES = (1_000, 10_000, 20_000)
LEAST_LINEAR = 10_000
"""The size that larger ones are compared with."""
REPEATED, REPEATS = 10_000, 5
"""Sizes up to this are over so soon that the median of several runs counts."""
PER_CHANGE = 10_000
"""Members that one change of a sync adds."""
IMPORTED = 1_000_000
PER_GROUP = 1_000
TELL_SECONDS = 10.0
"""How often a long measurement tells how far it is."""
GOALS = {
    "sync.sqlite.settle_ratio": Goal(1.0),
    "sync.postgres.settle_ratio": Goal(1.0),
    "sync.sqlite.linear": Goal(1.5),
    "sync.postgres.linear": Goal(1.5),
    "import.million.sqlite_s": Goal(
        60,
        why="a row takes about 40 µs of processor time, more than half of it in SQLite, and every 250 rows"
        " are a durable commit",
    ),
    "import.million.postgres_s": Goal(150),
}
Figures = dict[str, float]

RAW = {
    "sqlite": "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {members}),"
    " a (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM a WHERE i < {assignments})"
    " INSERT INTO rescind_effective_role SELECT 1, n.i, a.i, NULL FROM n CROSS JOIN a",
    "postgres": "INSERT INTO rescind.effective_role SELECT 1, n, a, NULL"
    " FROM generate_series(1, {members}) AS n CROSS JOIN generate_series(1, {assignments}) AS a",
}


class Synced(NamedTuple):
    """Seconds in which members were added, and in which what that left to do was done."""

    record: float
    settle: float


def run(*, quick: bool, seed: int) -> Figures:  # noqa: ARG001
    """Figures of both engines, in seconds. `settle_ratio` is the time to settle divided by what it may take;
    `linear` is the most that a member costs at any size of at least 10,000, divided by what one costs there.
    """
    sizes = QUICK_SIZES if quick else SIZES
    synced = QUICK_SIZES[-1] if quick else SYNCED
    imported = IMPORTED // 20 if quick else IMPORTED
    figures: Figures = {"sync.members": synced, "sync.assignments": ASSIGNMENTS}
    with servers() as make:
        for engine in ENGINES:
            with _fresh(engine, make) as url:
                figures[f"sync.{engine}.raw_s"] = _raw(engine, url, synced)
            figures |= _synced(engine, make, sizes)
            with _fresh(engine, make) as url:
                name = "import.quick" if quick else "import.million"
                figures[f"{name}.{engine}_s"] = _imported(engine, url, imported)
    for engine in ENGINES:
        seconds, raw = figures[f"sync.{engine}.settle_{synced}_s"], figures[f"sync.{engine}.raw_s"]
        figures[f"sync.{engine}.settle_s"] = seconds
        figures[f"sync.{engine}.settle_ratio"] = seconds / (2 * raw + FIXED_SECONDS)
    return figures


def _say(what: str) -> None:
    print(f"lab: {what}", file=sys.stderr, flush=True)


@contextmanager
def _fresh(engine: Engine, make: Callable[[str], str]) -> Iterator[str]:
    """A database that is dropped afterwards, so that its server has nothing more to do for it."""
    url = make(engine)
    yield url
    drop(engine, url)


def _raw(engine: Engine, url: str, members: int) -> float:
    with bare(engine, url) as connection:
        start = time.perf_counter()
        connection.execute(RAW[engine].format(members=members, assignments=ASSIGNMENTS))
        return time.perf_counter() - start


def _synced(engine: Engine, make: Callable[[str], str], sizes: tuple[int, ...]) -> Figures:
    figures: Figures = {}
    a_member: dict[int, float] = {}
    for size in sizes:
        taken = []
        for _ in range(REPEATS if size <= REPEATED else 1):
            with _fresh(engine, make) as url:
                taken.append(_sync(engine, url, size))
        record, settle = (
            percentile([seconds[part] for seconds in taken], 0.5)
            for part in range(len(Synced._fields))
        )
        figures[f"sync.{engine}.record_{size}_s"] = record
        figures[f"sync.{engine}.settle_{size}_s"] = settle
        a_member[size] = settle / size
    least = a_member[LEAST_LINEAR]
    most = max(cost for size, cost in a_member.items() if size >= LEAST_LINEAR)
    figures[f"sync.{engine}.linear"] = most / least
    return figures


def _sync(engine: Engine, url: str, members: int) -> Synced:
    """Add so many members to one group, and settle what is pending then."""
    _say(f"{engine}, {members:,} members …")
    with Authority.open(url, organization="lab") as authority:
        apply_all(authority, _organization())
    write_memberships(engine, url, "lab", members)
    with Authority.open(url, organization="lab") as authority:
        everybody = subjects(members)
        begin = time.perf_counter()
        for start in range(0, members, PER_CHANGE):
            part = tuple(everybody[start : start + PER_CHANGE])
            authority.apply([changes.AddMembers(group="all", members=part)], route="background")
        recorded = time.perf_counter()
        _say(f"{engine}, {members:,} members: recorded in {recorded - begin:.1f} s")
        told = _Told(f"{engine}, {members:,} members", members * ASSIGNMENTS)
        worker = Worker(authority.store, authority.settings, on_progress=told)
        settling = time.perf_counter()
        while worker.work_once():
            pass
        seconds = time.perf_counter() - settling
        _say(f"{engine}, {members:,} members: settled in {seconds:.1f} s")
        if authority.has_due_work() or told.made != members * ASSIGNMENTS:
            raise RuntimeError("work is left")
        return Synced(recorded - begin, seconds)


class _Told:
    """Tells now and then how many effective roles there are of how many."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total, self._at = what, total, time.monotonic()
        self.made = 0

    def __call__(self, _: Any, done: Any) -> None:
        self.made += done.made
        if time.monotonic() - self._at > TELL_SECONDS:
            self._at = time.monotonic()
            _say(f"{self._what}: {self.made:,} of {self._total:,} effective roles")


def _organization() -> Iterator[Change]:
    yield from definitions()
    yield changes.CreateGroup(group="all")
    for number in range(ASSIGNMENTS):
        yield changes.CreateResource(resource=f"doc:{number}")
        yield changes.Assign(role="reader", to="group:all", on=f"doc:{number}")


def _imported(engine: Engine, url: str, members: int) -> float:
    """Seconds in which a CSV of so many people and their groups is read and imported, from file to return."""
    _say(f"{engine}, import of {members:,} members …")
    at = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal at
        if time.monotonic() - at > TELL_SECONDS:
            at = time.monotonic()
            _say(f"{engine}, import of {members:,} members: {done:,} of {total:,} changes")

    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("group,subject\n")
        file.writelines(f"group-{n // PER_GROUP},user:{n}\n" for n in range(members))
        file.flush()
        with Authority.open(url, organization="lab") as authority:
            start = time.perf_counter()
            source = read(str(Path(file.name)))
            items = parse(source, Format.MEMBERS)
            loading.load(
                authority, items, digest=source.digest, organization="lab", progress=progress
            )
            seconds = time.perf_counter() - start
    _say(f"{engine}, import of {members:,} members: {seconds:.1f} s")
    return seconds
