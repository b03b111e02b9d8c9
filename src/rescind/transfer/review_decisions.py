"""The reviewer's decisions, read from the file that was exported and filled in.

Reads CSV as spreadsheets give it back (other delimiters, byte order marks, columns moved or added) and JSON
lines. A row counts for the line that its column `line` names. What the row shows of that line must be what
the review has: a column that was sorted alone would give every decision to somebody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from rescind import model
from rescind.errors import BadInput, InvalidArgument
from rescind.model import LineDecision, Review, ReviewLine, Verdict
from rescind.model.json_keys import key_twice
from rescind.transfer.problems import Problems
from rescind.transfer.readers import Source
from rescind.transfer.safe_cells import safe_cell
from rescind.transfer.sheets import Delimiter, Reading, folded, header_of, rows_of, wrong_width

NEEDED: Final = ("line", "decision")
OWN: Final = ("review", "organization")
"""Columns that say whose file it is."""
SHOWN: Final = ("subject", "role", "resource")
"""Columns that are compared with the review's own line."""
FIELDS: Final = (*NEEDED, "comment", *OWN, *SHOWN)
_NUMBER: Final = re.compile(
    r"[0-9]{1,15}(\.[0-9]{1,15})?(E\+?[0-9]{1,2})?", re.ASCII | re.IGNORECASE
)
"""Spreadsheets keep 15 digits: longer numbers come back as others, and are refused."""
_HINT: Final = "fill in the exported file as it is; `rescind review export` writes it again"


class _Row(NamedTuple):
    at: int
    cells: dict[str, str]


@dataclass(slots=True)
class Decisions:
    """What a file decides: each line once, in the order of the file; and how many rows decide nothing."""

    digest: str
    decided: list[LineDecision] = field(default_factory=list)
    shown: dict[str, dict[str, str]] = field(default_factory=dict)
    """By line: what the file shows of it."""
    undecided: int = 0

    def require_as_shown(self, lines: dict[str, ReviewLine]) -> None:
        """Raises BadInput for rows that show something else than the review's line of the same id, and for
        those whose line the review has not.
        """
        problems = Problems()
        for each in self.decided:
            line = lines.get(each.line)
            if line is None:
                why = f"the review has no line {each.line[:60]!r}"
                problems.add(BadInput(at=each.at, why=why, hint=_HINT))
            elif wrong := self._differing(line):
                name, own, there = wrong
                why = f"the line's {name} is {own[:60]!r} in the review and {there[:60]!r} here"
                hint = (
                    "perhaps a column was sorted alone; if a spreadsheet made a date or another number"
                    f" of the name, take the column out; {_HINT}"
                )
                problems.add(BadInput(at=f"{each.at}:{name}", why=why, hint=hint))
        problems.require_none()

    def _differing(self, line: ReviewLine) -> tuple[str, str, str] | None:
        for name, there in self.shown[line.line].items():
            own = getattr(line, name)
            if not _is_same(own, there):
                return name, own, there
        return None


class ReviewNames(NamedTuple):
    """A review, named without being read."""

    name: str
    organization: str


def read_decisions(
    source: Source, review: Review | ReviewNames, delimiter: Delimiter | None = None
) -> Decisions:
    """All that a file decides about this review. Raises BadInput with every problem by line."""
    found, problems = Decisions(source.digest), Problems()
    first: dict[str, LineDecision] = {}
    for row in _rows(source, delimiter, problems):
        try:
            decision = _decision(source, row, review)
        except BadInput as error:
            problems.add(error)
            continue
        if decision is None:
            found.undecided += 1
            continue
        before = first.setdefault(decision.line, decision)
        if before is decision:
            found.decided.append(decision)
            found.shown[decision.line] = _shown(row)
        elif before.verdict is not decision.verdict:
            why = f"{before.at} decides otherwise about the same line"
            problems.add(
                BadInput(at=f"{decision.at}:decision", why=why, hint="keep one of the two")
            )
    problems.require_none()
    return found


def review_named_in(source: Source, delimiter: Delimiter | None = None) -> str:
    """The review whose file it is, by its rows. Raises BadInput where they do not say, or say several."""
    named: dict[str, int] = {}
    for row in _rows(source, delimiter, Problems()):
        if name := row.cells.get("review", ""):
            named.setdefault(_bare(name), row.at)
    if len(named) == 1:
        return next(iter(named))
    at = source.at(list(named.values())[1] if named else 1, "review")
    why = (
        f"rows are of several reviews: {', '.join(map(repr, named))}"
        if named
        else ("no row says of which review it is")
    )
    raise BadInput(at=at, why=why, hint="name it: --review NAME")


