"""The figures of scale as a table: a line for each cost and engine, a column for each size."""

from __future__ import annotations

from lab.report import Goal
from lab.tables import ENGINES, Table, by_engine, shown

ROWS = {
    "load_s": "load, s",
    "load_per_s": "load, memberships/s",
    "memory_bytes": "memory, B a membership",
    "disk_bytes": "disk, B a membership",
    "check_us": "check, µs",
    "check_cold_us": "check, cold, µs",
    "add_ms": "add a member, ms",
    "remove_ms": "remove a member, ms",
    "audit_s": "audit, s",
    "replay_s": "replay, s",
}


def shape(figures: dict[str, float], goals: dict[str, Goal]) -> Table:
    """Costs by size, with how they grow and what is fitted beyond; then all that has no size."""
    parts = [name.split(".") for name in figures]
    sizes = sorted({int(p[2]) for p in parts if len(p) == 4 and p[2].isdigit()})
    beyond = sorted({int(p[3]) for p in parts if len(p) == 5 and p[2] == "fitted"})
    lines = []
    for what, title in ROWS.items():
        for engine, called in ENGINES.items():
            prefix = f"scale.{engine}"
            cells = [shown(figures.get(f"{prefix}.{size}.{what}")) for size in sizes]
            cells += [_fitted(figures.get(f"{prefix}.fitted.{size}.{what}")) for size in beyond]
            if cells and set(cells) != {"–"}:
                exponent = shown(figures.get(f"{prefix}.exponent.{what}"))
                lines.append([f"{title}, {called}", *cells, exponent])
    columns = [f"{size:,}" for size in sizes] + [f"{size:,} (fitted)" for size in beyond]
    columns = columns or ["measured"]
    rest = {
        name: value
        for name, value in figures.items()
        if (p := name.split("."))[-2] in ("scale", "organizations", "growth") and len(p) <= 4
    }
    for row in by_engine(rest, goals).lines:
        name, *cells, verdict = row
        found = [cell for cell in cells if cell != "–"] or ["–"]
        text = " / ".join(found)
        lines.append([name, text, *["" for _ in columns[1:]], verdict])
    return Table(["", *columns, "grows as"], lines)


def _fitted(value: float | None) -> str:
    return "–" if value is None else f"*{shown(value)}*"
