"""Figures as tables, for a terminal and for a page: a line for each name, a column for each engine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lab.report import Goal

ENGINES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


@dataclass(frozen=True)
class Table:
    """Headings, and lines of as many cells. The first column is text, the others are numbers."""

    headings: Sequence[str]
    lines: Sequence[Sequence[str]]

    def text(self) -> str:
        """For a terminal: aligned, without the marks of a page."""
        rows = [[re.sub(r"[`*]", "", cell) for cell in row] for row in (self.headings, *self.lines)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(
                f"{cell:{'>' if place else '<'}{width}}"
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        )

    def markdown(self) -> str:
        """For a page."""
        rule = ["---", *("---:" for _ in self.headings[1:])]
        rows = [self.headings, rule, *self.lines]
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def shown(value: float | None) -> str:
    """A figure for people: three digits, or all that are before the point."""
    if value is None:
        return "–"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def by_engine(figures: dict[str, float], goals: dict[str, Goal]) -> Table:
    """A line for each name without its engine, those with a goal first. `all` is what belongs to no
    engine, such as the worse of both.
    """
    names = dict.fromkeys(_apart(name)[0] for name in (*goals, *figures))
    cells = {_apart(name): value for name, value in figures.items()}
    columns = {**ENGINES, "": "all"}
    return Table(
        ["figure", *columns.values(), "goal"],
        [
            [
                f"`{name}`",
                *(shown(cells.get((name, engine))) for engine in columns),
                _verdict(name, figures, goals),
            ]
            for name in names
        ],
    )


def _apart(name: str) -> tuple[str, str]:
    """A figure's name without its engine, and that."""
    parts = name.split(".")
    engine = next((part for part in parts if part in ENGINES), "")
    return ".".join(part for part in parts if part != engine), engine


def _verdict(name: str, figures: dict[str, float], goals: dict[str, Goal]) -> str:
    mine = {full: goal for full, goal in goals.items() if _apart(full)[0] == name}
    if not mine:
        return ""
    bounds = dict.fromkeys(shown(goal.bound) for goal in mine.values())
    known = [goal.is_met(figures[full]) for full, goal in mine.items() if full in figures]
    (sign,) = {goal.sign for goal in mine.values()}
    verdict = "" if not known else ": met" if all(known) else ": **missed**"
    return f"{sign} {' / '.join(bounds)}{verdict}"
