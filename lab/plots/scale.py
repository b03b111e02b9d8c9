"""Plots of `lab.scale`: each cost over the size of the organization, both axes logarithmic."""

from __future__ import annotations

import math
from typing import Any

from lab.plots.style import BLUE, MUTED, ORANGE, Plot, below, canvas, duration
from lab.scale import BEYOND, series
from lab.scale.fit import fit

ENGINES = {"sqlite": ("SQLite", BLUE, "s"), "postgres": ("PostgreSQL", ORANGE, "o")}
"""Both are Rescind: the colours tell the engines apart."""
BEYOND_TEXT = " The dashed part is fitted to the largest sizes, not measured."
PLOTS = (
    (
        "load",
        "Loading an organization into memory",
        "Seconds in which a replica loads an organization, by its memberships.",
        "load_s",
        1.0,
    ),
    (
        "memory",
        "Memory of a membership",
        "Bytes in memory for each membership, with its eight places in groups and its share of the rest.",
        "memory_bytes",
        0.0,
    ),
    (
        "disk",
        "Disk of a membership",
        "Bytes in the database for each membership, indexes included, effective roles not.",
        "disk_bytes",
        0.0,
    ),
    (
        "check",
        "One check from memory",
        "The middle time of one check from memory, by the memberships of the organization.",
        "check_us",
        1e-6,
    ),
    (
        "change",
        "Removing one member",
        "The middle time in which a member is removed, settled, by the memberships of the organization.",
        "remove_ms",
        1e-3,
    ),
    (
        "audit",
        "Auditing an organization",
        "Seconds in which all effective roles are compared with the facts.",
        "audit_s",
        1.0,
    ),
    (
        "replay",
        "Replaying an organization's log",
        "Seconds in which the facts are made anew from the log and compared.",
        "replay_s",
        1.0,
    ),
)


def plot(result: dict[str, Any]) -> list[Plot]:
    """One plot for each cost that was measured."""
    figures: dict[str, float] = result["figures"]
    plots = (_one(figures, *described) for described in PLOTS)
    return [one for one in plots if one is not None]


def _one(
    figures: dict[str, float], name: str, title: str, alt: str, what: str, seconds: float
) -> Plot | None:
    lines = {engine: series(figures, engine, what) for engine in ENGINES}
    lines = {engine: points for engine, points in lines.items() if points}
    if not lines:
        return None
    unit = seconds or 1.0
    values: list[float] = []
    with canvas(name, title=title, alt=alt + BEYOND_TEXT, height=2.7) as made:
        axes = made.figure.subplots()
        axes.set_xscale("log")
        axes.set_yscale("log")
        for engine, points in lines.items():
            called, color, mark = ENGINES[engine]
            sizes, costs = list(points), [value * unit for value in points.values()]
            axes.plot(sizes, costs, color=color, marker=mark, label=called)
            values += costs
            if (line := fit(points)) is not None:
                ends = [sizes[-1], BEYOND]
                fitted = [costs[-1], line.at(BEYOND) * unit]
                axes.plot(ends, fitted, color=color, linestyle=(0, (3, 3)), linewidth=1.5)
                values += fitted
        axes.plot([], [], color=MUTED, linestyle=(0, (3, 3)), linewidth=1.5, label="fitted")
        _ticks(axes, values, duration if seconds else _bytes)
        below(axes, "memberships")
        made.figure.legend(loc="outside lower left", ncols=3, columnspacing=1.2)
    return made


def _ticks(axes: Any, values: list[float], written: Any) -> None:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    ticks = [10.0**power for power in range(low, max(high, low + 1) + 1)]
    axes.set_ylim(ticks[0] * 0.9, ticks[-1] * 1.1)
    axes.set_yticks(ticks, [written(tick) for tick in ticks])
    sizes = [10**power for power in range(3, 8)]
    axes.set_xlim(800, BEYOND * 1.3)
    axes.set_xticks(sizes, ["1,000", "10,000", "100,000", "1 M", "10 M"])


def _bytes(value: float) -> str:
    return f"{value / 1_000:g} kB" if value >= 1_000 else f"{value:g} B"
