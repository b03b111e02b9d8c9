"""Joins as PostgreSQL is given them: each side named by the other is looked up for it."""

from __future__ import annotations

import re

import pytest

from rescind.store.joins import laterally
from rescind.store.queries import OF_USERS, queries

REWRITTEN = {
    "SELECT 1 FROM a AS x JOIN b AS y ON y.id = x.id AND y.n IN (1, 2) WHERE x.id = 1": (
        "SELECT 1 FROM a AS x CROSS JOIN LATERAL (SELECT * FROM b AS y\n"
        "WHERE y.id = x.id AND y.n IN (1, 2) OFFSET 0) AS y WHERE x.id = 1"
    ),
    "SELECT 1 FROM a AS x LEFT JOIN b AS y ON y.id = x.id ORDER BY 1": (
        "SELECT 1 FROM a AS x LEFT JOIN LATERAL (SELECT * FROM b AS y\nWHERE y.id = x.id OFFSET 0) AS y"
        " ON TRUE ORDER BY 1"
    ),
    "FROM a AS x JOIN (SELECT 1 FROM c AS z JOIN d AS w ON w.id = z.id) AS y ON y.id = x.id, e": (
        "FROM a AS x CROSS JOIN LATERAL (SELECT * FROM (SELECT 1 FROM c AS z CROSS JOIN LATERAL"
        " (SELECT * FROM d AS w\nWHERE w.id = z.id OFFSET 0) AS w) AS y\nWHERE y.id = x.id OFFSET 0) AS y, e"
    ),
    "FROM a AS x JOIN f(')') AS i (value) ON i.value = 'JOIN (' || x.id": (
        "FROM a AS x CROSS JOIN LATERAL (SELECT * FROM f(')') AS i (value)\n"
        "WHERE i.value = 'JOIN (' || x.id OFFSET 0) AS i"
    ),
    "FROM a AS x CROSS JOIN b AS y CROSS JOIN LATERAL (SELECT 1) AS z": (
        "FROM a AS x CROSS JOIN b AS y CROSS JOIN LATERAL (SELECT 1) AS z"
    ),
}


@pytest.mark.parametrize("sql", REWRITTEN)
def test_a_join_is_a_subquery_for_each_row_before_it(sql: str) -> None:
    """Whatever it joins, and whatever follows."""
    assert laterally(sql) == REWRITTEN[sql]


def test_joins_outside_may_be_left_to_the_planner() -> None:
    """Where the outer statement is a user's."""
    sql = "FROM a AS x JOIN b AS y ON EXISTS (SELECT 1 FROM c AS z JOIN d AS w ON w.id = z.id)"
    rewritten = laterally(sql, least_depth=1)
    assert rewritten.startswith("FROM a AS x JOIN b AS y ON EXISTS")
    assert rewritten.count("LATERAL") == 1


@pytest.mark.parametrize(
    "sql", ["FROM a AS x JOIN b ON TRUE", "FROM a AS x JOIN (SELECT 1", "JOIN b AS y"]
)
def test_what_cannot_be_read_is_refused(sql: str) -> None:
    """A statement is never half rewritten."""
    with pytest.raises(ValueError, match=r"a (join|parenthesis)"):
        laterally(sql)


def test_no_statement_leaves_its_order_to_the_planner() -> None:
    """Of Rescind's own. (Control: those that are part of users' statements do.)"""
    plain = re.compile(r"(?<!CROSS )(?<!LEFT )JOIN (?!LATERAL)|LEFT JOIN (?!LATERAL)")
    found = {name for name, sql in queries("postgres").items() if plain.search(sql)}
    assert found == {"define_reach", "effective_permission_view"}
    assert found <= OF_USERS
