"""What one change costs, by database, distance, number of assignments and the way it is written.

A user joins or leaves a group. `bare` is one durable insert over the same line, the least that any change
costs. `textbook` fetches what the group has and what the user has, compares them, and writes the rows one
by one, with SQLAlchemy's ORM; `best` writes all rows at once. `statements` are Rescind's own, each sent
when the one before has been answered. `inline` and `background` are Rescind as it is.

The line is a proxy that delays each direction by half of the round trip; the standby is always 1 ms from
its primary. SQLite is in the process, and has no line. Cells that would take too long are computed from
their number of round trips, and marked.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lab.network import figures, styles, topologies
from lab.network.grid import Cell, Grid, Plan
from lab.network.topologies import Missing, Topology
from lab.report import Goal, Measured
from lab.servers import postgres

TITLE = "Network: what one change costs"
GOALS = {"network.inline.rtt20.ratio": Goal(1.3)}
FULL = Plan((0, 1, 5, 20, 50), (1, 10, 100, 1_000, 5_000), 1.0, 4.0, ("steady", "jitter", "stalls"))
QUICK = Plan((0, 20), (10, 100), 0.2, 0.5, ("steady", "stalls"), lines_factor=1)
shape = figures.shape


def run(*, quick: bool, seed: int) -> Measured:  # noqa: ARG001
    """Every topology that this machine has; the figures by name, the cells as data."""
    measured = Measured()
    cells: list[Cell] = []
    plan = QUICK if quick else FULL
    others = replace(plan, lines=("steady",), cell_seconds=plan.cell_seconds * 0.4)
    if quick:
        others = replace(others, sizes=(10,))
    with tempfile.TemporaryDirectory(prefix="rescind-lab-") as folder:
        file = str(Path(folder) / "lab.db")
        cells += _grid(Topology("sqlite", "SQLite", "sqlite", file), plan)
    with postgres(with_log_files=not quick) as socket:
        near = topologies.alone(socket)
        more: list[tuple[str, AbstractContextManager[Topology], Plan]] = [
            ("postgres", nullcontext(near), plan),
            ("pgbouncer", topologies.behind_pgbouncer(socket), others),
            ("standby", topologies.with_standby(socket), others),
            ("mariadb", topologies.mariadb(), others),
        ]
        for name, opened, its_plan in more:
            prepare = None if name == "mariadb" else lambda: topologies.make_database(socket)
            try:
                cells += _on(opened, its_plan, prepare)
            except Missing as missing:
                measured.left_out[name] = str(missing)
    measured.left_out |= figures.not_applicable()
    measured.versions |= _versions(cells)
    measured.figures = figures.figures(cells)
    measured.data = {"cells": [asdict(cell) for cell in cells], "styles": styles.STYLES}
    return measured


def _on(
    opened: AbstractContextManager[Topology], plan: Plan, prepare: Callable[[], None] | None
) -> Iterable[Cell]:
    if prepare is not None:
        prepare()
    with opened as topology:
        return _grid(topology, plan)


def _grid(topology: Topology, plan: Plan) -> list[Cell]:
    print(f"lab: {topology.title} …", file=sys.stderr)
    styles.make_world(topology.engine, topology.direct or topology.near, plan.sizes)
    return Grid(topology, plan).measure()


def _versions(cells: list[Cell]) -> dict[str, str]:
    found = {"SQLAlchemy": version("sqlalchemy"), "psycopg": version("psycopg")}
    names = {cell.topology for cell in cells}
    if "pgbouncer" in names:
        found["PgBouncer"] = topologies.version_of("pgbouncer")
    if "mariadb" in names:
        found["MariaDB"] = topologies.version_of("mariadbd")
        found["PyMySQL"] = version("pymysql")
    return found


def plot(result: dict[str, Any]) -> list[Any]:
    """Pictures of a saved result."""
    from lab.plots import network

    return network.plots(result)
