"""Clauses for statements of an application's own: which rows of its table a subject may use.

Nothing is asked here: a clause is text, and says what holds when the statement that it stands in is run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from string import Template
from typing import Final, Literal, get_args

from rescind.errors import InvalidArgument
from rescind.store.queries import SCHEMA, Engine, queries

Placeholders = Literal["named", "pyformat"]
"""`:subject` as in sqlite3 and SQLAlchemy's text(), or `%(subject)s` as in psycopg and Django."""

_NAME: Final = r'(?:\w+|"[^"]+")'
_TABLE: Final = re.compile(rf"(?:{_NAME}\.)?({_NAME})(?:\s+(?:AS\s+)?({_NAME}))?", re.IGNORECASE)
_PYFORMAT: Final = re.compile(r"%\((\w+)\)s")
_NAMED: Final = re.compile(r"(?<![\w:']):([a-z]+)\b")
_SLUGS: Final = {"sqlite": "named.slug", "postgres": "listed.slug"}
"""What the clause calls the resource that it looks up."""
TAKEN: Final = frozenset(
    (
        "",
        "above",
        "below",
        "bound",
        "listed",
        "named",
        "path",
        "permitted",
        "place",
        "r",
        "reach",
        "up",
        "v",
        "walked",
        "x",
    )
)
"""Names of the clause's own."""


def permitted(
    table: str,
    *,
    resource: str,
    engine: Engine,
    columns: Sequence[str] = ("*",),
    placeholders: Placeholders | None = None,
    schema: str = SCHEMA,
    lookup: str | None = None,
) -> str:
    """A WITH clause; a statement that begins with it reads, FROM permitted, the rows that a subject may use.

    A row is there exactly if a check would allow the permission on its resource when the statement runs.
    `resource` is the expression of the table that gives the resource's id, and has an index: `d.resource`, or
    `'doc:' || d.id`. The statement takes the parameters `organization`, `subject` and `permission`. Beside
    the table's columns there are `is_listed` and `resource_asked`. Table, resource and columns are put in as
    they are: take them from no request. `schema` is the one that the URL of a PostgreSQL database names.
    Where `resource` has no index, `lookup` is a condition that finds the row of the resource `{slug}` by
    another one: `d.id = CAST(substr({slug}, 5) AS INTEGER)`. It must hold wherever `resource` is `{slug}`.
    Raises InvalidArgument for a table that is not a name and an alias.
    """
    if engine not in get_args(Engine):
        raise InvalidArgument(what="engine", value=repr(engine), hint="use 'sqlite' or 'postgres'")
    match = _TABLE.fullmatch(table.strip())
    alias = "" if match is None else match[2] or match[1]
    if alias.strip('"').lower() in TAKEN:
        hint = "give the table's name and an alias that the clause does not use: document AS d"
        raise InvalidArgument(what="table", value=table, hint=hint)
    names = {
        "table": table.strip(),
        "alias": alias,
        "reach": "reach",
        "resource": resource,
        "columns": ", ".join(f"{alias}.{column}" for column in columns),
        "lookup": "" if lookup is None else f" AND {lookup.replace('{slug}', _SLUGS[engine])}",
    }
    text = queries(engine, schema)["permitted"]
    if placeholders == "named":
        text = _PYFORMAT.sub(r":\1", text)
    elif placeholders == "pyformat":
        text = _NAMED.sub(r"%(\1)s", text)
    return Template(text).substitute(names)
