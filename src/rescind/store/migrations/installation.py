"""What a database says of its schema: its version, and the oldest code that may use it."""

from __future__ import annotations

import secrets

import sqlalchemy

from rescind.store.migrations.scripts import execute, ours, schema_of
from rescind.store.schema import USABLE_FROM, VERSIONS


def version_of(connection: sqlalchemy.Connection) -> str | None:
    """The version in Rescind's own table, or None if there is no such table."""
    is_sqlite = connection.dialect.name == "sqlite"
    table = "rescind_schema_version" if is_sqlite else "schema_version"
    schema = None if is_sqlite else schema_of(connection)
    if not sqlalchemy.inspect(connection).has_table(table, schema=schema):
        return None
    asked = connection.exec_driver_sql(
        ours(connection, "SELECT version_num FROM rescind.schema_version")
    )
    return str(asked.scalar())


def is_usable(connection: sqlalchemy.Connection, version: str) -> bool:
    """Whether the schema is newer than this code, and says that this code may use it."""
    if not version.isdecimal() or version <= VERSIONS[-1]:
        return False
    asked = connection.exec_driver_sql(
        ours(connection, "SELECT usable_from FROM rescind.installation")
    )
    return asked.scalar() in VERSIONS


def state_usable_from(connection: sqlalchemy.Connection) -> None:
    """State in the database which code may use the schema. If somebody deleted the row that says so, the
    database begins a new incarnation: which one it was is not known.
    """
    find = ours(connection, "SELECT usable_from FROM rescind.installation")
    found = connection.exec_driver_sql(find).scalar()
    if found is None:
        row = f"(0, '{USABLE_FROM}', 1, '{secrets.token_hex(16)}')"
        execute(connection, ours(connection, f"INSERT INTO rescind.installation VALUES {row}"))
    elif found != USABLE_FROM:
        change = f"UPDATE rescind.installation SET usable_from = '{USABLE_FROM}'"
        execute(connection, ours(connection, change))
