"""docs/lab/goals.md: every goal of every benchmark, what was measured, and why one is missed.

The reason stands beside the goal, as `Goal(…, why="…")`: it is shown while the goal is missed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.pages import FOLDER, fill
from lab.report import Goal
from lab.tables import Table, shown

PAGE = FOLDER / "goals.md"
NO_REASON = "no reason is known yet"


@dataclass(frozen=True)
class Standing:
    """A goal, and what the saved result of its benchmark has for it, if anything."""

    benchmark: str
    name: str
    goal: Goal
    measured: float | None
    commit: str

    @property
    def verdict(self) -> str:
        """In one word."""
        if self.measured is None:
            return "not measured"
        return "met" if self.goal.is_met(self.measured) else "**missed**"

    @property
    def is_missed(self) -> bool:
        """Whether it was measured, and is not met."""
        return self.measured is not None and not self.goal.is_met(self.measured)


def standings(benchmarks: Mapping[str, Any], results: Path) -> Iterator[Standing]:
    """Of all benchmarks, in the order in which each has its goals."""
    for benchmark, module in sorted(benchmarks.items()):
        path = results / f"{benchmark}.json"
        result = json.loads(path.read_text("utf-8")) if path.exists() else {}
        figures, commit = result.get("figures", {}), result.get("commit", "")
        for name, goal in module.GOALS.items():
            yield Standing(benchmark, name, goal, figures.get(name), commit)


def write(benchmarks: Mapping[str, Any], results: Path, page: Path = PAGE) -> None:
    """Write the page anew."""
    found = list(standings(benchmarks, results))
    missed = [one for one in found if one.is_missed]
    met = sum(one.verdict == "met" for one in found)
    parts = [
        "# Every goal",
        fill(
            f"Of {len(found)} goals {met} are met, {len(missed)} are missed, and"
            f" {len(found) - met - len(missed)} have no saved result yet. A goal is set before it is"
            " measured, and stays on this page. How each figure was measured is in"
            " [Performance](../reference/performance.md)."
        ),
    ]
    if missed:
        parts.append("## Missed, and why")
        items = []
        for why in dict.fromkeys(one.goal.why for one in missed):
            names = ", ".join(
                f"`{one.name}` ({shown(one.measured)}, goal {_bound(one.goal)})"
                for one in missed
                if one.goal.why == why
            )
            items.append(fill(f"- {names}: {why or NO_REASON}.", "  "))
        parts.append("\n".join(items))
    parts += ["## All", _table(found).markdown()]
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n\n".join(parts) + "\n", "utf-8")


def _table(found: list[Standing]) -> Table:
    lines = [
        [f"`{one.name}`", _bound(one.goal), shown(one.measured), one.verdict, _commit(one)]
        for one in found
    ]
    return Table(["goal", "bound", "measured", "", "commit"], lines)


def _commit(one: Standing) -> str:
    return "" if one.measured is None else f"`{one.commit}`"


def _bound(goal: Goal) -> str:
    return f"{goal.sign} {shown(goal.bound)}"
