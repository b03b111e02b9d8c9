"""Which format an input has, and its changes, each checked as far as that goes without a store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import Final

from rescind import model
from rescind.applying.statements import require_well_formed
from rescind.errors import BadInput, InvalidArgument, RescindError
from rescind.transfer import ndjson, pairs, tables
from rescind.transfer.columns import FIELDS, proposal
from rescind.transfer.problems import Problems
from rescind.transfer.readers import Item, Source
from rescind.transfer.sheets import Header, Reading, header_of
from rescind.transfer.tables import Counts


class Format(StrEnum):
    """How an input is written."""

    AUTO = "auto"
    NDJSON = "ndjson"
    MEMBERSHIPS = "memberships"
    MEMBERS = "members"
    ASSIGNMENTS = "assignments"
    PAIRS = "pairs"


_OTHERS: dict[Format, Callable[[Source], list[Item]]] = {
    Format.NDJSON: ndjson.items,
    Format.PAIRS: pairs.items,
}
CHECKED_TOGETHER: Final = 500
"""Changes of one organization whose ids and texts are checked at once."""
_HEADERS = "a CSV begins with the line `subject`, `group,subject` or `role,holder`"
_BY_NAME = "--format ndjson or --format pairs"


@dataclass(slots=True)
class Parsed:
    """The changes of inputs, and what became of their rows."""

    items: list[Item] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)


def parse(
    source: Source, written_as: Format = Format.AUTO, reading: Reading | None = None
) -> list[Item]:
    """The changes of an input, in the order in which they can be applied.

    Raises BadInput naming the places of what is wrong with it.
    """
    return parse_all([source], written_as, reading).items


def parse_all(
    sources: Sequence[Source], written_as: Format = Format.AUTO, reading: Reading | None = None
) -> Parsed:
    """The changes of several inputs, one after the other. Raises BadInput with what is wrong with any."""
    found, problems = Parsed(), Problems()
    for source in sources:
        try:
            items, counts = _parsed(source, written_as, reading or Reading())
        except BadInput as error:
            problems.add(error)
            continue
        for _, some in groupby(items, lambda item: item.organization):
            of_one = list(some)
            for start in range(0, len(of_one), CHECKED_TOGETHER):
                _require_well_formed(of_one[start : start + CHECKED_TOGETHER], problems)
        found.items += items
        found.counts.add(counts)
    problems.require_none()
    return found


def _parsed(source: Source, written_as: Format, reading: Reading) -> tuple[list[Item], Counts]:
    header: Header | None = None
    if written_as is Format.AUTO:
        written_as, header = _recognized(source, reading)
    if written_as not in _OTHERS:
        return tables.read_list(source, written_as.value, reading, header)
    if reading.says_something:
        hint = "these options are for lists: memberships, members and assignments"
        raise InvalidArgument(what="format", value=written_as.value, hint=hint)
    return _OTHERS[written_as](source), Counts()


def _recognized(source: Source, reading: Reading) -> tuple[Format, Header | None]:
    """By what can be nothing else. Pairs are never recognized: any two words are a pair."""
    number, first = next(
        ((n, line.strip()) for n, line in enumerate(source.lines, 1) if line.strip()), (1, "")
    )
    if first.startswith("{"):
        return Format.NDJSON, None
    if first.startswith("["):
        why = "it is a JSON list"
        hint = "write one change a line, as `jq -c '.[]'` does"
        raise BadInput(at=source.at(number), why=why, hint=hint)
    header = header_of(source, reading, FIELDS)
    kind = tables.kind_of(source, header, reading)
    if kind:
        return Format(kind), header
    raise _unrecognized(source, header, first)


def _unrecognized(source: Source, header: Header, first: str) -> BadInput:
    at = source.at(header.line)
    if len(header.names) > 1:
        shown = ", ".join(map(repr, header.names))
        why = f"the format is not recognized: the columns are {shown}"
        said = proposal(header, ("group", "subject"))
        if said.count("COLUMN=") == 2:
            said = "begin it with a header, or say which column is which with --map COLUMN=FIELD"
        hint = f"{said} ({_HEADERS}); or name the format: {_BY_NAME}"
        return BadInput(at=at, why=why, hint=hint)
    why = "the format is not recognized"
    if len(first.split()) == 2:
        hint = f"if each line is a user and a permission, say --format pairs; else {_HEADERS}"
        return BadInput(at=at, why=why, hint=hint)
    return BadInput(at=at, why=why, hint=f"{_HEADERS}; or name the format: {_BY_NAME}")


def _require_well_formed(items: Sequence[Item], problems: Problems) -> None:
    """Note what is wrong with items of one organization; one by one only if anything is."""
    organization = items[0].organization
    try:
        name = model.organization_id("any" if organization is None else organization)
        require_well_formed([item.change for item in items], name)
    except RescindError as error:
        if len(items) == 1:
            problems.add(BadInput(at=items[0].place, why=str(error)))
            return
        for item in items:
            _require_well_formed([item], problems)
