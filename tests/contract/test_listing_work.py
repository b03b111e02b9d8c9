"""A page of any list costs the same wherever it is in the list and however long that is: rows are counted."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from rescind import ENVIRONMENT, Authority, FactPage, changes
from rescind.listing.names import EARLIEST, NEAR
from rescind.store.postgres import configure
from rescind.store.postgres.transaction import PostgresSnapshot
from rescind.store.queries import Engine, queries
from rescind.store.sqlite import connect
from rescind.store.sqlite.transaction import SqliteSnapshot
from tests.sql import ours

MANY = 6_000
GROUPS = 100_000
NESTED = 200
LIMIT = 20
FAR = 3_000
NOW = datetime(2030, 1, 1, tzinfo=UTC)
SOON = NOW + timedelta(days=3)
AT = int(SOON.timestamp() * 1e6)

SERIES = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})"
FILL = (
    # Subjects u…, of which every fourth is deactivated, all in the group `all`; and groups.
    ("membership (organization, id, subject, name, active, created_at)",
     "1, 1000000 + i, 'user:u' || i, NULL, i % 4 <> 0, 0", MANY),
    ('"group" (organization, id, slug)', "1, -2000000 - i, 'g' || i", GROUPS),
    ('group_member (organization, membership, "group", expires_at, made)',
     "1, 1000000 + i, (SELECT id FROM rescind.\"group\" WHERE organization = 1 AND slug = 'all'),"
     f" {AT}, 1", MANY),
    # Groups below `top`, each with a hundred of the subjects.
    ("recorded_nesting (organization, child, parent, made)",
     "1, -2000000 - i, (SELECT id FROM rescind.\"group\" WHERE organization = 1 AND slug = 'top'),"
     " 1", NESTED),
    ('group_member (organization, membership, "group", made)',
     f"1, 1000000 + i, -2000001 - (i % {NESTED}), 1", MANY),
    ("resource (organization, id, slug, parent)", "1, 4000000 + i, 'doc:n' || i, 0", MANY),
    # Many things held by one, one thing held by many.
    ("assignment (organization, id, holder, role, resource, expires_at, made)",
     f"1, 5000000 + i, (SELECT id FROM rescind.\"group\" WHERE organization = 1 AND slug = 'all'),"
     f" (SELECT id FROM rescind.role WHERE slug = 'reader'), 4000000 + i, {AT}, 1", MANY),
    ("assignment (organization, id, holder, role, resource, made)",
     "1, -6000000 - i, 1000000 + i, (SELECT id FROM rescind.role WHERE slug = 'reader'), 0, 1", MANY),
    # Roles and permissions of others, and a role with many permissions.
    ("organization (id, slug, name, created_at)", "100 + i, 'o' || i, '', 0", 2_000),
    ("role (organization, slug, priority, critical)", "100 + i, 'r' || i, 0, FALSE", 2_000),
    ("permission (organization, slug, description, critical)", "100 + i, 'p' || i, '', FALSE", 2_000),
    ("permission (organization, slug, description, critical)", "1, 'q' || i, '', FALSE", 2_000),
    ("role (organization, slug, priority, critical)", "1, 'q' || i, 0, FALSE", 2_000),
)  # fmt: skip
WIDE = (
    "INSERT INTO rescind.role_permission (role, permission)"
    " SELECT (SELECT id FROM rescind.role WHERE slug = 'wide'), id FROM rescind.permission"
    " WHERE organization = 1"
)

Ask = Callable[..., FactPage[Any]]
LISTS: dict[str, Callable[[Authority], Ask]] = {
    "groups": lambda a: a.list_groups,
    "members": lambda a: lambda **p: a.list_members("all", **p),
    "effective members": lambda a: lambda **p: a.list_members("top", effective=True, **p),
    "memberships": lambda a: a.list_memberships,
    "deactivated": lambda a: lambda **p: a.list_memberships(active=False, **p),
    "roles": lambda a: a.list_roles,
    "permissions": lambda a: a.list_permissions,
    "permissions of a role": lambda a: lambda **p: a.list_permissions("wide", **p),
    "resources": lambda a: a.list_resources,
    "resources below": lambda a: lambda **p: a.list_resources("organization", **p),
    "assignments": lambda a: a.list_assignments,
    "assignments of a holder": lambda a: lambda **p: a.list_assignments("group:all", **p),
    "effective assignments": lambda a: (
        lambda **p: a.list_assignments("user:u7", effective=True, **p)
    ),
    "assignments of a role": lambda a: lambda **p: a.list_assignments(role="reader", **p),
    "assignments on a resource": lambda a: (
        lambda **p: a.list_assignments(resource="organization", **p)
    ),
    "expiring": lambda a: a.list_expiring,
}
MOST_ROWS = 40 * LIMIT
"""Of a page: its own, what they are joined with, and what is read to see that there is more."""
OF_GROUPS_BELOW = {"effective members": 8 * NESTED}
"""Each group below is found by its nesting and looked up, once for the next member and once for a range."""


@dataclass
class Large:
    """A database with long lists of everything, and how to count what a query of it visits."""

    authority: Authority
    engine: Engine
    database: str

    def visited(self, asked: list[tuple[str, dict[str, Any]]]) -> int:
        """Rows that the queries visit, by the plans and counts of the database itself."""
        if self.engine == "sqlite":
            with closing(connect(self.database.removeprefix("sqlite:///"))) as connection:
                return sum(_steps(connection, name, params) for name, params in asked)
        with psycopg.connect(self.database) as server:
            configure(server)
            return sum(_rows(server, name, params) for name, params in asked)


STEPS_A_ROW = 15
"""Of SQLite's virtual machine: more than it takes for a row of these queries."""


