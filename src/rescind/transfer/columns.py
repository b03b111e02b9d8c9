"""Which column of a list is which field, and which rows are taken."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rescind.errors import BadInput
from rescind.transfer.readers import Source
from rescind.transfer.sheets import Header, Reading, folded

FIELDS: Final = ("subject", "group", "role", "holder", "resource", "name", "expires_at")

_STATES = re.compile(
    r"stat(us|e|ut)|activ|aktiv|enabled|disabled|suspend|termin|archiv|delet|leav|left|end(s|ed|e)?$"
    r"|end_date|last_day|valid_(to|until)|expir|exit|austritt"
)
"""Parts of the names of columns that may say who has left."""
_ENDS = re.compile(r"end|termin|exit|last_day|valid|expir|austritt")
_GUESSES: Final = (
    ("subject", re.compile(r"mail|principal|login|username|user_id|upn")),
    ("group", re.compile(r"department|abteilung|team|group|org_unit|organization")),
)
"""Names that other systems give to what a field is. Proposed, never taken."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The fields of one kind of list."""

    needed: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        return self.needed + self.optional


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field stands in a row, the columns by which rows are chosen, and those passed over."""

    places: dict[str, int]
    chosen: tuple[tuple[int, frozenset[str]], ...]
    ignored: tuple[str, ...]
    names: list[str]

    def takes(self, cells: Sequence[str]) -> bool:
        """Whether a row is one of those that are to be taken."""
        return all(_value(cells[place]) in values for place, values in self.chosen)


def mapped(source: Source, header: Header, reading: Reading) -> dict[str, int]:
    """Where each field stands, by the names that were said and else by the columns' own.

    Raises BadInput naming a column that is not there, or that is there twice.
    """
    own = [folded(name) for name in header.names]
    at = source.at(header.line)
    places: dict[str, int] = {}
    for column, target in reading.columns.items():
        if target not in FIELDS:
            hint = f"the fields are {', '.join(FIELDS)}"
            raise BadInput(at=at, why=f"--map: {target!r} is no field", hint=hint)
        if target in places:
            raise BadInput(at=at, why=f"two columns are to be the field {target}")
        places[target] = _place(at, header, own, column)
    taken = set(places.values())
    for target in FIELDS:
        if target in places or target not in own:
            continue
        place = _place(at, header, own, target)
        if place not in taken:
            places[target] = place
    return places


def columns_of(
    source: Source, header: Header, reading: Reading, kind: Kind, places: dict[str, int]
) -> Columns:
    """The columns of a list of this kind.

    Raises BadInput naming what is missing and what is there beside; with what to type.
    """
    at = source.at(header.line)
    missing = [name for name in kind.needed if name not in places]
    if missing:
        why = f"no column is {' or '.join(missing)}; the columns are {_listed(header.names)}"
        raise BadInput(at=at, why=why, hint=proposal(header, missing))
    own = [folded(name) for name in header.names]
    chosen: dict[int, set[str]] = {}
    for column, value in reading.only:
        chosen.setdefault(_place(at, header, own, column), set()).add(_value(value))
    named = {_place(at, header, own, column) for column in reading.ignored}
    used = {place for target, place in places.items() if target in kind.fields} | chosen.keys()
    if both := named & used:
        why = f"--ignore: the column {header.names[min(both)]!r} is used"
        raise BadInput(at=at, why=why)
    extra = [n for n in range(len(header.names)) if n not in used and n not in named]
    if extra and not reading.ignores_extra:
        listed = _listed([header.names[n] for n in extra])
        why = f"{'a column' if len(extra) == 1 else 'columns'} not used: {listed}"
        hint = f"say --ignore-extra-columns, or --map COLUMN=FIELD ({', '.join(kind.fields)})"
        raise BadInput(at=at, why=why, hint=hint)
    telling = next((n for n in extra if own[n] in FIELDS or _STATES.search(own[n])), None)
    if telling is not None:
        name = header.names[telling]
        why = f"the column {name!r} may say who has left, or what is not to be given"
        is_end = "expires_at" in kind.fields and _ENDS.search(own[telling])
        use = f"--map '{name}=expires_at'" if is_end else f"--only '{name}=Active' or another value"
        hint = f"use it, as with {use}; or say --ignore '{name}' if it does not matter"
        raise BadInput(at=at, why=why, hint=hint)
    passed = sorted({*extra, *named})
    return Columns(
        places={target: place for target, place in places.items() if target in kind.fields},
        chosen=tuple((place, frozenset(values)) for place, values in chosen.items()),
        ignored=tuple(header.names[n] for n in passed),
        names=header.names,
    )


def proposal(header: Header, missing: Sequence[str]) -> str:
    """What to type for the fields that no column is."""
    found = []
    for target in missing:
        guess = next((pattern for name, pattern in _GUESSES if name == target), None)
        column = next(
            (name for name in header.names if guess is not None and guess.search(folded(name))),
            "COLUMN",
        )
        found.append(f"--map '{column}={target}'")
    which = "which it is" if len(found) == 1 else "which is which"
    return f"say {which}, such as {' '.join(found)}"


def _place(at: str, header: Header, own: list[str], column: str) -> int:
    places = [n for n, name in enumerate(own) if name == folded(column)]
    if not places:
        why = f"there is no column {column!r}; the columns are {_listed(header.names)}"
        raise BadInput(at=at, why=why)
    if len(places) > 1:
        raise BadInput(at=f"{at}:{column}", why="the column is there twice")
    return places[0]


def _value(cell: str) -> str:
    return " ".join(cell.split()).casefold()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(_shown, names))


def _shown(name: str) -> str:
    return repr(name) if name else "one without a name"
