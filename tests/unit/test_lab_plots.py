"""Plots are the same each time, are text where they are text, and are legible on a light and a dark page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from lab import pages
from lab.plots import storm, style
from lab.plots.style import BLUE, INK, Plot, canvas, duration
from lab.report import Goal, Measured, machine


def luminance(color: str) -> float:
    """Relative luminance by WCAG 2."""
    parts = [int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """Contrast by WCAG 2: between 1 and 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.fixture(scope="module")
def drawn() -> Plot:
    """A small plot."""
    with canvas("small", title="One & <two>", alt="Goes up.", height=2) as plot:
        draw(plot)
    return plot


def draw(plot: Plot) -> None:
    """One line with a legend."""
    axes = plot.figure.subplots()
    axes.plot([1, 2], [1, 2], color=BLUE, label="of ours")
    style.below(axes, "round trip")
    axes.legend()


@pytest.mark.parametrize("color", [*style.SERIES, INK, style.MUTED])
def test_colors_are_seen_on_both_pages(color: str) -> None:
    """Lines and text have a contrast of 4.5 with the page, light or dark, and each has a dark twin."""
    assert contrast(color, style.PAPER) >= 4.5
    assert contrast(style.DARK[color], style.DARK[style.PAPER]) >= 4.5


def test_dark_colors_replace_light_ones(drawn: Plot) -> None:
    """Each colour that is used has a rule for dark pages; the background too."""
    used = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", drawn.svg))
    assert {BLUE, style.PAPER, style.MUTED} <= used
    rules = drawn.svg.partition("prefers-color-scheme: dark")[2].partition("</style>")[0]
    for color in used & style.DARK.keys():
        assert f"fill: {color}" in rules
        assert style.DARK[color] in rules
    assert used <= style.DARK.keys()


def test_svg_is_text_and_the_same_each_time(drawn: Plot) -> None:
    """It is well-formed, names itself, has its text as text and no date, and is the same when drawn again."""
    root = ElementTree.fromstring(drawn.svg)
    space = "{http://www.w3.org/2000/svg}"
    assert root.findtext(f"{space}title") == "One & <two>"
    assert root.findtext(f"{space}desc") == "Goes up."
    texts = {"".join(text.itertext()) for text in root.iter(f"{space}text")}
    assert {"round trip", "of ours"} <= texts
    assert root.get("viewBox", "").split()[2] == "360"
    with canvas("small", title="One & <two>", alt="Goes up.", height=2) as again:
        draw(again)
    assert again.svg == drawn.svg
    assert "DejaVu Sans" in drawn.svg
    assert "metadata" not in drawn.svg


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0"),
        (0.000_001_5, "1.5 µs"),
        (0.000_3, "0.3 ms"),
        (0.023_4, "23 ms"),
        (0.999_9, "1 s"),
        (1.5, "1.5 s"),
        (300, "5 min"),
        (7_200, "2 h"),
        (86_400, "1 d"),
    ],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    """A time in two digits, in the unit that people use."""
    assert duration(seconds) == text


# --- pages ----------------------------------------------------------------------------------------


def saved(folder: Path, **parts: Any) -> None:
    """A result of the benchmark `pace` in the folder."""
    measured = Measured({"pace.ratio": 1.5}, left_out={"the rest": "it is not here"}, **parts)
    result = {**measured.result(), **machine(), "seed": 7, "command": "python -m lab pace --json"}
    (folder / "pace.json").write_text(json.dumps(result))


