"""CSV lists with a header: memberships, members of groups, assignments.

What a list cannot say is made where that is safe (memberships, groups); roles and resources must
exist, since a mistyped one would otherwise give something nobody meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from rescind import model
from rescind.changes import AddMembers, AddMembership, Assign, Change, CreateGroup
from rescind.errors import BadInput, InvalidArgument, MalformedId
from rescind.transfer.columns import FIELDS, Columns, Kind, columns_of, mapped
from rescind.transfer.dates import DateOrder, read_cell
from rescind.transfer.problems import Problems
from rescind.transfer.readers import Item, Source
from rescind.transfer.sheets import Header, Reading, header_of, rows_of, wrong_width

MEMBERS_PER_CHANGE = 500

KINDS: Final[dict[str, Kind]] = {
    "memberships": Kind(("subject",), ("name",)),
    "members": Kind(("group", "subject"), ("name", "expires_at")),
    "assignments": Kind(("role", "holder"), ("resource", "expires_at")),
}
"""The lists by the names of their formats."""


@dataclass(slots=True)
class Counts:
    """What became of the rows of an input, beside what was taken."""

    rows: int = 0
    repeated: int = 0
    passed_over: int = 0
    ignored_columns: list[str] = field(default_factory=list)
    has_dates: bool = False
    """Whether a date without a time was read as the end of its day."""

    def add(self, other: Counts) -> None:
        """Count what became of the rows of another input."""
        self.rows += other.rows
        self.repeated += other.repeated
        self.passed_over += other.passed_over
        self.ignored_columns += [c for c in other.ignored_columns if c not in self.ignored_columns]
        self.has_dates |= other.has_dates


@dataclass(slots=True)
class Row:
    """One row: the line on which it begins, and its values by field."""

    line: int
    values: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def get(self, name: str) -> Any:
        return self.values.get(name)


def kind_of(source: Source, header: Header, reading: Reading) -> str:
    """The one list that the header can be. Raises BadInput saying what to type where it is none or several.

    A column that stands for a field by name is evidence; one that a list of that kind has not is evidence
    against it, unless it was said that others are to be ignored.
    """
    places = mapped(source, header, reading)
    said = set(reading.columns.values())
    fits = [
        name
        for name, kind in KINDS.items()
        if set(kind.needed) <= places.keys() and said <= set(kind.fields)
    ]
    whole = [name for name in fits if places.keys() <= set(KINDS[name].fields)]
    if len(whole) == 1 or len(fits) == 1:
        return (whole or fits)[0]
    if fits:
        why = f"it may be a list of {' or of '.join(fits)}"
        hint = f"say which: {', '.join(f'--format {name}' for name in fits)}"
        raise BadInput(at=source.at(header.line), why=why, hint=hint)
    return ""


def read_list(
    source: Source, name: str, reading: Reading, header: Header | None = None
) -> tuple[list[Item], Counts]:
    """The changes of a list, and what became of its rows. Raises BadInput with every problem."""
    kind = KINDS[name]
    header = header or header_of(source, reading, FIELDS)
    places = mapped(source, header, reading)
    columns = columns_of(source, header, reading, kind, places)
    table = _Table(source, header, columns, kind, reading, keys=_KEYS[name])
    found = _MAKERS[name](source, table)
    table.finish()
    return found, table.counts


# --- what the rows make ---------------------------------------------------------------------------


def _memberships(source: Source, table: _Table) -> list[Item]:
    """`subject[,name]`: one membership a row."""
    first = _FirstMentions(source)
    for row in table:
        first.mention(row.line, row["subject"], row.get("name"))
    return first.items()


def _members(source: Source, table: _Table) -> list[Item]:
    """`group,subject[,name][,expires_at]`: memberships and groups are made where they are missing."""
    first = _FirstMentions(source)
    lists: dict[tuple[str, datetime | None], list[tuple[int, str]]] = {}
    for row in table:
        group, subject = row["group"], row["subject"]
        first.mention(row.line, subject, row.get("name"))
        first.mention(row.line, f"group:{group}")
        lists.setdefault((group, row.get("expires_at")), []).append((row.line, subject))
    found = first.items()
    for (group, expires_at), rows in lists.items():
        for start in range(0, len(rows), MEMBERS_PER_CHANGE):
            part = rows[start : start + MEMBERS_PER_CHANGE]
            subjects = tuple(subject for _, subject in part)
            change = AddMembers(group=group, members=subjects, expires_at=expires_at)
            lines = tuple(line for line, _ in part)
            found.append(Item(change, source.at(lines[0]), rows=lines))
    return found


def _assignments(source: Source, table: _Table) -> list[Item]:
    """`role,holder[,resource][,expires_at]`: holders are made where missing; the rest must exist."""
    first = _FirstMentions(source)
    given: list[Item] = []
    for row in table:
        first.mention(row.line, row["holder"])
        change = Assign(
            role=row["role"],
            to=row["holder"],
            on=row.get("resource"),
            expires_at=row.get("expires_at"),
        )
        given.append(Item(change, source.at(row.line), rows=(row.line,)))
    return first.items() + given


_MAKERS: Final[dict[str, Callable[[Source, _Table], list[Item]]]] = {
    "memberships": _memberships,
    "members": _members,
    "assignments": _assignments,
}
_KEYS: Final = {
    "memberships": ("subject",),
    "members": ("group", "subject"),
    "assignments": ("role", "holder", "resource"),
}


class _FirstMentions:
    """Makes each subject and group once, in the order in which they are first mentioned."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lines: dict[str, int] = {}
        self._names: dict[str, str] = {}

    def mention(self, line: int, holder: str, name: str | None = None) -> None:
        self._lines.setdefault(holder, line)
        if name is not None:
            self._names.setdefault(holder, name)

    def items(self) -> list[Item]:
        return [
            Item(self._made(holder), self._source.at(line), rows=(line,))
            for holder, line in self._lines.items()
        ]

    def _made(self, holder: str) -> Change:
        if holder.startswith("group:"):
            return CreateGroup(group=holder.removeprefix("group:"))
        return AddMembership(subject=holder, name=self._names.get(holder))


