"""Migrations: a released one never changes, every version is upgraded, what differs is repaired or told."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy
from alembic.config import Config

from rescind import Authority, changes
from rescind.errors import SchemaDiffers
from rescind.propagation.audit import audit
from rescind.store import migrations
from rescind.store.migrations import former as taking_over
from rescind.store.migrations import migrate, run_script, scripts
from rescind.store.migrations import repair as repairing
from rescind.store.migrations.catalog import WANTED_OWN, Catalog, catalog
from rescind.store.migrations.former import Former
from rescind.store.schema import FORMER_VERSIONS, VERSIONS
from tests.conftest import ENGINES, as_url, with_database
from tests.contract.released import RELEASED, digests
from tests.contract.versions import filled
from tests.contract.world import WORLD
from tests.sql import ours

Make = Callable[[str], str]
pytestmark = pytest.mark.usefixtures("compared_once")
_numbers = itertools.count()


def test_a_released_migration_never_changes() -> None:
    """Each file is what it was when it landed; `python -m tests.contract.released` adds new ones."""
    assert digests() == RELEASED


# --- databases ------------------------------------------------------------------------------------


@pytest.fixture
def empty_database(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[str], str]]:
    """Makes databases with nothing in them."""
    with closing(Databases(request, tmp_path)) as databases:
        yield databases.make


class Databases:
    """Databases with nothing in them, or copies of another."""

    def __init__(self, request: pytest.FixtureRequest, folder: Path) -> None:
        self._request, self._folder = request, folder
        self._made: list[str] = []

    def make(self, engine: str, copied: str | None = None) -> str:
        """The URL of a new one."""
        number = next(_numbers)
        if engine == "sqlite":
            path = self._folder / f"empty-{number}.db"
            if copied is not None:
                shutil.copy(copied.removeprefix("sqlite:///"), path)
            return f"sqlite:///{path}"
        name = f"rescind_empty_{os.getpid()}_{number}"
        template = psycopg.conninfo.conninfo_to_dict(copied)["dbname"] if copied else "template1"
        admin = self._request.getfixturevalue("postgres_admin")
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        self._made.append(name)
        return as_url(with_database(self._request.getfixturevalue("postgres_server"), name))

    def close(self) -> None:
        """Drop them all."""
        for name in self._made:
            admin = self._request.getfixturevalue("postgres_admin")
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Snapshots:
    """A filled database of each version, each made from the one before by one migration."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._made: dict[tuple[str, str], str] = {}

    def of(self, engine: str, version: str) -> str:
        """The URL of that one. It is copied, and stays as it is."""
        if (engine, version) not in self._made:
            number = VERSIONS.index(version)
            before = self.of(engine, VERSIONS[number - 1]) if number else None
            database = self._databases.make(engine, before)
            with opened(database) as connection:
                if before is None:
                    begin_versions(connection)
                add_version(connection, database, version)
            self._made[engine, version] = database
        return self._made[engine, version]


@pytest.fixture(scope="module")
def snapshots(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Snapshots]:
    """For all tests of a module."""
    with closing(Databases(request, tmp_path_factory.mktemp("versions"))) as databases:
        yield Snapshots(databases)


@pytest.fixture
def filled_database(
    request: pytest.FixtureRequest, tmp_path: Path, snapshots: Snapshots
) -> Iterator[Callable[[str, str], str]]:
    """Makes databases of an engine and a version, with rows in every table."""
    with closing(Databases(request, tmp_path)) as databases:
        yield lambda engine, version: databases.make(engine, snapshots.of(engine, version))


