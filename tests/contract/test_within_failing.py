"""A caller's connection that cannot carry a change: errors of the domain, on both engines."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from rescind import Authority, changes
from rescind.changes import Change
from rescind.errors import GroupNotFound, StoreBusy, StoreConflict, StoreError, StoreUnavailable
from rescind.store.sqlite import write_queue

CHANGE = [changes.CreateGroup(group="eng")]


@pytest.fixture(params=["planned", "unplanned"])
def ready(request: pytest.FixtureRequest, authority: Authority) -> Authority:
    """An authority that knows its organization already, and one that must look first."""
    authority.apply([changes.CreateOrganization()])
    if request.param == "planned":
        authority.apply([changes.CreateGroup(group="known")])
    return authority


def connect(database: str) -> Any:
    if database.startswith("sqlite"):
        return sqlite3.connect(database.removeprefix("sqlite:///"), timeout=0.05)
    return psycopg.connect(database)


def test_closed_connection(ready: Authority, database: str) -> None:
    """A closed connection is an unavailable store."""
    connection = connect(database)
    connection.close()
    with pytest.raises(StoreUnavailable):
        ready.apply(CHANGE, within=connection)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_locked_database(ready: Authority, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another writer's lock is a busy store."""
    monkeypatch.setattr(write_queue, "BUSY_SECONDS", 0.05)
    with closing(connect(database)) as other, closing(connect(database)) as ours:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            ready.apply(CHANGE, within=ours)


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("change", [CHANGE, [changes.DeleteGroup(group="made")]])
def test_transaction_that_has_read_before_another_wrote(
    ready: Authority, database: str, change: list[Change]
) -> None:
    """It is a conflict, not a lock to wait for; also where it finds nothing to alter."""
    ready.apply([changes.CreateGroup(group="made")])
    with closing(connect(database)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM rescind_organization").fetchall()
        ready.apply([changes.AddMembership(subject="user:ada")])
        with pytest.raises(StoreConflict, match="repeat it from its beginning"):
            ready.apply(change, within=connection)
        connection.rollback()
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM rescind_organization").fetchall()
        assert ready.apply(change, within=connection).changed
        with (
            pytest.raises(sqlite3.OperationalError, match="locked"),
            closing(connect(database)) as other,
        ):
            other.execute("BEGIN IMMEDIATE")
        connection.commit()


@pytest.mark.parametrize("engine", ["sqlite"])
def test_no_refusal_rests_on_what_was_read_before_another_wrote(
    ready: Authority, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group that was made meanwhile is a conflict, as on PostgreSQL. (Control: without the write lock it is
    said not to be there.)
    """
    rename = [changes.RenameGroup(group="made", name="Made")]
    with closing(connect(database)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM rescind_organization").fetchall()
        ready.apply([changes.CreateGroup(group="made")])
        with pytest.raises(StoreConflict):
            ready.apply(rename, within=connection)
        monkeypatch.setattr(write_queue, "TAKE_WRITE_LOCK", "SELECT 1")
        with pytest.raises(GroupNotFound):
            ready.apply(rename, within=connection)


@pytest.fixture
def aborted(database: str) -> Iterator[psycopg.Connection]:
    """A connection whose transaction has failed already."""
    with closing(psycopg.connect(database)) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / 0")
        yield connection


@pytest.mark.parametrize("engine", ["postgres"])
def test_failed_transaction(ready: Authority, aborted: psycopg.Connection) -> None:
    """A transaction that has failed before can carry nothing, and the error says so."""
    with pytest.raises(StoreError, match="aborted"):
        ready.apply(CHANGE, within=aborted)
