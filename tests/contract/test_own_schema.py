"""Rescind's objects have a schema (PostgreSQL) or a prefix (SQLite) of their own: the current schema in one
file, and no name that anything else in the database could take the place of.
"""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any, get_args

import psycopg
import pytest

from rescind import Authority, changes
from rescind.errors import InvalidArgument, SchemaMissing, StoreError
from rescind.propagation.audit import audit
from rescind.store.migrations import migrate
from rescind.store.postgres import address
from rescind.store.queries import OF_USERS, Engine, queries
from rescind.store.schema import FORMER_VERSIONS
from rescind.store.sqlite import connect
from tests.contract.test_migrations import Make, empty_database, made_at, opened, run, schema_of
from tests.contract.world import WORLD

__all__ = ["empty_database"]
ENGINES = get_args(Engine)
OURS = (
    *("organization", "membership", '"group"', "group_member", "nesting", "recorded_nesting"),
    *("permission", "role", "role_permission", "resource_type", "resource", "assignment"),
    *("effective_role", "role_reset", "role_before", "change", "idempotency", "pending", "replica"),
    *(
        "replica_held",
        "api_key",
        "directory",
        "directory_gone",
        "enforcement",
        "deletion",
        "required_before",
    ),
    "effective_permission",
)
DECOYS = (
    "CREATE SCHEMA decoy",
    *(f"CREATE TABLE decoy.{name} (id INTEGER)" for name in OURS),
    "CREATE FUNCTION decoy.tally(text, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 0'",
    "CREATE FUNCTION decoy.tallied(text) RETURNS bigint LANGUAGE sql AS 'SELECT 0'",
)
"""An application's schema with names of ours."""
PATHS = ("", "decoy", "pg_catalog, decoy, rescind", "decoy, public")


# --- the current schema ---------------------------------------------------------------------------


def shape_of(database: str) -> Any:
    """The order of the columns, and of what the planner has been told (the server may measure it anew)."""
    with opened(database) as connection:
        if database.startswith("sqlite"):
            told = connection.exec_driver_sql("SELECT tbl, idx, stat FROM sqlite_stat1")
            columns = connection.exec_driver_sql(
                "SELECT m.name, c.name, c.cid FROM sqlite_master AS m"
                " JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table' AND m.name LIKE 'rescind%'"
            )
        else:
            told = connection.exec_driver_sql(
                "SELECT tablename, attname FROM pg_stats WHERE schemaname = 'rescind'"
            )
            columns = connection.exec_driver_sql(
                "SELECT CAST(c.oid AS regclass)::text, a.attname, row_number() OVER"
                " (PARTITION BY c.oid ORDER BY a.attnum) FROM pg_class AS c"
                " JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
                " WHERE c.relnamespace = CAST('rescind' AS regnamespace) AND c.relkind IN ('r', 'p')"
                " AND NOT c.relispartition"
            )
        return sorted(map(tuple, columns), key=repr), sorted(map(tuple, told), key=repr)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_current_schema_is_what_the_migrations_make(
    engine: str, empty_database: Make, new_database: Make
) -> None:
    """All of it, and the order of columns too; the planner has been told no less. (Control: a schema without
    an index, and one with its columns in another order, differ.)
    """
    new, upgraded = new_database(engine), empty_database(engine)
    made_at(upgraded, FORMER_VERSIONS[-1], is_filled=False)
    migrate(upgraded)
    assert schema_of(new) == schema_of(upgraded)
    (columns, told), (columns_upgraded, told_upgraded) = shape_of(new), shape_of(upgraded)
    assert columns == columns_upgraded
    assert {*told} >= {*told_upgraded}
    rows = "SELECT id, slug, name FROM rescind.organization"
    assert run(new, rows) == run(upgraded, rows)
    followers = "SELECT * FROM rescind.directory_follower"
    assert run(new, followers) == run(upgraded, followers)
    run(new, "ALTER TABLE rescind.api_key DROP COLUMN name")
    run(new, "ALTER TABLE rescind.api_key ADD COLUMN name TEXT")
    assert shape_of(new)[0] != columns_upgraded
    run(new, "DROP INDEX rescind.pending_due")
    assert schema_of(new) != schema_of(upgraded)


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_made_outside(engine: str, empty_database: Make) -> None:
    """Whatever is there in a new database is in the schema, or has the prefix."""
    database = empty_database(engine)
    migrate(database)
    if engine == "postgres":
        found = run(
            database,
            "SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            " WHERE n.nspname NOT IN ('rescind', 'pg_catalog', 'information_schema', 'pg_toast')",
        )
        found += run(
            database,
            "SELECT p.proname FROM pg_proc AS p WHERE CAST(p.pronamespace AS regnamespace)::text"
            " NOT IN ('rescind', 'pg_catalog', 'information_schema')",
        )
    else:
        found = run(
            database,
            "SELECT name FROM sqlite_master WHERE name NOT LIKE 'rescind^_%' ESCAPE '^'"
            " AND name NOT LIKE 'sqlite^_%' ESCAPE '^'",
        )
    assert found == []


