"""The network benchmark's computations and plots, from made-up cells; the textbook does what it says."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from lab.network import GOALS, figures, plot, styles, textbook
from lab.network.grid import OVERHEAD, Cell, Grid, Plan, timed
from lab.network.topologies import Topology
from lab.proxy import Line
from sqlalchemy import select
from sqlalchemy.orm import Session

SIZES = (1, 10)


def made_up() -> list[Cell]:
    """Cells of a perfect world: each style waits for so many round trips, and 1 ms."""
    trips = {"bare": 1, "best": 6, "statements": 8, "inline": 1, "background": 1}
    return [
        Cell(topology, line, rtt, size, style, p50=ms, most=2 * ms, rounds=4, p90=1.5 * ms)
        for topology in ("postgres", "mariadb")
        for line in ("steady", "stalls")
        for rtt in (0, 20)
        for size in SIZES
        for style in styles.styles_of(topology)
        for ms in [1 + rtt * trips.get(style, size + OVERHEAD["textbook"])]
    ]


def result() -> dict[str, Any]:
    """A result as it is saved."""
    return {"data": {"cells": [asdict(cell) for cell in made_up()], "styles": styles.STYLES}}


def test_figures_compare_with_a_bare_insert() -> None:
    """Headlines are PostgreSQL's with a handful of assignments, in ms and as a ratio to a bare insert."""
    found = figures.figures(made_up())
    assert found["network.inline.rtt20.ratio"] == 1
    assert found["network.textbook.rtt20.ms"] == 1 + 15 * 20
    assert found["network.textbook.rtt20.ratio"] == pytest.approx(301 / 21)
    assert found["network.mariadb.best.rtt20.n1.p50_ms"] == 121
    assert found["network.textbook.rtt20.stalls.p90_ms"] == pytest.approx(301 * 1.5)
    assert found["network.computed.error_share"] == 0
    inside = [c for c in made_up() if c.style in ("textbook", "best") and c.line == "steady"]
    assert found["network.textbook.cells"] == len(inside)
    assert found["network.textbook.quoted_cells"] == sum(50 <= c.p50 <= 150 for c in inside) > 0


def test_what_is_computed_is_said_so() -> None:
    """A change that would take longer than the limit is not done: its time is computed, and marked."""
    plan = Plan((0, 50), (1_000,), cell_seconds=0.1, most_seconds=1.0)
    grid = Grid(Topology("sqlite", "SQLite", "sqlite", "no-such-folder/no.db"), plan)
    grid.cells.append(Cell("sqlite", "steady", 0, 1_000, "textbook", 300.0, 300.0, 4))
    assert grid.expected(50, 1_000, "textbook") == 300 + 1_005 * 50
    assert grid.expected(50, 1_000, "inline") is None
    assert grid.expected(0, 1_000, "textbook") is None
    cell = grid.cell("steady", 50, 1_000, "textbook", "no-such-folder/no.db", None)
    assert (cell.computed, cell.rounds) == (True, 0)


def test_changes_come_in_pairs() -> None:
    """Whoever joined has left when the measuring of a cell ends, quick or slow."""
    done: list[int] = []
    action = styles.Action(lambda: done.append(1))
    for seconds in (0.0, 1e-5):
        assert len(timed(action, seconds)) % 2 == 0
        assert len(done) % 2 == 0


@pytest.mark.parametrize("one_by_one", [True, False])
def test_textbook(tmp_path: Path, one_by_one: bool) -> None:
    """Joining gives all that the group has and leaving takes it, each row by itself or all at once."""
    url = str(tmp_path / "textbook.db")
    textbook.make(url, SIZES)
    engine = textbook.engine_of(url)
    size = max(SIZES)
    with Session(engine) as session, textbook.counted() as count:
        with textbook.toggling(url, size, one_by_one=one_by_one) as change:
            sent = count()
            change()
            sent = count() - sent
            rows = session.scalars(select(textbook.Effective.resource_id)).all()
            session.rollback()
            change()
        assert sorted(rows) == list(range(size))
        assert sent == 3 + (size if one_by_one else 1)
        assert session.scalars(select(textbook.Effective)).all() == []
        assert session.scalars(select(textbook.Membership)).all() == []
    engine.dispose()


def test_table_has_a_line_for_each_goal() -> None:
    """Goals come first with their verdict, and every row is as wide as the headings."""
    table = figures.shape(figures.figures(made_up()), GOALS)
    assert table.lines[0][-1] == "≤ 1.3: met"
    assert {len(line) for line in table.lines} == {len(table.headings)}
    assert figures.shape({}, GOALS).lines[0][-1] == "≤ 1.3"


def test_plots_show_what_was_measured() -> None:
    """Each way to change is named in the lines; a computed time has its mark in the heat map."""
    saved = result()
    for cell in saved["data"]["cells"]:
        if (cell["topology"], cell["rtt"], cell["size"], cell["style"]) == (
            "postgres",
            20,
            10,
            "textbook",
        ):
            cell["computed"] = True
    plots = {plot.name: plot for plot in plot(saved)}
    assert set(plots) == {"lines", "heat", "databases", "lines-bad"}
    for title in styles.STYLES.values():
        assert f">{title}<" in plots["lines"].svg
    assert ">~301 ms<" in plots["heat"].svg
    assert ">MariaDB<" in plots["databases"].svg
    assert ">stalls<" in plots["lines-bad"].svg


def test_lines_misbehave_as_described() -> None:
    """Jitter stays within its share, with the delay as its mean; so many pieces are late by a stall."""
    assert Line().delays(0.01)() == 0.01
    delays = Line(jitter=0.5).delays(0.01)
    seen = [delays() for _ in range(2_000)]
    assert 0.005 <= min(seen) < 0.0055
    assert 0.0145 < max(seen) <= 0.015
    stalls = Line(stall_share=0.01).delays(0.0)
    late = sum(stalls() > 0 for _ in range(10_000))
    assert 50 < late < 200
