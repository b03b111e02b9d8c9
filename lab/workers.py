"""How much faster more workers are, and what they cost everybody else: 1 to 16 processes on 200 groups.

Each number of workers gets the same groups, which nobody has anything in, and the same assignments to give
all their members. Meanwhile somebody changes the members of a group that is none of these.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from lab.crew import NAME as WORKER
from lab.crew import Crew
from lab.databases import servers
from lab.foreground import Figures, Foreground, toggles
from lab.report import Goal, percentile
from lab.tables import ENGINES, Table, shown
from lab.waits import KINDS, Samples
from lab.worlds import apply_all, everything_to, group_of, many_groups, people_and_things, subjects
from rescind import Authority, Route, changes
from rescind.changes import Change

GOALS: dict[str, Goal] = {}
OWN = "own"
"""The group whose members change in the foreground."""
OWN_MEMBERS, OWN_ASSIGNMENTS = 10, 10


@dataclass(frozen=True)
class Size:
    """What there is to do, and by how many workers in turn."""

    groups: int
    members: int
    assignments: int
    users: int
    workers: tuple[int, ...]
    idle_changes: int


FULL = Size(200, 200, 50, 5_000, (1, 2, 4, 8, 16), 400)
QUICK = Size(40, 50, 50, 500, (1, 2, 4), 100)


def run(*, quick: bool, seed: int) -> Figures:  # noqa: ARG001
    """Figures of both engines for each number of workers; 0 is the foreground alone."""
    size = QUICK if quick else FULL
    rows = size.groups * size.members * size.assignments
    figures: Figures = {"workers.groups": size.groups, "workers.rows": rows}
    with servers() as make:
        for engine in ("sqlite", "postgres"):
            figures |= _engine(engine, make(engine), size)
    return figures


def shape(figures: Figures, goals: dict[str, Goal]) -> Table:  # noqa: ARG001
    """The curve: a line for each engine and number of workers."""
    columns = {
        "rows/s": "rows_per_s",
        "retries": "retries",
        "waits for locks": "lock_wait_share",
        "for latches": "latch_wait_share",
        "chunk p99 ms": "chunk.p99_ms",
        "foreground p50 ms": "foreground.p50_ms",
        "p99 ms": "foreground.p99_ms",
    }
    lines = []
    for engine, title in ENGINES.items():
        counts = {int(name.split(".")[2]) for name in figures if f".{engine}." in name}
        for count in sorted(counts):
            values = (figures.get(f"workers.{engine}.{count}.{name}") for name in columns.values())
            lines.append([title, str(count), *map(shown, values)])
    return Table(["engine", "workers", *columns], lines)


def _engine(engine: str, url: str, size: Size) -> Figures:
    prefix = f"workers.{engine}"
    with Authority.open(url, organization="lab") as authority:
        apply_all(authority, _world(size))
    figures: Figures = {}
    with Foreground(engine, url) as foreground:
        own = toggles(*((OWN, subject) for subject in subjects(OWN_MEMBERS)))
        for change in itertools.islice(own, size.idle_changes):
            foreground.change("foreground", change)
        figures |= foreground.times(f"{prefix}.0", "foreground")
    for count in size.workers:
        print(f"lab: {engine}, {count} workers …", file=sys.stderr)
        with Foreground(engine, url) as foreground:
            _give(foreground.authority, size)
            figures |= _Race(engine, url, foreground, own, count).run(f"{prefix}.{count}")
            _take_back(foreground.authority, size)
    return figures


def _world(size: Size) -> Iterator[Change]:
    yield from people_and_things(size.users, size.assignments)
    yield from many_groups(size.groups, size.members, size.users)
    yield from group_of(OWN, subjects(OWN_MEMBERS))
    yield everything_to(OWN, OWN_ASSIGNMENTS)


def _give(authority: Authority, size: Size) -> None:
    for number in range(size.groups):
        given = everything_to(f"group-{number}", size.assignments)
        authority.apply([given], route=Route.BACKGROUND)


def _take_back(authority: Authority, size: Size) -> None:
    """As before, with nothing left to do or to clear away."""
    for number in range(size.groups):
        nothing = changes.ReplaceAssignments(to=f"group:group-{number}", assignments=())
        authority.apply([nothing], route=Route.BACKGROUND)
    with authority.workers():
        while authority.has_due_work():
            time.sleep(0.05)


class _Race:
    """So many workers settle what is pending, while the foreground goes on."""

    def __init__(
        self, engine: str, url: str, foreground: Foreground, own: Iterator[Change], count: int
    ) -> None:
        self.engine, self.url, self.count = engine, url, count
        self.foreground, self.own = foreground, own

    def run(self, prefix: str) -> Figures:
        """Figures under the prefix."""
        with Crew(self.engine, self.url, self.count) as crew:
            start = time.perf_counter()
            crew.go()
            shares = self._race()
            seconds = time.perf_counter() - start
            done = crew.stop()
        chunks = [held for worker in done for held in worker.chunks]
        if self.engine == "sqlite":
            waited = sum(worker.lock_seconds for worker in done)
            shares = {"lock_wait_share": waited / (seconds * self.count)}
        return {
            f"{prefix}.rows_per_s": sum(worker.rows for worker in done) / seconds,
            f"{prefix}.retries": sum(worker.retries for worker in done),
            **{f"{prefix}.{name}": share for name, share in shares.items()},
            **self.foreground.times(prefix, "foreground"),
            f"{prefix}.chunk.p50_ms": percentile(chunks, 0.5) * 1e3,
            f"{prefix}.chunk.p99_ms": percentile(chunks, 0.99) * 1e3,
        }

    def _race(self) -> Figures:
        """Change memberships until all is settled; what workers waited for, where the server says."""
        if self.engine == "sqlite":
            self._change_until_settled()
            return {}
        with Samples(self.url) as samples:
            self._change_until_settled()
        return {f"{kind}_wait_share": samples.share(WORKER, kind) for kind in KINDS}

    def _change_until_settled(self) -> None:
        while self.foreground.authority.pending(limit=1):
            self.foreground.change("foreground", next(self.own))
