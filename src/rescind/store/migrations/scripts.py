"""The files of SQL that make a schema: the current one whole, and each migration."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path
from typing import Final

import sqlalchemy

from rescind.store.partitions import partitioned
from rescind.store.queries import SCHEMA, Engine, named, quoted
from rescind.store.schema_text import schema_text, statements

HERE: Final = Path(__file__).parent
_SCHEMA_OF: Final = "rescind_schema"
_NAMED: Final = re.compile(r'^CREATE (?:TABLE|VIEW) rescind[._]"?(\w+)"?', re.MULTILINE)


def use_schema(connection: sqlalchemy.Connection, schema: str) -> None:
    """From now on what is run on the connection means that schema of PostgreSQL by `rescind`."""
    connection.info[_SCHEMA_OF] = schema


def schema_of(connection: sqlalchemy.Connection) -> str:
    """The schema that the connection means by `rescind`."""
    return str(connection.info.get(_SCHEMA_OF, SCHEMA))


def engine_of(connection: sqlalchemy.Connection) -> Engine:
    """The name that the connection's engine has in the names of files."""
    return "sqlite" if connection.dialect.name == "sqlite" else "postgres"


def ours(connection: sqlalchemy.Connection, sql: str) -> str:
    """The statement with the names that `rescind.…` has in the connection's database."""
    return named(sql, engine_of(connection), schema_of(connection))


def partition_count(connection: sqlalchemy.Connection) -> int:
    """How many partitions each per-organization table has. 0 if they are plain, or not there."""
    if engine_of(connection) == "sqlite":
        return 0
    found = connection.exec_driver_sql(
        "SELECT count(*) FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = to_regclass(%(table)s) AND c.relispartition",
        {"table": f"{quoted(schema_of(connection))}.effective_role"},
    )
    return int(found.scalar_one())


def make_schema(connection: sqlalchemy.Connection, partitions: int = 0) -> None:
    """Make the current schema in a database that has none, with that many partitions of each
    per-organization table (PostgreSQL), or with plain tables.

    On PostgreSQL each statement has a savepoint of its own, for the reason that `run_script` gives.
    """
    is_postgres = engine_of(connection) == "postgres"
    for statement in statements(schema_text(engine_of(connection))):
        with connection.begin_nested() if is_postgres else nullcontext():
            execute(connection, ours(connection, partitioned(statement, partitions)))


def names_made(connection: sqlalchemy.Connection) -> frozenset[str]:
    """The tables and views of the current schema, as they are called in the connection's database."""
    found = _NAMED.findall(schema_text(engine_of(connection)))
    prefix = "rescind_" if engine_of(connection) == "sqlite" else ""
    return frozenset(f"{prefix}{name}" for name in [*found, "effective_permission", "reach"])


def run_script(connection: sqlalchemy.Connection, number: str) -> None:
    """Run the numbered `.sql` file for the connection's engine, on tables with partitions or plain ones.

    On PostgreSQL it has a savepoint of its own: what an earlier migration made is then truncated as if that
    had been committed, which leaves the planner without a number of rows rather than with none
    (https://www.postgresql.org/docs/current/catalog-pg-class.html, reltuples).
    """
    is_postgres, partitions = engine_of(connection) == "postgres", partition_count(connection)
    with connection.begin_nested() if is_postgres else nullcontext():
        for statement in statements(script_of(connection, number).read_text("utf-8")):
            execute(connection, ours(connection, partitioned(statement, partitions)))


def script_of(connection: sqlalchemy.Connection, number: str) -> Path:
    """The numbered file for the connection's engine."""
    (script,) = HERE.glob(f"{number}_*.{engine_of(connection)}.sql")
    return script


def execute(connection: sqlalchemy.Connection, statement: str) -> None:
    """Run one statement as it is, without parameters."""
    cursor = connection.connection.cursor()
    cursor.execute(statement)
    cursor.close()