# --- names ----------------------------------------------------------------------------------------


BARE = re.compile(
    r"(?<!DISTINCT )\b(?:FROM|JOIN|INTO|UPDATE|USING)\s+(?:ONLY\s+)?(\"group\"|[a-z_]+)(?![\w.(\"])"
)
"""What a table's place has in it without a schema."""


def bare_names(engine: Engine, sql: str) -> set[str]:
    """Names of ours in a statement that stand without schema or prefix, and are none of its own."""
    own = set(re.findall(r"(\w+)\s*(?:\([^()]*\))?\s+AS\s+(?:MATERIALIZED\s+)?\(", sql))
    return ({*BARE.findall(sql)} & {*OURS}) - own


@pytest.mark.parametrize("engine", ENGINES)
def test_no_statement_names_an_object_of_ours_alone(engine: Engine) -> None:
    """Each is in the schema, or has the prefix. (Control: a name that stands alone is found.)"""
    everything = {**queries(engine), "control": "SELECT 1 FROM membership AS m"}
    found = {name: bare_names(engine, sql) for name, sql in everything.items()}
    assert {name: bare for name, bare in found.items() if bare} == {"control": {"membership"}}


def test_every_statement_can_be_prepared_without_a_search_path(new_database: Make) -> None:
    """PostgreSQL. (Control: one that names a table alone cannot.)"""
    with psycopg.connect(new_database("postgres"), autocommit=True) as connection:
        connection.execute("SET search_path = ''")
        for name, sql in queries("postgres").items():
            if name not in OF_USERS:
                explain(connection, sql)
        with pytest.raises(psycopg.errors.UndefinedTable):
            explain(connection, queries("postgres")["index_memberships"].replace("rescind.", ""))


def explain(connection: psycopg.Connection[Any], sql: str) -> None:
    text = re.sub(r"%\(\w+\)s", "NULL", sql).replace("%%", "%")
    connection.execute(f"EXPLAIN (COSTS OFF) {text}".encode())


def test_no_sqlite_statement_needs_a_table_without_the_prefix(new_database: Make) -> None:
    """Each is prepared in a file that has no other tables. (Control: one that names a table alone is not.)"""
    with closing(connect(new_database("sqlite").removeprefix("sqlite:///"))) as connection:
        connection.create_function("rescind_tallied", 1, len)
        for name, sql in queries("sqlite").items():
            if name not in OF_USERS:
                nothing = dict.fromkeys(re.findall(r"(?<![\w:']):([a-z_]+)\b", sql))
                connection.execute(f"EXPLAIN {sql}", nothing)
        with pytest.raises(Exception, match="no such table: membership"):
            connection.execute("EXPLAIN SELECT id FROM membership")


# --- whatever the search path ---------------------------------------------------------------------


def set_path(database: str, path: str) -> str:
    """The database, in which every connection now has that search path, and decoys stand in it."""
    run(database, *DECOYS)
    (name,) = run(database, "SELECT current_database()")[0]
    run(database, f"ALTER DATABASE {name} SET search_path = {path or repr(path)}")
    return database