def _steps(connection: sqlite3.Connection, name: str, params: dict[str, Any]) -> int:
    counted = [0]

    def count() -> int:
        counted[0] += 1
        return 0

    connection.set_progress_handler(count, 10)
    connection.execute(queries("sqlite")[name], params).fetchall()
    connection.set_progress_handler(None, 0)
    return counted[0] * 10 // STEPS_A_ROW


def _rows(server: psycopg.Connection[Any], name: str, params: dict[str, Any]) -> int:
    sql = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {queries('postgres')[name]}"
    ((plan,),) = server.execute(sql.encode(), params).fetchall()
    nodes, rows = [plan[0]["Plan"]], 0
    for node in nodes:
        nodes += node.get("Plans", ())
        if "Scan" in node["Node Type"]:
            each = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            rows += int(max(each, 1) * node["Actual Loops"])
    return rows


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def large(
    request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]
) -> Iterator[Large]:
    """On each engine in turn; the planner has looked at nothing of it."""
    engine: Engine = request.param
    database = new_shared_database(engine)
    with Authority.open(database, organization="acme", clock=lambda: NOW) as authority:
        authority.apply(
            [
                changes.CreateOrganization(),
                changes.DefineRole(role="reader"),
                changes.DefineRole(role="wide"),
                changes.DefineResourceType(type="doc"),
                changes.CreateGroup(group="all"),
                changes.CreateGroup(group="top"),
            ]
        )
        authority.apply([changes.DefineRole(role="shared")], organization=ENVIRONMENT)
        _fill(engine, database)
        yield Large(authority, engine, database)


def _fill(engine: Engine, database: str) -> None:
    statements = [
        f"INSERT INTO rescind.{table} {SERIES.format(count)} SELECT {row} FROM n"
        for table, row, count in FILL
    ]
    last = "UPDATE rescind.organization SET last_number = 7000000 WHERE id = 1"
    connection: Any
    if engine == "sqlite":
        connection = connect(database.removeprefix("sqlite:///"))
    else:
        connection = psycopg.connect(database, autocommit=True)
    of_keys = (
        "PRAGMA foreign_keys = OFF"
        if engine == "sqlite"
        else "SET session_replication_role = replica"
    )
    with closing(connection):
        connection.execute(of_keys)
        connection.execute("BEGIN")
        for statement in (*statements, WIDE, last):
            connection.execute(ours(engine, statement))
        connection.execute("COMMIT")


def pages(large: Large, name: str, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the first page visits, the second, and one from far on."""
    asked: list[tuple[str, dict[str, Any]]] = []
    kind: Any = SqliteSnapshot if large.engine == "sqlite" else PostgresSnapshot
    fetch_many = kind.fetch_many

    def recording(snapshot: Any, questions: Any, **how: Any) -> Any:
        asked.extend((str(query), dict(params)) for query, params in questions)
        return fetch_many(snapshot, questions, **how)

    monkeypatch.setattr(kind, "fetch_many", recording)
    ask, cursor, found = LISTS[name](large.authority), None, []
    for limit in (LIMIT, LIMIT, FAR, LIMIT):
        asked.clear()
        page = ask(limit=limit, cursor=cursor)
        cursor = page.next_cursor
        assert 0 < len(page.items) <= limit
        if limit == LIMIT:
            found.append(large.visited(asked))
        if cursor is None:
            break
    monkeypatch.undo()
    return found


@pytest.mark.parametrize("name", LISTS)
def test_a_page_costs_a_page(large: Large, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one, the next, and one after a thousand more; 100,000 groups, 6,000 of everything else."""
    most = MOST_ROWS + OF_GROUPS_BELOW.get(name, 0)
    found = pages(large, name, monkeypatch)
    assert max(found) <= most, found


SLOW = {
    "groups": ("listed_groups", "g.slug > ", "g.slug || '' > "),
    "members": ("listed_members", "gm.membership > ", "gm.membership + 0 > "),
    "expiring": ("listed_expiring", "ORDER BY gm.expires_at,", "ORDER BY gm.expires_at + 0,"),
}


@pytest.mark.parametrize("name", SLOW)
def test_without_its_index_a_page_costs_the_list(
    large: Large, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what is read from the middle of an index is read from its beginning."""
    query, key, spoilt = SLOW[name]
    sql = queries(large.engine)[query]
    assert key in sql
    monkeypatch.setitem(queries(large.engine), query, sql.replace(key, spoilt))
    with monkeypatch.context() as patched:
        assert max(pages(large, name, patched)) > MOST_ROWS, name


HINTS = {
    "similar_groups": "g77",
    "similar_subjects": "user:u77",
    "similar_resources": "doc:n77",
    "similar_roles": "q77",
    "similar_permissions": "q77",
    "similar_types": "dco",
    "similar_organizations": "o77",
}
MOST_LOOKED_AT = 2 * 3 * NEAR
"""Before, after and from the beginning; of the organization and of all organizations."""


@pytest.mark.parametrize("query", HINTS)
def test_a_hint_costs_the_same_however_many_names_there_are(large: Large, query: str) -> None:
    """Names near one, and the first ones; of the organization and all organizations, never of another."""
    params = {"o": 1, "name": HINTS[query], "first": EARLIEST, "limit": NEAR}
    found = [name for (name,) in large.authority.store.fetch(query, params)]
    assert 0 < len(found) <= MOST_LOOKED_AT
    assert query == "similar_organizations" or not any(name.startswith("r1") for name in found)
    assert large.visited([(query, params)]) <= 4 * MOST_LOOKED_AT
