"""What the hash chain of the change log costs a change, and how fast it is verified."""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from lab.databases import servers
from lab.report import Goal
from rescind import Authority, changes
from rescind.propagation.chaining import chain_all
from rescind.semantics import chain
from rescind.store.queries import named

ENGINES: Final = ("sqlite", "postgres")
GOALS = {
    "past.verify.rows_per_s": Goal(200_000.0, is_least=True),
    "past.change.overhead": Goal(1.05),
}
_DIGEST: Final = re.compile(
    r"sha256\(CASE WHEN c\.revision = 1.*?'UTF8'\)\)(?=\s+FROM drafted)", re.DOTALL
)


def verify(*, quick: bool) -> dict[str, float]:
    """Figures by engine; without one, the worse of both."""
    figures: dict[str, float] = {}
    with servers() as make:
        for engine in ENGINES:
            url = make(engine)
            with Authority.open(url, organization="with") as authority:
                print(f"lab: {engine}, changes with digests and without …", file=sys.stderr)
                figures[f"past.{engine}.change.overhead"] = _overhead(
                    authority, 40 if quick else 500
                )
                rows = 50_000 if quick else 1_000_000
                print(f"lab: {engine}, verifying {rows:,} changes …", file=sys.stderr)
                chained, verified = _rates(authority, rows)
                figures[f"past.{engine}.chain.rows_per_s"] = chained
                figures[f"past.{engine}.verify.rows_per_s"] = verified
    figures["past.verify.rows_per_s"] = min(figures[f"past.{e}.verify.rows_per_s"] for e in ENGINES)
    figures["past.change.overhead"] = max(figures[f"past.{e}.change.overhead"] for e in ENGINES)
    return figures


def _overhead(authority: Authority, blocks: int) -> float:
    """A change with its digest against one without: the median of the ratios of pairs.

    Either is first by turns. A commit takes as long as the disk lets it, so the fastest ones say little.
    """
    for name in ("with", "without"):
        facts: list[Any] = [
            changes.CreateOrganization(),
            changes.DefineRole(role="reader", permissions=()),
            changes.AddMembership(subject="user:ada"),
        ]
        authority.apply(facts, organization=name)
    store: Any = authority.store
    queries, digest = dict(store.queries), chain.digest_of_next
    plain = {name: _DIGEST.sub("NULL", sql) for name, sql in queries.items()}
    assert store.engine == "sqlite" or plain != queries
    ways: dict[str, tuple[dict[str, str], Callable[..., Any]]] = {
        "with": (queries, digest),
        "without": (plain, lambda *_: None),
    }
    ratios = []
    try:
        for number in range(blocks):
            took = {}
            for name in sorted(ways, reverse=bool(number % 2)):
                store.queries, chain.digest_of_next = ways[name]
                begin = time.perf_counter()
                for change in (changes.Assign, changes.Unassign):
                    authority.apply([change(role="reader", to="user:ada")], organization=name)
                took[name] = time.perf_counter() - begin
            ratios.append(took["with"] / took["without"])
    finally:
        store.queries, chain.digest_of_next = queries, digest
    return statistics.median(ratios)


def _rates(authority: Authority, rows: int) -> tuple[float, float]:
    """Changes per second that a log of an older version is chained with, and verified."""
    engine: Any = authority.store.engine
    series = (
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $rows)"
        if engine == "sqlite"
        else "WITH n (i) AS (SELECT generate_series(1, $rows))"
    )
    authority.apply([changes.CreateOrganization()], organization="long")
    ((number, *_),) = authority.store.fetch("plan", {"organization": "long"})
    body = '[{"change":"add_members","group":"engineering","members":["user:ada.lovelace"]}]'
    statements = (
        "INSERT INTO rescind.change (organization, revision, recorded_at, actor, reason, direction, route,"
        f" granted, revoked, settled_at, body, environment) {series} SELECT {number}, i + 1, i, 'ada',"
        f" 'a reason to do it', 'grants', 'inline', 1, 0, i, '{body}', 0 FROM n",
        f"UPDATE rescind.organization SET revision = $rows + 1 WHERE id = {number}",
    )
    with authority.store.connection() as connection:
        driver: Any = connection
        for statement in statements:
            sql = statement.replace("$rows", f"{rows}")
            driver.execute(named(sql, "sqlite" if engine == "sqlite" else "postgres"))
    begin = time.perf_counter()
    done = chain_all(authority.store)
    chaining = time.perf_counter() - begin
    best = float("inf")
    for _ in range(3):
        begin = time.perf_counter()
        (found,) = authority.verify_log(organization="long")
        best = min(best, time.perf_counter() - begin)
        assert found.fits, found
    assert found.rows == rows + 1
    return done / chaining, found.rows / best
