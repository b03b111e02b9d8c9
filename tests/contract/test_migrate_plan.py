"""`migrate` tells what it would do, gives way to the application, and lets adjacent versions serve."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from rescind import Authority, changes
from rescind.cli.commands import application
from rescind.errors import InvalidArgument, SchemaTooNew, SchemaTooOld, StoreBusy
from rescind.store import open_store
from rescind.store.migrations import lock_waits, migrate
from rescind.store.migrations.installation import is_usable
from rescind.store.migrations.locks import BLOCKED, STRENGTH, locks_of
from rescind.store.migrations.plan import WHOLE, plan_of
from rescind.store.migrations.scripts import HERE
from rescind.store.schema import USABLE_FROM, VERSIONS
from rescind.store.schema_text import schema_text, statements
from tests.conftest import ENGINES, as_url, with_database
from tests.sql import ours

Make = Callable[[str], str]


def run(database: str, *queries: str) -> list[Any]:
    """The rows of the last statement, committed."""
    opened: Any
    if database.startswith("postgresql"):
        opened = psycopg.connect(database, autocommit=True)
    else:
        opened = sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None)
    with closing(opened) as connection:
        for query in queries:
            cursor = connection.execute(ours(database, query))
        return cursor.fetchall() if cursor.description else []


def one_back(database: str) -> None:
    """Make it a database of the version before 0032."""
    run(
        database,
        "DROP INDEX rescind.organization_by_former_name",
        "UPDATE rescind.schema_version SET version_num = '0031'",
    )


def called(*arguments: str) -> tuple[int, str]:
    """The exit code and output of the command line."""
    found = CliRunner().invoke(application(), list(arguments))
    return found.exit_code, found.output


# --- what is pending ------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_check_says_what_is_pending(engine: str, new_database: Make) -> None:
    """It exits with 0 if nothing is, else with 1 and the list; it changes nothing."""
    database = new_database(engine)
    assert called("migrate", "--check", "-d", database)[0] == 0
    one_back(database)
    for _ in range(2):
        code, output = called("migrate", "--check", "--json", "-d", database)
        found = json.loads(output)
        assert (code, found["schema"], found["is_up_to_date"]) == (1, "0031", False)
        assert [each["number"] for each in found["pending"]] == ["0032"]
    code, output = called("migrate", "--check", "-d", database)
    assert code == 1
    assert "0032 former names" in output
    migrate(database)
    code, output = called("migrate", "--check", "--json", "-d", database)
    assert (code, json.loads(output)["is_up_to_date"]) == (0, True)


@pytest.mark.parametrize("engine", ENGINES)
def test_check_sees_another_view(engine: str, new_database: Make) -> None:
    """A view that this code defines otherwise is something to do, though the version is the same."""
    database = new_database(engine)
    view = (
        "rescind.effective_permission" if engine == "postgres" else "rescind_effective_permission"
    )
    if engine == "sqlite":
        run(database, f"DROP VIEW {view}")
    else:
        run(database, f"DROP VIEW {view} CASCADE")
    assert plan_of(database).views == ("effective_permission",)
    migrate(database)
    assert plan_of(database).is_up_to_date


@pytest.mark.parametrize("engine", ENGINES)
def test_a_dry_run_prints_the_sql(engine: str, new_database: Make) -> None:
    """Every statement of each pending migration, with its locks on PostgreSQL, and nothing is changed."""
    database = new_database(engine)
    one_back(database)
    code, output = called("migrate", "--dry-run", "-d", database)
    assert code == 0
    assert ours(database, "ON rescind.organization (deleted_as) WHERE") in output
    assert run(database, "SELECT version_num FROM rescind.schema_version") == [("0031",)]
    found = json.loads(called("migrate", "--dry-run", "--json", "-d", database)[1])
    made = [each["sql"] for each in found["pending"][0]["statements"]]
    engine_name = "sqlite" if engine == "sqlite" else "postgres"
    (script,) = HERE.glob(f"0032_*.{engine_name}.sql")
    assert made == [ours(database, each) for each in statements(script.read_text("utf-8"))]


def test_of_a_database_without_a_schema(tmp_path: Any) -> None:
    """The whole schema is pending. A file that is missing is not made."""
    path = tmp_path / "empty.db"
    assert called("migrate", "--check", "-d", str(path))[0] == 1
    assert not path.exists()
    path.touch()
    plan = plan_of(str(path))
    assert (plan.has, [each.number for each in plan.pending]) == (None, [WHOLE])
    assert path.stat().st_size == 0


def test_options_that_do_not_fit() -> None:
    """A question that changes nothing takes no option of a change."""
    for option in (("--dry-run",), ("--partitions", "4"), ("--patience", "3")):
        code, output = called("migrate", "--check", *option, "-d", "none.db")
        assert code != 0, output


@pytest.fixture
def empty_postgres(postgres_server: str) -> Iterator[str]:
    """The URL of a database without a schema."""
    name = f"rescind_plan_{os.getpid()}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield as_url(with_database(postgres_server, name))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


# --- locks ----------------------------------------------------------------------------------------


_STATE = """
SELECT CAST(c.relname AS text), c.oid, c.relfilenode, COALESCE(s.seq_scan, 0) + COALESCE(s.idx_scan, 0),
       ARRAY(SELECT l.mode FROM pg_locks AS l WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation'
             AND l.relation = c.oid AND l.granted)
