"""A database that was restored answers nothing by what was lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from rescind import Authority, changes
from rescind.cli.commands import application
from rescind.errors import InvalidCursor, InvalidToken, RescindError, StoreUnavailable
from rescind.history.restoring import begin_incarnation
from rescind.index import follow
from rescind.model import Microseconds
from rescind.store.sqlite import incarnation
from tests.conftest import ENGINES
from tests.contract.world import WORLD

NOW = Microseconds(1_000_000)
LOST = [changes.AddMembers(group="staff", members=("user:cyd",))]
"""A change after the back-up: it lets Cyd read everything."""


def copied(source: str, to: Path) -> Path:
    """A back-up of a file, as SQLite makes it."""
    with closing(sqlite3.connect(source)) as before, closing(sqlite3.connect(to)) as after:
        before.backup(after)
    return to


@pytest.mark.parametrize("engine", ENGINES)
def test_a_new_incarnation_refuses_tokens_and_cursors(
    engine: str, new_database: Callable[[str], str]
) -> None:
    """Of the same organization, at a revision that it has: the running process and a new one refuse them.
    The control: before the command, both are taken.
    """
    database = new_database(engine)
    with Authority.open(database, organization="acme", index=True) as running:
        token = running.apply(WORLD).token
        cursor = running.who_can("read", limit=1).next_cursor
        assert running.check("user:ada", "read", at_least=token)
        assert running.who_can("read", limit=1, cursor=cursor)
        begin_incarnation(running.store, NOW, actor="ops", reason="test")
        with Authority.open(database, organization="acme") as started:
            for authority in (running, started):
                with pytest.raises(InvalidToken):
                    authority.check("user:ada", "read", at_least=token)
                with pytest.raises(InvalidCursor):
                    authority.who_can("read", limit=1, cursor=cursor)
                assert authority.check("user:ada", "read")
            assert [action.kind for action in started.actions()] == ["database_restored"]


def exchanged(path: str, backup: Path) -> None:
    """Put a back-up in a file's place."""
    for end in ("-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)
    os.replace(backup, path)


@pytest.mark.parametrize("is_on", [True, False])
def test_a_file_that_is_exchanged_under_a_replica(
    is_on: bool, new_database: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it cached of the lost state allows nothing, and a token of that state is refused. The control,
    with no look at the file: it goes on allowing.
    """
    path = new_database("sqlite").removeprefix("sqlite:///")
    with Authority.open(path, organization="acme", index=True) as running:
        running.apply(WORLD)
        backup = copied(path, tmp_path / "backup.db")
        token = running.apply(LOST).token
        running.load()
        assert running.check("user:cyd", "read", at_least=token)
        if not is_on:
            monkeypatch.setattr(incarnation.Incarnation, "is_replaced", lambda _: False)
        exchanged(path, backup)
        running.store.incarnation.next_look = 0.0  # type: ignore[attr-defined]
        running.store.incarnation.next_reading = 0.0  # type: ignore[attr-defined]
        assert bool(running.check("user:cyd", "read")) != is_on
        if is_on:
            with pytest.raises(InvalidToken):
                running.check("user:cyd", "read", at_least=token)
            running.apply(LOST)
            assert running.check("user:cyd", "read")


def test_a_write_to_an_exchanged_file(new_database: Callable[[str], str], tmp_path: Path) -> None:
    """It is refused once rather than lost with the former file, and then goes to the new one."""
    path = new_database("sqlite").removeprefix("sqlite:///")
    with Authority.open(path, organization="acme") as running:
        running.apply(WORLD)
        exchanged(path, copied(path, tmp_path / "backup.db"))
        running.store.incarnation.next_look = float("inf")  # type: ignore[attr-defined]
        with pytest.raises(StoreUnavailable, match="replaced"):
            running.apply(LOST)
        running.apply(LOST)
        with Authority.open(path, organization="acme") as other:
            assert other.check("user:cyd", "read")


def test_a_file_that_is_gone(new_database: Callable[[str], str]) -> None:
    """It is an error, never a remembered answer."""
    path = new_database("sqlite").removeprefix("sqlite:///")
    with Authority.open(path, organization="acme", index=True) as running:
        running.apply(WORLD)
        running.load()
        assert running.check("user:ada", "read")
        Path(path).unlink()
        running.store.incarnation.next_look = time.monotonic()  # type: ignore[attr-defined]
        with pytest.raises(RescindError):
            running.check("user:ada", "read")


@pytest.mark.parametrize("is_on", [True, False])
def test_a_state_that_went_back(
    is_on: bool, new_database: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite restores a back-up into the open file: the cached index is dropped, since its revision is beyond
    the file's. The control, without that guard: it keeps what was lost.
    """
    path = new_database("sqlite").removeprefix("sqlite:///")
    with Authority.open(path, organization="acme", index=True) as running:
        running.apply(WORLD)
        backup = copied(path, tmp_path / "backup.db")
        running.apply(LOST)
        running.load()
        assert running.check("user:cyd", "read")
        if not is_on:
            monkeypatch.setattr(follow.Revision, "covers", lambda *_: True)
        copied(str(backup), Path(path))
        assert bool(running.check("user:cyd", "read")) != is_on


def test_the_command(new_database: Callable[[str], str], tmp_path: Path) -> None:
    """It says where each log ends."""
    path = new_database("sqlite").removeprefix("sqlite:///")
    with Authority.open(path, organization="acme") as authority:
        revision = authority.apply(WORLD).revision.organization
    shutil.copy(path, tmp_path / "copy.db")
    found = CliRunner().invoke(application(), ["restored", "-d", str(tmp_path / "copy.db")])
    assert found.exit_code == 0, found.output
    assert f"acme ends with revision {revision}" in found.output
