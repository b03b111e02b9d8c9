"""Changes and checks a second, by the number of server processes."""

from __future__ import annotations

from typing import Any

from lab.plots.style import BLUE, ORANGE, Plot, below, canvas

PROCESSES = (1, 2, 4)
TITLES = {"write": "Changes a second", "check": "Checks a second"}
LINES = {
    ("many", 128): (BLUE, "-", "many organizations, 128 connections"),
    ("many", 16): (BLUE, "--", "many organizations, 16 connections"),
    ("one", 128): (ORANGE, "-", "one organization, 128 connections"),
    ("one", 16): (ORANGE, "--", "one organization, 16 connections"),
}


def plots(result: dict[str, Any]) -> list[Plot]:
    """One for changes and one for checks."""
    return [_plot(result["figures"], what) for what in TITLES]


def _plot(figures: dict[str, float], what: str) -> Plot:
    best = figures[f"capacity.postgres.{what}_per_s"]
    alt = (
        f"{TITLES[what]} through 1, 2 and 4 server processes on one PostgreSQL primary, all on one machine."
        f" The most for many organizations is {best:,.0f} a second."
    )
    with canvas(what, title=TITLES[what], alt=alt, height=4.0) as plot:
        axes = plot.figure.subplots()
        for (where, connections), (colour, dashes, label) in LINES.items():
            points = [
                (processes, figures[name])
                for processes in PROCESSES
                if (name := f"capacity.{what}.{where}.{processes}.{connections}.per_s") in figures
            ]
            if points:
                places, rates = zip(*points, strict=True)
                axes.plot(places, rates, dashes, color=colour, marker="o", label=label)
        axes.set_ylim(bottom=0)
        axes.set_xticks(PROCESSES)
        plot.figure.legend(loc="outside lower left", ncols=1, handlelength=2.4)
        below(axes, "server processes")
    return plot
