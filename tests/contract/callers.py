"""Callers' own connections, of each kind, to a database with an organization and a table of theirs."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import sqlalchemy
import sqlalchemy.orm

from rescind import Authority, changes
from tests import django_app

SETUP = [
    changes.CreateOrganization(),
    changes.DefinePermission(permission="read"),
    changes.DefineRole(role="reader", permissions=("read",)),
    changes.AddMembership(subject="user:ada"),
]
GRANT = [changes.Assign(role="reader", to="user:ada")]


class Caller:
    """A caller's connection: what to pass, how to write a row, commit and roll back."""

    def __init__(
        self,
        within: object,
        execute: Callable[[str], Any],
        commit: Callable[[], Any],
        rollback: Callable[[], Any],
    ) -> None:
        self.within, self.execute, self.commit, self.rollback = within, execute, commit, rollback


@contextmanager
def _driver(database: str) -> Iterator[Caller]:
    if database.startswith("sqlite"):
        connection: Any = sqlite3.connect(database.removeprefix("sqlite:///"))
    else:
        connection = psycopg.connect(database)
    yield Caller(connection, connection.execute, connection.commit, connection.rollback)
    connection.close()


def _engine(database: str) -> sqlalchemy.Engine:
    url = database.replace("postgresql://", "postgresql+psycopg://")
    return sqlalchemy.create_engine(url)


@contextmanager
def _sqlalchemy_connection(database: str) -> Iterator[Caller]:
    engine = _engine(database)
    with engine.connect() as c:
        yield Caller(c, lambda sql: c.execute(sqlalchemy.text(sql)), c.commit, c.rollback)
    engine.dispose()


@contextmanager
def _sqlalchemy_session(database: str) -> Iterator[Caller]:
    engine = _engine(database)
    with sqlalchemy.orm.Session(engine) as s:
        yield Caller(s, lambda sql: s.execute(sqlalchemy.text(sql)), s.commit, s.rollback)
    engine.dispose()


@contextmanager
def _django(database: str) -> Iterator[Caller]:
    django_app.setup()
    from django.db.utils import ConnectionHandler

    if database.startswith("sqlite"):
        settings = {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": database.removeprefix("sqlite:///"),
        }
    else:
        parts = psycopg.conninfo.conninfo_to_dict(database)
        settings = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts["dbname"],
            "USER": parts.get("user", ""),
            "PASSWORD": parts.get("password", ""),
            "HOST": parts.get("host", ""),
            "PORT": parts.get("port", ""),
        }
    connection = ConnectionHandler({"default": settings})["default"]
    connection.set_autocommit(False)

    def execute(sql: str) -> Any:
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor

    yield Caller(connection, execute, connection.commit, connection.rollback)
    connection.close()


CALLERS = {
    "driver": _driver,
    "sqlalchemy connection": _sqlalchemy_connection,
    "sqlalchemy session": _sqlalchemy_session,
    "django": _django,
}


@pytest.fixture(params=CALLERS)
def caller(request: pytest.FixtureRequest, database: str, authority: Authority) -> Iterator[Caller]:
    """Each kind of caller's connection in turn, on each engine, to a database with a table of theirs."""
    authority.apply(SETUP)
    with CALLERS[request.param](database) as made:
        made.execute("CREATE TABLE theirs (id INTEGER)")
        made.commit()
        yield made
