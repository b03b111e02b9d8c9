"""The accepted costs, by version of Python, and the comparison with them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from tests.counts.paths import Cost, Counts

FILE: Final = Path(__file__).with_name("baselines.json")
TOLERANCE: Final = 0.20
UNKNOWN_TOLERANCE: Final = 0.50
"""For a version of Python without a baseline, which is compared with the nearest one's."""
UNITS: Final = {"python": "bytecode instructions", "sqlite": "steps of SQLite"}


def version() -> str:
    """The minor version of this Python."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def accepted(of: str | None = None) -> tuple[Counts, float]:
    """The baselines for a version of Python, and by how much each may be exceeded."""
    known = json.loads(FILE.read_text("utf-8"))
    name = of or version()
    minor = int(name.partition(".")[2])
    nearest = min(known, key=lambda each: (abs(int(each.partition(".")[2]) - minor), each))
    counts = {path: Cost(**cost) for path, cost in known[nearest].items()}
    return counts, TOLERANCE if nearest == name else UNKNOWN_TOLERANCE


def renew(counts: Counts) -> None:
    """Accept these costs for this version of Python. Those of others stay."""
    known = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    known[version()] = {path: cost._asdict() for path, cost in counts.items()}
    FILE.write_text(json.dumps(dict(sorted(known.items())), indent=2) + "\n", "utf-8")


def regressions(now: Counts, before: Counts, tolerance: float) -> list[str]:
    """One sentence for each number that has grown by more than the tolerance."""
    return [
        f"{path}: {was} {UNITS[unit]} became {cost_now}"
        f" ({cost_now / max(was, 1) - 1:+.0%}; at most +{tolerance:.0%} is accepted)."
        " Take the cost back, or accept it: `make counts`, and commit tests/counts/baselines.json."
        for path, cost in before.items()
        for unit, was in cost._asdict().items()
        if (cost_now := getattr(now[path], unit)) > was * (1 + tolerance)
    ]
