"""The view for SQL: `migrate` makes it what this version's checks are, and takes nothing else away."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any, Final

import psycopg
import pytest

from rescind import Authority
from rescind.store.migrations import migrate
from rescind.store.queries import queries
from rescind.store.sqlite import connect
from tests.conftest import ENGINES
from tests.contract.world import WORLD
from tests.sql import ours

NAMED = "SELECT organization, subject, permission, resource FROM rescind.effective_permission"
ALL = """CREATE VIEW rescind.effective_permission AS
SELECT o.slug AS organization, m.subject, p.slug AS permission, r.slug AS resource
FROM rescind.organization AS o JOIN rescind.membership AS m ON m.organization = o.id
JOIN rescind.permission AS p ON p.organization IN (0, o.id)
JOIN rescind.resource AS r ON r.organization = o.id"""
"""As it may have been in a version that was wrong: whoever is a member may do everything."""


def run(database: str, *statements: str) -> list[Any]:
    """The rows of the last of them, committed."""
    rows: list[Any] = []
    statements = tuple(ours(database, statement) for statement in statements)
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
    run(database, "DROP VIEW rescind.effective_permission", ALL)
    assert allowed(database) > right
    migrate(database)
    assert allowed(database) == right


def test_what_was_granted_on_it_and_built_on_it_stays(new_database: Callable[[str], str]) -> None:
    """PostgreSQL: where it is made anew, and where nothing is to do."""
    database = new_database("postgres")
    privilege = "SELECT has_table_privilege('pg_monitor', 'rescind.effective_permission', 'SELECT')"
    run(
        database,
        "GRANT SELECT ON rescind.effective_permission TO pg_monitor",
        "CREATE VIEW mine AS SELECT subject FROM rescind.effective_permission",
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
    run(database, "DROP VIEW rescind.effective_permission", ALL)
    migrate(database)
    assert run(database, "PRAGMA schema_version") > [(before[0] + 2,)]


# --- what the planner of PostgreSQL makes of it ---------------------------------------------------

RESOURCES: Final = 20_000
OF_ADA: Final = "subject = 'user:ada' AND permission = 'read'"
OF_TABLE: Final = (
    "SELECT d.resource FROM document AS d"
    " JOIN rescind.effective_permission AS e ON e.resource = d.resource"
)
PLANNED: Final = {
    "an organization that there is not": f"{NAMED} WHERE organization = 'nowhere' AND {OF_ADA}",
    "all resources": f"{NAMED} WHERE organization = 'acme' AND {OF_ADA}",
    "all organizations": f"{NAMED} WHERE {OF_ADA}",
    "a table": f"{OF_TABLE} WHERE organization = 'acme' AND {OF_ADA}",
    "a page": f"{OF_TABLE} WHERE organization = 'acme' AND {OF_ADA} ORDER BY d.resource LIMIT 20",
    "one resource": f"{NAMED} WHERE organization = 'acme' AND {OF_ADA} AND resource = 'note:7'",
}
WEIGHT: Final = " AND (v.is_allowed OR rescind.weight(v.is_allowed))"


@pytest.fixture
def large(new_database: Callable[[str], str]) -> str:
    """A database of PostgreSQL with many resources, all of them known to the planner."""
    database = new_database("postgres")
    with Authority.open(database, organization="acme") as authority:
        authority.apply(WORLD)
    run(
        database,
        "INSERT INTO rescind.resource (organization, id, slug)"
        f" SELECT 1, 1000 + n, 'note:' || n FROM generate_series(1, {RESOURCES}) AS n",
        "CREATE TABLE document (resource TEXT PRIMARY KEY)",
        f"INSERT INTO document SELECT 'note:' || n FROM generate_series(1, {RESOURCES // 10}) AS n",
        "ANALYZE",
    )
    return database


def estimated(database: str) -> dict[str, float]:
    """What the server takes each of the queries to cost, on a connection as users have it."""
    return {
        name: run(database, f"EXPLAIN (FORMAT JSON) {query}")[0][0][0]["Plan"]["Total Cost"]
        for name, query in PLANNED.items()
    }


def test_a_stock_server_does_not_compile_it(large: str) -> None:
    """Also for 20,000 resources. (Control: with the decision as a plain condition it is compiled.)"""
    ((limit,),) = run(
        large, "SELECT CAST(boot_val AS float) FROM pg_settings WHERE name = 'jit_above_cost'"
    )
    assert all(cost < limit for cost in estimated(large).values())
    plain = queries("postgres")["effective_permission_view"].replace("%(now)s", "0")
    plain = plain.replace("(VALUES (FALSE), (", "(SELECT (").replace(WEIGHT, "")
    run(large, plain.replace("CREATE", "CREATE OR REPLACE"))
    over = {name for name, cost in estimated(large).items() if cost > limit}
    assert over == PLANNED.keys() - {"one resource"}


def test_rows_are_decided_last(large: str) -> None:
    """For one resource one, for a table of a user's those in it, for a page the page. (Control:
    a part that is to be made first decides all.)
    """
    asked = {name: decided(large, PLANNED[name]) for name in ("one resource", "a table", "a page")}
    assert asked == {"one resource": 1, "a table": RESOURCES // 10, "a page": 20}
    whole = f"(SELECT * FROM rescind.effective_permission WHERE organization = 'acme' AND {OF_ADA} OFFSET 0)"
    assert decided(large, OF_TABLE.replace("rescind.effective_permission", whole)) > RESOURCES


def test_a_row_has_its_weight(large: str) -> None:
    """The planner does not take a decision to be free. (Control: without the function's cost it does.)"""
    assert estimated(large)["all resources"] > RESOURCES
    run(large, "ALTER FUNCTION rescind.weight COST 0.0001")
    assert estimated(large)["all resources"] < RESOURCES / 5


def decided(database: str, query: str) -> int:
    """How many rows are decided to answer the query."""
    ((answer,),) = run(database, f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {query}")
    nodes = [answer[0]["Plan"]]
    for node in nodes:
        nodes += node.get("Plans", ())
    return sum(node["Actual Loops"] for node in nodes if node["Node Type"] == "Values Scan")


def test_the_weight_of_a_row_is_not_asked_for(new_database: Callable[[str], str]) -> None:
    """The function is there for the planner alone. (Control: called, it fails.)"""
    database = new_database("postgres")
    with Authority.open(database, organization="acme") as authority:
        authority.apply(WORLD)
    before = sorted(run(database, NAMED))
    run(
        database,
        "CREATE OR REPLACE FUNCTION rescind.weight(is_allowed boolean) RETURNS boolean LANGUAGE plpgsql"
        " STABLE AS 'BEGIN RAISE EXCEPTION USING MESSAGE = ''called''; END'",
    )
    assert before
    assert sorted(run(database, NAMED)) == before
    with pytest.raises(psycopg.errors.RaiseException, match="called"):
        run(database, "SELECT rescind.weight(TRUE)")


def test_a_grant_on_the_view_is_enough(new_database: Callable[[str], str]) -> None:
    """Whoever may use the schema and read the view reads it. (Control: without the function's own grant they
    do not, nor without the schema.)
    """
    database = new_database("postgres")
    run(database, "GRANT SELECT ON rescind.effective_permission TO pg_monitor")
    asked = ("SET LOCAL ROLE pg_monitor", NAMED)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(database, *asked)
    run(database, "GRANT USAGE ON SCHEMA rescind TO pg_monitor")
    assert run(database, *asked) == []
    run(database, "REVOKE EXECUTE ON FUNCTION rescind.weight FROM PUBLIC")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(database, *asked)
