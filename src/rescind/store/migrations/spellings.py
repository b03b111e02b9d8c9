"""Fill the columns that Python folds, of a database that was made before it had them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import sqlalchemy

from rescind.model.spelling import folded
from rescind.store.migrations.scripts import ours

STEP: Final = 5_000
"""Rows that are read, and written, at a time."""


class Filling(NamedTuple):
    """A column to fill from what another one has, and the columns that are a row's key."""

    table: str
    key: tuple[str, str]
    where: str
    source: str
    target: str
    every_row: bool


OWNED: Final = ("organization", "id")
FILLINGS: Final = (
    Filling("rescind.membership", OWNED, "TRUE", "subject", "folded", False),
    Filling('rescind."group"', OWNED, "ended IS NULL", "slug", "folded", False),
    Filling('rescind."group"', OWNED, "ended IS NULL", "COALESCE(name, slug)", "search_name", True),
    Filling("rescind.organization", ("id", "id"), "slug IS NOT NULL", "name", "search_name", True),
)


def fill_spellings(connection: sqlalchemy.Connection) -> None:
    """Give every row what its text folds to; `folded` only where that is another text."""
    for filling in FILLINGS:
        for rows in _pages(connection, filling):
            given = [(o, number, text, folded(text)) for o, number, text in rows]
            wanted = [
                {"o": o, "number": number, "value": value}
                for o, number, text, value in given
                if filling.every_row or value != text
            ]
            if wanted:
                connection.execute(sqlalchemy.text(ours(connection, _update(filling))), wanted)


def _pages(connection: sqlalchemy.Connection, filling: Filling) -> Iterator[list[Any]]:
    """All rows, a step at a time, in the order of their key."""
    key = ", ".join(filling.key)
    select = (
        f"SELECT {key}, {filling.source} FROM {filling.table}"
        f" WHERE ({key}) > (:o, :number) AND {filling.where} ORDER BY {key} LIMIT {STEP}"
    )
    statement = sqlalchemy.text(ours(connection, select))
    last = {"o": -1, "number": -(2**31)}
    while rows := connection.execute(statement, last).all():
        yield list(rows)
        last = {"o": rows[-1][0], "number": rows[-1][1]}


def _update(filling: Filling) -> str:
    owner, number = filling.key
    where = f"{owner} = :o AND {number} = :number"
    return f"UPDATE {filling.table} SET {filling.target} = :value WHERE {where}"
