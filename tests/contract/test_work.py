"""What a change reads does not grow with what it is not about, whatever the planner knows of the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg
import pytest

from rescind import Authority, changes
from rescind.changes import Change
from rescind.errors import RescindError
from rescind.store.postgres import configure
from tests.contract.test_noops import NOOPS
from tests.contract.test_queries import DEEDS, PENDING
from tests.contract.test_view import run
from tests.contract.world import WORLD

FEW, MANY = 60, 1_200
NOISE: Final = (
    "SET LOCAL session_replication_role = replica",
    "INSERT INTO rescind.membership (organization, id, subject, active, created_at)"
    " SELECT 1, 100000 + i, 'user:noise' || i, TRUE, 0 FROM generate_series(1, {n}) AS i",
    'INSERT INTO rescind."group" (organization, id, slug)'
    " SELECT 1, -200000 - i, 'noise' || i FROM generate_series(1, {n}) AS i",
    'INSERT INTO rescind.group_member (organization, membership, "group")'
    " SELECT 1, 100000 + i, -200000 - i % ({n} / 10) - 1 FROM generate_series(1, {n}) AS i",
    "INSERT INTO rescind.recorded_nesting (organization, child, parent)"
    " SELECT 1, -200000 - i, -200001 - i FROM generate_series(1, {n}) AS i WHERE i % 5 <> 0",
    "INSERT INTO rescind.permission (id, organization, slug, description, critical) OVERRIDING SYSTEM VALUE"
    " SELECT 100000 + i, 1, 'noise' || i, '', FALSE FROM generate_series(1, {n}) AS i",
    "INSERT INTO rescind.role (id, organization, slug, priority, critical) OVERRIDING SYSTEM VALUE"
    " SELECT 100000 + i, 1, 'noise' || i, 0, FALSE FROM generate_series(1, {n}) AS i",
    "INSERT INTO rescind.role_permission (role, permission)"
    " SELECT 100000 + i % ({n} / 10), 100000 + i FROM generate_series(1, {n}) AS i",
    "INSERT INTO rescind.resource (organization, id, slug, parent) SELECT 1, 300000 + i, 'doc:noise' || i,"
    " CASE WHEN i <= 20 THEN 0 ELSE 300001 + i % 20 END FROM generate_series(1, {n}) AS i",
    "INSERT INTO rescind.assignment (organization, id, holder, role, resource, made)"
    " SELECT 1, 400000 + i, 100000 + i, 100000 + i % ({n} / 10), 300000 + i, 1"
    " FROM generate_series(1, {n}) AS i",
    "INSERT INTO rescind.assignment (organization, id, holder, role, resource, made)"
    " SELECT 1, -500000 - i, -200001 - i % ({n} / 10), 100000 + i, 0, 1 FROM generate_series(1, {n}) AS i",
    "INSERT INTO rescind.effective_role (organization, membership, assignment)"
    " SELECT 1, 100000 + i, 400000 + i FROM generate_series(1, {n}) AS i",
)
"""Members, groups, roles and so on that no change of the test names."""
READ: Final = (
    "SELECT CAST(sum(pg_stat_get_xact_tuples_returned(c.oid)) AS INTEGER) FROM pg_class AS c"
    " WHERE c.relnamespace = CAST('rescind' AS regnamespace)"
)
"""How many rows and index entries the transaction has been given so far."""
STATISTICS: Final = {
    "never": ((), ()),
    "when empty": (("ANALYZE",), ()),
    "since": ((), ("ANALYZE",)),
}
WHOLE: Final = (changes.DeleteOrganization,)
"""Changes that are about everything in the organization."""
DONE: Final = [change for change in (*NOOPS, *DEEDS, *PENDING) if not isinstance(change, WHOLE)]


@contextmanager
def noisy(database: str, size: int, statistics: str) -> Iterator[tuple[Authority, Any]]:
    """An authority and a connection with Rescind's settings, in a database with so much noise."""
    without_vacuum(database)
    if statistics == "when empty":
        vacuum(database)
    with Authority.open(database, organization="acme") as authority:
        authority.apply(WORLD)
        run(database, *(text.format(n=size) for text in NOISE))
        if statistics == "since":
            vacuum(database)
        with psycopg.connect(database, autocommit=True) as connection:
            configure(connection)
            connection.autocommit = False
            yield authority, connection


def without_vacuum(database: str) -> None:
    """Let the server neither vacuum nor analyse by itself."""
    tables = (
        "SELECT oid::regclass::text FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'rescind'::regnamespace"
    )
    for (table,) in run(database, tables):
        run(database, f"ALTER TABLE {table} SET (autovacuum_enabled = off)")


def vacuum(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")


def read(authority: Authority, connection: Any, change: Change) -> int:
    """How much a change reads, which is then undone."""
    ((before,),) = connection.execute(READ).fetchall()
    with suppress(RescindError):
        authority.apply([change], within=connection)
    ((after,),) = connection.execute(READ).fetchall()
    connection.rollback()
    return int(after - before)


def all_read(database: str, size: int, statistics: str, *before: str) -> dict[str, int]:
    """How much each of the changes reads, where all roles count and where one does."""
    found = {}
    with noisy(database, size, statistics) as (authority, connection):
        run(database, "SELECT 1", *before)
        for mode in ("multiple", "single"):
            authority.apply([changes.SetRoleMode(mode=mode)])
            found |= {f"{mode}: {change}": read(authority, connection, change) for change in DONE}
    return found


@pytest.fixture(scope="module")
def little(new_shared_database: Callable[[str], str]) -> dict[str, int]:
    """What they read where there is little else."""
    return all_read(new_shared_database("postgres"), FEW, "since")


def grown(little: dict[str, int], much: dict[str, int]) -> set[str]:
    """The changes that read more where there is much else."""
    return {change for change, rows in much.items() if rows > 1.5 * little[change] + 60}


@pytest.mark.parametrize("statistics", STATISTICS)
def test_what_a_change_reads_does_not_grow(
    statistics: str, little: dict[str, int], new_database: Callable[[str], str]
) -> None:
    """With twenty times as much around it; never analysed, analysed when it was empty, and since."""
    assert grown(little, all_read(new_database("postgres"), MANY, statistics)) == set()


def test_control_of_an_index(little: dict[str, int], new_database: Callable[[str], str]) -> None:
    """An index of the organization alone is taken for as good as one of the name, and all are read."""
    before = (
        "DROP INDEX rescind.role_by_organization",
        "CREATE INDEX role_by_organization ON rescind.role (organization)",
    )
    much = all_read(new_database("postgres"), MANY, "never", *before)
    assert any("EditRole" in change for change in grown(little, much))


@pytest.mark.parametrize("statistics", ["never", "when empty"])
def test_a_role_costs_what_it_names(statistics: str, new_database: Callable[[str], str]) -> None:
    """Ten times as many permissions, ten times as much; not the permissions that there are for each."""
    with noisy(new_database("postgres"), MANY, statistics) as (authority, connection):
        costs = []
        for count in (100, 1_000):
            named = tuple(f"noise{number}" for number in range(1, count + 1))
            costs.append(
                read(authority, connection, changes.DefineRole(role="large", permissions=named))
            )
    assert costs[1] < 12 * costs[0]
    assert costs[0] < 3_000
