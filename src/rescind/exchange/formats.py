"""Which format an input has, and its changes, each checked as far as that goes without a store."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from rescind import model
from rescind.errors import BadInput, RescindError
from rescind.exchange import ndjson, pairs, tables
from rescind.exchange.readers import Item, Source
from rescind.model import Microseconds
from rescind.propagation.budget import BACKGROUND
from rescind.propagation.routing import Router
from rescind.recording import Context, record


class Format(StrEnum):
    """How an input is written."""

    AUTO = "auto"
    NDJSON = "ndjson"
    MEMBERSHIPS = "memberships"
    MEMBERS = "members"
    ASSIGNMENTS = "assignments"
    PAIRS = "pairs"


_PARSERS: dict[Format, Callable[[Source], list[Item]]] = {
    Format.NDJSON: ndjson.items,
    Format.MEMBERSHIPS: tables.memberships,
    Format.MEMBERS: tables.members,
    Format.ASSIGNMENTS: tables.assignments,
    Format.PAIRS: pairs.items,
}


def parse(source: Source, written_as: Format = Format.AUTO) -> list[Item]:
    """The changes of an input, in the order in which they can be applied.

    Raises BadInput naming the place of the first thing that is wrong with it.
    """
    found = _recognized(source) if written_as is Format.AUTO else written_as
    items = _PARSERS[found](source)
    for item in items:
        _require_well_formed(item)
    return items


def _recognized(source: Source) -> Format:
    number, first = next(
        ((n, line.strip()) for n, line in enumerate(source.lines, 1) if line.strip()), (1, "")
    )
    columns = {column.strip().strip('"') for column in first.split(",")}
    if first.startswith("{"):
        return Format.NDJSON
    if {"role", "holder"} & columns:
        return Format.ASSIGNMENTS
    if "group" in columns:
        return Format.MEMBERS
    if "subject" in columns:
        return Format.MEMBERSHIPS
    if len(columns) == 1 and len(first.split()) == 2:
        return Format.PAIRS
    if not first:
        raise BadInput(at=source.at(number), why="there is nothing in it")
    raise BadInput(
        at=source.at(number),
        why="the format is not recognized",
        mend="begin a CSV with the line `subject`, `group,subject` or `role,holder`,"
        f" or name the format: {', '.join(_PARSERS)}",
    )


class _NoTransaction:
    """Takes every statement and does nothing: leaves what a change can refuse without a store."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_args, **_params: None


def _require_well_formed(item: Item) -> None:
    try:
        name = model.organization_id("any" if item.organization is None else item.organization)
        nothing: Any = _NoTransaction()
        record(Context(nothing, name, 1, Microseconds(0), False, Router(BACKGROUND)), [item.change])
    except RescindError as error:
        raise BadInput(at=item.place, why=str(error)) from None
