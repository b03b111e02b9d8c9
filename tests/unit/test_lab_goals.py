"""Every goal is on the page of goals, with what was measured; with the reason if it is missed."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

from lab import goals
from lab.report import Goal

PACE = SimpleNamespace(
    GOALS={
        "pace.slow": Goal(2, why="the moon is far away"),
        "pace.also": Goal(3, why="the moon is far away"),
        "pace.fast": Goal(1_000, is_least=True, why="not shown while it is met"),
        "pace.unknown": Goal(7),
    }
)
FIGURES = {"pace.slow": 4.0, "pace.also": 5.0, "pace.fast": 1_500.0}


def test_the_page_has_every_goal(tmp_path: Path) -> None:
    """Bound, figure, verdict and commit of each; a reason once for all goals that share it."""
    (tmp_path / "pace.json").write_text(json.dumps({"figures": FIGURES, "commit": "abc"}))
    page = tmp_path / "goals.md"
    goals.write({"pace": PACE}, tmp_path, page)
    text = page.read_text()
    assert "Of 4 goals 1 are met, 2 are missed, and 1 have no saved result yet" in text
    assert "| `pace.slow` | ≤ 2 | 4 | **missed** | `abc` |" in text
    assert "| `pace.fast` | ≥ 1,000 | 1,500 | met | `abc` |" in text
    assert "| `pace.unknown` | ≤ 7 | – | not measured |  |" in text
    assert text.count("the moon is far away") == 1
    assert "`pace.slow` (4, goal ≤ 2), `pace.also` (5, goal ≤ 3)" in text
    assert "not shown" not in text
