"""The figures of real data as a table: a line for each data set and engine."""

from __future__ import annotations

from lab.report import Goal
from lab.tables import ENGINES, Table, shown

COLUMNS = {
    "users": "users",
    "roles": "roles",
    "permissions": "permissions",
    "pairs": "pairs",
    "import_s": "import, s",
    "load_s": "load, s",
    "check_us": "check, µs",
    "check_p99_us": "p99, µs",
    "sql_us": "check in SQL, µs",
    "churn_ms": "churn, ms",
    "churn_p99_ms": "p99, ms",
    "wrong": "wrong",
}
SETS = {
    "hc": "HP Labs, healthcare",
    "domino": "HP Labs, Domino",
    "americas": "HP Labs, Americas",
    "cloud": "Google Cloud's roles",
}


def sets(figures: dict[str, float]) -> dict[str, str]:
    """The data sets by name with their titles; those that have none are called by their names."""
    found = dict.fromkeys(name.split(".")[1] for name in figures if name.count(".") == 3)
    others = {name: f"HP Labs, {name}" for name in found if name not in SETS}
    return {**SETS, **others}


def shape(figures: dict[str, float], goals: dict[str, Goal]) -> Table:
    """Of what was measured; the goal last."""
    lines = []
    for name, title in sets(figures).items():
        for engine, called in ENGINES.items():
            cells = [shown(figures.get(f"real.{name}.{engine}.{what}")) for what in COLUMNS]
            if set(cells) != {"–"}:
                lines.append([f"{title}, {called}", *cells])
    for name, goal in goals.items():
        value = figures.get(name)
        verdict = f"{goal.sign} {shown(goal.bound)}"
        if value is not None:
            verdict += ": met" if goal.is_met(value) else ": **missed**"
        lines.append([f"`{name}`", *["" for _ in COLUMNS][2:], shown(value), verdict])
    return Table(["", *COLUMNS.values()], lines)
