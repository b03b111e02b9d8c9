"""Measures one topology: every round trip, every number of assignments, every style.

A cell is measured for some time, and at least once there and back. What would take longer than a limit is
computed, and says so: its statements and its time without a network are known from the same number of
assignments at round trip 0, and each statement waits once for the line.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from lab.network import styles
from lab.network.topologies import Topology
from lab.proxy import STEADY, Line

OVERHEAD = {"textbook": 5, "best": 6}
"""Round trips of a textbook change beside those of its rows: begin, membership, two reads, commit, and what
writes all rows at once.
"""
LINES = {
    "steady": STEADY,
    "jitter": Line(jitter=0.5),
    "stalls": Line(stall_share=0.01),
}
"""Half of the delay more or less; one of a hundred pieces of data late by 200 ms."""
MOST_ROUNDS = 1_000
SLOW_SECONDS = 0.5


@dataclass(frozen=True)
class Plan:
    """What is measured, and for how long. Times in seconds."""

    round_trips_ms: Sequence[int]
    sizes: Sequence[int]
    cell_seconds: float
    most_seconds: float
    """A change that takes longer is computed."""
    lines: Sequence[str] = ("steady",)
    lines_size: int = 10
    """The number of assignments that lines other than the steady one are measured with."""
    lines_round_trips_ms: Sequence[int] = (5, 20)
    lines_factor: float = 4.0
    """How much longer a cell on such a line is measured: its tail is what tells."""


@dataclass
class Cell:
    """One point of the grid. Times in ms."""

    topology: str
    line: str
    rtt: int
    size: int
    style: str
    p50: float
    most: float
    rounds: int
    computed: bool = False
    p90: float = 0.0


@dataclass
class Grid:
    """The cells of one topology as they come to be known."""

    topology: Topology
    plan: Plan
    cells: list[Cell] = field(default_factory=list)

    def measure(self) -> list[Cell]:
        """Everything of the plan."""
        top, plan = self.topology, self.plan
        scripts = styles.scripts(top.near, plan.sizes) if top.engine == "postgres" else {}
        for name in plan.lines:
            for rtt in plan.round_trips_ms if top.socket else (0,):
                if name != "steady" and rtt not in plan.lines_round_trips_ms:
                    continue
                sizes = plan.sizes if name == "steady" else (plan.lines_size,)
                print(f"lab: {top.name}, {rtt} ms, {name} …", file=sys.stderr)
                with top.at(rtt / 1e3, LINES[name]) as url:
                    for size in sizes:
                        for style in styles.styles_of(top.engine):
                            self.cells.append(
                                self.cell(name, rtt, size, style, url, scripts.get(size))
                            )
        return self.cells

    def cell(self, line: str, rtt: int, size: int, style: str, url: str, script: Any) -> Cell:
        """One cell, measured over this URL or computed."""
        top, plan = self.topology, self.plan
        expected = self.expected(rtt, size, style)
        if expected is not None and expected > plan.most_seconds * 1e3:
            return Cell(top.name, line, rtt, size, style, expected, expected, 0, computed=True)
        factor = 1.0 if line == "steady" else plan.lines_factor
        with styles.action(style, top.engine, url, top.near, size, script) as action:
            taken = timed(action, plan.cell_seconds * factor)
        ordered = sorted(taken)
        return Cell(
            top.name,
            line,
            rtt,
            size,
            style,
            p50=median(taken) * 1e3,
            most=ordered[-1] * 1e3,
            rounds=len(taken),
            p90=ordered[int(0.9 * len(ordered))] * 1e3 if len(ordered) >= 10 else ordered[-1] * 1e3,
        )

    def expected(self, rtt: int, size: int, style: str) -> float | None:
        """What a change takes in ms, if its number of round trips is known: it may be computed."""
        if style != "textbook" or rtt == 0:
            return None
        near = next(
            (
                cell.p50
                for cell in self.cells
                if (cell.rtt, cell.size, cell.style, cell.line) == (0, size, style, "steady")
            ),
            0.0,
        )
        return near + (size + OVERHEAD[style]) * rtt


def timed(action: styles.Action, seconds: float) -> list[float]:
    """Seconds of each change for about so long, as many there as back. The first of each are not counted,
    unless one alone takes as long as `SLOW_SECONDS`.
    """
    warm_up = [_once(action) for _ in range(2)]
    if min(warm_up) > max(seconds, SLOW_SECONDS):
        return warm_up
    taken: list[float] = []
    while not taken or (sum(taken) < seconds and len(taken) < MOST_ROUNDS):
        taken += [_once(action) for _ in range(2)]
    return taken


def _once(action: styles.Action) -> float:
    start = time.perf_counter()
    action.change()
    seconds = time.perf_counter() - start
    action.after()
    return seconds
