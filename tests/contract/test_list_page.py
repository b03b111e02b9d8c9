"""A page of an application's own table: which rows, and how many are visited to find them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final

import psycopg
import pytest

from rescind import Authority, changes, sql
from rescind.errors import InvalidArgument
from rescind.store.migrations import migrate
from rescind.store.queries import Engine
from tests.conftest import ENGINES
from tests.contract.test_view import run
from tests.contract.world import WORLD

DOCUMENTS: Final = 20_000
PAGE: Final = " SELECT resource, updated FROM permitted ORDER BY updated DESC LIMIT 20"
USERS: Final = {
    "everything": 20,
    "all by a folder": 20,
    "all but a hundredth": 20,
    "one of a hundred": 20,
    "every other, each given": 20,
    "three": 3,
    "none": 0,
}
"""Who asks, and how many documents are on the first page."""
FACTS: Final = [
    changes.CreateOrganization(),
    changes.DefinePermission(permission="read"),
    changes.DefineRole(role="viewer", permissions=("read",)),
    changes.DefineResourceType(type="folder"),
    changes.DefineResourceType(type="doc"),
    changes.CreateResource(resource="folder:all"),
    changes.CreateResource(resource="folder:rest", parent="folder:all"),
    changes.CreateResource(resource="folder:few", parent="folder:rest"),
    *(changes.AddMembership(subject=f"user:{user}") for user in USERS),
    changes.CreateGroup(group="readers"),
    changes.AddMembers(group="readers", members=("user:one of a hundred",)),
    changes.Assign(role="viewer", to="user:everything"),
    changes.Assign(role="viewer", to="user:all by a folder", on="folder:all"),
    changes.Assign(role="viewer", to="user:all but a hundredth", on="folder:rest"),
    changes.Assign(role="viewer", to="group:readers", on="folder:few"),
]
TABLE: Final = (
    "CREATE TABLE document (id INTEGER PRIMARY KEY, resource TEXT NOT NULL UNIQUE, updated INTEGER NOT NULL)",
    "CREATE INDEX document_by_update ON document (updated)",
)
NUMBERS: Final = {
    "sqlite": "(WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c"
    f" WHERE n < {DOCUMENTS}) SELECT n FROM c)",
    "postgres": f"(SELECT n FROM generate_series(1, {DOCUMENTS}) AS s (n))",
}
FILLED: Final = (
    "INSERT INTO document SELECT n, 'doc:' || n, (n * 7919) % 20011 FROM {numbers} AS c",
    "INSERT INTO rescind.resource (organization, id, slug, parent) SELECT 1, 1000 + n, 'doc:'"
    " || n, (SELECT r.id"
    " FROM rescind.resource AS r WHERE r.slug = CASE WHEN n % 100 = 7 THEN 'folder:few' ELSE"
    " 'folder:rest' END)"
    " FROM {numbers} AS c",
    "INSERT INTO rescind.assignment (organization, id, holder, role, resource, made) SELECT 1,"
    " 100000 * m.id + n, m.id, 1,"
    " 1000 + n, 1 FROM {numbers} AS c CROSS JOIN rescind.membership AS m WHERE (m.subject ="
    " 'user:three' AND n <= 3)"
    " OR (m.subject = 'user:every other, each given' AND n % 2 = 0)",
    "UPDATE rescind.organization SET last_number = 200000 WHERE id = 1",
)


def asked(user: str) -> dict[str, str]:
    return {"organization": "acme", "subject": f"user:{user}", "permission": "read"}


def page(engine: str, **options: Any) -> str:
    """The statement for a page of 20."""
    known: Engine = "postgres" if engine.startswith("postgres") else "sqlite"
    return sql.permitted("document AS d", resource="d.resource", engine=known, **options) + PAGE


def filled(database: str, *, before: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> str:
    """The database with documents in it. (`before` is run while there are none.)"""
    with Authority.open(database, organization="acme") as authority:
        authority.apply(FACTS)
    is_server = database.startswith("postgres")
    numbers = NUMBERS["postgres" if is_server else "sqlite"]
    quickly = ("SET LOCAL session_replication_role = replica",) if is_server else ()
    texts = (text.format(numbers=numbers) for text in FILLED)
    run(database, *quickly, *TABLE, *before, *texts, *after)
    return database


ANALYSED: Final = {"never": ((), ()), "when empty": (("ANALYZE",), ()), "since": ((), ("ANALYZE",))}


@pytest.fixture(scope="module", params=ANALYSED)
def server(request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]) -> str:
    """A database of a stock server, whatever its planner knows of the tables."""
    before, after = ANALYSED[request.param]
    kept = tuple(
        f"ALTER TABLE {table} SET (autovacuum_enabled = off)"
        for table in ("document", "rescind.resource", "rescind.assignment")
    )
    return filled(new_shared_database("postgres"), before=(*kept, *before), after=after)


@pytest.fixture(scope="module")
def fresh(new_shared_database: Callable[[str], str]) -> str:
    """One that nobody has analysed."""
    return filled(new_shared_database("postgres"))


def visited(database: str, statement: str, values: dict[str, Any]) -> tuple[int, int, int]:
    """How many rows a page has, how many are read for it, and how many blocks; nothing is compiled for it."""
    with psycopg.connect(database) as connection:
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}".encode()
        ((answer,),) = connection.execute(explain, values).fetchall()
    plan, read = answer[0]["Plan"], 0
    nodes = [plan]
    for node in nodes:
        nodes += node.get("Plans", ())
        if "Relation Name" in node:
            rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            read += node["Actual Loops"] * rows
    assert "JIT" not in answer[0]
    return plan["Actual Rows"], int(read), plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


@pytest.mark.parametrize("user", USERS)
def test_a_page_visits_few_rows_on_a_stock_server(server: str, user: str) -> None:
    """Whatever part of 20,000 documents may be read, and whatever is known of the tables."""
    rows, read, blocks = visited(server, page(server), asked(user))
    assert rows == USERS[user]
    assert (read, blocks) < (1_500, 25_000)


def test_control_of_the_gate(fresh: str) -> None:
    """Without the gate whoever may read nothing has every document looked at."""
    gate = "(SELECT x.is_walked FROM reach AS x) AND"
    assert gate in page(fresh)
    assert visited(fresh, page(fresh).replace(gate, ""), asked("none"))[1] >= DOCUMENTS


@pytest.fixture(scope="module")
def file(new_shared_database: Callable[[str], str]) -> str:
    """The same in a file."""
    return filled(new_shared_database("sqlite"))


def steps(database: str, statement: str, values: dict[str, Any]) -> tuple[int, int]:
    """How many rows a page has, and how many hundreds of steps SQLite's machine takes for it."""
    taken = [0]

    def count() -> None:
        taken[0] += 1

    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection:
        connection.set_progress_handler(count, 100)
        rows = connection.execute(statement, values).fetchall()
    return len(rows), taken[0]


