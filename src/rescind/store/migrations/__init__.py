"""Bring a database to the schema of this code. Imports Alembic, so only the command line comes here."""

from __future__ import annotations

import sqlite3
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from rescind.errors import SchemaTooNew, StoreBusy, StoreReadOnly, StoreUnavailable
from rescind.store.migrations.repair import repair_schema
from rescind.store.postgres import location
from rescind.store.queries import queries
from rescind.store.sqlite import connect, translated_errors

HERE = Path(__file__).parent
ALONE = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "SELECT pg_advisory_xact_lock(7232473)"}
"""Has others that migrate wait until this one has ended."""


def migrate(url: str) -> None:
    """Create or upgrade the schema. What differs from the database's own version is made anew first.

    `postgresql://…`, `sqlite:///file.db` or a path; a missing SQLite file is created. All of it is
    one transaction: interrupted anywhere, the database is as it was. Raises SchemaDiffers where tables are
    not what their version has, or not Rescind's; StoreUnavailable, StoreReadOnly, StoreBusy or SchemaTooNew.
    """
    if url.partition("://")[0] in ("postgresql", "postgres"):
        where = location(url)
        _upgrade(
            sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: _connected(url)),
            where,
        )
        return
    path = url.removeprefix("sqlite:///")
    with translated_errors(path), closing(connect(path)) as connection:
        engine = sqlalchemy.create_engine(
            "sqlite://", creator=lambda: connection, poolclass=sqlalchemy.StaticPool
        )
        connection.execute("PRAGMA foreign_keys = OFF")
        _upgrade(engine, path)


def _connected(url: str) -> psycopg.Connection[Any]:
    """Each statement sees what is committed, so that who has waited sees what others have made."""
    connection = psycopg.connect(url)
    connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    return connection


def _upgrade(engine: sqlalchemy.Engine, where: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(ALONE[engine.dialect.name])
            repair_schema(connection, where, run_script)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            renew_view(connection)
            connection.commit()
            if engine.dialect.name == "sqlite" and connection.connection.in_transaction:
                connection.connection.driver_connection.execute("COMMIT")  # type: ignore[union-attr]
    except CommandError as error:
        raise SchemaTooNew(database=where, why=str(error)) from error
    except sqlalchemy.exc.DBAPIError as error:
        raise _translated(error, where) from error
    finally:
        engine.dispose()


def renew_view(connection: sqlalchemy.Connection) -> None:
    """Make the view from the same fragments as the checks, so that a join is as safe as a check.

    Where it is so already, nothing is touched; what was granted on it, or built on it, stays.
    """
    if connection.dialect.name == "sqlite":
        _renew_on_sqlite(connection)
    else:
        _renew_on_postgres(connection)


def _renew_on_sqlite(connection: sqlalchemy.Connection) -> None:
    clock = "(SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER))"
    wanted = queries("sqlite")["effective_permission_view"].replace(":now", clock)
    kept = "SELECT sql FROM sqlite_master WHERE type = 'view' AND name = 'effective_permission'"
    if connection.exec_driver_sql(kept).scalar() != wanted:
        connection.exec_driver_sql("DROP VIEW IF EXISTS effective_permission")
        connection.exec_driver_sql(wanted)


def _renew_on_postgres(connection: sqlalchemy.Connection) -> None:
    """A view keeps what its text means, not the text; so that is compared with a view of the wanted text."""
    clock = "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000 AS BIGINT)"
    wanted = queries("postgres")["effective_permission_view"].replace("%(now)s", clock)
    create, name, meaning = wanted.partition("VIEW effective_permission")
    connection.exec_driver_sql(f"{create}TEMPORARY VIEW rescind_wanted{meaning}")
    is_so = connection.exec_driver_sql(
        "SELECT pg_get_viewdef('pg_temp.rescind_wanted'::regclass)"
        " = pg_get_viewdef(to_regclass('effective_permission'))"
    ).scalar()
    connection.exec_driver_sql("DROP VIEW pg_temp.rescind_wanted")
    if not is_so:
        connection.exec_driver_sql(f"{create}OR REPLACE {name}{meaning}")


def run_script(connection: sqlalchemy.Connection, number: str) -> None:
    """Run the numbered `.sql` file for the connection's engine; blank lines part its statements.

    On PostgreSQL it has a savepoint of its own: what an earlier migration made is then truncated as if that
    had been committed, which leaves the planner without a number of rows rather than with none
    (https://www.postgresql.org/docs/current/catalog-pg-class.html, reltuples).
    """
    is_postgres = connection.dialect.name == "postgresql"
    with connection.begin_nested() if is_postgres else nullcontext():
        for statement in script_of(connection, number).read_text("utf-8").split("\n\n"):
            lines = [line for line in statement.splitlines() if not line.startswith("--")]
            if any(lines):
                execute(connection, "\n".join(lines))


def script_of(connection: sqlalchemy.Connection, number: str) -> Path:
    """The numbered file for the connection's engine."""
    engine = "sqlite" if connection.dialect.name == "sqlite" else "postgres"
    (script,) = HERE.glob(f"{number}_*.{engine}.sql")
    return script


def execute(connection: sqlalchemy.Connection, statement: str) -> None:
    """Run one statement as it is, without parameters."""
    cursor = connection.connection.cursor()
    cursor.execute(statement)
    cursor.close()


def _translated(error: sqlalchemy.exc.DBAPIError, where: str) -> Exception:
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        with translated_errors(where):
            raise cause
    first = next(iter(str(cause).splitlines()), "")
    state = getattr(cause, "sqlstate", None)
    if state in ("25006", "42501"):
        return StoreReadOnly(database=where, why=first)
    if state == "55P03":
        return StoreBusy(database=where, why=first)
    return StoreUnavailable(database=where, why=first)
