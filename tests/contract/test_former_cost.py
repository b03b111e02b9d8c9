"""What was deleted is found by its name without going through what else was deleted: rows are counted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rescind import Authority
from rescind.store.queries import Engine, queries
from tests.conftest import ENGINES
from tests.sql import ours

MANY = 100_000
"""Organizations; every other one was deleted."""
FEW = 8
"""Rows that each statement may look at."""
STEPS = 150
"""Instructions of SQLite, in which a row takes three at the least."""
SERIES = f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})"
FILL = (
    f"INSERT INTO rescind.organization (id, slug, deleted_as, name, created_at) {SERIES}"
    " SELECT 1000 + i, CASE WHEN i % 2 = 0 THEN 'o' || i END, CASE WHEN i % 2 = 1 THEN 'o' || i END, 'x', 0"
    " FROM n"
)
BY_NAME = (
    "has_former",
    "find_former_key",
    "list_former_organizations",
    "find_log",
    "find_logs_named",
    "list_logs_of",
)
ASKED = {"key": "k", "cutoff": 0, "after": -1, "limit": 10}


@pytest.fixture(scope="module", params=ENGINES)
def crowded(
    request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]
) -> Iterator[Authority]:
    with Authority.open(new_shared_database(request.param)) as opened:
        with opened.store.connection() as connection:
            driver: Any = connection
            driver.execute(ours(opened, FILL))
        yield opened


def looked_at(authority: Authority, name: str, organization: str) -> int:
    """How many rows (on SQLite: steps) a statement looks at."""
    engine: Engine = "sqlite" if authority.store.engine == "sqlite" else "postgres"
    sql, params = queries(engine)[name], {**ASKED, "organization": organization}
    with authority.store.connection() as connection:
        driver: Any = connection
        if engine == "postgres":
            explain = f"EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) {sql}"
            ((plan,),) = driver.execute(explain, params).fetchall()
            return _rows((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        driver.set_progress_handler(count, 1)
        driver.execute(sql, params).fetchall()
        driver.set_progress_handler(None, 1)
        return steps


def _rows(node: dict[str, Any]) -> int:
    removed = sum(value for name, value in node.items() if name.startswith("Rows Removed by"))
    own = (node["Actual Rows"] + removed) * node["Actual Loops"]
    return int(own) + sum(map(_rows, node.get("Plans", ())))


@pytest.mark.parametrize("name", BY_NAME)
def test_by_a_name(crowded: Authority, name: str) -> None:
    """Of one that was deleted, one that is there, and one that never was."""
    most = STEPS if crowded.store.engine == "sqlite" else FEW
    for organization in ("o1", "o99999", "o2", "o100000", "none"):
        assert looked_at(crowded, name, organization) <= most, organization


def test_without_the_index_all_that_was_deleted_is_looked_at(crowded: Authority) -> None:
    """The control."""
    drop, make = (
        "DROP INDEX rescind.organization_by_former_name",
        "CREATE INDEX {} ON rescind.organization (deleted_as) WHERE deleted_as IS NOT NULL",
    )
    index = (
        "rescind_organization_by_former_name"
        if crowded.store.engine == "sqlite"
        else "organization_by_former_name"
    )
    for statement in (drop, make.format(index)):
        with crowded.store.connection() as connection:
            driver: Any = connection
            driver.execute(ours(crowded, statement))
        if statement is drop:
            assert all(looked_at(crowded, name, "none") > MANY / 4 for name in BY_NAME)
