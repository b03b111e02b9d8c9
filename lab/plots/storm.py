"""Plots of `lab.storm`: what checks and single revocations take alone, and beside a directory sync."""

from __future__ import annotations

import math
from typing import Any

from lab.plots.style import (
    BLUE,
    GRID,
    MUTED,
    ORANGE,
    PAPER,
    SMALL,
    Plot,
    canvas,
    duration,
)

ENGINES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
PHASES = {"idle": ("alone", BLUE), "storm": ("beside the storm", ORANGE)}
SHARES = ("p50", "p99")
APART = 0.18
"""Between the two lines of a row."""
PLOTS = (
    (
        "revocation",
        "Revocations beside a directory sync",
        "What one revocation takes, from the call to its durable return",
    ),
    ("check", "Checks beside a directory sync", "What one check from memory takes"),
)


def plot(result: dict[str, Any]) -> list[Plot]:
    """One plot for revocations and one for checks."""
    figures: dict[str, float] = result["figures"]
    plots = (_one(figures, *described) for described in PLOTS)
    return [one for one in plots if one is not None]


def _one(figures: dict[str, float], what: str, title: str, alt: str) -> Plot | None:
    """A row for each engine with two lines: from the middle (filled) to the slowest hundredth (hollow)."""
    times = {
        (engine, phase): [
            figures[name] * 1e-3
            for share in SHARES
            if (name := f"storm.{engine}.{what}.{phase}.{share}_ms") in figures
        ]
        for engine in ENGINES
        for phase in PHASES
    }
    times = {of: pair for of, pair in times.items() if len(pair) == len(SHARES)}
    if not times:
        return None
    engines = [engine for engine in ENGINES if (engine, "storm") in times]
    text = f"{alt}, alone and while a directory is imported and a role of everybody is edited."
    marks = (
        " From the middle (filled) to the slowest of a hundred (hollow). The scale is logarithmic."
    )
    with canvas(what, title=title, alt=text + marks, height=1.6 + 0.55 * len(engines)) as made:
        axes = made.figure.subplots()
        axes.set_xscale("log")
        axes.minorticks_off()
        for place, engine in enumerate(engines):
            axes.axhline(place, color=GRID, linewidth=0.8, zorder=0)
            for (phase, (_, color)), step in zip(PHASES.items(), (-APART, APART), strict=True):
                if (engine, phase) in times:
                    _line(axes, times[engine, phase], place + step, color)
        for called, color in PHASES.values():
            axes.plot([], [], "o-", color=color, label=called, markersize=7)
        for called, face in (("middle", MUTED), ("slowest of 100", PAPER)):
            axes.plot([], [], "o", color=MUTED, markerfacecolor=face, label=called, markersize=7)
        axes.set_yticks(range(len(engines)), [ENGINES[engine] for engine in engines])
        axes.set_ylim(len(engines) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        _ticks(axes, [value for pair in times.values() for value in pair])
        axes.tick_params(axis="y", labelcolor=MUTED, labelsize=SMALL, length=0)
        made.figure.legend(loc="outside lower left", ncols=2, columnspacing=1.0, handletextpad=0.4)
    return made


def _line(axes: Any, pair: list[float], place: float, color: str) -> None:
    middle, slowest = pair
    axes.plot(pair, [place, place], color=color, linewidth=2)
    axes.plot([middle], [place], "o", color=color, markersize=7)
    axes.plot([slowest], [place], "o", color=color, markersize=7, markerfacecolor=PAPER)
    text = duration(slowest)
    axes.annotate(
        text,
        (slowest, place),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        fontsize=SMALL,
        color=color,
    )


def _ticks(axes: Any, values: list[float]) -> None:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    ticks = [10.0**power for power in range(low, high + 1)]
    room = 10.0 ** (0.2 * (high - low))  # for the label of the slowest
    axes.set_xlim(ticks[0] * 0.8, max(ticks[-1] * 1.25, max(values) * room))
    axes.set_xticks(ticks, [duration(tick) for tick in ticks])
