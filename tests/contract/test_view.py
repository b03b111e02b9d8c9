"""The view for SQL: `migrate` makes it what this version's checks are, and takes nothing else away."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
import pytest

from rescind import Authority
from rescind.store.migrations import migrate
from rescind.store.sqlite import connect
from tests.conftest import ENGINES
from tests.contract.world import WORLD

NAMED = "SELECT organization, subject, permission, resource FROM effective_permission"
ALL = """CREATE VIEW effective_permission AS
SELECT o.slug AS organization, m.subject, p.slug AS permission, r.slug AS resource
FROM organization AS o JOIN membership AS m ON m.organization = o.id
JOIN permission AS p ON p.organization IN (0, o.id) JOIN resource AS r ON r.organization = o.id"""
"""As it may have been in a version that was wrong: whoever is a member may do everything."""


def run(database: str, *statements: str) -> list[Any]:
    """The rows of the last of them, committed."""
    rows: list[Any] = []
    if database.startswith("postgres"):
        with psycopg.connect(database) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
                rows = cursor.fetchall() if cursor.description else []
        return rows
    with closing(connect(database.removeprefix("sqlite:///"))) as connection:
        for statement in statements:
            rows = connection.execute(statement).fetchall()
    return rows


def allowed(database: str) -> int:
    return len(run(database, NAMED))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_view_of_another_version_is_made_anew(
    engine: str, new_database: Callable[[str], str]
) -> None:
    """Also where the schema's version is the same. (Control: the other view shows more.)"""
    database = new_database(engine)
    with Authority.open(database, organization="acme") as authority:
        authority.apply(WORLD)
    right = allowed(database)
    run(database, "DROP VIEW effective_permission", ALL)
    assert allowed(database) > right
    migrate(database)
    assert allowed(database) == right


def test_what_was_granted_on_it_and_built_on_it_stays(new_database: Callable[[str], str]) -> None:
    """PostgreSQL: where it is made anew, and where nothing is to do."""
    database = new_database("postgres")
    privilege = "SELECT has_table_privilege('pg_monitor', 'effective_permission', 'SELECT')"
    run(
        database,
        "GRANT SELECT ON effective_permission TO pg_monitor",
        "CREATE VIEW mine AS SELECT subject FROM effective_permission",
    )
    for before in ("SELECT 1", ALL.replace("CREATE", "CREATE OR REPLACE")):
        run(database, before)
        migrate(database)
        assert run(database, privilege) == [(True,)]
        assert run(database, "SELECT * FROM mine") == []


def test_a_view_that_is_right_is_left_alone(new_database: Callable[[str], str]) -> None:
    """PostgreSQL: whoever reads it does not keep `migrate` waiting, nor the other way round."""
    database = new_database("postgres")
    with psycopg.connect(database) as reader:
        reader.execute(NAMED.encode())
        separator = "&" if "?" in database else "?"
        migrate(f"{database}{separator}options=-clock_timeout%3D1")
        assert reader.execute(NAMED.encode()).fetchall() == []
    assert run(database, "SELECT count(*) FROM pg_views WHERE viewname LIKE '%wanted%'") == [(0,)]


def test_a_file_whose_view_is_right_keeps_its_schema(new_database: Callable[[str], str]) -> None:
    """SQLite: other processes need not prepare their statements anew. (Control: for another view they do.)"""
    database = new_database("sqlite")
    (before,) = run(database, "PRAGMA schema_version")
    migrate(database)
    assert run(database, "PRAGMA schema_version") == [before]
    run(database, "DROP VIEW effective_permission", ALL)
    migrate(database)
    assert run(database, "PRAGMA schema_version") > [(before[0] + 2,)]