@pytest.mark.parametrize("user", USERS)
def test_a_page_takes_few_steps_in_a_file(file: str, user: str) -> None:
    """The same on SQLite, but that what is given one by one is read whole. (Control: without the gate every
    document is looked at.)
    """
    rows, taken = steps(file, page(file), asked(user))
    assert rows == USERS[user]
    assert taken < (9_000 if "each given" in user else 1_000)
    open_gate = page(file).replace(
        "walked.id = (SELECT reach.walked_in FROM reach AS reach)", "walked.id = 1"
    )
    assert open_gate != page(file)
    assert steps(file, open_gate, asked("none"))[1] > DOCUMENTS * 25 / 100


def test_what_is_too_much_is_counted_only(file: str) -> None:
    """More resources directly below a place than are looked up. (Control: without the count a
    list is begun.)
    """
    user, count = asked("all but a hundredth"), "asked.most >= ("
    text = page(file)
    assert count in text
    _, taken = steps(file, text, user)
    _, begun = steps(file, text.replace(count, "0 <= ("), user)
    assert begun > taken + 100


@pytest.mark.parametrize("engine", ENGINES)
def test_pages_follow_each_other(engine: str, request: pytest.FixtureRequest) -> None:
    """By a condition of the application's own on what it orders by, each document is on one page."""
    database = request.getfixturevalue("file" if engine == "sqlite" else "fresh")
    clause = page(database).removesuffix(PAGE)
    mark = ":before" if engine == "sqlite" else "%(before)s"
    following = (
        f"{clause} SELECT id, updated FROM permitted WHERE updated < {mark}"
        " ORDER BY updated DESC LIMIT 90"
    )
    found: list[int] = []
    before = 10**6
    while rows := question(database, following, {**asked("one of a hundred"), "before": before}):
        found += [number for number, _ in rows]
        before = rows[-1][1]
    assert sorted(found) == list(range(7, DOCUMENTS, 100))


