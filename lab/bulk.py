"""One group with many members and many assignments: from nothing to all pairs settled, and back.

Beside it, in the same run, one raw `INSERT … SELECT` of as many rows in key order into the same table.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lab.databases import bare, bare_insert, servers, writer
from lab.report import Goal, percentile
from lab.worlds import apply_all, everything_to, one_group, subjects
from rescind import Authority, Route, changes
from rescind.changes import Change
from rescind.propagation.jobs import Job, Progress
from rescind.propagation.worker import Worker

GOALS = {
    "bulk.sqlite.ratio": Goal(1.5),
    "bulk.postgres.ratio": Goal(1.5),
    "bulk.rows_touched_over_delta": Goal(1.0),
    "bulk.unassign.return_ratio": Goal(
        3.0,
        why="taking a role off is five statements that write or look, beside the one of a bare insert",
    ),
    "bulk.unassign.allowed_after_return": Goal(0),
}
IN_TURN, ASKING = 60, 20
"""Roles taken off one after the other, and then so many with questions in between."""
Figures = dict[str, float]

RAW = {
    "sqlite": "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {size})"
    " INSERT INTO rescind_effective_role SELECT 1, m.i, a.i, NULL FROM n AS m CROSS JOIN n AS a",
    "postgres": "INSERT INTO rescind.effective_role SELECT 1, m, a, NULL"
    " FROM generate_series(1, {size}) AS m CROSS JOIN generate_series(1, {size}) AS a",
}


def run(*, quick: bool, seed: int) -> Figures:  # noqa: ARG001
    """Figures of both engines; times in seconds or ms as the name says."""
    size = 1_000 if quick else 5_000
    figures: Figures = {"bulk.size": size}
    with servers() as make:
        for engine in ("sqlite", "postgres"):
            print(f"lab: {engine}, {size} × {size} …", file=sys.stderr)
            raw = [_raw(engine, make(engine), size)]
            bench = _Bench(engine, make(engine), size)
            bench.run()
            raw.append(_raw(engine, make(engine), size))
            seconds = sum(raw) / len(raw)
            figures[f"bulk.{engine}.raw_s"] = seconds
            figures[f"bulk.{engine}.ratio"] = (
                bench.figures[f"bulk.{engine}.fill.settle_s"] / seconds
            )
            figures |= bench.figures
    worst = (
        "rows_touched_over_delta",
        "unassign.return_ratio",
        "unassign.after_asking.return_ratio",
        "unassign.allowed_after_return",
    )
    for name in worst:
        figures[f"bulk.{name}"] = max(
            figures[f"bulk.{engine}.{name}"] for engine in ("sqlite", "postgres")
        )
    return figures


def _raw(engine: str, url: str, size: int) -> float:
    with bare(engine, url) as connection:
        start = time.perf_counter()
        connection.execute(RAW[engine].format(size=size))
        seconds = time.perf_counter() - start
        connection.execute(
            "DELETE FROM rescind_effective_role"
            if engine == "sqlite"
            else "TRUNCATE rescind.effective_role"
        )
    return seconds


@dataclass
class _Bench:
    engine: str
    url: str
    size: int
    figures: Figures = field(default_factory=dict)
    touched: int = 0
    chunks: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    def run(self) -> None:
        prefix, size = f"bulk.{self.engine}", self.size
        with Authority.open(self.url, organization="lab") as self.authority:
            apply_all(self.authority, one_group(size, size))
            self._do("fill", everything_to("all", size), delta=size * size)
            self.figures[f"{prefix}.chunk.p50_ms"] = percentile(self.chunks, 0.5) * 1e3
            self.figures[f"{prefix}.chunk.p99_ms"] = percentile(self.chunks, 0.99) * 1e3
            self._unassign()
            left = size - IN_TURN - ASKING
            one = ("user:1",)
            self._do("remove_member", changes.RemoveMembers(group="all", members=one), left)
            self._do("add_member", changes.AddMembers(group="all", members=one), left)
            assign = changes.Assign(role="reader", to="group:all", on="doc:0")
            self._do("assign", assign, size)
            nothing = changes.ReplaceAssignments(to="group:all", assignments=())
            self._do("unassign_all", nothing, size * (left + 1))
            self._do("delete_group", changes.DeleteGroup(group="all", cascade=True), 0)
        self.figures[f"{prefix}.rows_touched_over_delta"] = max(self.ratios)

    def _do(self, name: str, change: Change, delta: int, route: Route | None = None) -> None:
        self.touched = 0
        start = time.perf_counter()
        receipt = self.authority.apply([change], route=route)
        returned = time.perf_counter()
        if receipt.settled_at is None:
            self._settle()
        else:
            self.touched = receipt.fan_out
        prefix = f"bulk.{self.engine}.{name}"
        self.figures[f"{prefix}.return_ms"] = (returned - start) * 1e3
        self.figures[f"{prefix}.settle_s"] = time.perf_counter() - start
        self.figures[f"{prefix}.rows"] = self.touched
        if delta:
            self.ratios.append(self.touched / delta)

    def _unassign(self) -> None:
        """The role is taken off resources by the background route, in turn with bare inserts: one after the
        other, as by somebody who revokes; then each after everybody was asked and a job was done, when the
        processor has forgotten both.
        """
        with bare(self.engine, self.url) as connection:
            same = writer(self.authority) if self.engine == "sqlite" else connection
            insert = bare_insert(self.engine, same)
            self._unassign_in_turn(insert)
            self._unassign_asking(insert)

    def _unassign_in_turn(self, insert: Callable[[], object]) -> None:
        returned: list[float] = []
        inserted: list[float] = []
        for number in range(IN_TURN):
            inserted.append(_seconds(insert))
            returned.append(self._unassign_one(number))
        self.touched = 0
        self._settle()
        self.ratios.append(self.touched / (IN_TURN * self.size))
        self._compare("unassign", returned, inserted)

    def _unassign_asking(self, insert: Callable[[], object]) -> None:
        everybody = subjects(self.size)
        returned: list[float] = []
        inserted: list[float] = []
        settled: list[float] = []
        allowed = 0
        for number in range(IN_TURN, IN_TURN + ASKING):
            if number % 2:
                inserted.append(_seconds(insert))
            returned.append(self._unassign_one(number))
            if number % 2 == 0:
                inserted.append(_seconds(insert))
            asked = [(subject, "read", f"doc:{number}") for subject in everybody]
            allowed += sum(map(bool, self.authority.check_many(asked)))
            self.touched = 0
            settled.append(_seconds(self._settle))
            self.ratios.append(self.touched / self.size)
        prefix = f"bulk.{self.engine}.unassign"
        self._compare("unassign.after_asking", returned, inserted)
        self.figures[f"{prefix}.settle_s"] = percentile(settled, 0.5)
        self.figures[f"{prefix}.asked_after_return"] = ASKING * self.size
        self.figures[f"{prefix}.allowed_after_return"] = allowed

    def _unassign_one(self, number: int) -> float:
        change = changes.Unassign(role="reader", to="group:all", on=f"doc:{number}")
        return _seconds(lambda: self.authority.apply([change], route=Route.BACKGROUND))

    def _compare(self, name: str, returned: list[float], inserted: list[float]) -> None:
        prefix = f"bulk.{self.engine}.{name}"
        middle, least = percentile(returned, 0.5), percentile(inserted, 0.5)
        self.figures[f"{prefix}.return_ms"] = middle * 1e3
        self.figures[f"{prefix}.bare_ms"] = least * 1e3
        self.figures[f"{prefix}.return_ratio"] = middle / least

    def _settle(self) -> None:
        def count(_: Job, done: Progress) -> None:
            self.touched += done.made + done.unmade
            self.chunks.append(done.held_seconds)

        worker = Worker(self.authority.store, self.authority.settings, on_progress=count)
        while worker.work_once():
            pass


def _seconds(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
