"""Repairs a schema that an earlier form of a migration created, or that was altered later.

Before 0.1.0 migrations were edited in place, so two databases of one version may differ. Objects that can be
recreated from their definition are. Anything else is refused, with the names of what differs.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final

import sqlalchemy

from rescind.errors import SchemaDiffers
from rescind.store.migrations.catalog import Catalog, Item, Run, catalog, wanted
from rescind.store.migrations.former import Former
from rescind.store.migrations.scripts import (
    engine_of,
    execute,
    names_made,
    partition_count,
    schema_of,
)
from rescind.store.partitions import partitioned
from rescind.store.queries import Engine, named
from rescind.store.schema import FORMER_VERSIONS, VERSIONS

REPAIRED: Final = {
    "sqlite": {"index", "trigger", "view", "statistics"},
    "postgresql": {"index", "trigger", "view", "statistics", "function", "constraint"},
}
"""The kinds of objects that are recreated. For others, the rows would have to be converted."""
FORMER_INDEXES: Final = ("assignment_to_group", "change_unsettled", "pending_since")
"""Indexes that earlier forms of migrations created, and later ones do not."""
SHOWN: Final = 5
TAKEN: Final = {
    "sqlite": "these are not Rescind's: rename them, or give Rescind a file of its own",
    "postgres": "these are not Rescind's: name another schema than `{schema}` in the URL, by `?schema=…`",
}

log = logging.getLogger(__name__)


def repair_schema(
    connection: sqlalchemy.Connection,
    where: str,
    version: str | None,
    former: Former | None,
    run: Run,
) -> str:
    """Make the schema equal to what the migrations up to its version create, and return that version.

    Works in the open transaction. Raises SchemaDiffers, with nothing altered, if that is impossible. A schema
    of an unknown version is left alone.
    """
    versions = former.versions if former is not None else (str(version),)
    if versions[-1] not in VERSIONS:
        return versions[-1]
    if not may_compare(connection):
        log.warning("%s: the schema is not compared: that takes the privilege to create one", where)
        return versions[-1]
    schema = former.schema if former is not None else schema_of(connection)
    found, made = catalog(connection, schema), wanted(connection, VERSIONS, run)
    if former is not None:
        require_free(connection, where, former.schema)
    version = nearest_version(versions, found, made)
    newest = made[FORMER_VERSIONS[-1] if former is not None else VERSIONS[-1]]
    differing = [item for item in made[version] if _differs(item, found, made[version])]
    premature = [item for item in newest.keys() - made[version].keys() if item in found]
    refused = [item for item in differing if item.kind not in REPAIRED[connection.dialect.name]]
    if refused or premature:
        raise SchemaDiffers(
            database=where, version=version, differs=_shown([*refused, *sorted(premature)])
        )
    engine, statements = engine_of(connection), list[str]()
    for item in differing:
        log.warning("%s: the %s %s is made anew", where, *item)
        statements += _making(connection, item, made[version][item])
    partitions = partition_count(connection)
    for statement in [*statements, *_dropping(engine, found, made[version])]:
        execute(connection, named(partitioned(statement, partitions), engine, schema))
    return version


def nearest_version(versions: tuple[str, ...], found: Catalog, made: dict[str, Catalog]) -> str:
    """The version whose tables and columns match best: an application's versions may be numbers too."""

    def missing(version: str) -> int:
        parts = {item for item in made[version] if item.kind in ("table", "column")}
        return len(parts - found.keys())

    return min(reversed(versions), key=missing)


def may_compare(connection: sqlalchemy.Connection) -> bool:
    if connection.dialect.name == "sqlite":
        return True
    may = "SELECT has_database_privilege(current_database(), 'CREATE')"
    return bool(connection.exec_driver_sql(may).scalar())


def require_free(connection: sqlalchemy.Connection, where: str, besides: str = "") -> None:
    """Raise SchemaDiffers if another program has a table or view with a name that Rescind needs.

    `besides` is the schema on PostgreSQL with Rescind's own tables from before 0021.
    """
    schema = schema_of(connection)
    if schema == besides:
        return
    named_so = names_made(connection)
    taken = [
        item
        for item in catalog(connection, schema)
        if item.kind in ("table", "view") and item.name in named_so
    ]
    if taken:
        raise SchemaDiffers(
            database=where,
            version="none",
            differs=_shown(taken),
            hint=TAKEN[engine_of(connection)].format(schema=schema),
        )


def _differs(item: Item, found: Catalog, made: Catalog) -> bool:
    """Whether an object differs. Statistics only have to exist: their values may have been measured."""
    return item not in found or (item.kind != "statistics" and found[item] != made[item])


def _shown(items: list[Item]) -> str:
    """Name a table once, instead of all its parts."""
    tables = {item.name for item in items if item.kind == "table"}
    some = [
        f"{item.kind} {item.name}"
        for item in items
        if item.kind == "table" or item.name.partition(".")[0] not in tables
    ]
    more = f" and {len(some) - SHOWN} more" if len(some) > SHOWN else ""
    return ", ".join(some[:SHOWN]) + more


def _making(connection: sqlalchemy.Connection, item: Item, definition: str) -> Iterator[str]:
    """The statements that create an object, or replace the existing one."""
    if connection.dialect.name == "sqlite":
        yield from _making_in_file(item, definition)
        return
    table, _, name = item.name.partition(".")
    table = f'rescind."{table}"'
    if item.kind == "statistics":
        options = definition.strip("{}")
        yield f'ALTER TABLE {table} ALTER COLUMN "{name}" SET ({options})'
    elif item.kind == "constraint":
        yield f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS "{name}"'
        yield f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}'
    elif item.kind == "view":
        yield f"CREATE OR REPLACE VIEW {table} AS {definition}"
    else:
        if item.kind == "index":
            yield f"DROP INDEX IF EXISTS {table}"
        elif item.kind == "trigger":
            yield f'DROP TRIGGER IF EXISTS "{name}" ON {table}'
        yield definition


def _making_in_file(item: Item, definition: str) -> Iterator[str]:
    table, _, name = item.name.partition(".")
    if item.kind == "statistics":
        yield "ANALYZE sqlite_schema"  # makes the table for them
        yield f"INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('{table}', '{name}', '{definition}')"
    else:
        yield f'DROP {item.kind.upper()} IF EXISTS "{name or table}"'
        yield definition


def _dropping(engine: Engine, found: Catalog, made: Catalog) -> Iterator[str]:
    """The statements that drop what only an earlier form had: indexes, and functions with other arguments."""
    place = "rescind." if engine == "postgres" else ""
    functions = {item.name.partition("(")[0] for item in made if item.kind == "function"}
    for item in found.keys() - made.keys():
        if item.kind == "index" and item.name in FORMER_INDEXES:
            yield f"DROP INDEX {place}{item.name}"
        elif item.kind == "function" and item.name.partition("(")[0] in functions:
            yield f"DROP FUNCTION rescind.{item.name}"
