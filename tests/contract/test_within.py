"""A change inside the caller's own transaction: their row and our change, both or neither."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django
import django.conf
import psycopg
import pytest
import sqlalchemy
import sqlalchemy.orm

from rescind import Authority, changes
from rescind.errors import GroupNotFound, NotCommitted, UnsupportedConnection

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
    if not django.conf.settings.configured:
        django.conf.settings.configure(USE_TZ=True)
        django.setup()
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


def _rows(caller: Caller) -> int:
    return len(caller.execute("SELECT id FROM theirs").fetchall())


def test_both_commit(authority: Authority, caller: Caller) -> None:
    """After their commit the row is there and access is granted; before it nobody else sees either."""
    caller.execute("INSERT INTO theirs VALUES (1)")
    receipt = authority.apply(GRANT, within=caller.within)
    assert receipt.changed
    assert receipt.enforced_at is None
    assert not authority.check("user:ada", "read")
    with pytest.raises(NotCommitted):
        receipt.enforce()
    caller.commit()
    assert receipt.enforce().enforced_at is not None
    assert authority.check("user:ada", "read", at_least=receipt.token)
    assert _rows(caller) == 1


def test_both_roll_back(authority: Authority, caller: Caller) -> None:
    """After their rollback neither the row nor the change is there."""
    caller.execute("INSERT INTO theirs VALUES (1)")
    receipt = authority.apply(GRANT, within=caller.within)
    caller.rollback()
    assert not authority.check("user:ada", "read")
    with pytest.raises(NotCommitted):
        receipt.enforce()
    assert _rows(caller) == 0


def test_a_refused_change_leaves_their_transaction_usable(
    authority: Authority, caller: Caller
) -> None:
    """Nothing of the refused batch stays, and what they wrote before can still be committed."""
    caller.execute("INSERT INTO theirs VALUES (1)")
    with pytest.raises(GroupNotFound):
        authority.apply(
            [*GRANT, changes.RenameGroup(group="nowhere", name="x")], within=caller.within
        )
    caller.execute("INSERT INTO theirs VALUES (2)")
    caller.commit()
    assert _rows(caller) == 2
    assert not authority.check("user:ada", "read")


def test_two_changes_in_one_transaction(authority: Authority, caller: Caller) -> None:
    """Each has a revision of its own; the second sees what the first did."""
    first = authority.apply([changes.CreateGroup(group="eng")], within=caller.within)
    second = authority.apply(
        [changes.AddMembers(group="eng", members=("user:ada",))], within=caller.within
    )
    caller.commit()
    assert second.revision.organization == first.revision.organization + 1
    assert second.enforce().changed


def test_another_kind_of_connection_is_refused(authority: Authority) -> None:
    """An object that is no connection to this engine is named in the error."""
    with pytest.raises(UnsupportedConnection, match=r"builtins\.object"):
        authority.apply(SETUP, within=object())