# --- rows -----------------------------------------------------------------------------------------

COLUMNS: Final[dict[str, Callable[[str], Any]]] = {
    "subject": model.subject_id,
    "group": model.group_id,
    "role": model.role_id,
    "holder": model.holder_id,
    "resource": model.resource_id,
    "name": lambda text: model.require_text("name", text),
}
"""How a cell of each column is read; `expires_at` by `dates`."""
_SPOILT = re.compile(
    r"=.*|#(N/A|REF!|NAME\?|VALUE!|DIV/0!|NUM!|NULL!|#+)|\d([.,]\d+)?E\+\d+", re.DOTALL
)
"""What a spreadsheet leaves of a value: a formula, an error, or a long number that it has shortened."""


_FIRST: Final = {DateOrder.DMY: "the day", DateOrder.MDY: "the month"}


class _Table:
    """The rows of a list that are taken, each once. What is wrong with the others is collected."""

    def __init__(
        self,
        source: Source,
        header: Header,
        columns: Columns,
        kind: Kind,
        reading: Reading,
        *,
        keys: tuple[str, ...],
    ) -> None:
        self._source, self._header, self._columns = source, header, columns
        self._needed, self._keys, self._reading = kind.needed, keys, reading
        self._now = reading.now or datetime.now(UTC)
        self._problems = Problems()
        self._shown: dict[DateOrder, int] = {}
        self._names: dict[str, tuple[int, str]] = {}
        self.counts = Counts(ignored_columns=list(columns.ignored))

    def __iter__(self) -> Iterator[Row]:
        seen: dict[tuple[Any, ...], Row] = {}
        try:
            for line, cells in rows_of(self._source, self._header):
                self.counts.rows += 1
                row = self._row(line, cells)
                if row is None:
                    continue
                key = tuple(row.get(name) for name in self._keys)
                first = seen.setdefault(key, row)
                if first is row:
                    yield row
                elif self._agrees(first, row):
                    self.counts.repeated += 1
        except BadInput as error:
            self._problems.add(error)

    def finish(self) -> None:
        """Raises BadInput with everything that was wrong."""
        if len(self._shown) > 1:
            (first, one), (second, other) = sorted(self._shown.items(), key=lambda each: each[1])
            why = f"{_FIRST[first]} comes first here, and {_FIRST[second]} in line {other}"
            hint = "say --dates dmy or --dates mdy"
            self._problems.add(BadInput(at=self._source.at(one, "expires_at"), why=why, hint=hint))
        self._problems.require_none()
        if self.counts.rows and self.counts.rows == self.counts.passed_over:
            chosen = ", ".join(f"{column}={value}" for column, value in self._reading.only)
            at = self._source.at(self._header.line)
            raise BadInput(at=at, why=f"no row has {chosen}")

    def _row(self, line: int, cells: list[str]) -> Row | None:
        if len(cells) != len(self._header.names):
            why = wrong_width(self._header, cells)
            self._problems.add(BadInput(at=self._source.at(line), why=why))
            return None
        if not self._columns.takes(cells):
            self.counts.passed_over += 1
            return None
        found, is_good = {}, True
        for name, place in self._columns.places.items():
            try:
                found[name] = self._value(line, name, cells[place].strip())
            except BadInput as error:
                self._problems.add(error)
                is_good = False
        row = Row(line, found)
        return row if is_good and self._is_named_once(row) else None

    def _value(self, line: int, name: str, cell: str) -> Any:
        at = self._source.at(line, name)
        if not cell:
            if name in self._needed:
                raise BadInput(at=at, why="it is empty", hint="fill it in, or remove the row")
            if name == "resource":  # a value that is lost must not give the role everywhere
                hint = f"write {model.ROOT!r} if the role is for all of it, or remove the column"
                raise BadInput(at=at, why="it is empty", hint=hint)
            return None
        if _SPOILT.fullmatch(cell):
            why = f"{cell[:60]!r} is a formula, an error or a shortened number of a spreadsheet"
            raise BadInput(at=at, why=why, hint="format the column as text and save again")
        if len(self._header.names) == 1 and ";" in cell:
            why = f"{cell[:60]!r} has ';' in it, and the header one column"
            raise BadInput(at=at, why=why, hint="quote the cell if it is one")
        try:
            return self._time(line, cell) if name == "expires_at" else COLUMNS[name](cell)
        except (MalformedId, InvalidArgument) as error:
            raise BadInput(at=at, why=str(error)) from None
        except ValueError as error:
            raise BadInput(at=at, why=f"{cell[:60]!r} is {error}") from None

    def _time(self, line: int, text: str) -> datetime:
        """The time of a cell; ValueError for one that is past, or that UTC cannot say."""
        cell = read_cell(text, self._reading.dates, self._reading.zone)
        model.microseconds(cell.at)
        if cell.at <= self._now and not self._reading.allows_past:
            raise ValueError("past; mend it, remove the row, or say --allow-past")
        if cell.shows is not None:
            self._shown.setdefault(cell.shows, line)
        self.counts.has_dates |= ":" not in text
        return cell.at

    def _is_named_once(self, row: Row) -> bool:
        """Whether no row before gives the same subject another name."""
        name = row.get("name")
        if name is None:
            return True
        line, first = self._names.setdefault(row["subject"], (row.line, name))
        if first == name:
            return True
        why = f"{row['subject']} is named {name[:60]!r} here and {first[:60]!r} in line {line}"
        self._problems.add(BadInput(at=self._source.at(row.line, "name"), why=why))
        return False

    def _agrees(self, first: Row, row: Row) -> bool:
        """Whether a row that repeats another says the same."""
        if first.get("expires_at") == row.get("expires_at"):
            return True
        why = f"the row gives what line {first.line} gives, until another time"
        at = self._source.at(row.line, "expires_at")
        self._problems.add(BadInput(at=at, why=why, hint="keep one of the two rows"))
        return False
