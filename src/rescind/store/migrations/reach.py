"""Creates the function or view behind `rescind.sql`, from the fragments of the checks, on every `migrate`."""

from __future__ import annotations

from typing import Final

import sqlalchemy

from rescind.store.migrations.scripts import engine_of, execute, schema_of
from rescind.store.queries import queries, quoted
from rescind.store.schema_text import sqlite_views

ARGUMENTS: Final = "(text, text, text)"


def renew_reach(connection: sqlalchemy.Connection) -> None:
    """Create the function (on SQLite the view) if it is missing or differs. Grants on it stay.

    The function runs with its owner's rights. Nobody else can call it until it is granted.
    """
    if engine_of(connection) == "sqlite":
        renew_sqlite_view(connection, "rescind_reach")
    else:
        _renew_function(connection)


def renew_sqlite_view(connection: sqlalchemy.Connection, name: str) -> None:
    """Create a view of SQLite if it is missing or differs."""
    if not is_sqlite_view_current(connection, name):
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
        connection.exec_driver_sql(sqlite_views()[name])


def is_sqlite_view_current(connection: sqlalchemy.Connection, name: str) -> bool:
    """Whether a view of SQLite is there, with the text that this code gives it."""
    kept = "SELECT sql FROM sqlite_master WHERE type = 'view' AND name = ?"
    return connection.exec_driver_sql(kept, (name,)).scalar() == sqlite_views()[name]


def is_function_current(connection: sqlalchemy.Connection) -> bool:
    """Whether the function is there, and is what this code makes of it."""
    return all(_function_state(connection))


def _renew_function(connection: sqlalchemy.Connection) -> None:
    is_there, is_so = _function_state(connection)
    name = f"{quoted(schema_of(connection))}.reach"
    if not is_there or not is_so:
        create, _, meaning = _wanted(connection)
        execute(connection, f"{create}OR REPLACE FUNCTION {name}({meaning}")
    if not is_there:
        execute(connection, f"REVOKE ALL ON FUNCTION {name}{ARGUMENTS} FROM PUBLIC")


def _wanted(connection: sqlalchemy.Connection) -> tuple[str, str, str]:
    schema = schema_of(connection)
    text = queries("postgres", schema)["define_reach"].replace("%(now)s", "moment")
    return text.partition(f"FUNCTION {quoted(schema)}.reach(")


def _function_state(connection: sqlalchemy.Connection) -> tuple[bool, bool]:
    """Whether it is there, and whether it is the same as a temporary one."""
    create, _, meaning = _wanted(connection)
    execute(connection, f"{create}FUNCTION pg_temp.rescind_wanted({meaning}")
    is_there, is_so = connection.exec_driver_sql(
        "SELECT to_regprocedure(%(kept)s) IS NOT NULL, (SELECT count(DISTINCT substr(d, strpos(d, '('))) = 1"
        " FROM (SELECT pg_get_functiondef(f) AS d FROM unnest(ARRAY[to_regprocedure(%(kept)s),"
        " to_regprocedure(%(wanted)s)]) AS f) AS x)",
        {
            "kept": f"{quoted(schema_of(connection))}.reach{ARGUMENTS}",
            "wanted": f"pg_temp.rescind_wanted{ARGUMENTS}",
        },
    ).one()
    execute(connection, f"DROP FUNCTION pg_temp.rescind_wanted{ARGUMENTS}")
    return bool(is_there), bool(is_so)
