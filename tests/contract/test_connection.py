"""A connection of the store's own, for changes that commit with what else is done on it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

import psycopg
import pytest

from rescind import Authority, changes
from rescind.errors import StoreUnavailable

GRANT = changes.Assign(role="owner", to="user:cyd")


def has_grant(authority: Authority) -> bool:
    return bool(authority.check("user:cyd", "purge"))


def test_what_is_done_is_committed(acme: Authority) -> None:
    """When the block has ended, and not before."""
    before = has_grant(acme)
    with acme.store.connection() as connection:
        receipt = acme.apply([GRANT], within=connection)
        assert has_grant(acme) is before is False
    assert receipt.enforce().enforced_at is not None
    assert has_grant(acme)


def test_what_raised_is_not(acme: Authority) -> None:
    """None of it, and the next block begins afresh."""
    with suppress(ZeroDivisionError), acme.store.connection() as connection:
        acme.apply([GRANT], within=connection)
        raise ZeroDivisionError
    assert not has_grant(acme)
    with acme.store.connection() as connection:
        acme.apply([GRANT], within=connection)
    assert has_grant(acme)


def test_many_at_a_time(acme: Authority) -> None:
    """Each thread has one of its own; all that they did is there."""
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for step in range(5):
                with acme.store.connection() as connection:
                    group = changes.CreateGroup(group=f"g{number}-{step}")
                    acme.apply([group], within=connection)
                acme.apply([changes.RenameGroup(group=f"g{number}-{step}", name="x")])
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    made = [
        change for entry in acme.log() for change in [entry.changes] if "rename_group" in change
    ]
    assert len(made) >= 30


def test_a_closed_store_gives_none(acme: Authority) -> None:
    """As with everything else of it."""
    acme.close()
    with pytest.raises(StoreUnavailable), acme.store.connection():
        pass


@pytest.mark.parametrize(("value", "warnings"), [("off", 1), ("local", 0), ("on", 0)])
def test_commits_that_a_crash_may_undo(
    new_database: Callable[[str], str],
    caplog: pytest.LogCaptureFixture,
    value: str,
    warnings: int,
) -> None:
    """Where the database has synchronous_commit off, opening it says what that costs."""
    database = new_database("postgres")
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = '{value}'")
    with Authority.open(database):
        said = [record for record in caplog.messages if "synchronous_commit" in record]
    assert len(said) == warnings
    assert all("revocations" in message for message in said)
