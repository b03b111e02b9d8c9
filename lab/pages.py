"""The pages under docs/lab: for each benchmark that has plots, what was measured, as pictures and as a table.

A benchmark has plots if it has a function `plot(result) -> list[Plot]` (see `lab.plots.style`), which takes
what was saved of a run. It may have a `TITLE`, and a function `more(result) -> str` for what stands below the
figures; its module's docstring is the page's introduction.
"""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.everything import MINUTES
from lab.summary import PAGE as PERFORMANCE
from lab.summary import origin
from lab.tables import Table, by_engine, shown

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "lab"
WIDTH = 120
"""Of a line of a page."""
MOST_LINES = 120
"""Of the table of a page."""
INLINE = re.compile(r"<!-- figure (\S+) -->.*?<!-- end -->", re.DOTALL)
"""A figure in the text of a page that is written by hand."""
WHY = "../reference/performance.md#where-a-goal-is-missed-and-why"
PAGE = re.compile(r"<!-- page (\w+) -->.*?<!-- end -->", re.DOTALL)
"""A link in such a text to the page of a benchmark, which may not be there yet."""
UNKNOWN = "(not measured yet)"


def write(benchmarks: Mapping[str, Any], results: Path, folder: Path = FOLDER) -> list[str]:
    """Write a page and its plots for each benchmark with plots and a saved result, and the index; fill in the
    figures that pages written by hand name. Returns the names of the benchmarks that have a page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    saved = {
        path.stem: json.loads(path.read_text("utf-8")) for path in sorted(results.glob("*.json"))
    }
    written = [
        _write_page(_Scenario(name, benchmark, saved[name]), folder)
        for name, benchmark in sorted(benchmarks.items())
        if hasattr(benchmark, "plot") and name in saved
    ]
    by_hand = [
        page
        for page in sorted(folder.glob("*.md"))
        if page.stem not in benchmarks and page.stem != "index"
    ]
    figures = {
        name: (value, benchmark)
        for benchmark, result in saved.items()
        for name, value in result["figures"].items()
    }
    for page in by_hand:
        page.write_text(filled(page.read_text("utf-8"), figures, folder), "utf-8")
    index = [
        *_index(written, by_hand),
        *_overview(benchmarks, saved, written),
        "## Goals",
        *_goals(benchmarks, figures),
    ]
    (folder / "index.md").write_text("\n\n".join(index) + "\n", "utf-8")
    return [page.name for page in written]


def filled(text: str, figures: Mapping[str, tuple[float, str]], folder: Path) -> str:
    """The text with each `<!-- figure NAME -->…<!-- end -->` holding that figure, linked to its page, and
    each `<!-- page BENCHMARK -->…<!-- end -->` linked to that benchmark's.
    """

    def one(match: re.Match[str]) -> str:
        name = match[1]
        if name not in figures:
            return f"<!-- figure {name} -->{UNKNOWN}<!-- end -->"
        value, benchmark = figures[name]
        return f"<!-- figure {name} -->[{shown(value)}]({_page_of(benchmark, folder)})<!-- end -->"

    def link(match: re.Match[str]) -> str:
        return f"<!-- page {match[1]} -->[{match[1]}]({_page_of(match[1], folder)})<!-- end -->"

    return PAGE.sub(link, INLINE.sub(one, text))


def _page_of(benchmark: str, folder: Path) -> str:
    """The benchmark's own page, or that of all figures."""
    own = f"{benchmark}.md"
    return own if (folder / own).exists() else "../reference/performance.md"


@dataclass(frozen=True)
class _Scenario:
    name: str
    benchmark: Any
    result: dict[str, Any]

    @property
    def title(self) -> str:
        return str(getattr(self.benchmark, "TITLE", self.name.capitalize()))

    @property
    def introduction(self) -> str:
        paragraphs = (inspect.getdoc(self.benchmark) or "").split("\n\n")
        return "\n\n".join(fill(" ".join(paragraph.split())) for paragraph in paragraphs)


@dataclass(frozen=True)
class _Page:
    name: str
    title: str
    pictures: list[tuple[str, str, str]]
    """Title, file and description of each."""


def _write_page(scenario: _Scenario, folder: Path) -> _Page:
    name = scenario.name
    plots = scenario.benchmark.plot(scenario.result)
    pictures = []
    for plot in plots:
        file = f"{name}.svg" if len(plots) == 1 else f"{name}-{plot.name}.svg"
        (folder / file).write_text(plot.svg, "utf-8")
        pictures.append((plot.title, file, plot.alt))
    page = _Page(name, scenario.title, pictures)
    parts = [f"# {scenario.title}", scenario.introduction]
    for title, file, alt in pictures:
        parts += [f"## {title}", _picture(alt, file)]
        if alt:
            parts.append(fill(alt))
    parts += ["## Figures", *_table(scenario)]
    if hasattr(scenario.benchmark, "more"):
        parts.append(scenario.benchmark.more(scenario.result))
    left_out = scenario.result.get("left_out", {})
    if left_out:
        items = [fill(f"- {what}: {why}", "  ") for what, why in left_out.items()]
        parts += ["## Left out", "\n".join(items)]
    parts += ["## Origin", origin(scenario.result)]
    (folder / f"{name}.md").write_text("\n\n".join(parts) + "\n", "utf-8")
    return page


