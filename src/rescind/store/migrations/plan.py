"""What `rescind migrate` would do to a database: which migrations are pending, their SQL, and what they lock.

Changes nothing, and waits for nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy

from rescind.errors import SchemaTooNew
from rescind.store.migrations import former, reading
from rescind.store.migrations.installation import is_usable, version_of
from rescind.store.migrations.locks import Locks, locks_of
from rescind.store.migrations.scripts import (
    HERE,
    engine_of,
    ours,
    partition_count,
    script_of,
)
from rescind.store.partitions import partitioned
from rescind.store.schema import VERSIONS
from rescind.store.schema_text import schema_text, statements

WHOLE: Final = "schema"
"""The number of what makes the whole schema in a database that has none."""
PYTHON: Final = {"0022": "then fills the new columns of names, row by row"}
"""What a migration does besides its SQL."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a migration, and what it takes from others."""

    sql: str
    locks: Locks | None
    """None on SQLite, which locks the whole file for writers, and in a new schema, where nobody waits."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A migration that the database does not have yet."""

    number: str
    title: str
    statements: tuple[Statement, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done to a database."""

    database: str
    has: str | None
    """The version of its schema; none if it has none."""
    needs: str
    """The version that this code needs."""
    pending: tuple[Pending, ...]
    views: tuple[str, ...]
    """Views and functions that are made anew, because this code defines them otherwise."""

    @property
    def is_up_to_date(self) -> bool:
        """Whether `rescind migrate` would change nothing."""
        return not self.pending and not self.views


def plan_of(url: str) -> Plan:
    """What `migrate` would do to the database at a URL.

    Only reads: a missing file is not made. Raises StoreUnavailable, StoreBusy, StoreReadOnly or SchemaTooNew.
    """
    with reading.opened(url) as (connection, where):
        version = version_of(connection)
        if version is not None and version not in VERSIONS:
            if is_usable(connection, version):
                return Plan(where, version, VERSIONS[-1], (), ())
            raise SchemaTooNew(database=where, has=version, needs=VERSIONS[-1])
        has = version if version is not None else _former_version(connection, where)
        numbers = (WHOLE,) if has is None else VERSIONS[VERSIONS.index(has) + 1 :]
        views = () if numbers else reading.differing_views(connection)
        known, made = _tables_of_indexes(VERSIONS[: len(VERSIONS) - len(numbers)]), set[str]()
        pending = tuple(_pending(connection, number, made, known) for number in numbers)
    return Plan(where, has, VERSIONS[-1], pending, views)


def _former_version(connection: sqlalchemy.Connection, where: str) -> str | None:
    found = former.find_former(connection, where)
    return None if found is None else found.versions[-1]


def _pending(
    connection: sqlalchemy.Connection, number: str, made: set[str], index_tables: dict[str, str]
) -> Pending:
    if number == WHOLE:
        text, title = schema_text(engine_of(connection)), "the whole schema, in a new database"
    else:
        script = script_of(connection, number)
        text, title = script.read_text("utf-8"), _title(script)
    count = partition_count(connection)
    found = []
    for statement in statements(text):
        locks = None
        if engine_of(connection) == "postgres" and number != WHOLE:
            locks = locks_of(statement, made, index_tables)
        found.append(Statement(ours(connection, partitioned(statement, count)), locks))
    return Pending(number, title, tuple(found), PYTHON.get(number))


def _title(script: Path) -> str:
    return script.name.split(".")[0].partition("_")[2].replace("_", " ")


def _tables_of_indexes(before: Sequence[str]) -> dict[str, str]:
    """The table of each index that those migrations made on PostgreSQL."""
    found: dict[str, str] = {}
    for number in before:
        (script,) = HERE.glob(f"{number}_*.postgres.sql")
        for statement in statements(script.read_text("utf-8")):
            locks_of(statement, set(), found)
    return found
