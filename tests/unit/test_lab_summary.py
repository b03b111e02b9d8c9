"""The page of figures says of each where it comes from, and nothing that was not measured."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from lab import everything, summary
from lab.__main__ import BENCHMARKS
from lab.report import Goal, machine
from lab.tables import by_engine

PAGE = """before
<!-- figures: pace -->
<!-- end of figures -->
after
"""
GOALS = {"pace.sqlite.ratio": Goal(2), "pace.postgres.ratio": Goal(2), "pace.late": Goal(0)}
PACE = {"pace": SimpleNamespace(GOALS=GOALS)}
FIGURES = {
    "pace.sqlite.ratio": 1.514,
    "pace.postgres.ratio": 2.25,
    "pace.sqlite.rows": 25_000_000.0,
    "pace.late": 0.0,
}


def written(folder: Path, figures: dict[str, float] | None) -> str:
    """The page when the benchmark was measured so, or not at all."""
    page = folder / "page.md"
    page.write_text(PAGE)
    if figures is not None:
        result = {
            "figures": figures,
            **machine(),
            "seed": 7,
            "command": "python -m lab pace --json",
        }
        (folder / "pace.json").write_text(json.dumps(result))
    summary.write(PACE, folder, page)
    once = page.read_text()
    summary.write(PACE, folder, page)
    assert page.read_text() == once
    assert once.startswith("before\n")
    assert once.endswith("after\n")
    return once


def test_figures_carry_their_origin(tmp_path: Path) -> None:
    """Command, seed, commit and machine stand below the figures, each with its goal and verdict."""
    page = written(tmp_path, FIGURES)
    assert "| `pace.ratio` | 1.51 | 2.25 | – | ≤ 2: **missed** |" in page
    assert "| `pace.late` | – | – | 0 | ≤ 0: met |" in page
    assert "| `pace.rows` | 25,000,000 | – | – |  |" in page
    origin = machine()
    assert f"`python -m lab pace --json --seed 7`; commit `{origin['commit']}`" in page
    assert f"{origin['machine']['processors']} processors" in page


def test_what_was_not_measured_is_said_so(tmp_path: Path) -> None:
    """Without a result there are goals, no figures, and the command that measures."""
    page = written(tmp_path, None)
    assert "| `pace.ratio` | – | – | – | ≤ 2 |" in page
    assert "Not measured yet: `python -m lab pace --json --save`." in page


def test_every_benchmark_has_its_place() -> None:
    """The page has one block for each benchmark."""
    found = re.findall(r"<!-- figures: (\w+) -->", summary.PAGE.read_text("utf-8"))
    assert sorted(found) == sorted(BENCHMARKS)


def test_a_terminal_has_the_same_table() -> None:
    """Numbers end below each other."""
    heading, ratio, *_ = by_engine(FIGURES, GOALS).text().splitlines()
    assert heading.index("SQLite") + len("SQLite") == ratio.index("1.51") + len("1.51")


def test_all_goes_on_after_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """Every benchmark is run with the options, whatever another did. Pages follow if results are kept."""
    started: list[list[str]] = []

    def start(arguments: Sequence[str], most_seconds: float) -> int:
        assert most_seconds >= everything.LEAST_SECONDS
        started.append(list(arguments))
        return int(arguments[0] == "inline")

    assert everything.run(["inline", "http"], ["--quick"], save=False, start=start) == 1
    assert started == [["inline", "--json", "--quick"], ["http", "--json", "--quick"]]
    assert "inline: 0 s, FAILED" in capsys.readouterr().out
    started.clear()
    assert everything.run(["http"], [], save=True, start=start) == 0
    assert started == [["http", "--json", "--save"], ["summary"], ["report"]]
    assert "lab: 1 benchmarks, about 1 minutes" in capsys.readouterr().out


def test_all_fit_into_their_time() -> None:
    """Each benchmark has an expected time, and all together take no longer than they may."""
    assert everything.MINUTES.keys() == BENCHMARKS.keys()
    assert sum(everything.MINUTES.values()) <= everything.MOST_MINUTES


def test_one_that_does_not_end_is_interrupted(tmp_path: Path) -> None:
    """It can stop what it started, and those after it are run."""
    ended = tmp_path / "ended"
    waits = (
        "import sys, pathlib, signal\n"
        "try:\n    signal.pause()\nfinally:\n    pathlib.Path(sys.argv[1]).touch()"
    )
    command = [sys.executable, "-S", "-c", waits, str(ended)]
    assert everything.within(command, 1.0) == everything.INTERRUPTED
    assert ended.exists()
    assert everything.within([sys.executable, "-S", "-c", "raise SystemExit(3)"], 60.0) == 3