@contextmanager
def opened(database: str) -> Iterator[sqlalchemy.Connection]:
    """A connection as the migrations have it, in a transaction that is committed at the end."""

    def connect() -> Any:
        if database.startswith("postgresql"):
            return psycopg.connect(database)
        return sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None)

    name = "postgresql+psycopg" if database.startswith("postgresql") else "sqlite"
    engine = sqlalchemy.create_engine(f"{name}://", creator=connect, poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        if name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


def run(database: str, *statements: str) -> list[Any]:
    """The rows of the last of them, committed."""
    with opened(database) as connection:
        for statement in statements:
            found = connection.exec_driver_sql(ours(database, statement))
        return [tuple(row) for row in found.all()] if found.returns_rows else []


def made_at(database: str, version: str, *, is_filled: bool = True) -> None:
    """Make the schema of a version, with rows in every table of it."""
    with opened(database) as connection:
        begin_versions(connection)
        for number in VERSIONS[: VERSIONS.index(version) + 1]:
            add_version(connection, database, number, is_filled=is_filled)


def begin_versions(connection: sqlalchemy.Connection) -> None:
    """Make the table of the version, in an empty database."""
    connection.exec_driver_sql("CREATE TABLE alembic_version (version_num TEXT PRIMARY KEY)")
    connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('0001')")


def add_version(
    connection: sqlalchemy.Connection, database: str, number: str, *, is_filled: bool = True
) -> None:
    """Bring a schema of the version before to this one, with rows in every table that is new in it."""
    if number == VERSIONS[len(FORMER_VERSIONS)]:
        former = FORMER_VERSIONS[-1]
        taking_over.take_over(connection, Former(place_of(database), (former,)), former)
    is_former = number in FORMER_VERSIONS
    table = "alembic_version" if is_former else ours(database, "rescind.schema_version")
    run_script(connection, number)
    connection.exec_driver_sql(f"UPDATE {table} SET version_num = '{number}'")
    for statement in filled(number, connection.dialect.name) if is_filled else ():
        connection.exec_driver_sql(statement)


def place_of(database: str) -> str:
    """Where the tables were."""
    return "public" if database.startswith("postgresql") else "main"


def is_own(connection: sqlalchemy.Connection) -> bool:
    """Whether the tables have a schema, or a prefix, of their own."""
    return migrations.version_of(connection) is not None


def schema_of(database: str) -> Catalog:
    with opened(database) as connection:
        found = catalog(connection, "rescind" if is_own(connection) else "public")
        return {
            item: text
            for item, text in found.items()
            if not re.search("alembic_version|schema_version", item.name)
        }


def rows_of(database: str, tables: dict[str, list[str]]) -> dict[str, list[Any]]:
    """What is in the columns of those tables."""
    with opened(database) as connection:
        place = "rescind." if is_own(connection) else ""
        return {
            table: sorted(
                connection.exec_driver_sql(
                    ours(database, f"SELECT {', '.join(columns)} FROM {place}{table}")
                ).all(),
                key=repr,
            )
            for table, columns in tables.items()
        }


def tables_of(database: str) -> dict[str, list[str]]:
    """The tables with their columns, but for which version it is."""
    found: dict[str, list[str]] = {}
    for kind, name in schema_of(database):
        if kind == "column":
            table, _, column = name.removeprefix("rescind_").partition(".")
            table = "nesting" if table == "recorded_nesting" else table
            if (table, column) not in {("nesting", "ended"), ("nesting", "made"), *REPLACED}:
                found.setdefault(f'"{table}"', []).append(f'"{column}"')
    return {table: sorted(columns) for table, columns in found.items()}


ACTIONS = '"action"'
"""The log of service actions, which an upgrade adds to."""
EMPTY = {'"role_before"', '"required_before"'}
"""Tables that have rows within a transaction only."""
REPLACED = {("role_reset", "assignment"), ("action_head", "number"), ("action_head", "digest")}
"""Columns that a later migration put another one in the place of, and those that an upgrade moves on."""


@pytest.fixture(scope="module")
def new_schema(new_shared_database: Make) -> Callable[[str], Catalog]:
    """The schema of a new database of an engine, looked at once."""
    return cache(lambda engine: schema_of(new_shared_database(engine)))


# --- upgrades -------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_filled_database_of_every_version(
    engine: str,
    version: str,
    filled_database: Callable[[str, str], str],
    new_schema: Callable[[str], Catalog],
) -> None:
    """Upgraded, it has the schema of a new one and all its rows; it answers, is clean, and can be changed."""
    database = filled_database(engine, version)
    tables = tables_of(database)
    before = rows_of(database, tables)
    assert {table for table, rows in before.items() if not rows} <= EMPTY
    migrate(database)
    assert without_statistics(schema_of(database)) == without_statistics(new_schema(engine))
    after = rows_of(database, tables)
    assert [row for row in before.pop(ACTIONS, []) if row not in after.pop(ACTIONS)] == []
    assert {table: after[table] for table in before} == before
    with Authority.open(database, organization="acme") as authority:
        assert authority.check("user:ada", "read")
        assert not authority.check("user:bob", "read")
        while authority.has_due_work():
            for work in authority.pending():
                authority.reconcile(work)
        assert audit(authority.store, "acme").is_clean
        authority.apply([changes.RemoveMembers(group="team", members=("user:ada",))])
        assert not authority.check("user:ada", "read")