def question(database: str, statement: str, params: dict[str, Any]) -> list[Any]:
    if database.startswith("postgres"):
        with psycopg.connect(database) as connection:
            return connection.execute(statement.encode(), params).fetchall()
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection:
        return connection.execute(statement, params).fetchall()


# --- what is on it --------------------------------------------------------------------------------

NOTES: Final = (
    "CREATE TABLE document (resource TEXT PRIMARY KEY, slug TEXT, id TEXT, updated INTEGER)",
    "INSERT INTO document VALUES ('doc:1', 'doc:1', '1', 1), ('doc:2', 'doc:1', '2', 2),"
    " ('DOC:1', 'doc:1', 'X', 3),"
    " ('folder:a', 'doc:1', '3', 4), ('doc:9', 'doc:1', '9', 5)",
)


def documents(database: str, user: str, permission: str, **options: Any) -> list[str]:
    """Which of those a subject may use."""
    rows = question(database, page(database, **options), {**asked(user), "permission": permission})
    return sorted(row[0] for row in rows)


def test_what_is_revoked_and_pending_is_not_on_it(authority: Authority, database: str) -> None:
    """Before any work is done for it. (Control: the rows of the work are still there.)"""
    authority.apply(WORLD)
    run(database, *NOTES)
    assert documents(database, "ada", "write") == ["doc:1", "folder:a"]
    authority.apply(
        [changes.Unassign(role="writer", to="group:eng", on="folder:a")], route="background"
    )
    assert authority.pending()
    assert documents(database, "ada", "write") == []
    left = (
        "SELECT 1 FROM rescind.effective_role AS e JOIN rescind.assignment AS a ON a.id = e.assignment"
        " WHERE a.ended > 0"
    )
    assert run(database, left)
    authority.apply(
        [changes.Assign(role="writer", to="group:eng", on="folder:a")], route="background"
    )
    assert documents(database, "ada", "write") == ["doc:1", "folder:a"]
    authority.apply([changes.DeactivateMembership(subject="user:ada")], route="background")
    assert documents(database, "ada", "write") == []


@pytest.mark.parametrize("resource", ["'doc:' || id", "'doc:' || d.id", "d.resource"])
def test_a_resource_is_an_expression_of_the_table(
    authority: Authority, database: str, resource: str
) -> None:
    """Whatever its columns are called: none of Rescind's is meant by it."""
    authority.apply(WORLD)
    run(database, *NOTES)
    engine: Engine = "postgres" if database.startswith("postgres") else "sqlite"
    clause = sql.permitted(
        "document AS d", resource=resource, engine=engine, columns=("id", "resource")
    )
    found = {}
    for user in ("bob", "cyd"):
        rows = question(database, f"{clause} SELECT id FROM permitted ORDER BY id", {**asked(user)})
        found[user] = [number for (number,) in rows]
    assert found == {"bob": ["1", "2", *(["3"] if "id" not in resource else [])], "cyd": ["2"]}


