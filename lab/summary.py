"""The page of figures, filled from `lab/results`: no figure without its command, machine and commit."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.tables import by_engine

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "performance.md"
BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end of figures -->)", re.DOTALL)
WIDTH = 120
"""Of a line of the page."""


def write(benchmarks: Mapping[str, Any], results: Path, page: Path = PAGE) -> list[str]:
    """Fill each block of the page that is marked for a benchmark; the names of those with figures.

    Where there is no result, the block has the goals and says how to measure.
    """
    measured = []

    def filled(match: re.Match[str]) -> str:
        name = match[2]
        path = results / f"{name}.json"
        result = json.loads(path.read_text("utf-8")) if path.exists() else None
        if result is not None:
            measured.append(name)
        return f"{match[1]}\n{_block(name, benchmarks[name], result)}\n\n{match[3]}"

    page.write_text(BLOCK.sub(filled, page.read_text("utf-8")), "utf-8")
    return measured


def _block(name: str, benchmark: Any, result: dict[str, Any] | None) -> str:
    figures = {} if result is None else result["figures"]
    table = getattr(benchmark, "shape", by_engine)(figures, benchmark.GOALS)
    text = f"{table.markdown()}\n\n" if table.lines else ""
    if result is None:
        return f"{text}Not measured yet: `python -m lab {name} --json --save`."
    return f"{text}{origin(result)}"


def origin(result: dict[str, Any]) -> str:
    """Where figures come from, in one sentence."""
    machine = result["machine"]
    versions = {"python": "Python", "sqlite": "SQLite", "postgres": "PostgreSQL"}
    parts = [
        f"`{result['command']} --seed {result['seed']}`",
        f"commit `{result['commit']}`",
        f"{machine['processors']} processors, {machine['memory_gib']} GiB, {machine['system']}",
        *(f"{title} {machine[key]}" for key, title in versions.items() if key in machine),
        *(f"{title} {number}" for title, number in result.get("versions", {}).items()),
        *([f"a million additions {machine['loop_ms']} ms"] if "loop_ms" in machine else []),
    ]
    text = "; ".join(parts) + "."
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)
