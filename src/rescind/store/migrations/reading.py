"""Reads a database before it is migrated: changes nothing, makes no file, and waits for no lock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import sqlalchemy

from rescind.errors import extra
from rescind.store.migrations.failures import translated
from rescind.store.migrations.reach import is_function_current, is_sqlite_view_current
from rescind.store.migrations.scripts import use_schema
from rescind.store.migrations.view import is_view_current
from rescind.store.sqlite import file_of, require_file, translated_errors

VIEWS = ("effective_permission", "reach")
LOCK_MILLISECONDS = 1_000


@contextmanager
def opened(url: str) -> Iterator[tuple[sqlalchemy.Connection, str]]:
    """A connection for reading, and the database's name for people. What it writes is rolled back."""
    if url.partition("://")[0] in ("postgresql", "postgres"):
        with _opened_on_postgres(url) as found:
            yield found
        return
    path = file_of(url)
    require_file(path)
    with translated_errors(path), closing(_file(path)) as driver:
        engine = sqlalchemy.create_engine(
            "sqlite://", creator=lambda: driver, poolclass=sqlalchemy.StaticPool
        )
        with engine.connect() as connection:
            yield connection, path


@contextmanager
def _opened_on_postgres(url: str) -> Iterator[tuple[sqlalchemy.Connection, str]]:
    """The driver is loaded here: a SQLite file is read without it."""
    with extra("postgres"):
        import psycopg

        from rescind.store.postgres import address, location

    at, where = address(url), location(url)
    schema = at.schema
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(at.url, **at.arguments()),
        poolclass=sqlalchemy.NullPool,
    )
    try:
        with engine.connect() as connection:
            use_schema(connection, schema)
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}")
            yield connection, where
            connection.rollback()
    except sqlalchemy.exc.DBAPIError as error:
        raise translated(error.orig, where, schema) from error
    except psycopg.Error as error:
        raise translated(error, where, schema) from error


def _file(path: str) -> sqlite3.Connection:
    uri = f"{Path(path).absolute().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, isolation_level=None)


def differing_views(connection: sqlalchemy.Connection) -> tuple[str, ...]:
    """The views and functions that `migrate` would make anew. None where that cannot be found out: it takes
    the privilege to make temporary objects.
    """
    if connection.dialect.name == "sqlite":
        return tuple(
            name for name in VIEWS if not is_sqlite_view_current(connection, f"rescind_{name}")
        )
    import psycopg

    found: list[str] = []
    for name, is_current in zip(VIEWS, (is_view_current, is_function_current), strict=True):
        with suppress(sqlalchemy.exc.DBAPIError, psycopg.Error), connection.begin_nested():
            if not is_current(connection):
                found.append(name)
    return tuple(found)
