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
    wanted = sqlite_views()[name]
    kept = "SELECT sql FROM sqlite_master WHERE type = 'view' AND name = ?"
    if connection.exec_driver_sql(kept, (name,)).scalar() != wanted:
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
        connection.exec_driver_sql(wanted)


def _renew_function(connection: sqlalchemy.Connection) -> None:
    schema = schema_of(connection)
    name = f"{quoted(schema)}.reach"
    wanted = queries("postgres", schema)["define_reach"].replace("%(now)s", "moment")
    create, _, meaning = wanted.partition(f"FUNCTION {name}(")
    execute(connection, f"{create}FUNCTION pg_temp.rescind_wanted({meaning}")
    is_there, is_so = connection.exec_driver_sql(
        "SELECT to_regprocedure(%(kept)s) IS NOT NULL, (SELECT count(DISTINCT substr(d, strpos(d, '('))) = 1"
        " FROM (SELECT pg_get_functiondef(f) AS d FROM unnest(ARRAY[to_regprocedure(%(kept)s),"
        " to_regprocedure(%(wanted)s)]) AS f) AS x)",
        {"kept": f"{name}{ARGUMENTS}", "wanted": f"pg_temp.rescind_wanted{ARGUMENTS}"},
    ).one()
    execute(connection, f"DROP FUNCTION pg_temp.rescind_wanted{ARGUMENTS}")
    if not is_there or not is_so:
        execute(connection, f"{create}OR REPLACE FUNCTION {name}({meaning}")
    if not is_there:
        execute(connection, f"REVOKE ALL ON FUNCTION {name}{ARGUMENTS} FROM PUBLIC")
