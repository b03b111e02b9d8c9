"""The figures of peers as a table: a line for each world and figure, a column for each system."""

from __future__ import annotations

from lab.peers.systems import OURS, SYSTEMS
from lab.report import Goal
from lab.tables import Table, shown

ROWS = {
    "check_us": "one check, µs",
    "check_p99_us": "one check, p99, µs",
    "per_s_1": "checks/s, 1 caller",
    "per_s_8": "checks/s, 8 callers",
    "add_ms": "add a member, ms",
    "remove_ms": "remove a member, ms",
    "unassign_ms": "take a role, ms",
    "unassign_ask_all_ms": "take a role, ask all, ms",
    "what_can_ms": "what can, ms",
    "who_can_ms": "who can, ms",
    "load_s": "load, s",
    "open_s": "open, s",
    "memory_mb": "memory, MB",
}
SMALLEST = 1e-4
"""Of what a ratio is made: less is nothing that was measured."""
MORE_IS_BETTER = ("per_s_1", "per_s_8")


def shape(figures: dict[str, float], goals: dict[str, Goal]) -> Table:
    """The best of each line is bold; the last column names it, and says by how much if it is not ours."""
    lines = []
    for world in dict.fromkeys(name.split(".")[1] for name in figures if name.count(".") == 3):
        for what, title in ROWS.items():
            mine = {
                system: figures[key]
                for system in SYSTEMS
                if (key := f"peers.{world}.{system}.{what}") in figures
            }
            if not mine:
                continue
            best = first(mine, what)
            cells = [f"**{shown(mine[s])}**" if s == best else shown(mine.get(s)) for s in SYSTEMS]
            lines.append([f"{world}: {title}", *cells, verdict(mine, what)])
    for name, goal in goals.items():
        if name in figures:
            met = "met" if goal.is_met(figures[name]) else "**missed**"
            last = f"{goal.sign} {shown(goal.bound)}: {met}"
            lines.append([f"`{name}`", shown(figures[name]), *["" for _ in SYSTEMS][1:], last])
    return Table(["", *(system.title for system in SYSTEMS.values()), "best"], lines)


def first(values: dict[str, float], what: str) -> str:
    """The system with the best value."""
    choose = max if what in MORE_IS_BETTER else min
    return choose(values, key=values.__getitem__)


def verdict(values: dict[str, float], what: str) -> str:
    """Who is best; if it is another, how many times better than the better of ours."""
    best = first(values, what)
    ours = {system: values[system] for system in OURS if system in values}
    if best in OURS or not ours:
        return SYSTEMS[best].title
    mine, theirs = ours[first(ours, what)], values[best]
    if min(mine, theirs) < SMALLEST:
        return SYSTEMS[best].title
    times = theirs / mine if what in MORE_IS_BETTER else mine / max(theirs, 1e-12)
    return f"{SYSTEMS[best].title}, {shown(times)} ×"