def _decision(source: Source, row: _Row, review: Review | ReviewNames) -> LineDecision | None:
    """What a row decides; nothing where its decision is empty."""
    at = source.at(row.at)
    _require_of(source, row, review)
    word = row.cells["decision"].casefold()
    if not word:
        return None
    if word not in list(Verdict):
        why = f"{row.cells['decision'][:60]!r} is no decision"
        hint = "write keep or revoke, or leave it empty"
        raise BadInput(at=source.at(row.at, "decision"), why=why, hint=hint)
    line = row.cells["line"].lstrip("'")
    if not line:
        raise BadInput(at=source.at(row.at, "line"), why="it is empty", hint=_HINT)
    try:
        comment = model.require_text("comment", row.cells.get("comment", ""))
    except InvalidArgument as error:
        raise BadInput(at=source.at(row.at, "comment"), why=str(error)) from None
    return LineDecision(line, Verdict(word), comment, at)


def _require_of(source: Source, row: _Row, review: Review | ReviewNames) -> None:
    for name, own in (("review", review.name), ("organization", review.organization)):
        there = row.cells.get(name)
        if there and not _is_same(own, there):
            why = f"it is of the {name} {there[:60]!r}, not of {own!r}"
            hint = (
                f"apply it there, or export {review.name!r} and fill that in; if a spreadsheet made a"
                " date or another number of the name, take the column out"
            )
            raise BadInput(at=source.at(row.at, name), why=why, hint=hint)


def _is_same(own: str, there: str) -> bool:
    """Whether a cell shows what was exported, or the number that a spreadsheet made of it."""
    if _bare(there) in (_bare(own), _bare(safe_cell(own))):  # JSON lines have it as it is
        return True
    number = _number(own)
    return number is not None and number == _number(there)


def _number(cell: str) -> Decimal | None:
    """The number that a spreadsheet shows as this cell, if it is one."""
    text = _bare(cell).replace(",", ".")
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _bare(cell: str) -> str:
    return " ".join(cell.split()).lstrip("'")


def _shown(row: _Row) -> dict[str, str]:
    return {name: row.cells[name] for name in SHOWN if row.cells.get(name)}


def _rows(source: Source, delimiter: Delimiter | None, problems: Problems) -> Iterator[_Row]:
    first = next((line for line in source.lines if line.strip()), "")
    if first.lstrip().startswith("{"):
        yield from _json_rows(source, problems)
    else:
        yield from _csv_rows(source, delimiter, problems)


def _csv_rows(source: Source, delimiter: Delimiter | None, problems: Problems) -> Iterator[_Row]:
    header = header_of(source, Reading(delimiter=delimiter), FIELDS)
    own = [folded(name) for name in header.names]
    at = source.at(header.line)
    for name in NEEDED:
        if name not in own:
            raise BadInput(at=at, why=f"there is no column {name!r}", hint=_HINT)
    for name in FIELDS:
        if own.count(name) > 1:
            raise BadInput(at=f"{at}:{name}", why="the column is there twice", hint="remove one")
    places = {name: own.index(name) for name in FIELDS if name in own}
    for number, cells in rows_of(source, header):
        cells += [""] * (len(own) - len(cells)) if len(cells) > max(places.values()) else []
        if len(cells) != len(own):
            problems.add(BadInput(at=source.at(number), why=wrong_width(header, cells)))
            continue
        yield _Row(number, {name: cells[place].strip() for name, place in places.items()})


def _json_rows(source: Source, problems: Problems) -> Iterator[_Row]:
    for number, line in enumerate(source.lines, 1):
        if not line.strip():
            continue
        try:
            yield _Row(number, _object(line))
        except BadInput as error:
            problems.add(BadInput(**{"at": source.at(number), **error.facts}))


def _object(line: str) -> dict[str, str]:
    """The fields of a row, as text. Raises BadInput without a place."""
    try:
        value: Any = msgspec.json.decode(line)
        twice = key_twice(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BadInput(why=f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadInput(why="a line is a JSON object", hint=_HINT)
    if twice is not None:
        raise BadInput(why=f"the key {twice!r} is twice in one object", hint="keep one")
    cells = {}
    for name in FIELDS:
        cell = value.get(name)
        if name in value and cell is not None and not isinstance(cell, str):
            raise BadInput(why=f"{name}: it is not text")
        cells[name] = (cell or "").strip()
    if "line" not in value:
        raise BadInput(why="there is no field 'line'", hint=_HINT)
    return cells