@pytest.mark.parametrize("path", PATHS)
def test_everything_works_under_any_search_path(
    new_database: Make, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes by both routes, background work, guards, triggers, checks, lists, the audit and migrations."""
    database = set_path(new_database("postgres"), path)
    migrate(database)
    with Authority.open(database, organization="acme") as authority:
        authority.apply(WORLD, idempotency_key="once")
        assert authority.apply(WORLD, idempotency_key="once").changed
        authority.apply(
            [changes.AddMembers(group="staff", members=("user:cyd",))], route="background"
        )
        authority.apply([changes.RemoveMembers(group="eng", members=("user:ada", "user:bob"))])
        while authority.has_due_work():
            for work in authority.pending():
                authority.reconcile(work)
        assert authority.check("user:cyd", "read")
        assert not authority.check("user:ada", "write", "doc:1")
        assert authority.check("agent:bot", "purge", "folder:b", assurance="live")
        assert audit(authority.store).is_clean
        authority.apply(
            [changes.RemoveMembership(subject="user:bob"), changes.DeleteRole(role="unused")]
        )
        authority.apply([changes.DeleteOrganization(cascade=True)])


@pytest.mark.parametrize("path", PATHS)
def test_within_under_any_search_path(new_database: Make, path: str) -> None:
    """A revocation in the caller's transaction, where the caller's names come first, or none is found. The
    view tells of it there; after the commit nobody is allowed.
    """
    database = new_database("postgres")
    run(database, *DECOYS)
    with Authority.open(database, organization="acme") as authority:
        authority.apply(WORLD)
        with psycopg.connect(database) as caller:
            caller.execute("SELECT set_config('search_path', %s, false)", (path,))
            caller.commit()
            view = (
                "SELECT count(*) FROM rescind.effective_permission WHERE organization = 'acme'"
                " AND subject = 'user:bob' AND permission = 'read' AND resource = 'doc:2'"
            )
            assert caller.execute(view).fetchone() == (1,)
            receipt = authority.apply(
                [changes.RemoveMembers(group="staff", members=("user:bob",))], within=caller
            )
            assert caller.execute(view).fetchone() == (0,)
            assert authority.check("user:bob", "read", "doc:2")
            caller.commit()
            receipt.enforce()
            assert not authority.check("user:bob", "read", "doc:2")
            assert caller.execute(view).fetchone() == (0,)


def test_control_a_statement_without_the_schema(new_database: Make) -> None:
    """Control: a statement that names a table alone takes the application's, or finds none."""
    database = new_database("postgres")
    run(database, *DECOYS)
    with Authority.open(database, organization="acme") as authority:
        authority.apply(WORLD)
        known = authority.store.queries  # type: ignore[attr-defined]
        known["delete_group_members"] = known["delete_group_members"].replace("rescind.", "")
        change = [changes.RemoveMembers(group="staff", members=("user:bob",))]
        for path in ("decoy", ""):
            with psycopg.connect(database) as caller:
                caller.execute("SELECT set_config('search_path', %s, false)", (path,))
                with pytest.raises(StoreError):
                    authority.apply(change, within=caller)
                caller.rollback()


# --- another schema -------------------------------------------------------------------------------


def in_schema(database: str, schema: str) -> str:
    separator = "&" if "?" in database else "?"
    return f"{database}{separator}schema={schema}"


@pytest.mark.parametrize("schema", ["authz", "user", "public"])
def test_the_schema_that_the_url_names(empty_database: Make, schema: str) -> None:
    """Two installations in one database know nothing of each other; also under a reserved word."""
    database = empty_database("postgres")
    one, other = in_schema(database, schema), database
    for place in (one, one, other):
        migrate(place)
    with (
        Authority.open(one, organization="acme") as first,
        Authority.open(other, organization="acme") as second,
    ):
        first.apply(WORLD)
        first.apply([changes.AddMembers(group="eng", members=("user:cyd",))], route="background")
        first.reconcile("eng")
        assert first.check("user:cyd", "write", "doc:1")
        assert audit(first.store).is_clean
        second.apply([changes.CreateOrganization()])
        assert not second.check("user:ada", "read")
    assert run(database, f'SELECT count(*) FROM "{schema}".membership') == [(4,)]
    assert run(database, "SELECT count(*) FROM rescind.membership") == [(0,)]


def test_a_schema_that_there_is_not(new_database: Make) -> None:
    """It is said what to do; a name that cannot be a schema's is refused before anything is asked."""
    database = new_database("postgres")
    with pytest.raises(SchemaMissing, match="rescind migrate"):
        Authority.open(in_schema(database, "elsewhere"))
    for name in ("", "Mine", "a-b", 'x"; DROP', "pg_mine", "a" * 64, "é", "1st"):
        with pytest.raises(InvalidArgument, match="small letters"):
            Authority.open(in_schema(database, name))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://h/d", ("postgresql://h/d", "rescind")),
        ("postgresql://h/d?schema=a", ("postgresql://h/d", "a")),
        ("postgresql://h/d?host=/x&schema=a&port=1", ("postgresql://h/d?host=/x&port=1", "a")),
        (
            "postgresql://h/d?options=-cx%3Dschema",
            ("postgresql://h/d?options=-cx%3Dschema", "rescind"),
        ),
        ("postgresql://h/d?schema=%61b", ("postgresql://h/d", "ab")),
    ],
)
def test_the_schema_is_taken_out_of_the_url(url: str, expected: tuple[str, str]) -> None:
    """The driver would not know it."""
    assert address(url)[:2] == expected


def test_a_role_that_may_use_the_tables(new_database: Make, request: pytest.FixtureRequest) -> None:
    """PostgreSQL: with the grants that the documentation names a user changes and checks. (Control: without
    the use of the schema it cannot, and is told so.)
    """
    database = new_database("postgres")
    role = f"app_{abs(hash(database))}"
    run(database, f"CREATE ROLE {role} LOGIN")
    mine = re.sub(r"//\w+@", f"//{role}@", database)
    try:
        with pytest.raises(StoreError, match="permission denied for schema rescind"):
            Authority.open(mine)
        run(
            database,
            f"GRANT USAGE ON SCHEMA rescind TO {role}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA rescind TO {role}",
        )
        with Authority.open(mine, organization="acme", index=True) as authority:
            authority.apply(WORLD)
            assert authority.check("user:bob", "read")
        with pytest.raises(StoreError, match="CREATE SCHEMA"):
            migrate(in_schema(mine, "other"))
    finally:
        run(database, f"DROP OWNED BY {role}", f"DROP ROLE {role}")
