"""Queries by name, from the `.sql` files beside this module.

`-- name: x` starts a query. `-- fragment: x` starts a clause that several queries share, such as a CTE, a
predicate or a list of columns. `@pairs.x` stands for the fragment x of pairs.sql. A fragment may use others,
but those use none.

The files in SHARED serve both engines. `sqlite.sql` and `postgres.sql` add queries, or override them by name.
There `-- fragment: pairs.x` overrides a fragment of a shared file. `-- fragment: engine.x` is one that each
engine writes in its own way; shared files use it as `@engine.x`.

`rescind sql NAME` prints a query as an engine gets it, and tests/sql_snapshots has all of them.

Every table, view and function of Rescind is written `rescind.name`. PostgreSQL has them in a schema, so that
no search path matters. SQLite has no schemas: there they begin with `rescind_`. CTEs and aliases stand alone.

Joins are written in the order in which they are to be done, and are done in it: SQLite takes that from
CROSS JOIN, PostgreSQL from LATERAL and OFFSET (`joins`).
"""

from __future__ import annotations

import re
from functools import cache
from pkgutil import get_data
from typing import Final, Literal

from rescind.store.joins import laterally

Engine = Literal["sqlite", "postgres"]
SCHEMA: Final = "rescind"
"""The schema on PostgreSQL unless the URL names another."""

SHARED = (
    "changes.sql",
    "spelling.sql",
    "pairs.sql",
    "single_role.sql",
    "required.sql",
    "pending.sql",
    "reconcile.sql",
    "audit.sql",
    "audit_rounds.sql",
    "tasks.sql",
    "decisions.sql",
    "lists.sql",
    "facts.sql",
    "log.sql",
    "listing.sql",
    "index.sql",
    "keys.sql",
    "directory.sql",
    "events.sql",
    "deletion.sql",
    "imports.sql",
    "targets.sql",
    "metrics.sql",
    "probe.sql",
    "past.sql",
    "reviews.sql",
    "actions.sql",
)

OF_USERS: Final = frozenset(
    {
        "effective_permission_view",
        "define_reach",
        "permitted",
        "reach_of_list",
        "rows_of_list",
        "reach_of_row",
        "row_is_permitted",
    }
)
"""Queries that become part of users' own statements. PostgreSQL may order their outer joins itself."""

_INDENTATION = re.compile(r"\n +")
_HEADER = re.compile(r"^-- (name|fragment): ([\w.]+)$", re.MULTILINE)
_FRAGMENT = re.compile(r"@(\w+\.\w+)")
_PARAMETER = re.compile(r"(?<![\w:']):([a-z_]+)\b")
_JOIN = re.compile(r"(?<!LEFT )(?<!CROSS )JOIN")
_OURS = re.compile(r"(?<![\w.'\"])rescind\.(?=[a-z\"])")
_OURS_QUOTED = re.compile(r"(?<![\w.'\"])rescind\.(?:\"(\w+)\"|(\w+))")
_SCHEMA = re.compile(r"\bSCHEMA rescind\b")
_DATA_CHANGE = re.compile(r"^(INSERT|UPDATE|DELETE)\b", re.MULTILINE)


@cache
def source_files(engine: Engine) -> dict[str, str]:
    """The file of each query of an engine, by the query's name."""
    return {
        match[2]: name
        for name in (*SHARED, f"{engine}.sql")
        for match in _HEADER.finditer(_text(name))
        if match[1] == "name"
    }


@cache
def queries(engine: Engine, schema: str = SCHEMA) -> dict[str, str]:
    """Every query of an engine, with its fragments and in the parameter style of the driver."""
    found, fragments = sources(engine)
    return {
        name: named(
            _translated(_filled(body, fragments), engine, is_ours=name not in OF_USERS),
            engine,
            schema,
        )
        for name, body in found.items()
    }


def unindented(queries: dict[str, str]) -> dict[str, str]:
    """The same queries without indentation. psycopg remembers how it read a statement of at most 4,096
    characters; a longer one it reads again each time.
    """
    return {name: _INDENTATION.sub("\n", sql) for name, sql in queries.items()}


@cache
def sources(engine: Engine) -> tuple[dict[str, str], dict[str, str]]:
    """The queries of an engine as written, by name, and the fragments, by qualified name."""
    found: dict[str, str] = {}
    fragments: dict[str, str] = {}
    for file in (*SHARED, f"{engine}.sql"):
        parts = _HEADER.split(_text(file))[1:]
        for kind, name, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            if kind == "name":
                found[name] = _without_comments(body)
            else:
                qualified = name if "." in name else f"{file.removesuffix('.sql')}.{name}"
                fragments[qualified] = _without_comments(body)
    return found, fragments


def fragments_in(sql: str) -> list[str]:
    """The qualified names of the fragments that a query or a fragment uses, one for each use."""
    return _FRAGMENT.findall(sql)


def named(sql: str, engine: Engine, schema: str = SCHEMA) -> str:
    """The statement with the engine's names for `rescind.…`. String literals are not changed."""
    if engine == "sqlite":
        return _OURS_QUOTED.sub(lambda match: f"rescind_{match[1] or match[2]}", sql)
    if schema == SCHEMA:
        return sql
    return _SCHEMA.sub(f"SCHEMA {quoted(schema)}", _OURS.sub(f"{quoted(schema)}.", sql))


def quoted(schema: str) -> str:
    """The schema's name for statements: quoted, unless it is the default."""
    return schema if schema == SCHEMA else f'"{schema}"'


def parameters(sql: str) -> frozenset[str]:
    """The names of a query's parameters, in either style."""
    return frozenset(_PARAMETER.findall(sql)) | frozenset(re.findall(r"%\((\w+)\)s", sql))


def changes_data(sql: str) -> bool:
    """Whether a query writes."""
    return bool(_DATA_CHANGE.search(sql))


def _text(name: str) -> str:
    text = get_data("rescind.store.sql", name)
    assert text is not None, name
    return text.decode().replace("\r\n", "\n")


def _without_comments(body: str) -> str:
    lines = (line.split(" -- ")[0].rstrip() for line in body.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("--")).strip()


def _filled(body: str, fragments: dict[str, str]) -> str:
    while _FRAGMENT.search(body):
        body = _FRAGMENT.sub(lambda match: fragments[match[1]], body)
    return body


def _translated(sql: str, engine: Engine, *, is_ours: bool) -> str:
    if engine == "sqlite":
        sql = sql.replace("rescind.json_texts(", "json_each(")
        sql = sql.replace("rescind.json_items(", "json_each(")
        return _JOIN.sub("CROSS JOIN", sql)
    ordered = laterally(sql, least_depth=0 if is_ours else 2)
    return _PARAMETER.sub(r"%(\1)s", ordered.replace("%", "%%"))
