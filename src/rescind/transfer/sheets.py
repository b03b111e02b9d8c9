"""Lists with a header, as spreadsheets save them: the delimiter, the columns, and the rows by line.

What the header does not say is asked for, never guessed.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Final

from rescind.errors import BadInput
from rescind.model.plural import counted
from rescind.transfer.dates import DateOrder
from rescind.transfer.readers import Source


class Delimiter(StrEnum):
    """What is between the cells of a row."""

    COMMA = "comma"
    SEMICOLON = "semicolon"
    TAB = "tab"


CHARACTERS: Final = {Delimiter.COMMA: ",", Delimiter.SEMICOLON: ";", Delimiter.TAB: "\t"}


@dataclass(frozen=True, slots=True)
class Reading:
    """How lists are read, where their header does not say.

    `columns` are the file's own names of columns, each with the field that it is. Of the rows only those
    are taken that have one of the values that `only` names for a column. A date without a time ends with its
    day in `zone`. Times up to `now` are refused unless it `allows_past`.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    only: Sequence[tuple[str, str]] = ()
    ignored: Sequence[str] = ()
    ignores_extra: bool = False
    delimiter: Delimiter | None = None
    dates: DateOrder | None = None
    zone: tzinfo | None = None
    allows_past: bool = False
    now: datetime | None = None

    @property
    def says_something(self) -> bool:
        """Whether anything is said that only a list can follow."""
        return self != Reading(now=self.now)


@dataclass(frozen=True, slots=True)
class Header:
    """The first row: the names of the columns as they stand, and where what follows begins."""

    names: list[str]
    delimiter: str
    line: int
    skipped: int
    """Lines before it."""


def header_of(source: Source, reading: Reading, fields: Sequence[str]) -> Header:
    """The header, cut by the delimiter that is said, or by the one that shows the most of the fields.

    Raises BadInput where there is none, or several delimiters do as well.
    """
    skipped, line, said = _first_line(source)
    if not line:
        raise BadInput(at=source.at(skipped + 1), why="there is nothing in it")
    if reading.delimiter is not None:
        said = CHARACTERS[reading.delimiter]
    if said is not None:
        return _header(source, said, skipped)
    found = {each: _header(source, each, skipped) for each in CHARACTERS.values() if each in line}
    if not found:
        return _header(source, ",", skipped)
    wanted = {folded(name) for name in (*fields, *reading.columns)}
    shown = {each: len(wanted & set(map(folded, h.names))) for each, h in found.items()}
    best = [each for each, number in shown.items() if number == max(shown.values())]
    if len(best) > 1:
        if max(shown.values()) == 0:
            return max(found.values(), key=lambda header: len(header.names))
        hint = "say which: --delimiter comma, --delimiter semicolon or --delimiter tab"
        raise BadInput(
            at=source.at(skipped + 1), why="cells may end at several characters", hint=hint
        )
    return found[best[0]]


def rows_of(source: Source, header: Header) -> Iterator[tuple[int, list[str]]]:
    """The line on which each row begins and its cells, as many as the header has, without blank rows.

    Raises BadInput where it is not CSV. A row of another length has all its cells.
    """
    records = _records(source, header.delimiter, header.skipped)
    next(records, None)
    width = len(header.names)
    for line, cells in records:
        while len(cells) > width and not cells[-1].strip():
            cells.pop()
        if any(cell.strip() for cell in cells):
            yield line, cells


def folded(name: str) -> str:
    """A column's name as names are compared: any case, any blanks around and within."""
    return re.sub(r"[\s_-]+", "_", name.strip().casefold())


def wrong_width(header: Header, cells: list[str]) -> str:
    """What is wrong with a row that has not the header's number of cells."""
    why = f"{counted(len(cells), 'column')} where the header has {len(header.names)}"
    if len(cells) < len(header.names):
        return why
    return f"{why}; quote a cell that has {header.delimiter!r} in it"


def _first_line(source: Source) -> tuple[int, str, str | None]:
    """How many lines come before the header, its first line, and the delimiter that Excel's own line says."""
    said: str | None = None
    for number, line in enumerate(source.lines):
        match = re.fullmatch(r"sep=(.)\s*", line, re.IGNORECASE) if number == 0 else None
        if match is not None:
            if match[1] not in CHARACTERS.values():
                why = f"cells are said to end at {match[1]!r}"
                hint = "save it with commas, semicolons or tabs"
                raise BadInput(at=source.at(1), why=why, hint=hint)
            said = match[1]
        elif line.strip():
            return number, line, said
    return 0, "", said


def _header(source: Source, delimiter: str, skipped: int) -> Header:
    line, cells = next(_records(source, delimiter, skipped))
    while len(cells) > 1 and not cells[-1].strip():
        cells.pop()
    return Header([cell.strip() for cell in cells], delimiter, line, skipped)


def _records(source: Source, delimiter: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    lines = (text + "\n" for number, text in enumerate(source.lines) if number >= skipped)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = skipped + 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = skipped + reader.line_num + 1
    except csv.Error as error:
        raise BadInput(at=source.at(line), why=f"not CSV: {_told(error)}") from None


def _told(error: csv.Error) -> str:
    why = str(error)
    if why == "unexpected end of data":
        return "a quote is opened in this row and never closed"
    if "expected after" in why:
        return "there is text after a closing quote; write a quote within a cell twice"
    if "new-line character" in why:
        return "a carriage return stands in the middle of a line"
    return why
