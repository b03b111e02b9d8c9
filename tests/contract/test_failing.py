"""A store that fails: every call raises, and none allows (G6)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import psycopg
import pytest

from rescind import Authority, changes
from rescind.errors import (
    OutcomeUnknown,
    SchemaMissing,
    StoreReadOnly,
    StoreUnavailable,
)
from tests.contract.world import WORLD
from tests.state import may

Ask = Callable[[Authority], Any]
QUESTIONS: dict[str, Ask] = {
    "check": lambda a: a.check("user:ada", "read"),
    "check live": lambda a: a.check("user:ada", "read", assurance="live"),
    "check critical": lambda a: a.check("agent:bot", "purge", "folder:b"),
    "check_many": lambda a: a.check_many([("user:ada", "read", None)]),
    "explain": lambda a: a.explain("user:ada", "read"),
    "who_can": lambda a: a.who_can("read"),
    "permissions_of": lambda a: a.permissions_of("user:ada"),
    "resources_of": lambda a: a.resources_of("user:ada", "read"),
    "log": lambda a: list(a.log()),
}
GIVEN_AND_TAKEN = [
    changes.Assign(role="owner", to="user:cyd"),
    changes.Unassign(role="owner", to="user:cyd"),
]
"""It leaves an entry in the log, as often as it is done."""
CHANGES: dict[str, Ask] = {
    "apply": lambda a: a.apply(GIVEN_AND_TAKEN),
    "preview": lambda a: a.preview([changes.Assign(role="owner", to="user:cyd")]),
}
EVERYTHING = QUESTIONS | CHANGES
AT_MOST = 8
"""Connections that a store keeps."""


@pytest.mark.parametrize("ask", EVERYTHING.values(), ids=EVERYTHING)
def test_a_closed_store_raises(acme: Authority, ask: Ask) -> None:
    """Also where everything was answered before."""
    ask(acme)
    acme.close()
    with pytest.raises(StoreUnavailable):
        ask(acme)


TABLES = {
    "check": "membership",
    "check live": "assignment",
    "check critical": "role_permission",
    "check_many": "effective_role",
    "explain": "recorded_nesting",
    "who_can": "group_member",
    "permissions_of": "permission",
    "resources_of": "resource",
    "log": "change",
    "apply": "change",
    "preview": "role",
}


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_missing_table_raises(acme: Authority, database: str, name: str) -> None:
    """What a question would have to read is not taken for empty."""
    EVERYTHING[name](acme)
    _drop(database, TABLES[name])
    with pytest.raises(SchemaMissing):
        EVERYTHING[name](acme)


def _drop(database: str, table: str) -> None:
    if database.startswith("sqlite"):
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute(f"DROP TABLE rescind_{table}")
        return
    with psycopg.connect(database) as connection:
        connection.execute(f"DROP TABLE rescind.{table} CASCADE")


def test_a_read_only_database_answers_and_does_not_change(
    new_database: Callable[[str], str],
) -> None:
    """A standby, or a database under maintenance: checks are answered, changes say why not."""
    database = new_database("postgres")
    with Authority.open(database, organization="acme") as authority:
        authority.apply(WORLD)
    with psycopg.connect(database, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with Authority.open(database, organization="acme") as authority:
        assert may(authority, "user:ada", "read")
        for change in CHANGES.values():
            with pytest.raises(StoreReadOnly):
                change(authority)


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_killed_connection_raises(new_database: Callable[[str], str], name: str) -> None:
    """PostgreSQL ended all connections: a call on one of them raises, a new one is answered."""
    database = new_database("postgres")
    with Authority.open(database, organization="acme") as authority:
        authority.apply(WORLD)
        EVERYTHING[name](authority)
        with psycopg.connect(database) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with pytest.raises((StoreUnavailable, OutcomeUnknown)):
            EVERYTHING[name](authority)
        for _ in range(AT_MOST):
            with suppress(StoreUnavailable, OutcomeUnknown):
                EVERYTHING[name](authority)
        EVERYTHING[name](authority)
        assert may(authority, "user:ada", "read")
