"""CSV lists with a header: memberships, members of groups, assignments.

What a list cannot say is made where that is safe (memberships, groups); roles and resources must
exist, since a mistyped one would otherwise give something nobody meant.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from rescind import model
from rescind.changes import AddMembers, AddMembership, Assign, Change, CreateGroup
from rescind.errors import BadInput, MalformedId
from rescind.exchange.readers import Item, Source, moment
from rescind.model.amounts import counted

MEMBERS_PER_CHANGE = 500

Row = tuple[int, dict[str, Any]]


def memberships(source: Source) -> list[Item]:
    """`subject[,name]`: one membership a row."""
    return [
        Item(AddMembership(subject=row["subject"], name=row.get("name")), source.at(number))
        for number, row in _rows(source, ("subject",), ("name",), key=("subject",))
    ]


def members(source: Source) -> list[Item]:
    """`group,subject[,expires_at]`: memberships and groups are made where they are missing."""
    first = _FirstMentions(source)
    lists: dict[tuple[str, datetime | None], list[tuple[int, str]]] = {}
    key = ("group", "subject")
    for number, row in _rows(source, key, ("expires_at",), key=key):
        group, subject = row["group"], row["subject"]
        first.mention(number, subject)
        first.mention(number, f"group:{group}")
        lists.setdefault((group, row.get("expires_at")), []).append((number, subject))
    for (group, expires_at), rows in lists.items():
        for start in range(0, len(rows), MEMBERS_PER_CHANGE):
            part = rows[start : start + MEMBERS_PER_CHANGE]
            subjects = tuple(subject for _, subject in part)
            change = AddMembers(group=group, members=subjects, expires_at=expires_at)
            first.items.append(Item(change, source.at(part[0][0])))
    return first.items


def assignments(source: Source) -> list[Item]:
    """`role,holder[,resource][,expires_at]`: holders are made where missing; the rest must exist."""
    first = _FirstMentions(source)
    given: list[Item] = []
    key = ("role", "holder", "resource")
    for number, row in _rows(source, key[:2], ("resource", "expires_at"), key=key):
        first.mention(number, row["holder"])
        change = Assign(
            role=row["role"],
            to=row["holder"],
            on=row.get("resource"),
            expires_at=row.get("expires_at"),
        )
        given.append(Item(change, source.at(number)))
    return first.items + given


class _FirstMentions:
    """Makes each subject and group once, in the order in which they are first mentioned."""

    def __init__(self, source: Source) -> None:
        self.items: list[Item] = []
        self._source = source
        self._seen: set[str] = set()

    def mention(self, number: int, holder: str) -> None:
        if holder in self._seen:
            return
        self._seen.add(holder)
        change: Change = AddMembership(subject=holder)
        if holder.startswith("group:"):
            change = CreateGroup(group=holder.removeprefix("group:"))
        self.items.append(Item(change, self._source.at(number)))


COLUMNS: Final[dict[str, Callable[[str], Any]]] = {
    "subject": model.subject_id,
    "group": model.group_id,
    "role": model.role_id,
    "holder": model.holder_id,
    "resource": model.resource_id,
    "name": str,
    "expires_at": moment,
}
"""How a cell of each column is read."""


def _rows(
    source: Source, needed: tuple[str, ...], optional: tuple[str, ...], *, key: tuple[str, ...]
) -> Iterator[Row]:
    """Each row's line and values. Raises BadInput naming file, line and column."""
    records = _records(source)
    start, header = next(records, (1, []))
    header = [column.strip() for column in header]
    _require_columns(source.at(start), header, needed, optional)
    seen: dict[tuple[Any, ...], int] = {}
    for number, cells in records:
        if len(cells) != len(header):
            why = f"{counted(len(cells), 'column')} where the header has {len(header)}"
            raise BadInput(at=source.at(number), why=why)
        row = {
            column: _value(source, number, column, cell, column in needed)
            for column, cell in zip(header, cells, strict=True)
        }
        first = seen.setdefault(tuple(row.get(column) for column in key), number)
        if first != number:
            raise BadInput(at=source.at(number, key[0]), why=f"the row repeats line {first}")
        yield number, row


def _records(source: Source) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader((line + "\n" for line in source.lines), strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadInput(at=source.at(line), why=f"not CSV: {error}") from None


def _require_columns(
    place: str, header: list[str], needed: tuple[str, ...], optional: tuple[str, ...]
) -> None:
    known = f"the columns are {', '.join(needed)} and perhaps {', '.join(optional)}"
    for column in header:
        if column not in needed + optional:
            raise BadInput(at=f"{place}:{column}", why=f"unknown column; {known}")
        if header.count(column) > 1:
            raise BadInput(at=f"{place}:{column}", why="the column is there twice")
    for column in needed:
        if column not in header:
            raise BadInput(at=f"{place}:{column}", why=f"the column is missing; {known}")


def _value(source: Source, number: int, column: str, cell: str, is_needed: bool) -> Any:
    cell = cell.strip()
    if not cell:
        if is_needed:
            raise BadInput(at=source.at(number, column), why="it is empty")
        return None
    try:
        return COLUMNS[column](cell)
    except MalformedId as error:
        raise BadInput(at=source.at(number, column), why=str(error)) from None
    except ValueError as error:
        raise BadInput(at=source.at(number, column), why=f"{cell[:60]!r} is {error}") from None
