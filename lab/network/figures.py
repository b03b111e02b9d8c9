"""Figures of the network benchmark from its cells, and the table that shows them."""

from __future__ import annotations

from collections.abc import Iterable

from lab.network.grid import Cell
from lab.network.styles import STYLES
from lab.report import Goal
from lab.tables import Table, shown

HANDFUL = 10
"""Assignments of the figures without a number: the "handful" of the quoted cost."""
QUOTED_MS = (50.0, 150.0)
"""What the textbook way is often said to add to one change."""


def figures(cells: Iterable[Cell]) -> dict[str, float]:
    """By name, in ms: `network.TOPOLOGY.STYLE.rttN.nM.p50_ms`; headlines are PostgreSQL's with a handful."""
    cells = list(cells)
    found = {name(cell): cell.p50 for cell in cells}
    known = {(c.topology, c.line, c.rtt, c.size, c.style): c for c in cells}
    headlines: dict[str, float] = {}
    for rtt in sorted({cell.rtt for cell in cells}):
        at = {style: known.get(("postgres", "steady", rtt, HANDFUL, style)) for style in STYLES}
        bare = at["bare"]
        if bare is None:
            continue
        for style, cell in at.items():
            if cell is not None:
                headlines[f"network.{style}.rtt{rtt}.ms"] = cell.p50
                headlines[f"network.{style}.rtt{rtt}.ratio"] = cell.p50 / bare.p50
    headlines |= _quoted(cells) | _lines(known)
    error = computed_error(cells)
    if error is not None:
        headlines["network.computed.error_share"] = error
    return headlines | found


def name(cell: Cell) -> str:
    """A cell's full name."""
    line = "" if cell.line == "steady" else f".{cell.line}"
    return f"network.{cell.topology}.{cell.style}.rtt{cell.rtt}.n{cell.size}{line}.p50_ms"


def _quoted(cells: list[Cell]) -> dict[str, float]:
    """How many measured cells of the textbook style lie where it is said to lie."""
    mine = [
        cell
        for cell in cells
        if cell.style in ("textbook", "best") and cell.line == "steady" and not cell.computed
    ]
    inside = [cell for cell in mine if QUOTED_MS[0] <= cell.p50 <= QUOTED_MS[1]]
    return {"network.textbook.quoted_cells": len(inside), "network.textbook.cells": len(mine)}


def _lines(known: dict[tuple[str, str, int, int, str], Cell]) -> dict[str, float]:
    """The tail on each line at 20 ms: the slowest tenth begins there."""
    found = {}
    for (topology, line, rtt, size, style), cell in known.items():
        if (topology, rtt, size) == ("postgres", 20, HANDFUL):
            found[f"network.{style}.rtt20.{line}.p90_ms"] = cell.p90
    return found


def computed_error(cells: list[Cell]) -> float | None:
    """How far the computation of cells is from those that were measured, at most, as a share."""
    from lab.network.grid import OVERHEAD

    steady = [cell for cell in cells if cell.line == "steady" and cell.style == "textbook"]
    near = {(cell.topology, cell.size): cell.p50 for cell in steady if cell.rtt == 0}
    errors = [
        abs(
            near[cell.topology, cell.size]
            + (cell.size + OVERHEAD["textbook"]) * cell.rtt
            - cell.p50
        )
        / cell.p50
        for cell in steady
        if cell.rtt >= 5 and not cell.computed and (cell.topology, cell.size) in near
    ]
    return max(errors, default=None)


def not_applicable() -> dict[str, str]:
    """What there is no cell of, on any machine, and why."""
    return {
        "sqlite, round trips above 0": "SQLite runs in the process: there is no line",
        "sqlite, statements": "there are no round trips to save, so it is the same as inline",
        "mariadb, Rescind": "Rescind does not run on MariaDB: its textbook style alone is measured",
    }


def shape(found: dict[str, float], goals: dict[str, Goal]) -> Table:
    """A line for each topology and number of assignments, at 20 ms; goals first."""
    lines = [
        [
            f"`{one}`",
            shown(found.get(one)),
            *[""] * (len(STYLES) - 2),
            f"{goal.sign} {shown(goal.bound)}"
            + (f": {'met' if goal.is_met(found[one]) else '**missed**'}" if one in found else ""),
        ]
        for one, goal in goals.items()
    ]
    if found:
        lines += _by_topology(found)
    return Table(["p50, ms", *STYLES], lines)


def _by_topology(found: dict[str, float]) -> list[list[str]]:
    lines = []
    for topology, rtt in (("sqlite", 0), *((t, r) for t in REMOTE for r in (0, 1, 5, 20, 50))):
        for size in (1, 10, 100, 1_000, 5_000):
            cells = [
                found.get(f"network.{topology}.{style}.rtt{rtt}.n{size}.p50_ms") for style in STYLES
            ]
            if any(cell is not None for cell in cells):
                lines.append([f"{topology}, {rtt} ms, {size:,}", *map(shown, cells)])
    return lines


REMOTE = ("postgres", "pgbouncer", "standby", "mariadb")