@pytest.mark.parametrize(
    "table", ["document AS r", "listed", "document; DROP TABLE x", "", 'a "reach"']
)
def test_a_table_has_a_name_and_an_alias(table: str) -> None:
    """None that the clause has itself."""
    with pytest.raises(InvalidArgument, match="alias"):
        sql.permitted(table, resource="d.resource", engine="sqlite")
    with pytest.raises(InvalidArgument, match="sqlite"):
        sql.permitted("document", resource="resource", engine="mysql")  # type: ignore[arg-type]


def test_placeholders_are_the_drivers() -> None:
    """Each engine's own by default, the other where it is asked for."""
    for engine, placeholders in (("sqlite", "pyformat"), ("postgres", None)):
        text = page(engine, placeholders=placeholders)
        assert "%(subject)s" in text
        assert ":subject" not in text
    for engine, placeholders in (("sqlite", None), ("postgres", "named")):
        text = page(engine, placeholders=placeholders)
        assert ":subject" in text
        assert "%" not in text


# --- who may ask, and whose it is ---------------------------------------------------------------------

GRANTS: Final = (
    "GRANT USAGE ON SCHEMA rescind TO pg_monitor",
    "GRANT SELECT ON rescind.resource, document TO pg_monitor",
)
CALL: Final = "GRANT EXECUTE ON FUNCTION rescind.reach(text, text, text) TO pg_monitor"


def test_it_is_granted_and_found_on_any_search_path(new_database: Callable[[str], str]) -> None:
    """PostgreSQL: the function is nobody's by default. (Control: without the grant on it"
    " there is no answer.)"""
    database = new_database("postgres")
    with Authority.open(database, organization="acme") as authority:
        authority.apply(WORLD)
    run(database, *NOTES, *GRANTS)
    statement = page(database).replace("FROM document", "FROM public.document").encode()
    with psycopg.connect(database, options="-c search_path=pg_temp") as connection:
        connection.execute("CREATE TEMPORARY TABLE membership AS SELECT 1 AS organization")
        connection.execute("SET LOCAL ROLE pg_monitor")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement, asked("bob"))
    run(database, CALL)
    with psycopg.connect(database, options="-c search_path=pg_temp") as connection:
        connection.execute("CREATE TEMPORARY TABLE membership AS SELECT 1 AS organization")
        connection.execute("SET LOCAL ROLE pg_monitor")
        assert len(connection.execute(statement, asked("bob")).fetchall()) == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_one_of_another_version_is_made_anew(
    engine: str, new_database: Callable[[str], str]
) -> None:
    """By `migrate`, and what was granted on it stays. (Control: the other says something else.)"""
    database = new_database(engine)
    with Authority.open(database, organization="acme") as authority:
        authority.apply(WORLD)
    run(database, *NOTES)
    right = documents(database, "cyd", "read")
    if engine == "sqlite":
        other = (
            "DROP VIEW rescind.reach",
            "CREATE VIEW rescind.reach AS SELECT 'acme' AS organization, 'user:cyd' AS subject, 'read'"
            " AS permission,"
            " 1 AS number, 100 AS last_number, '[0]' AS places",
        )
    else:
        other = (
            "GRANT EXECUTE ON FUNCTION rescind.reach(text, text, text) TO pg_monitor",
            "CREATE OR REPLACE FUNCTION rescind.reach(organization_asked text, subject_asked text,"
            " permission_asked text, OUT number integer, OUT places int4multirange, OUT resources text[],"
            " OUT is_walked boolean) LANGUAGE sql AS 'SELECT 1, ''{(,)}''::int4multirange,"
            " ''{}''::text[], TRUE'",
        )
    run(database, *other)
    assert documents(database, "cyd", "read") != right
    migrate(database)
    assert documents(database, "cyd", "read") == right
    if engine == "postgres":
        kept = "SELECT has_function_privilege('pg_monitor', 'rescind.reach(text, text, text)', 'EXECUTE')"
        assert run(database, kept) == [(True,)]