def test_pages_have_plots_figures_and_origin(tmp_path: Path, drawn: Plot) -> None:
    """A page shows its plots, its figures with goals, what was left out and why, and where it was measured.
    The index shows it; a page by hand gets the figure that it names, and writing again changes nothing.
    """
    pace = SimpleNamespace(
        GOALS={"pace.ratio": Goal(2)}, plot=lambda _: [drawn], TITLE="Pace", __doc__="How fast."
    )
    plain = SimpleNamespace(GOALS={})
    saved(tmp_path)
    docs = tmp_path / "docs"
    docs.mkdir()
    by_hand = docs / "answer.md"
    by_hand.write_text(
        "# Answer\n\n<!-- figure pace.ratio --><!-- end --> <!-- figure x --><!-- end -->"
        " <!-- page pace --><!-- end --> <!-- page plain --><!-- end -->\n"
    )
    for _ in range(2):
        assert pages.write({"pace": pace, "plain": plain}, tmp_path, docs) == ["pace"]
    page = (docs / "pace.md").read_text()
    for part in (
        "# Pace\n",
        "How fast.",
        "![Goes up](pace.svg)",
        "≤ 2: met",
        "- the rest: it is not here",
        f"commit `{machine()['commit']}`",
    ):
        assert part in page
    assert (docs / "pace.svg").read_text() == drawn.svg
    index = (docs / "index.md").read_text()
    assert "[Answer](answer.md)" in index
    assert "(pace.svg)" in index
    assert f"| `pace` | [page with plots](pace.md) | `{machine()['commit']}` |" in index
    assert "| `plain` | **not measured yet** | – |" in index
    assert "1 of 2 have no saved result" in index
    text = by_hand.read_text()
    assert "[1.5](pace.md)" in text
    assert pages.UNKNOWN in text
    assert "[pace](pace.md)" in text
    assert "[plain](../reference/performance.md)" in text
    assert "| `pace.ratio` | ≤ 2 | 1.5 | met |" in index


def test_a_quick_run_is_called_so(tmp_path: Path) -> None:
    """Figures of a run with fewer rounds are marked, and a goal without a figure is not measured yet."""
    inline = SimpleNamespace(GOALS={"inline.ratio": Goal(2), "inline.other": Goal(3)})
    command = "python -m lab inline --json --quick"
    result = {"figures": {"inline.ratio": 1.0}, **machine(), "seed": 7, "command": command}
    (tmp_path / "inline.json").write_text(json.dumps(result))
    docs = tmp_path / "docs"
    assert pages.write({"inline": inline}, tmp_path, docs) == []
    index = (docs / "index.md").read_text()
    commit = machine()["commit"]
    where = "[table](../reference/performance.md#inline)"
    assert f"| `inline` | {where} | `{commit}`, quick |" in index
    assert "| `inline.other` | ≤ 3 | – | not measured yet |" in index
    assert "no saved result" not in index


def storm_figures() -> dict[str, float]:
    """Of both engines."""
    return {
        f"storm.{engine}.{what}.{phase}.{share}_ms": 1.5
        for engine in ("sqlite", "postgres")
        for what in ("revocation", "check")
        for phase in ("idle", "storm")
        for share in ("p50", "p99")
    }


def test_a_storm_has_a_plot_for_revocations_and_one_for_checks() -> None:
    """Both engines, alone and beside the storm, with the slowest as text; without figures there is none."""
    plots = storm.plot({"figures": storm_figures()})
    assert [plot.name for plot in plots] == ["revocation", "check"]
    for plot in plots:
        texts = re.findall(r"<text[^>]*>([^<]+)</text>", plot.svg)
        assert {"SQLite", "PostgreSQL", "alone", "beside the storm"} <= set(texts)
        assert texts.count("1.5 ms") == 4
    one = {name: value for name, value in storm_figures().items() if ".sqlite.check." in name}
    (plot,) = storm.plot({"figures": one})
    assert "PostgreSQL" not in plot.svg
    assert storm.plot({"figures": {}}) == []


def test_nothing_is_invented(tmp_path: Path, drawn: Plot) -> None:
    """A benchmark with plots but without a result has no page."""
    pace = SimpleNamespace(GOALS={}, plot=lambda _: [drawn])
    assert pages.write({"pace": pace}, tmp_path, tmp_path / "docs") == []
    assert not (tmp_path / "docs" / "pace.md").exists()