FROM pg_class AS c LEFT JOIN pg_stat_xact_all_tables AS s ON s.relid = c.oid
WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'rescind'))
  AND c.relkind IN ('r', 'v')"""
SHOWN = {re.sub(r" ", "", mode.title()) + "Lock": mode for mode in STRENGTH}


def test_the_locks_are_those_that_the_server_takes(empty_postgres: str) -> None:
    """Every statement of every migration, run on a server: each lock that makes somebody wait is told, and no
    weaker one; so is each table that is written anew, and each that is read whole by a change of the schema.
    """
    index_tables: dict[str, str] = {}
    with psycopg.connect(empty_postgres, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA rescind")
        for version in VERSIONS:
            (script,) = HERE.glob(f"{version}_*.postgres.sql")
            for statement in statements(script.read_text("utf-8")):
                told = locks_of(statement, set(), index_tables)
                _compare(connection, statement, told)


def _compare(connection: psycopg.Connection[Any], statement: str, told: Any) -> None:
    with connection.transaction():
        before = {row[1]: row for row in connection.execute(_STATE).fetchall()}
        connection.execute(statement)  # type: ignore[call-overload]
        after = {row[1]: row for row in connection.execute(_STATE).fetchall()}
        dropped = {oid for oid in before if oid not in after}
    if not told.is_certain:
        return
    for oid, (name, _, file, _, modes) in after.items():
        if oid not in before:
            continue
        strongest = max((STRENGTH.index(SHOWN[mode]) for mode in modes), default=0)
        expected = told.modes.get(before[oid][0], "ACCESS SHARE")
        if STRENGTH[strongest] in BLOCKED or expected in BLOCKED:
            assert expected == STRENGTH[strongest], (statement, name)
        if file != before[oid][2]:
            assert before[oid][0] in told.rewrites or statement.startswith("TRUNCATE"), statement
    assert {before[oid][0] for oid in dropped} <= told.modes.keys(), statement


@contextmanager
def holding(database: str, statement: str) -> Iterator[psycopg.Connection[Any]]:
    """A transaction of the application that is open."""
    with psycopg.connect(database) as connection:
        connection.execute(statement)  # type: ignore[call-overload]
        yield connection


def test_a_migration_gives_way(
    new_database: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While a transaction has the table, the migration waits briefly, is rolled back and tried again: the
    application's statements go on in between. Once the transaction ends, it succeeds.
    """
    database = new_database("postgres")
    one_back(database)
    run(database, "CREATE INDEX of_somebody ON rescind.change (actor)")
    run(database, "DROP INDEX rescind.change_unsettled")  # repairing it takes a lock of the table
    ended = threading.Event()
    with holding(database, "LOCK rescind.change IN ROW EXCLUSIVE MODE") as application_connection:

        def pause(_: float) -> None:
            run(database, "SELECT count(*) FROM rescind.change")  # nobody is in its way
            application_connection.rollback()
            ended.set()

        monkeypatch.setattr(lock_waits.time, "sleep", pause)
        migrate(database, lock_seconds=0.05, patience_seconds=60)
    assert ended.is_set()
    assert "gave way" in caplog.text
    assert plan_of(database).is_up_to_date


