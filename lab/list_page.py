"""A page of an application's own rows that a user may read, by one statement: `list.page_ms`.

The statement is that of docs/howto/join-in-sql.md, on a default server and connection. Each document is a
resource in a folder. One user may read all documents, one those of every hundredth folder, one none.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any, Final

import psycopg

from lab.databases import bare, numbers
from lab.timing import median_milliseconds
from rescind import Authority, changes, sql
from rescind.store.queries import Engine, named

SIZES: Final = (20_000, 1_000_000)
PER_FOLDER: Final = 100
HUNDREDTH: Final = 100
"""One folder of so many may be read by one of the users."""
PAGE: Final = 20
ROUNDS: Final = 40
STEP: Final = 7_919
"""A prime: the times of documents have another order than their numbers."""
FIRST_FOLDER: Final = 100
USERS: Final = {"all": "user:all", "hundredth": "user:hundredth", "none": "user:none"}
_FILL: Final = (
    "INSERT INTO rescind.resource (organization, id, slug, parent) {folders}"
    " SELECT {o}, {first} + n, 'folder:' || n, 0 FROM n",
    "INSERT INTO rescind.resource (organization, id, slug, parent) {docs}"
    " SELECT {o}, {first} + {many} + n, 'doc:' || n, {first} + 1 + (n - 1) / {per_folder} FROM n",
    "UPDATE rescind.organization SET last_number = {first} + {many} + {count} WHERE id = {o}",
    "CREATE TABLE document (resource TEXT PRIMARY KEY, number INTEGER NOT NULL, updated INTEGER NOT NULL)",
    "INSERT INTO document (resource, number, updated) {docs}"
    " SELECT 'doc:' || n, n, (n * CAST({step} AS BIGINT)) % {count} FROM n",
    "CREATE INDEX document_by_update ON document (updated)",
)


def figures(make: Callable[[str], str], *, quick: bool) -> dict[str, float]:
    """The median of a page for each user, in ms, by engine and number of documents; and the most of them."""
    found: dict[str, float] = {}
    engines: tuple[Engine, ...] = ("sqlite", "postgres")
    for engine in engines:
        for count in SIZES[:1] if quick else SIZES:
            print(f"lab: {engine}, pages of {count:,} documents …", file=sys.stderr)
            url = make(engine)
            _fill(engine, url, count)
            for name, milliseconds in _pages(engine, url, count).items():
                found[f"list.page.{name}.{engine}.{count}.p50_ms"] = milliseconds
    return {**found, "list.page_ms": max(found.values())}


def _fill(engine: Engine, url: str, count: int) -> None:
    with Authority.open(url, organization="lab") as authority:
        authority.apply(
            [
                changes.CreateOrganization(name="Lab"),
                changes.DefinePermission(permission="doc:read"),
                changes.DefineRole(role="reader", permissions=("doc:read",)),
                changes.DefineResourceType(type="folder"),
                changes.DefineResourceType(type="doc", parents=("folder",)),
                *(changes.AddMembership(subject=user) for user in USERS.values()),
                changes.Assign(role="reader", to=USERS["all"]),
            ]
        )
        many = count // PER_FOLDER
        with bare(engine, url) as connection:
            _write(engine, connection, count, many)
        read = range(HUNDREDTH, many + 1, HUNDREDTH)
        authority.apply(
            [changes.Assign(role="reader", to=USERS["hundredth"], on=f"folder:{n}") for n in read],
            route="inline",
        )


def _write(engine: Engine, connection: Any, count: int, many: int) -> None:
    def ask(statement: str) -> Any:
        return connection.execute(named(statement, engine))

    ((o,),) = ask("SELECT id FROM rescind.organization WHERE slug = 'lab'").fetchall()
    values = {
        "o": o,
        "count": count,
        "many": many,
        "first": FIRST_FOLDER,
        "per_folder": PER_FOLDER,
        "step": STEP,
        "folders": numbers(many),
        "docs": numbers(count),
    }
    ask("BEGIN")
    for statement in _FILL:
        ask(statement.format(**values))
    ask("COMMIT")
    if engine == "postgres":  # as autovacuum does soon after
        ask("ANALYZE")


def _pages(engine: Engine, url: str, count: int) -> dict[str, float]:
    beginning = sql.permitted("document AS d", resource="d.resource", engine=engine)
    statement = (
        f"{beginning} SELECT number, updated FROM permitted ORDER BY updated DESC LIMIT {PAGE}"
    )
    found = {}
    with _default(engine, url) as connection:
        for name, user in USERS.items():
            asked = {"organization": "lab", "subject": user, "permission": "doc:read"}
            _require_right(name, _rows(connection, statement, asked), count)
            found[name] = median_milliseconds(partial(_rows, connection, statement, asked), ROUNDS)
    return found


def _rows(connection: Any, statement: str, asked: dict[str, str]) -> list[tuple[int, int]]:
    rows: list[tuple[int, int]] = connection.execute(statement, asked).fetchall()
    return rows


@contextmanager
def _default(engine: Engine, url: str) -> Iterator[Any]:
    """A connection as an application opens one, with the server's settings."""
    if engine == "sqlite":
        with closing(sqlite3.connect(url)) as connection:
            yield connection
        return
    with psycopg.connect(url, autocommit=True) as server:
        yield server


def _require_right(name: str, page: list[tuple[int, int]], count: int) -> None:
    """A page that is not that of its user is no measurement."""
    there = {
        "all": range(1, count + 1),
        "hundredth": [
            number
            for number in range(1, count + 1)
            if (1 + (number - 1) // PER_FOLDER) % HUNDREDTH == 0
        ],
        "none": (),
    }[name]
    expected = sorted(((n * STEP % count, n) for n in there), reverse=True)[:PAGE]
    if [(updated, number) for number, updated in page] != expected:
        raise RuntimeError(f"the page of {name} is {page}, and should be {expected}")
