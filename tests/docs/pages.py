"""The documentation as its readers have it: pages, their code blocks, links and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_RUN = "norun"
"""Stands after the language of a block that is shown only."""
RUN = ("python", "console", "sql")
"""The languages of blocks that are run."""

_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: where it begins, its language, what else the fence says, and its text."""

    page: Path
    line: int
    language: str
    mark: str
    text: str

    @property
    def is_run(self) -> bool:
        return self.language in RUN and self.mark != NOT_RUN

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Every page, those of the root first."""
    return [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))]


def name(page: Path) -> str:
    """A page's path in the repository."""
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> Iterator[Block]:
    """A page's blocks in order; a block in an HTML comment is one that readers do not see."""
    text = page.read_text("utf-8")
    for match in _BLOCK.finditer(text):
        language, _, mark = match[1].partition(" ")
        line = text.count("\n", 0, match.start()) + 1
        yield Block(page, line, language, mark.strip(), match[2])


def prose(text: str) -> Iterator[tuple[int, str]]:
    """The numbered lines that a writer can break: not those of code, tables and headings."""
    rest = _BLOCK.sub(lambda block: "\n" * block[0].count("\n"), text)
    for number, line in enumerate(rest.splitlines(), start=1):
        if not line.startswith(("|", "#")):
            yield number, line


def links(page: Path) -> list[str]:
    """The targets of a page's links."""
    return _LINK.findall(_BLOCK.sub("", page.read_text("utf-8")))


def anchors(page: Path) -> set[str]:
    """What a link into the page may name: its headings as GitHub names them."""
    text = _BLOCK.sub("", page.read_text("utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


def section(page: Path, heading: str) -> str:
    """The text below a heading, down to the next of its level or a higher one."""
    text = page.read_text("utf-8")
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    if found is None:
        raise AssertionError(f"{name(page)} has no heading {heading!r}")
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest
