"""A database that is kept from test to test shows a test nothing of the one before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
import pytest

from rescind import Authority, changes
from tests import kept
from tests.kept import KeptDatabase, KeptDatabases

NEW = changes.CreateOrganization()
PERMISSION = changes.DefinePermission(permission="code:push")


@pytest.fixture
def again(kept_databases: KeptDatabases, postgres_acme: str) -> Callable[[], KeptDatabase]:
    """The database that the next test would have."""
    return lambda: kept_databases.restored(postgres_acme)


def rows_of(database: KeptDatabase) -> dict[str, list[Any]]:
    """All rows of all tables, and where sequences are."""
    named = (
        "SELECT relname, CASE relkind WHEN 'S' THEN 'last_value, is_called' ELSE '*' END FROM pg_class"
        " WHERE relnamespace = CAST('rescind' AS regnamespace) AND relkind IN ('r', 'S')"
    )
    with psycopg.connect(database.url) as connection:
        found = {}
        for name, columns in connection.execute(named).fetchall():
            rows = connection.execute(f'SELECT {columns} FROM rescind."{name}"'.encode())
            found[name] = sorted(rows.fetchall(), key=repr)
        return found


def test_rows_are_put_back(again: Callable[[], KeptDatabase]) -> None:
    """Whatever was changed: also rows that were there, and numbers that were given."""
    database = again()
    before = rows_of(database)
    with Authority(database.lend()) as authority:
        authority.apply([NEW, PERMISSION], organization="another")
        authority.apply([changes.DeleteOrganization(cascade=True)], organization="acme")
    assert rows_of(database) != before
    assert again() is database
    assert rows_of(database) == before


def test_sessions_are_kept_without_their_settings(again: Callable[[], KeptDatabase]) -> None:
    """The next store has the same session of the server, as a new one would be."""
    store = again().lend()
    with store.connection() as connection:
        process = connection.info.backend_pid
        before = connection.execute("SHOW ALL").fetchall()
    with store.connection() as connection:
        connection.execute("SELECT set_config('search_path', 'other', false)")
        connection.execute("SELECT pg_advisory_lock(1)")
        connection.execute("LISTEN something")
    store.queries["mine"] = "SELECT 1"
    store.close()
    with closing(again().lend()) as store, store.connection() as connection:
        assert "mine" not in store.queries
        assert connection.info.backend_pid == process
        assert connection.execute("SHOW ALL").fetchall() == before
        held = (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        )
        assert connection.execute(held).fetchone() == (0,)
        assert connection.execute("SELECT * FROM pg_listening_channels()").fetchall() == []


ALTERED = {
    "a table is gone": "DROP TABLE rescind.enforcement",
    "a column": "ALTER TABLE rescind.review ADD COLUMN mine INTEGER",
    "an index": "CREATE INDEX mine ON rescind.change (actor)",
    "a function": "CREATE OR REPLACE FUNCTION rescind.identity() RETURNS text LANGUAGE sql AS 'SELECT ''x'''",
    "a trigger": "DROP TRIGGER change_gone ON rescind.change",
    "a view": "CREATE OR REPLACE VIEW rescind.nesting AS"
    " SELECT organization, child, parent FROM rescind.recorded_nesting",
    "a right": "GRANT SELECT ON rescind.change TO PUBLIC",
    "a schema": "CREATE SCHEMA mine",
    "a setting": "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET jit = off', current_database()); END $$",
}


@pytest.mark.parametrize("altered", ALTERED.values(), ids=ALTERED)
def test_what_was_altered_is_made_anew(again: Callable[[], KeptDatabase], altered: str) -> None:
    """No test has a database whose schema, rights or settings another one has touched."""
    database = again()
    with psycopg.connect(database.url) as connection:
        connection.execute(altered.encode())
    assert again() is not database


def test_tables_of_an_application_are_dropped(again: Callable[[], KeptDatabase]) -> None:
    """Tests of changes within their transaction make some; it costs less to drop them."""
    database = again()
    with psycopg.connect(database.url) as connection:
        connection.execute("CREATE TABLE theirs (id INTEGER PRIMARY KEY)")
        connection.execute("CREATE VIEW of_theirs AS SELECT id FROM theirs")
    assert again() is database
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT to_regclass('theirs')").fetchone() == (None,)


def test_what_is_still_in_use_is_made_anew(
    again: Callable[[], KeptDatabase], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test may leave a thread that goes on."""
    monkeypatch.setattr(kept, "ENDING_SECONDS", 0.05)
    database = again()
    with closing(psycopg.connect(database.url)):
        assert again() is not database
