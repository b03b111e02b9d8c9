"""The window benchmark: distributions on a log axis with a place for zero; what others document."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lab.plots import style
from lab.plots.style import (
    BLUE,
    GREEN,
    GRID,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    SMALL,
    Plot,
    canvas,
    duration,
)

FIRST, LAST = 1e-3, 86_400.0 * 2
"""Seconds at the ends of the log axis."""
ZERO = (-1.0, -0.45)
"""Where zero is drawn, in decades from the axis' beginning; between it and the axis is a gap."""
TICKS = (1e-3, 1e-1, 1.0, 10.0, 60.0, 3_600.0, 86_400.0)
COLORS = {
    "rescind": BLUE,
    "textbook": ORANGE,
    "spicedb": PURPLE,
    "casbin": GREEN,
    "token": MUTED,
}
System = dict[str, Any]


def plots(result: dict[str, Any]) -> list[Plot]:
    """What was measured, and apart from it what others say."""
    return [_measured(result["data"]["systems"], result["figures"]), _documented(result["data"])]


def place(seconds: float) -> float:
    """Where a time stands on the axis, in decades; zero is left of all others."""
    if seconds <= 0:
        return sum(ZERO) / 2
    return math.log10(min(max(seconds, FIRST), LAST) / FIRST)


def _measured(systems: Sequence[System], figures: dict[str, float]) -> Plot:
    alt = (
        "For each system the distribution of the time after the return of a removal for which checks still"
        " allow, on a logarithmic axis from 1 ms to 2 days with a place for zero at the left. Each row is as"
        " high as its most frequent time. The token is computed."
    )
    title = "After a removal has returned"
    with canvas("measured", title=title, alt=alt, height=0.62 * len(systems) + 0.45) as plot:
        axes = plot.figure.subplots()
        for row, system in enumerate(systems):
            _row(axes, -row - 1.0, system, figures)
        _frame(axes, len(systems))
        style.below(axes, "still allowed for")
    return plot


def _row(axes: Any, base: float, system: System, figures: dict[str, float]) -> None:
    """One system: its bars, its name above them, and in words what they say."""
    color = COLORS[system["name"].partition(".")[0]]
    bars = [(*ZERO, system["zero"])] if system["zero"] else []
    bars += [(place(low), place(high), count) for low, high, count in system["bins"]]
    most = max((count for *_, count in bars), default=1)
    for left, right, count in bars:
        axes.bar(
            left,
            max(0.04, 0.5 * count / most),
            width=right - left - 0.02,
            bottom=base,
            align="edge",
            color=style.PAPER if system["computed"] else color,
            edgecolor=color,
            linewidth=1 if system["computed"] else 0,
        )
    _text(axes, ZERO[0], base + 0.6, system["title"], va="bottom")
    said = _said(system, figures)
    _text(axes, place(LAST), base + 0.6, said, color=MUTED, ha="right", va="bottom")


def _text(axes: Any, x: float, y: float, text: str, *, color: str = INK, **where: str) -> None:
    """Small text that the grid does not cross."""
    paper = {"facecolor": style.PAPER, "edgecolor": "none", "pad": 1.0}
    axes.text(x, y, text, fontsize=SMALL, color=color, bbox=paper, **where)


def _said(system: System, figures: dict[str, float]) -> str:
    """In words: that nothing was allowed in so many checks, or the middle and the longest window."""
    name = f"window.{system['name']}"
    longest = figures.get(f"{name}.max_ms", 0.0)
    if longest == 0:
        return f"0 of {system['checks']:,} checks allowed"
    middle = figures[f"{name}.p50_ms"]
    return f"p50 {duration(middle / 1e3)}, max {duration(longest / 1e3)}"


def _frame(axes: Any, rows: int) -> None:
    """The axis with zero at its left, and a line below each row."""
    axes.set_xlim(ZERO[0] - 0.05, place(LAST) + 0.02)
    axes.set_ylim(-rows - 0.05, 0.0)
    axes.set_xticks([place(0), *map(place, TICKS)], ["0", *(duration(tick) for tick in TICKS)])
    axes.set_yticks([])
    axes.hlines([-row - 1.0 for row in range(rows)], *axes.get_xlim(), color=GRID, linewidth=0.8)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _documented(data: dict[str, Any]) -> Plot:
    alt = (
        "What other systems document for themselves, not measured here: from the typical to the longest time"
        " for which removed access may go on, on the same axis. Where a documentation has no bound, the row"
        " says so. The table below has the sources."
    )
    rows = sorted(
        data["documented"],
        key=lambda one: (
            one["most"] is None and one["typical"] is None,
            one["most"] if one["most"] is not None else one["typical"] or 0.0,
        ),
    )
    title = "Documented, not measured"
    with canvas("documented", title=title, alt=alt, height=0.5 * len(rows) + 0.45) as plot:
        axes = plot.figure.subplots()
        for row, one in enumerate(rows):
            _range(axes, -row - 1.0, one)
        _frame(axes, len(rows))
        style.below(axes, "removed access may go on for, by its own documentation")
    return plot


def _range(axes: Any, base: float, one: dict[str, Any]) -> None:
    """One system: a bar from the typical to the longest time, hollow as nothing of it was measured."""
    typical, most = one["typical"], one["most"]
    _text(axes, ZERO[0], base + 0.5, one["name"], va="bottom")
    if typical is None and most is None:
        _text(axes, place(FIRST), base + 0.24, "no bound given", color=MUTED, va="center")
        return
    low, high = (place(x) for x in (_or(typical, most), _or(most, typical)))
    axes.plot([low, high], [base + 0.24] * 2, color=MUTED, linewidth=4, solid_capstyle="butt")
    mark = ">" if most is None else "|"
    axes.plot(high, base + 0.24, mark, color=MUTED, markersize=8, markeredgewidth=2)
    text = one["label"] or duration(_or(most, typical))
    at, side = (high + 0.15, "left") if high < place(100) else (low - 0.15, "right")
    _text(axes, at, base + 0.24, text, color=MUTED, va="center", ha=side)


def _or(first: float | None, second: float | None) -> float:
    found = first if first is not None else second
    assert found is not None
    return found
