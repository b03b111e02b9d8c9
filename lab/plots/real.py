"""Plots of `lab.real`: importing, checks and churn of each data set, on both engines."""

from __future__ import annotations

from typing import Any

from lab.plots.peers import dots
from lab.plots.style import BLUE, ORANGE, Plot, duration
from lab.real.table import sets

SYSTEMS = {"sqlite": ("SQLite", BLUE, "s"), "postgres": ("PostgreSQL", ORANGE, "o")}


def plot(result: dict[str, Any]) -> list[Plot]:
    """Three plots with a line for each data set."""
    figures: dict[str, float] = result["figures"]

    def rows(what: str, unit: float) -> dict[str, dict[str, float]]:
        found = {
            title: {
                engine: figures[name] * unit
                for engine in SYSTEMS
                if (name := f"real.{key}.{engine}.{what}") in figures
            }
            for key, title in sets(figures).items()
        }
        return {title: values for title, values in found.items() if values}

    scale = " The scale is logarithmic."
    plots = (
        dots(
            "import",
            "Importing",
            "From the file to the return of the import." + scale,
            rows("import_s", 1.0),
            duration,
            SYSTEMS,
        ),
        dots(
            "check",
            "One check",
            "The middle time of one check from memory." + scale,
            rows("check_us", 1e-6),
            duration,
            SYSTEMS,
        ),
        dots(
            "churn",
            "A move, or an edit of a role",
            "The middle time in which somebody moves from one group to another, or, of the cloud,"
            " a role that people have loses a permission or gets it back." + scale,
            rows("churn_ms", 1e-3),
            duration,
            SYSTEMS,
        ),
    )
    return [one for one in plots if one is not None]
