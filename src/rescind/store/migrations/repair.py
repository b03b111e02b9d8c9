"""A database that an earlier form of a migration made, or whose schema was altered since.

Before 0.1.0 migrations were edited in place, so that two databases of one version may differ. What can be
made anew from its definition is; anything else is refused, with the names of what differs.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final

import sqlalchemy

from rescind.errors import SchemaDiffers
from rescind.store.migrations.catalog import Catalog, Item, Run, catalog, wanted
from rescind.store.schema import VERSIONS

REPAIRED: Final = {
    "sqlite": {"index", "trigger", "view", "statistics"},
    "postgresql": {"index", "trigger", "view", "statistics", "function", "constraint"},
}
"""Kinds of objects that are made anew; the rest would take knowing what to do with the rows."""
FORMER_INDEXES: Final = ("assignment_to_group", "change_unsettled", "pending_since")
"""That earlier forms of migrations made, and later ones do not."""
SHOWN: Final = 5

log = logging.getLogger(__name__)


def repair_schema(connection: sqlalchemy.Connection, where: str, run: Run) -> None:
    """Make the schema what the migrations up to its version make, in the transaction under way.

    Raises SchemaDiffers, with nothing altered, where that cannot be. A database without a schema, or of a
    version that this code does not know, is left alone.
    """
    version = _version(connection)
    if version is not None and version not in VERSIONS:
        _require_ours(connection, where, version)
        return
    if not _may_compare(connection):
        log.warning("%s: the schema is not compared: that takes the privilege to create one", where)
        return
    found = catalog(connection)
    if version is None and not any(item.kind in ("table", "view") for item in found):
        return
    made = wanted(connection, VERSIONS, run)
    if version is None:
        _require_free(where, found, made[VERSIONS[-1]])
        return
    differing = [item for item in made[version] if _differs(item, found, made[version])]
    premature = [item for item in made[VERSIONS[-1]].keys() - made[version].keys() if item in found]
    refused = [item for item in differing if item.kind not in REPAIRED[connection.dialect.name]]
    if refused or premature:
        raise SchemaDiffers(
            database=where, version=version, differs=_shown([*refused, *sorted(premature)])
        )
    for item in differing:
        log.warning("%s: the %s %s is made anew", where, *item)
        for statement in _making(connection, item, made[version][item]):
            connection.exec_driver_sql(statement.replace("%", "%%"))
    for statement in _dropping(found, made[version]):
        connection.exec_driver_sql(statement)


def _version(connection: sqlalchemy.Connection) -> str | None:
    if not sqlalchemy.inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def _require_ours(connection: sqlalchemy.Connection, where: str, version: str) -> None:
    """The version, which this code does not know, is one of Rescind's."""
    if not sqlalchemy.inspect(connection).has_table("effective_role"):
        mend = (
            "alembic_version is another program's: give Rescind a database, or a schema, of its own"
        )
        raise SchemaDiffers(database=where, version=version, mend=mend)


def _may_compare(connection: sqlalchemy.Connection) -> bool:
    if connection.dialect.name == "sqlite":
        return True
    may = "SELECT has_database_privilege(current_database(), 'CREATE')"
    return bool(connection.exec_driver_sql(may).scalar())


def _require_free(where: str, found: Catalog, made: Catalog) -> None:
    """No table or view of another program has a name that the migrations would give."""
    names = {item.name for item in made if item.kind in ("table", "view")}
    taken = [item for item in found if item.kind in ("table", "view") and item.name in names]
    if taken:
        mend = "these are not Rescind's: give it a database, or a schema, of its own"
        raise SchemaDiffers(database=where, version="none", differs=_shown(taken), mend=mend)


def _differs(item: Item, found: Catalog, made: Catalog) -> bool:
    """Statistics may have been measured, or stated otherwise: that there are some is enough."""
    return item not in found or (item.kind != "statistics" and found[item] != made[item])


def _shown(items: list[Item]) -> str:
    """A table's name, once, rather than those of all its parts."""
    tables = {item.name for item in items if item.kind == "table"}
    some = [
        f"{item.kind} {item.name}"
        for item in items
        if item.kind == "table" or item.name.partition(".")[0] not in tables
    ]
    more = f" and {len(some) - SHOWN} more" if len(some) > SHOWN else ""
    return ", ".join(some[:SHOWN]) + more


def _making(connection: sqlalchemy.Connection, item: Item, definition: str) -> Iterator[str]:
    """The statements that make an object what it should be, there or not."""
    table, _, name = item.name.partition(".")
    if connection.dialect.name == "sqlite":
        if item.kind == "statistics":
            yield "ANALYZE sqlite_schema"  # makes the table for them
            yield f"INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('{table}', '{name}', '{definition}')"
        else:
            yield f'DROP {item.kind.upper()} IF EXISTS "{name or table}"'
            yield definition
    elif item.kind == "statistics":
        options = definition.strip("{}")
        yield f'ALTER TABLE "{table}" ALTER COLUMN "{name}" SET ({options})'
    elif item.kind == "constraint":
        yield f'ALTER TABLE "{table}" DROP CONSTRAINT IF EXISTS "{name}"'
        yield f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}'
    elif item.kind == "view":
        yield f'CREATE OR REPLACE VIEW "{table}" AS {definition}'
    else:
        if item.kind == "index":
            yield f'DROP INDEX IF EXISTS "{table}"'
        elif item.kind == "trigger":
            yield f'DROP TRIGGER IF EXISTS "{name}" ON "{table}"'
        yield definition


def _dropping(found: Catalog, made: Catalog) -> Iterator[str]:
    """The statements that drop what only an earlier form had: indexes, and functions of other arguments."""
    functions = {item.name.partition("(")[0] for item in made if item.kind == "function"}
    for item in found.keys() - made.keys():
        if item.kind == "index" and item.name in FORMER_INDEXES:
            yield f'DROP INDEX "{item.name}"'
        elif item.kind == "function" and item.name.partition("(")[0] in functions:
            yield f"DROP FUNCTION {item.name}"
