"""Installations from before there was a schema of our own: they move, with what was granted and built on
them, and whatever else is in the database stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from rescind import Authority, changes
from rescind.errors import SchemaDiffers, SchemaMissing
from rescind.propagation.audit import audit
from rescind.store.migrations import former as taking_over
from rescind.store.migrations import migrate
from rescind.store.schema import FORMER_VERSIONS
from tests.conftest import ENGINES
from tests.contract.test_migrations import Make, empty_database, made_at, run, schema_of
from tests.contract.test_own_schema import in_schema

__all__ = ["empty_database"]
LAST = FORMER_VERSIONS[-1]
VIEW = (
    "CREATE VIEW effective_permission AS SELECT o.slug AS organization, m.subject, p.slug AS permission,"
    " r.slug AS resource FROM organization AS o JOIN membership AS m ON m.organization = o.id"
    " JOIN permission AS p ON p.organization IN (0, o.id) JOIN resource AS r ON r.organization = o.id"
)
"""The view under its former name, as `migrate` had made it: any text will do."""
OF_ADA = "SELECT permission FROM {} WHERE subject = 'user:ada' AND resource = 'organization'"
THEIRS = (
    "CREATE TABLE account (id INTEGER PRIMARY KEY)",
    "INSERT INTO account VALUES (1)",
    "CREATE VIEW readers AS SELECT subject FROM effective_permission WHERE permission = 'read'",
    "CREATE VIEW people AS SELECT subject FROM membership WHERE active AND organization = 1",
)
"""An application's, some of it built on ours."""


def former(database: str, version: str = LAST, *, also: tuple[str, ...] = ()) -> str:
    """A filled database of a version from before, with its view."""
    made_at(database, version)
    run(database, "DROP VIEW IF EXISTS effective_permission", VIEW, *also)
    return database


def answers(database: str) -> bool:
    """It answers and takes a revocation, and its effective roles are what the facts imply."""
    with Authority.open(database, organization="acme") as authority:
        may = bool(authority.check("user:ada", "read"))
        while authority.has_due_work():
            for work in authority.pending():
                authority.reconcile(work)
        authority.apply([changes.RemoveMembers(group="team", members=("user:ada",))])
        return may and not authority.check("user:ada", "read") and audit(authority.store).is_clean


@pytest.mark.usefixtures("compared_once")
@pytest.mark.parametrize("version", ["0006", LAST])
@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_built_on_it_stays(engine: str, version: str, empty_database: Make) -> None:
    """The application's tables, its views on our tables and view, and queries that name the view alone."""
    database = former(empty_database(engine), version, also=THEIRS)
    migrate(database)
    assert run(database, "SELECT * FROM account") == [(1,)]
    assert ("user:ada",) in run(database, "SELECT * FROM readers")
    assert ("user:bob",) not in run(database, "SELECT * FROM readers")
    assert sorted(run(database, "SELECT * FROM people")) == [("user:ada",), ("user:bob",)]
    for view in ("effective_permission", "rescind.effective_permission"):
        assert run(database, OF_ADA.format(view)) == [("read",)]
    assert answers(database)
    for view in ("effective_permission", "rescind.effective_permission", "readers"):
        assert run(database, f"SELECT * FROM {view} WHERE subject = 'user:ada'") == []
    migrate(database)
    run(database, "DROP VIEW readers", "DROP VIEW effective_permission")
    migrate(database)
    assert run(database, OF_ADA.format("rescind.effective_permission")) == []


@pytest.mark.usefixtures("compared_once")
@pytest.mark.parametrize("theirs", ["3f2a", "0005", "0042"])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_version_table_that_is_shared(engine: str, theirs: str, empty_database: Make) -> None:
    """The application's Alembic and ours had one table. Our row leaves it, theirs stays, also where it could
    be the number of one of ours.
    """
    database = former(empty_database(engine), also=THEIRS)
    run(database, f"INSERT INTO alembic_version VALUES ('{theirs}')")
    migrate(database)
    assert run(database, "SELECT version_num FROM alembic_version") == [(theirs,)]
    assert answers(database)


