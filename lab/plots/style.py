"""How all plots look: colours, fonts and sizes, and how a figure becomes one SVG for light and dark.

A plot is drawn with the light colours below. The SVG carries a style sheet that replaces each of them
where the reader prefers a dark page, background included, so that it is legible on any page. Text stays
text. The width is a phone's: at 360 px a font size of 10 is 10 px.

    with canvas("lines", title="What a change costs", alt="…", height=3) as plot:
        axes = plot.figure.subplots()
        axes.plot([0, 1, 5], [1, 2, 6], color=BLUE)
        below(axes, "round trip, ms")
    return [plot]
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib
from matplotlib.figure import Figure

WIDTH_INCHES = 5.0
"""360 points: the unit of the SVG, so a point is a pixel on a phone 360 pixels wide."""

PAPER = "#ffffff"
INK = "#1f2328"
"""Titles, and figures that matter."""
MUTED = "#59636e"
"""Axes and labels; also the bare minimum that something is compared with."""
GRID = "#d8dee4"
BLUE = "#0969da"
"""Rescind, wherever it is drawn; a second line of it is `TEAL`."""
TEAL = "#0b7a8a"
ORANGE = "#bc4c00"
"""The textbook way, or the first of the others."""
PURPLE = "#8250df"
GREEN = "#1a7f37"
RED = "#cf222e"
PINK = "#bf3989"
SERIES = (BLUE, ORANGE, PURPLE, GREEN, PINK, TEAL, RED)
BAND = "#f2e6d9"
"""An area behind lines, such as a range that others report."""
ON_LIGHT, ON_DARK = "#101418", "#fffffe"
"""Text on a light and on a dark cell whose own colour stays."""

DARK = {
    PAPER: "#0d1117",
    INK: "#f0f6fc",
    MUTED: "#9198a1",
    GRID: "#30363d",
    BLUE: "#58a6ff",
    TEAL: "#39c5cf",
    ORANGE: "#f0883e",
    PURPLE: "#bc8cff",
    GREEN: "#3fb950",
    RED: "#ff7b72",
    PINK: "#f778ba",
    BAND: "#33271b",
}
"""What each colour is on a dark page. A colour that is not here, such as one of a ramp, stays."""

TEXT, SMALL = 10.5, 9.5
"""Font sizes in points. Nothing is smaller than `SMALL`."""
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
_RC: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "rescind",
    "font.family": ["DejaVu Sans"],
    "font.size": TEXT,
    "axes.labelsize": TEXT,
    "axes.titlesize": TEXT,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlecolor": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.minor.visible": False,
    "ytick.minor.visible": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 2.0,
    "lines.markersize": 5,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "axes.unicode_minus": True,
    "hatch.linewidth": 0.6,
}


@dataclass
class Plot:
    """One picture of a benchmark. `name` tells it from others of the same benchmark; `title` stands above
    it on the page; `alt` says in words what it shows, for those who do not see it.
    """

    name: str
    title: str
    alt: str
    figure: Any
    svg: str = ""


@contextmanager
def canvas(name: str, *, title: str, alt: str, height: float) -> Iterator[Plot]:
    """Gives a plot with an empty figure of that height in inches; after the block it has its SVG."""
    with matplotlib.rc_context(_RC):
        figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
        plot = Plot(name, title, alt, figure)
        yield plot
        plot.svg = svg(figure, title=title, alt=alt)


def svg(figure: Figure, *, title: str, alt: str) -> str:
    """The figure as SVG for light and dark; the same figure always gives the same text."""
    raw = io.StringIO()
    figure.savefig(raw, format="svg", metadata={"Date": None, "Creator": None})
    text = raw.getvalue()
    text = text[text.index("<svg ") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, count=1, flags=re.DOTALL)
    text = text.replace("'DejaVu Sans'", FONT)
    head = (
        f"<title>{escape(title)}</title>\n <desc>{escape(alt)}</desc>\n <style>{_dark()}</style>\n"
    )
    start = text.index(">", text.index("<svg ")) + 1
    text = text[: start - 1] + ' role="img">\n ' + head + text[start:].lstrip()
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def _dark() -> str:
    """Rules that replace each colour, wherever it fills or strokes, if the reader prefers dark."""
    rules = [
        f'[style*="{what}: {light}"]{{{what}:{dark}!important}}'
        for light, dark in DARK.items()
        for what in ("fill", "stroke")
    ]
    # Text without a colour of its own is black.
    rules.append(f"text:not([style*='fill:']){{fill:{DARK[INK]}}}")
    return "@media (prefers-color-scheme: dark){" + "".join(rules) + "}"


def below(axes: Any, text: str) -> None:
    """Name the horizontal axis."""
    axes.set_xlabel(text, loc="left")


def above(axes: Any, text: str) -> None:
    """Name the vertical axis by a line above it: turned text is hard to read, and takes width."""
    axes.set_title(text, fontweight="normal", color=MUTED)


def duration(seconds: float) -> str:
    """A time in as few characters as tell it: 0.3 ms, 23 ms, 1.5 s, 5 min, 2 h, 1 d."""
    for unit, size in (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3)):
        if seconds >= size * 0.9995:
            return f"{_short(seconds / size)} {unit}"
    if seconds >= 0.95e-4:
        return f"{_short(seconds * 1e3)} ms"
    return f"{_short(seconds * 1e6)} µs" if seconds else "0"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 9.95 else f"{value:.2g}"
