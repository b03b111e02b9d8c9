"""A directory sync: many people join one group at once, and a file of many people is imported.

Settling is compared with one raw `INSERT … SELECT` of as many rows in key order in the same run.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from lab.databases import bare, servers
from lab.report import Goal
from lab.worlds import apply_all, definitions, settle, subjects
from rescind import Authority, changes
from rescind.changes import Change
from rescind.transfer import loading
from rescind.transfer.formats import Format, parse
from rescind.transfer.readers import read

ASSIGNMENTS = 5
SYNCED = 200_000
FIXED_SECONDS = 10.0
"""A sync may take this long, beside twice the raw insert of its rows."""
SIZES = (1_000, 10_000, 100_000, 1_000_000)
PER_CHANGE = 10_000
"""Members that one change of a sync adds."""
IMPORTED = 1_000_000
PER_GROUP = 1_000
GOALS = {
    "sync.sqlite.settle_ratio": Goal(1.0),
    "sync.postgres.settle_ratio": Goal(1.0),
    "sync.sqlite.linear": Goal(1.5),
    "sync.postgres.linear": Goal(1.5),
    "import.million.sqlite_s": Goal(60),
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


def run(*, quick: bool, seed: int) -> Figures:  # noqa: ARG001
    """Figures of both engines, in seconds. `settle_ratio` is the time to settle divided by what it may take;
    `linear` is the most that a member costs at any size of at least 10,000, divided by what one costs there.
    """
    sizes = SIZES[:2] if quick else SIZES
    synced = 20_000 if quick else SYNCED
    figures: Figures = {"sync.members": synced, "sync.assignments": ASSIGNMENTS}
    with servers() as make:
        for engine in ("sqlite", "postgres"):
            prefix = f"sync.{engine}"
            raw = _raw(engine, make(engine), synced)
            seconds = _settled(engine, make(engine), synced)
            figures[f"{prefix}.raw_s"] = raw
            figures[f"{prefix}.settle_s"] = seconds
            figures[f"{prefix}.settle_ratio"] = seconds / (2 * raw + FIXED_SECONDS)
            a_member: dict[int, float] = {}
            for size in sizes:
                taken = _settled(engine, make(engine), size)
                figures[f"{prefix}.settle_{size}_s"] = taken
                a_member[size] = taken / size
            start = SIZES[1]
            figures[f"{prefix}.linear"] = max(
                cost / a_member[start] for size, cost in a_member.items() if size >= start
            )
            imported = IMPORTED // 20 if quick else IMPORTED
            name = "import.quick" if quick else "import.million"
            figures[f"{name}.{engine}_s"] = _imported(engine, make(engine), imported)
    return figures


def _raw(engine: str, url: str, members: int) -> float:
    with bare(engine, url) as connection:
        start = time.perf_counter()
        connection.execute(RAW[engine].format(members=members, assignments=ASSIGNMENTS))
        return time.perf_counter() - start


def _settled(engine: str, url: str, members: int) -> float:
    """Seconds in which the places of so many members in one group, all pending, are settled."""
    print(f"lab: {engine}, {members:,} members …", file=sys.stderr)
    with Authority.open(url, organization="lab") as authority:
        apply_all(authority, _organization(members))
        everybody = subjects(members)
        for start in range(0, members, PER_CHANGE):
            part = tuple(everybody[start : start + PER_CHANGE])
            authority.apply([changes.AddMembers(group="all", members=part)], route="background")
        begin = time.perf_counter()
        settle(authority)
        seconds = time.perf_counter() - begin
        if authority.has_due_work():
            raise RuntimeError("work is left")
        return seconds


def _organization(members: int) -> Iterator[Change]:
    yield from definitions()
    for subject in subjects(members):
        yield changes.AddMembership(subject=subject)
    yield changes.CreateGroup(group="all")
    for number in range(ASSIGNMENTS):
        yield changes.CreateResource(resource=f"doc:{number}")
        yield changes.Assign(role="reader", to="group:all", on=f"doc:{number}")


def _imported(engine: str, url: str, members: int) -> float:
    """Seconds in which a CSV of so many people and their groups is read and imported, from file to return."""
    print(f"lab: {engine}, import of {members:,} members …", file=sys.stderr)
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("group,subject\n")
        file.writelines(f"group-{n // PER_GROUP},user:{n}\n" for n in range(members))
        file.flush()
        with Authority.open(url, organization="lab") as authority:
            start = time.perf_counter()
            source = read(str(Path(file.name)))
            items = parse(source, Format.MEMBERS)
            loading.load(authority, items, digest=source.digest, organization="lab")
            return time.perf_counter() - start