def test_a_migration_does_not_try_for_ever(new_database: Make) -> None:
    """The patience has an end, and the database is as it was. The control of the test above."""
    database = new_database("postgres")
    one_back(database)
    run(database, "DROP INDEX rescind.change_unsettled")
    with (
        holding(database, "LOCK rescind.change IN ROW EXCLUSIVE MODE"),
        pytest.raises(StoreBusy),
    ):
        migrate(database, lock_seconds=0.05, patience_seconds=0)
    assert plan_of(database).has == "0031"
    for wrong in ({"lock_seconds": 0}, {"patience_seconds": -1}):
        with pytest.raises(InvalidArgument):
            migrate(database, **wrong)


# --- adjacent versions ----------------------------------------------------------------------------


NEXT = "0033"
"""A version that this code does not know."""


def expanded(database: str, usable_from: str) -> None:
    """The schema of the next version: a column more, which has a default."""
    run(
        database,
        "ALTER TABLE rescind.membership ADD COLUMN of_next TEXT NOT NULL DEFAULT ''",
        f"UPDATE rescind.schema_version SET version_num = '{NEXT}'",
        f"UPDATE rescind.installation SET usable_from = '{usable_from}'",
    )


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_process_goes_on_with_a_schema_that_says_it_may(
    engine: str, index: bool, new_database: Make
) -> None:
    """While the next version is rolled out, this one checks, changes and starts; `migrate` does nothing."""
    database = new_database(engine)
    with Authority.open(database, organization="acme", index=index) as running:
        running.apply(GRANT)
        assert running.check("user:ada", "read")
        expanded(database, VERSIONS[-1])
        assert running.check("user:ada", "read")
        running.apply([changes.RemoveMembers(group="team", members=("user:ada",))])
        assert not running.check("user:ada", "read")
        migrate(database)
        with Authority.open(database, organization="acme") as started:
            assert not started.check("user:ada", "read")
            again = started.apply([changes.AddMembers(group="team", members=("user:ada",))])
        assert running.check("user:ada", "read", at_least=again.token)
    assert run(database, "SELECT version_num FROM rescind.schema_version") == [(NEXT,)]
    assert plan_of(database).is_up_to_date


@pytest.mark.parametrize("engine", ENGINES)
def test_a_process_refuses_a_schema_that_says_it_may_not(engine: str, new_database: Make) -> None:
    """It neither starts nor goes on from memory, and says what to do. The control is the test above."""
    database = new_database(engine)
    with Authority.open(database, organization="acme", index=True) as running:
        running.apply(GRANT)
        running.load()
        expanded(database, NEXT)
        with pytest.raises(SchemaTooNew, match="Upgrade Rescind"):
            Authority.open(database, organization="acme")
        with pytest.raises(SchemaTooNew):
            migrate(database)
        with pytest.raises(SchemaTooNew):
            plan_of(database)
        running.store.reconnect()
        with pytest.raises(SchemaTooNew):
            running.check("user:ada", "read", assurance="live")


@pytest.mark.parametrize("engine", ENGINES)
def test_this_version_needs_its_schema(engine: str, new_database: Make) -> None:
    """A process of this version that meets an older schema says how to upgrade it."""
    database = new_database(engine)
    one_back(database)
    with pytest.raises(SchemaTooOld, match="rescind migrate"):
        open_store(database)


def test_what_the_files_say_is_what_the_code_says() -> None:
    """A new database states the same oldest version as an upgraded one."""
    assert USABLE_FROM in VERSIONS
    for engine in ("sqlite", "postgres"):
        assert f"VALUES (0, '{USABLE_FROM}', 1, '')" in schema_text(engine)  # type: ignore[arg-type]
    assert is_usable.__doc__


@pytest.mark.parametrize("engine", ENGINES)
def test_a_lost_row_is_put_back_by_migrate(engine: str, new_database: Make) -> None:
    """Without the row that says which code may use it, a database is refused; tokens from before are too."""
    database = new_database(engine)
    with Authority.open(database, organization="acme") as authority:
        token = authority.apply(GRANT).token
    run(database, "DELETE FROM rescind.installation")
    with pytest.raises(Exception, match="rescind migrate"):
        open_store(database)
    migrate(database)
    with (
        Authority.open(database, organization="acme") as authority,
        pytest.raises(Exception, match="token"),
    ):
        authority.check("user:ada", "read", at_least=token)


GRANT = [
    changes.CreateOrganization(),
    changes.DefinePermission(permission="read"),
    changes.DefineRole(role="reader", permissions=("read",)),
    changes.CreateGroup(group="team"),
    changes.AddMembership(subject="user:ada"),
    changes.AddMembers(group="team", members=("user:ada",)),
    changes.Assign(role="reader", to="group:team"),
]
