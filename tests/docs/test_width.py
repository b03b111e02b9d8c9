"""Pages can be read beside code, and a change to a paragraph is a small difference."""

from __future__ import annotations

from tests.docs.pages import name, pages, prose

WIDTH = 120


def too_long(text: str) -> list[int]:
    """The numbers of lines of prose that are longer than they may be."""
    return [number for number, line in prose(text) if len(line) > WIDTH]


def test_lines_are_short() -> None:
    """No line of prose is longer than 120 characters."""
    found = {name(page): too_long(page.read_text("utf-8")) for page in pages()}
    assert {page: lines for page, lines in found.items() if lines} == {}


def test_long_lines_are_found() -> None:
    """Wherever they stand; code, tables and headings, which cannot be broken, may be longer."""
    long = "word " * 25
    code = f"```text\n{long}\n```"
    assert too_long("\n".join([long, code, f"- {long}", f"| {long} |", f"# {long}", long])) == [
        1,
        5,
        8,
    ]
    assert too_long("w" * WIDTH) == []
