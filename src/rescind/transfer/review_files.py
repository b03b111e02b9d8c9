"""The lines of an access review as a file for a reviewer: CSV for spreadsheets, or one JSON object a line.

Owns the columns. The columns `decision` and `comment` are the reviewer's, and are empty.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from types import NoneType
from typing import Any, Final

import msgspec

from rescind.model import LineSource, Review, ReviewLine
from rescind.transfer.safe_cells import safe_cell
from rescind.transfer.sheets import CHARACTERS, Delimiter

NO_DATA: Final = "no data"
"""Of the last use, where no decision log was read."""
_AT_ONCE: Final = 200
_BETWEEN: Final = {"permissions": ", ", "through": " > "}
_BOM: Final = "\ufeff".encode()


class ReviewFormat(StrEnum):
    """How the lines of a review are written."""

    CSV = "csv"
    NDJSON = "ndjson"


COLUMNS: Final[dict[str, Callable[[Review, ReviewLine], Any]]] = {
    "decision": lambda _, __: None,
    "comment": lambda _, __: None,
    "subject": lambda _, line: line.subject,
    "name": lambda _, line: line.name,
    "active": lambda _, line: line.is_active,
    "role": lambda _, line: line.role,
    "resource": lambda _, line: line.resource,
    "permissions": lambda _, line: line.permissions,
    "critical": lambda _, line: line.is_critical,
    "given": lambda _, line: str(line.source),
    "through": lambda _, line: line.chain,
    "revoking": lambda _, line: revoking(line),
    "since": lambda _, line: line.since,
    "given_by": lambda _, line: line.given_by,
    "reason": lambda _, line: line.reason,
    "changed_at": lambda _, line: line.changed_at,
    "expires_at": lambda _, line: line.expires_at,
    "counts": lambda _, line: line.counts,
    "last_used": lambda _, line: line.last_used or NO_DATA,
    "review": lambda review, _: review.name,
    "organization": lambda review, _: str(review.organization),
    "revision": lambda review, _: review.revision,
    "line": lambda _, line: line.line,
}
"""Every column, in order, and its value."""


def revoking(line: ReviewLine) -> str:
    """What a decision to revoke the line takes away, in words."""
    if line.source is LineSource.GROUP:
        return f"removes {line.subject} from the group {line.chain[0]}"
    if line.source is LineSource.ASSIGNMENT:
        return f"takes the role {line.role} on {line.resource} from {line.subject}"
    return "not possible: the default role is nobody's own"


def written_lines(
    review: Review,
    lines: Iterable[ReviewLine],
    form: ReviewFormat,
    *,
    delimiter: Delimiter = Delimiter.COMMA,
    has_bom: bool = False,
    has_header: bool = True,
) -> Iterator[bytes]:
    """The file, piece by piece, in UTF-8. The same lines give the same bytes."""
    if form is ReviewFormat.NDJSON:
        yield from _json_lines(review, lines)
        return
    if has_bom:
        yield _BOM
    if has_header:
        yield _rows([list(COLUMNS)], delimiter)
    row = _row_of(review)
    for part in _parts(lines):
        yield _rows((row(line) for line in part), delimiter)


def line_object(review: Review, line: ReviewLine) -> dict[str, Any]:
    """A line as plain JSON values."""
    return {name: _value(of(review, line)) for name, of in COLUMNS.items()}


def _json_lines(review: Review, lines: Iterable[ReviewLine]) -> Iterator[bytes]:
    encoder = msgspec.json.Encoder()
    for part in _parts(lines):
        yield b"".join(encoder.encode(line_object(review, line)) + b"\n" for line in part)


def _rows(rows: Iterable[list[str]], delimiter: Delimiter) -> bytes:
    written = io.StringIO()
    csv.writer(written, delimiter=CHARACTERS[delimiter], lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode()


def _parts(lines: Iterable[ReviewLine]) -> Iterator[list[ReviewLine]]:
    rest = iter(lines)
    while part := list(islice(rest, _AT_ONCE)):
        yield part


def _row_of(review: Review) -> Callable[[ReviewLine], list[str]]:
    """What makes a row of a line. Cells that all lines have alike are made once."""
    same = [
        cell_of[type(value := COLUMNS[name](review, _ANY))](value) if name in _OF_ALL_LINES else ""
        for name, _, cell_of in _CELLS
    ]
    others = [
        (place, of, cell_of)
        for place, (name, of, cell_of) in enumerate(_CELLS)
        if name not in _OF_ALL_LINES
    ]

    def row(line: ReviewLine) -> list[str]:
        cells = same.copy()
        for place, of, cell_of in others:
            value = of(review, line)
            cells[place] = safe_cell(value) if type(value) is str else cell_of[type(value)](value)
        return cells

    return row


def _value(value: Any) -> Any:
    return _time(value) if isinstance(value, datetime) else value


@lru_cache(4_096)
def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def _cells(between: str) -> dict[type, Callable[[Any], str]]:
    """How values of each type are written; several names, with that between them."""
    return {
        NoneType: lambda _: "",
        bool: lambda value: "yes" if value else "no",
        int: str,
        str: safe_cell,
        tuple: lambda value: safe_cell(between.join(value)),
        datetime: _time,
    }


_CELLS: Final = [(name, of, _cells(_BETWEEN.get(name, ""))) for name, of in COLUMNS.items()]
_OF_ALL_LINES: Final = frozenset({"decision", "comment", "review", "organization", "revision"})
_ANY: Final[Any] = None
"""Stands for a line where the column does not depend on it."""
