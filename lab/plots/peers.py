"""Plots of `lab.peers`: a line of dots for each measurement, a colour for each system."""

from __future__ import annotations

import math
from typing import Any

from lab.plots.style import (
    BLUE,
    GREEN,
    GRID,
    MUTED,
    ORANGE,
    PURPLE,
    SMALL,
    TEAL,
    Plot,
    canvas,
    duration,
)

COLORS = {
    "rescind_postgres": ("Rescind, PostgreSQL", BLUE, "o"),
    "rescind_sqlite": ("Rescind, SQLite", TEAL, "s"),
    "pemba_memory": ("pemba, memory", GREEN, "^"),
    "pemba_sqlite": ("pemba, SQLite", GREEN, "v"),
    "casbin": ("Casbin", ORANGE, "D"),
    "spicedb": ("SpiceDB, memory", PURPLE, "X"),
}
WORLDS = {"small": "small", "seed": "5,000 × 5,000", "roles": "5,000 roles", "wide": "wide"}
CHANGES = {
    "add_ms": "add a member",
    "remove_ms": "remove a member",
    "unassign_ms": "take a role",
    "unassign_ask_all_ms": "take a role, ask all",
    "what_can_ms": "what can",
    "who_can_ms": "who can",
}
Rows = dict[str, dict[str, float]]


def plot(result: dict[str, Any]) -> list[Plot]:
    """One check by world, checks a second, changes and lists in the seed's world, and loading and memory."""
    figures: dict[str, float] = result["figures"]

    def rows(titles: dict[str, str], key: str, unit: float) -> Rows:
        found = {
            title: {
                system: figures[name] * unit
                for system in COLORS
                if (name := key.format(part=part, system=system)) in figures
            }
            for part, title in titles.items()
        }
        return {title: values for title, values in found.items() if values}

    plots = [
        dots(
            "checks",
            "One check",
            "The middle time of one check in each world. Further left is faster; the scale is logarithmic.",
            rows(WORLDS, "peers.{part}.{system}.check_us", 1e-6),
            duration,
        ),
        dots(
            "rate",
            "Checks a second with 8 callers",
            "Checks a second of 8 threads in one process, in each world. Further right is more; the scale is"
            " logarithmic.",
            rows(WORLDS, "peers.{part}.{system}.per_s_8", 1.0),
            count,
        ),
        dots(
            "changes",
            "5,000 members × 5,000 resources: changes and lists",
            "Times of changes and lists in the organization with one group of 5,000 members that has a role"
            " on 5,000 resources. Further left is faster; the scale is logarithmic. Rescind's changes are"
            " durable when they return; those of systems in memory are not.",
            rows(CHANGES, "peers.seed.{system}.{part}", 1e-3),
            duration,
        ),
        dots(
            "load",
            "Facts to first answer",
            "From no facts to the first answer, in each world. Rescind writes facts and effective roles to a"
            " database; systems in memory keep nothing. Further left is faster; the scale is logarithmic.",
            rows(WORLDS, "peers.{part}.{system}.load_s", 1.0),
            duration,
        ),
        dots(
            "memory",
            "Memory of the answering process",
            "What the process that answers grows by when it holds the world. Further left is less; the scale"
            " is logarithmic. PostgreSQL's own memory is not counted.",
            rows(WORLDS, "peers.{part}.{system}.memory_mb", 1.0),
            megabytes,
        ),
    ]
    return [one for one in plots if one is not None]


def dots(
    name: str, title: str, alt: str, rows: Rows, written: Any, systems: Any = None
) -> Plot | None:
    """A line for each row with a dot for each system, on a logarithmic axis; nothing without rows."""
    if not rows:
        return None
    looks = systems or COLORS
    systems = [s for s in looks if any(s in values for values in rows.values())]
    with canvas(name, title=title, alt=alt, height=1.5 + 0.38 * len(rows)) as made:
        axes = made.figure.subplots()
        axes.set_xscale("log")
        axes.minorticks_off()
        for place, values in enumerate(rows.values()):
            axes.axhline(place, color=GRID, linewidth=0.8, zorder=0)
            for system, value in values.items():
                if value > 0:
                    _, color, mark = looks[system]
                    axes.plot([value], [place], mark, color=color, markersize=7)
        for system in systems:
            title_of, color, mark = looks[system]
            axes.plot([], [], mark, color=color, label=title_of, markersize=7)
        axes.set_yticks(range(len(rows)), list(rows))
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        _decades(axes, rows, written)
        made.figure.legend(loc="outside lower left", ncols=2, columnspacing=1.0, handletextpad=0.3)
        axes.tick_params(axis="y", labelcolor=MUTED, labelsize=SMALL, length=0)
    return made


def _decades(axes: Any, rows: Rows, written: Any) -> None:
    """Ticks at powers of ten, at most six, each written as people write it."""
    values = [value for row in rows.values() for value in row.values() if value > 0]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    step = max(1, math.ceil((high - low) / 5))
    ticks = [10.0**power for power in range(low, high + 1, step)]
    axes.set_xlim(10.0**low * 0.8, 10.0**high * 1.25)
    axes.set_xticks(ticks, [written(tick) for tick in ticks])


def count(value: float) -> str:
    """A number in few characters: 100, 10k, 1M."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.0f}{unit}"
    return f"{value:.0f}" if value >= 1 else f"{value:g}"


def megabytes(value: float) -> str:
    """A size that is given in MB."""
    return f"{value / 1_000:g} GB" if value >= 1_000 else f"{value:g} MB"