@pytest.mark.usefixtures("compared_once")
def test_control_the_lowest_version_is_taken(
    empty_database: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control of the test before: without a look at the tables their version is taken for ours."""
    from rescind.store.migrations import repair

    database = former(empty_database("sqlite"))
    run(database, "INSERT INTO alembic_version VALUES ('0005')")
    monkeypatch.setattr(repair, "nearest_version", lambda versions, *_: versions[0])
    with pytest.raises(SchemaDiffers, match="version 0005"):
        migrate(database)


@pytest.mark.usefixtures("compared_once")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_version_table_of_ours_alone_goes(engine: str, empty_database: Make) -> None:
    """Then an application's Alembic begins with none."""
    database = former(empty_database(engine))
    migrate(database)
    with pytest.raises(Exception, match="alembic_version"):
        run(database, "SELECT * FROM alembic_version")


@pytest.mark.usefixtures("compared_once")
@pytest.mark.parametrize("engine", ENGINES)
def test_tables_of_ours_without_their_version(engine: str, empty_database: Make) -> None:
    """It is said what is missing, and no empty installation is made beside it, which would deny everything.
    (Control: with the version back, it moves.)
    """
    database = former(empty_database(engine))
    run(database, "DELETE FROM alembic_version")
    with pytest.raises(SchemaDiffers, match="put its row back"):
        migrate(database)
    run(database, "DROP TABLE alembic_version")
    with pytest.raises(SchemaDiffers, match="put its row back"):
        migrate(database)
    with pytest.raises(SchemaMissing):
        Authority.open(database)
    run(database, "CREATE TABLE alembic_version (version_num TEXT PRIMARY KEY)")
    run(database, f"INSERT INTO alembic_version VALUES ('{LAST}')")
    migrate(database)
    assert answers(database)


@pytest.mark.usefixtures("compared_once")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_name_that_is_to_be_ours_is_taken(engine: str, empty_database: Make) -> None:
    """It is named, and nothing has moved. (Control: without it, it moves.)"""
    database = former(empty_database(engine))
    before = schema_of(database)
    if engine == "postgres":
        run(database, "CREATE SCHEMA rescind")
    run(database, "CREATE TABLE rescind.pending (id INTEGER)")
    with pytest.raises(SchemaDiffers, match=r"pending\. These are not Rescind's"):
        migrate(database)
    run(database, "DROP TABLE rescind.pending")
    assert schema_of(database) == before
    migrate(database)
    assert answers(database)


# --- schemas of PostgreSQL ------------------------------------------------------------------------


@pytest.fixture
def role(postgres_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a user who may log in."""
    name = f"app_{abs(hash(request.node.name)) % 10**9}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN")
        yield name
        for (database,) in connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'rescind_empty%'"
        ).fetchall():
            with psycopg.connect(postgres_server, dbname=database, autocommit=True) as inside:
                inside.execute(f"DROP OWNED BY {name}")
        connection.execute(f"DROP ROLE {name}")


@pytest.mark.usefixtures("compared_once")
@pytest.mark.parametrize("schema", ["rescind", "authz", "Odd name"])
def test_a_schema_that_the_search_path_named(schema: str, empty_database: Make) -> None:
    """As the documentation said: from there it moves into ours, or stays where that is the same."""
    database = empty_database("postgres")
    (name,) = run(database, "SELECT current_database()")[0]
    run(
        database, f'CREATE SCHEMA "{schema}"', f"ALTER DATABASE {name} SET search_path = '{schema}'"
    )
    former(database)
    migrate(database)
    assert run(database, "SELECT count(*) FROM rescind.membership WHERE organization = 1") == [(2,)]
    assert answers(database)
    migrate(database)


def test_a_schema_that_is_ours_already_without_the_path(empty_database: Make) -> None:
    """Also where nobody sets the search path any more."""
    database = empty_database("postgres")
    (name,) = run(database, "SELECT current_database()")[0]
    run(database, "CREATE SCHEMA rescind", f"ALTER DATABASE {name} SET search_path = rescind")
    former(database)
    run(database, f"ALTER DATABASE {name} RESET search_path")
    migrate(database)
    assert answers(database)


@pytest.mark.usefixtures("compared_once")
def test_it_moves_to_the_schema_of_the_url(empty_database: Make) -> None:
    """Not to `rescind`, where it names another."""
    database = former(empty_database("postgres"))
    migrate(in_schema(database, "authz"))
    assert answers(in_schema(database, "authz"))
    assert run(database, "SELECT to_regnamespace('rescind')") == [(None,)]


@pytest.mark.usefixtures("compared_once")
def test_who_had_grants_has_them(empty_database: Make, role: str) -> None:
    """Who was granted the tables may use them where they are now, and who the view the view, by both names.
    (Control: without the schema's use they may not.)
    """
    database = former(empty_database("postgres"))
    run(
        database,
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT SELECT ON effective_permission TO pg_monitor WITH GRANT OPTION",
    )
    migrate(database)
    mine = re.sub(r"//\w+@", f"//{role}@", database)
    assert answers(mine)
    for view in ("public.effective_permission", "rescind.effective_permission"):
        run(mine, OF_ADA.format(view))
        for right in ("SELECT", "SELECT WITH GRANT OPTION"):
            asked = f"SELECT has_table_privilege('pg_monitor', '{view}', '{right}')"
            assert run(database, asked) == [(True,)]
    run(database, f"REVOKE USAGE ON SCHEMA rescind FROM {role}")
    with pytest.raises(Exception, match="permission denied for schema"):
        run(mine, OF_ADA.format("rescind.effective_permission"))


@pytest.mark.usefixtures("compared_once")
def test_control_nobody_is_let_in(
    empty_database: Make, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: without the grant on the schema, grants on what is in it are of no use."""
    database = former(empty_database("postgres"))
    run(database, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    monkeypatch.setattr(taking_over, "let_in", lambda *_: None)
    migrate(database)
    with pytest.raises(Exception, match="permission denied for schema"):
        run(re.sub(r"//\w+@", f"//{role}@", database), "SELECT 1 FROM rescind.membership")


def test_who_owns_the_tables_moves_them(empty_database: Make, role: str) -> None:
    """Not a superuser: with CREATE on the database, or with a schema that somebody has made for it. (Control:
    without either it is told what to ask for, and nothing has moved.)
    """
    database = empty_database("postgres")
    (name,) = run(database, "SELECT current_database()")[0]
    run(database, f"GRANT CREATE ON SCHEMA public TO {role}")
    mine = re.sub(r"//\w+@", f"//{role}@", database)
    former(mine)
    with pytest.raises(Exception, match=r"CREATE SCHEMA rescind AUTHORIZATION"):
        migrate(mine)
    assert run(mine, "SELECT count(*) FROM public.organization WHERE id = 1") == [(1,)]
    run(database, f"CREATE SCHEMA rescind AUTHORIZATION {role}")
    migrate(mine)
    assert answers(mine)
    run(database, f"GRANT CREATE ON DATABASE {name} TO {role}")
    migrate(in_schema(mine, "authz"))


def test_an_index_in_a_schema_that_is_shared(empty_database: Make) -> None:
    """Statements that mend what differs name the schema where the tables are."""
    database = former(empty_database("postgres"))
    run(database, "DROP INDEX group_member_by_group", "DROP FUNCTION rescind_claim_groups")
    migrate(database)
    there = "SELECT to_regclass('rescind.group_member_by_group') IS NOT NULL"
    assert run(database, there) == [(True,)]
    assert answers(database)
