"""The export of an access review of 100,000 memberships: how long it takes, and the memory at its peak.

`python -m lab.past_review` prints the figures alone, with `--engine postgres` those on PostgreSQL.
`python -m lab past` has those on SQLite among its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lab.databases import servers
from lab.report import Goal
from rescind import Authority, changes
from rescind.changes import Change
from rescind.store.migrations import migrate

GOALS = {"past.review_s": Goal(30.0), "past.review_mb": Goal(300.0)}
GROUP: Final = 100
"""Members of a group. Every group is in one of ten departments, which are in `all`."""
DEPARTMENTS: Final = 10
EXPORT: Final = """
import sys, time
from lab.memory import peak_megabytes
from rescind import Authority
from rescind.transfer.review_files import ReviewFormat, written_lines
begin, lines = time.perf_counter(), 0
with Authority.open(sys.argv[1], organization="acme") as authority, open(sys.argv[2], "wb") as file:
    review = authority.find_review("Q1")
    for part in written_lines(review, authority.review_lines("Q1"), ReviewFormat.CSV):
        lines += part.count(b"\\n")
        file.write(part)
seconds = time.perf_counter() - begin
print(seconds, time.process_time(), peak_megabytes(), lines - 1)
"""
"""A process of its own, so that its peak is its own too."""
Figures = dict[str, float]


def review(*, quick: bool, engine: str = "sqlite") -> Figures:
    """Seconds and megabytes of one export, from a cold start, and how many lines it has.

    The processor's seconds are those of the exporting process, its imports included.
    """
    memberships = 5_000 if quick else 100_000
    with (
        tempfile.TemporaryDirectory(prefix="rescind-lab-") as folder,
        _databases(folder, engine) as database,
    ):
        with Authority.open(database, organization="acme") as authority:
            for batch in facts(memberships):
                authority.apply(batch, actor="lab", reason="set up", wait="recorded")
            begin = time.perf_counter()
            authority.start_review("Q1")
            start_seconds = time.perf_counter() - begin
        command = [sys.executable, "-c", EXPORT, database, str(Path(folder) / "q1.csv")]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
    seconds, cpu_seconds, megabytes, lines = map(float, done.stdout.split())
    if lines < memberships * 3:
        raise AssertionError(f"{lines:g} lines of {memberships} memberships")
    return {
        "past.review_s": seconds,
        "past.review_cpu_s": cpu_seconds,
        "past.review_mb": megabytes,
        "past.review_lines": lines,
        "past.review_start_s": start_seconds,
    }


@contextmanager
def _databases(folder: str, engine: str) -> Iterator[str]:
    """A fresh database; a server of PostgreSQL is only started where it is asked for."""
    if engine == "sqlite":
        database = str(Path(folder) / "rescind.db")
        migrate(database)
        yield database
        return
    with servers(with_log_files=False) as make:
        yield make(engine)


def facts(memberships: int) -> list[list[Change]]:
    """Batches: each membership has three roles through its group; one in ten also has one of its own."""
    permissions = [f"doc:{verb}" for verb in ("list", "read", "write", "share", "purge")]
    first: list[Change] = [changes.CreateOrganization()]
    first += [changes.DefinePermission(permission=each) for each in permissions]
    first += [
        changes.DefineRole(role=f"role {n}", permissions=tuple(permissions[: n + 1]))
        for n in range(len(permissions))
    ]
    departments = [f"department {n}" for n in range(DEPARTMENTS)]
    for group in ("all", *departments):
        first.append(changes.CreateGroup(group=group))
    first += [changes.NestGroup(group=each, into="all") for each in departments]
    first += [changes.Assign(role="role 1", to=f"group:{each}") for each in departments]
    first.append(changes.Assign(role="role 0", to="group:all"))
    batches = [first]
    for number in range(memberships // GROUP):
        group = f"group {number}"
        members = tuple(f"user:person.{number}.{n}@example.com" for n in range(GROUP))
        batch: list[Change] = [
            changes.CreateGroup(group=group),
            changes.NestGroup(group=group, into=departments[number % DEPARTMENTS]),
            changes.ReplaceMembers(group=group, members=members, create=True),
            changes.Assign(role="role 2", to=f"group:{group}"),
        ]
        batch += [changes.Assign(role="role 4", to=member) for member in members[::10]]
        batches.append(batch)
    return batches


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--engine", choices=("sqlite", "postgres"), default="sqlite")
    options = parser.parse_args()
    begin = time.perf_counter()
    figures = review(quick=options.quick, engine=options.engine)
    print(json.dumps({**figures, "all_s": time.perf_counter() - begin}))