def _table(scenario: _Scenario) -> list[str]:
    shape = getattr(scenario.benchmark, "shape", by_engine)
    table = shape(scenario.result["figures"], scenario.benchmark.GOALS)
    lines = table.markdown().splitlines()
    parts = ["\n".join(lines[: MOST_LINES + 2])] if table.lines else []
    if len(lines) > MOST_LINES + 2:
        parts.append(f"More are in `lab/results/{scenario.name}.json`.")
    return parts


def _picture(alt: str, file: str) -> str:
    """An image as wide as the page allows; its description is also the text below it."""
    return f"![{_first_sentence(alt)}]({file})"


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].removesuffix(".")[: WIDTH - 40]


def _index(written: list[_Page], by_hand: list[Path]) -> list[str]:
    parts = [
        "# The lab",
        fill(
            "Each benchmark is one command, and each figure says on which machine, at which commit and with"
            " which seed it was measured. `make lab BENCHMARK=NAME` measures again; `python -m lab NAME"
            " --save` keeps the result, and `python -m lab report` writes these pages from what was kept. All"
            " figures are in [Performance](../reference/performance.md)."
        ),
    ]
    if by_hand:
        parts.append("\n".join(f"- [{_heading(page)}]({page.name})" for page in by_hand))
    for page in written:
        parts += [f"## {page.title}", f"[All of its figures]({page.name}.md)"]
        parts += [_picture(alt, file) for _, file, alt in page.pictures]
    return parts


def _overview(
    benchmarks: Mapping[str, Any], saved: Mapping[str, Any], written: list[_Page]
) -> list[str]:
    """Every benchmark: where its figures are, what they were measured at, and how long it takes."""
    with_page = {page.name for page in written}
    lines = []
    for name in sorted(benchmarks):
        result = saved.get(name)
        if result is None:
            where = "**not measured yet**"
        elif name in with_page:
            where = f"[page with plots]({name}.md)"
        else:
            where = f"[table]({_table_of(name)})"
        lines.append([f"`{name}`", where, *_run_of(result), _minutes(name)])
    missing = [name for name in sorted(benchmarks) if name not in saved]
    text = (
        "Each by `python -m lab NAME --json --save`. Minutes are those that it is expected to take in full on"
        " two processors that do nothing else."
    )
    if missing:
        text += (
            f" {len(missing)} of {len(benchmarks)} have no saved result:"
            " their goals stand below without a figure, and nothing on these pages rests on them."
        )
    table = Table(["benchmark", "figures", "commit", "minutes, expected"], lines)
    return ["## Every benchmark", fill(text), table.markdown()]


def _table_of(name: str) -> str:
    """The section of the page of all figures that has the benchmark's table."""
    before, mark, _ = PERFORMANCE.read_text("utf-8").partition(f"<!-- figures: {name} -->")
    heading = before.rpartition("\n## ")[2].partition("\n")[0] if mark else ""
    return "../reference/performance.md" + (f"#{heading.lower().replace(' ', '-')}" if mark else "")


def _run_of(result: dict[str, Any] | None) -> list[str]:
    """The commit that was measured, and whether that was a quick run."""
    if result is None:
        return ["–"]
    return [f"`{result['commit']}`" + (", quick" if "--quick" in result["command"] else "")]


def _minutes(name: str) -> str:
    return shown(MINUTES.get(name))


def _goals(
    benchmarks: Mapping[str, Any], figures: Mapping[str, tuple[float, str]]
) -> tuple[str, str]:
    """Every goal with what was measured, and whether that is enough."""
    lines = ["| figure | goal | measured | |", "| --- | ---: | ---: | --- |"]
    for benchmark in benchmarks.values():
        for name, goal in benchmark.GOALS.items():
            value = figures[name][0] if name in figures else None
            verdict = (
                "not measured yet"
                if value is None
                else "met"
                if goal.is_met(value)
                else f"**missed** ([why]({WHY}))"
            )
            lines.append(
                f"| `{name}` | {goal.sign} {shown(goal.bound)} | {shown(value)} | {verdict} |"
            )
    return (
        fill("What each benchmark set itself, before it was first measured, and where it is now."),
        "\n".join(lines),
    )


def _heading(page: Path) -> str:
    return page.read_text("utf-8").partition("\n")[0].removeprefix("# ")


def fill(text: str, indent: str = "") -> str:
    """Wrapped to the width of a page."""
    return textwrap.fill(
        text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