def without_statistics(found: Catalog) -> Catalog:
    return {item: text for item, text in found.items() if item.kind != "statistics"}


COMMITTED = """
SELECT (SELECT max(CAST(CAST(xmin AS text) AS bigint)) FROM pg_class),
       (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_attribute), (SELECT count(*) FROM pg_proc)"""
"""The catalogs alone: a look at the version's table would wait for whoever drops it."""


class Interrupted(Exception):
    """Somebody pulled the plug."""


@pytest.mark.parametrize("version", VERSIONS[:-1])
@pytest.mark.parametrize("engine", ENGINES)
def test_an_upgrade_interrupted_at_any_statement(
    engine: str,
    version: str,
    filled_database: Callable[[str, str], str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """After each statement of the next migration, what is committed, and so what a crash leaves, is the
    database as it was; at the end it has that version. (Control: after the commit it is not as it was.)

    The upgrade ends with that version: those after it are next in another case.
    """
    database = filled_database(engine, version)
    with looking(database, tmp_path) as look:
        _interrupt(database, version, monkeypatch, look)


def _interrupt(
    database: str, version: str, monkeypatch: pytest.MonkeyPatch, look: Callable[[], Any]
) -> None:
    before, following = look(), VERSIONS[VERSIONS.index(version) + 1]
    seen = []

    def execute(connection: sqlalchemy.Connection, statement: str) -> None:
        real_execute(connection, statement)
        if is_of(connection, database):
            if running == [following]:
                seen.append(statement)
            assert look() == before, statement

    running: list[str] = []

    def begin(connection: sqlalchemy.Connection, number: str) -> Path:
        running[:] = [number]
        return find_script(connection, number)

    def give_up(_: sqlalchemy.Connection) -> None:
        raise Interrupted

    def upgrade(config: Config, _: str) -> None:
        real_upgrade(config, following)

    real_upgrade = migrations.command.upgrade
    real_execute = scripts.execute
    find_script = scripts.script_of
    monkeypatch.setattr(scripts, "script_of", begin)
    monkeypatch.setattr(scripts, "execute", execute)
    monkeypatch.setattr(taking_over, "execute", execute)
    monkeypatch.setattr(migrations.command, "upgrade", upgrade)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "renew_view", give_up)
        with pytest.raises(Interrupted):
            migrate(database)
    assert look() == before
    with opened(database) as connection:
        script = find_script(connection, following).read_text("utf-8")
    assert len(seen) == len(re.findall(r"(?:^|\n\n)(?:--[^\n]*\n)*(?!--)\S", script))
    if following != VERSIONS[-1]:  # what follows the last migration reads the newest tables
        monkeypatch.setattr(migrations, "renew_view", lambda _: None)
        monkeypatch.setattr(migrations, "state_usable_from", lambda _: None)
        monkeypatch.setattr(taking_over, "keep_view_name", lambda *_: None)
    migrate(database)
    assert look() != before
    assert running == [following]


def is_of(connection: sqlalchemy.Connection, database: str) -> bool:
    """Whether that is the database's own connection, and not the empty one that it is compared with."""
    if database.startswith("postgresql"):
        return scripts.schema_of(connection) != WANTED_OWN
    return bool(connection.exec_driver_sql("PRAGMA database_list").all()[0][2])


@contextmanager
def looking(database: str, folder: Path) -> Iterator[Callable[[], Any]]:
    """Tells what a crash at this moment would leave: what is committed."""
    if database.startswith("postgresql"):
        with psycopg.connect(database, autocommit=True) as connection:
            yield lambda: connection.execute(COMMITTED).fetchone()
        return
    path, copy = Path(database.removeprefix("sqlite:///")), folder / "copy.db"

    def dumped() -> str:
        for end in ("", "-wal", "-shm"):
            Path(f"{copy}{end}").unlink(missing_ok=True)
            if end != "-shm" and Path(f"{path}{end}").exists():
                shutil.copy(f"{path}{end}", f"{copy}{end}")
        with closing(sqlite3.connect(copy)) as connection:
            return "\n".join(connection.iterdump())

    yield dumped


# --- databases that differ ------------------------------------------------------------------------

Alterations = dict[str, list[str]]
ALTERATIONS: Alterations = {
    "an index is missing": ["DROP INDEX rescind.group_member_by_group"],
    "a view is missing": ["DROP VIEW rescind.effective_permission", "DROP VIEW rescind.nesting"],
}
ALTERATIONS_OF: dict[str, Alterations] = {
    "sqlite": {
        "an index is of an earlier form": [
            "DROP INDEX rescind_nesting_by_parent",
            "CREATE INDEX rescind_nesting_by_parent"
            " ON rescind_recorded_nesting (organization, parent, child)",
            "CREATE INDEX pending_since ON rescind_pending (organization, since)",
        ],
        "a trigger is missing": ["DROP TRIGGER rescind_role_gone"],
        "statistics are missing": ["DELETE FROM sqlite_stat1"],
    },
    "postgres": {
        "an index is of an earlier form": [
            "DROP INDEX rescind.nesting_by_parent",
            "CREATE INDEX nesting_by_parent ON rescind.recorded_nesting (organization, parent, child)",
            "CREATE INDEX pending_since ON rescind.pending (organization, since)",
        ],
        "a trigger is missing": ["DROP TRIGGER role_gone ON rescind.role"],
        "statistics are missing": [
            "ALTER TABLE rescind.membership ALTER COLUMN id RESET (n_distinct)"
        ],
        "a constraint is missing": [
            "ALTER TABLE rescind.membership DROP CONSTRAINT membership_organization_fkey"
        ],
        "a function is of an earlier form": [
            "CREATE OR REPLACE FUNCTION rescind.take_groups(organization_id integer, groups integer[], waits"
            " boolean) RETURNS boolean LANGUAGE sql AS 'SELECT FALSE'",
            "CREATE FUNCTION rescind.choose(pairs bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1'",
        ],
        "a function is missing": ["DROP FUNCTION rescind.claim_groups"],
    },
}
"""What earlier forms of migrations left, and what somebody may have done."""


@pytest.mark.parametrize("engine", ENGINES)
def test_what_can_be_made_anew_is(engine: str, new_database: Make) -> None:
    """The schema is what it was, and what users have added to it stays. (Control: each alteration shows.)"""
    database = new_database(engine)
    theirs = (
        "CREATE TABLE theirs (id INTEGER)",
        'CREATE INDEX theirs_by_name ON rescind."group" (name)',
    )
    run(database, *theirs)
    before = schema_of(database)
    for alteration, statements in (ALTERATIONS | ALTERATIONS_OF[engine]).items():
        run(database, *statements)
        assert schema_of(database) != before, alteration
        migrate(database)
        assert schema_of(database) == before, alteration
    with Authority.open(database, organization="acme") as authority:
        assert authority.apply([changes.CreateOrganization()]).changed


NEWEST = VERSIONS[-1]
REFUSED: list[tuple[str, str, str, str]] = [
    (
        NEWEST,
        "ALTER TABLE rescind.enforcement RENAME COLUMN enforced_at TO was",
        "ALTER TABLE rescind.enforcement RENAME COLUMN was TO enforced_at",
        "enforcement.enforced_at",
    ),
    (
        NEWEST,
        "ALTER TABLE rescind.api_key RENAME used_at TO was",
        "ALTER TABLE rescind.api_key RENAME was TO used_at",
        "api_key.used_at",
    ),
    (
        "0006",
        "CREATE TABLE deletion (organization INTEGER)",
        "DROP TABLE deletion",
        "table deletion",
    ),
    (
        "0006",
        "ALTER TABLE api_key ADD COLUMN bound_to INTEGER",
        "ALTER TABLE api_key DROP COLUMN bound_to",
        "column api_key.bound_to",
    ),
]
"""A version, what is done to it and undone, and what is named then. There was another 0006 with those."""


@pytest.mark.parametrize("engine", ENGINES)
def test_what_cannot_is_refused_by_name(
    engine: str, empty_database: Make, new_database: Make
) -> None:
    """The message names what differs; nothing was altered. (Control: as they were, they are upgraded.)"""
    databases = {NEWEST: new_database(engine), "0006": empty_database(engine)}
    made_at(databases["0006"], "0006")
    for version, statement, undo, named in REFUSED:
        database = databases[version]
        run(database, statement)
        before = schema_of(database)
        with pytest.raises(SchemaDiffers, match=f"version {version}, differs .*{named}"):
            migrate(database)
        assert schema_of(database) == before
        run(database, undo)
    for database in databases.values():
        migrate(database)


THEIRS = (
    "CREATE TABLE role (id INTEGER)",
    "CREATE TABLE effective_role (organization INTEGER)",
    "CREATE TABLE alembic_version (version_num TEXT)",
    "INSERT INTO alembic_version VALUES ('0003')",
)
"""An application's, with names and a version that an older Rescind might have."""


@pytest.mark.parametrize("engine", ENGINES)
def test_names_that_are_another_programs(engine: str, empty_database: Make) -> None:
    """A table of theirs is not taken for ours, nor is their Alembic's version; both stay."""
    database = empty_database(engine)
    run(database, *THEIRS)
    migrate(database)
    migrate(database)
    assert run(database, "SELECT version_num FROM alembic_version") == [("0003",)]
    assert (
        run(database, "SELECT * FROM role") == run(database, "SELECT * FROM effective_role") == []
    )
    with Authority.open(database, organization="acme") as authority:
        assert authority.apply([changes.CreateOrganization()]).changed


@pytest.mark.parametrize("engine", ENGINES)
def test_names_of_ours_that_are_taken(engine: str, empty_database: Make) -> None:
    """They are named, with what helps; nothing is made. (Control: without them it is.)"""
    database = empty_database(engine)
    make_room = ("CREATE SCHEMA rescind",) if engine == "postgres" else ()
    run(database, *make_room, "CREATE TABLE rescind.role (id INTEGER)")
    with pytest.raises(
        SchemaDiffers, match=r"table \w*role\. These are not Rescind's: .*another|of its own"
    ):
        migrate(database)
    assert run(database, "SELECT * FROM rescind.role") == []
    run(database, "DROP TABLE rescind.role")
    migrate(database)


@pytest.mark.parametrize("engine", ["postgres"])
def test_without_the_privilege_to_compare(
    engine: str,
    new_database: Make,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Who may not create a schema is told that nothing was compared; the rest is done."""
    database = new_database(engine)
    run(database, "DROP INDEX rescind.group_member_by_group")
    with monkeypatch.context() as patch:
        patch.setattr(repairing, "may_compare", lambda _: False)
        migrate(database)
    assert "not compared" in caplog.text
    migrate(database)
    assert "group_member_by_group" in {item.name for item in schema_of(database)}


@pytest.mark.parametrize("engine", ENGINES)
def test_two_that_migrate_at_once(engine: str, empty_database: Make) -> None:
    """One does it; the others find it done."""
    database = empty_database(engine)
    made_at(database, "0008")
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(migrate, database) for _ in range(4)]:
            done.result(60)
    assert run(database, "SELECT version_num FROM rescind.schema_version") == [(VERSIONS[-1],)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_schema_that_differs_where_it_is_used(engine: str, new_database: Make) -> None:
    """What is missing is named, with what helps."""
    database = new_database(engine)
    missing = {
        "sqlite": "ALTER TABLE rescind.membership RENAME name TO was",
        "postgres": "DROP FUNCTION rescind.take_groups",
    }
    with Authority.open(database, organization="acme") as authority:
        authority.apply(WORLD)
        authority.apply([changes.CreateGroup(group="more")])
        authority.apply([changes.Assign(role="reader", to="group:eng")], route="background")
        run(database, missing[engine])
        with pytest.raises(SchemaDiffers, match="rescind migrate"):
            authority.apply(
                [
                    changes.AddMembership(subject="user:new"),
                    changes.RemoveMembers(group="eng", members=("user:ada",)),
                ]
            )
