"""Elements of SQLAlchemy that are written as Rescind's clauses, in the SQL of the engine that runs them.

Knows what stands for a table, a condition and a CTE; not where they stand in a statement (`placing`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from string import Template
from typing import Any, Final, TypeAlias, cast

import sqlalchemy
from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnClause,
    ColumnElement,
    FromClause,
    TableClause,
    TextualSelect,
)
from sqlalchemy.exc import CompileError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import coercions, roles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import _truncated_label
from sqlalchemy.sql.selectable import CTE, Alias, FromGrouping
from sqlalchemy.sql.visitors import InternalTraversal, replacement_traverse

from rescind.errors import InvalidArgument
from rescind.model import organization_id, permission_id, subject_id
from rescind.store.queries import SCHEMA, Engine, queries

Text: TypeAlias = str | BindParameter[str]
"""A value, or `bindparam("…")` for a statement that is made once and executed with different values."""

ROW: Final = "rescind_row"
"""The application's table inside our clause."""
PERMITTED: Final = "rescind_permitted"
"""A column that only our clause has. The statement asks for it, so it fails if the clause is not in it."""
_ENGINES: Final[dict[str, Engine]] = {
    "sqlite": "sqlite",
    "postgresql": "postgres",
    "default": "postgres",
}
"""By the name of the dialect; `default` is that of `str(statement)`."""
_PLACE: Final = re.compile(
    r"%\((organization|subject|permission)\)s|(?<![:\w]):(organization|subject|permission)\b"
)
"""Of a parameter in the statements for PostgreSQL, and in those for SQLite."""
_HINT_ON: Final = (
    "give a column of the table that is listed, or an expression of one table: on=Doc.resource"
)


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks for what, as parameters of a statement."""

    organization: BindParameter[str]
    subject: BindParameter[str]
    permission: BindParameter[str]
    schema: str

    @classmethod
    def of(cls, organization: Text, subject: Text, permission: Text, schema: str) -> Question:
        return cls(
            _parameter("organization", organization, organization_id),
            _parameter("subject", subject, subject_id),
            _parameter("permission", permission, permission_id),
            schema,
        )

    def found(self, what: str) -> CTE:
        """What is found once for a statement that lists, or that looks at single rows."""
        places = Places(self, f"reach_of_{what}")
        return places.cte().prefix_with("MATERIALIZED")

    def row(self, on: Any) -> ColumnElement[bool]:
        table_of(on)
        return RowIsPermitted(resource_of(on), self.found("row"), self.schema)


def _parameter(name: str, value: Text, checked: Callable[[object], str]) -> BindParameter[str]:
    if isinstance(value, BindParameter):
        return value
    return sqlalchemy.bindparam(name, checked(value), sqlalchemy.String(), unique=True)


class Places(TextualSelect):
    """The places where a subject holds a permission: the body of a CTE."""

    _traverse_internals = [  # noqa: RUF012 - as SQLAlchemy has it
        ("organization", InternalTraversal.dp_clauseelement),
        ("subject", InternalTraversal.dp_clauseelement),
        ("permission", InternalTraversal.dp_clauseelement),
        ("query", InternalTraversal.dp_string),
        ("schema", InternalTraversal.dp_string),
    ]

    def __init__(self, question: Question, query: str) -> None:
        super().__init__(sqlalchemy.text(""), [])
        self.organization, self.subject = question.organization, question.subject
        self.permission = question.permission
        self.query, self.schema = query, question.schema


class RowIsPermitted(ColumnElement[bool]):
    """Whether one resource is permitted."""

    type = Boolean()
    _traverse_internals = [  # noqa: RUF012
        ("resource", InternalTraversal.dp_clauseelement),
        ("reach", InternalTraversal.dp_clauseelement),
        ("schema", InternalTraversal.dp_string),
    ]

    def __init__(self, resource: ColumnElement[Any], reach: CTE, schema: str) -> None:
        self.resource, self.reach, self.schema = resource, reach, schema

    @property
    def _from_objects(self) -> list[FromClause]:
        return list(self.resource._from_objects)


class PermittedRows(FromGrouping):
    """Stands for a table or alias in a FROM clause, under its name, and has only the permitted rows."""

    _traverse_internals = [  # noqa: RUF012
        ("element", InternalTraversal.dp_clauseelement),
        ("resource", InternalTraversal.dp_clauseelement),
        ("reach", InternalTraversal.dp_clauseelement),
        ("schema", InternalTraversal.dp_string),
    ]

    def __init__(
        self, table: TableClause | Alias, resource: ColumnElement[Any], reach: CTE, schema: str
    ) -> None:
        super().__init__(table)
        self.resource, self.reach, self.schema = resource, reach, schema

    @property
    def _hide_froms(self) -> list[FromClause]:
        return [self.element, *self.element._hide_froms]

    @property
    def _from_objects(self) -> list[FromClause]:
        return [self, *self.element._from_objects]


# --- the resource of a row ------------------------------------------------------------------------


def resource_of(on: Any) -> ColumnElement[Any]:
    """The expression; constants in it are written into the statement, so that an index on it is used."""

    def written(element: Any, **_: Any) -> Any:
        is_value = isinstance(element, BindParameter) and not element.literal_execute
        return element.render_literal_execute() if is_value else None

    expression = coercions.expect(roles.ExpressionElementRole, on)
    return cast(ColumnElement[Any], replacement_traverse(expression, {}, written))


def table_of(on: Any) -> TableClause | Alias:
    """The table, or alias, that the expression is of. Raises InvalidArgument."""
    if not hasattr(on, "__clause_element__") and not isinstance(on, ColumnElement):
        raise InvalidArgument(what="on", value=repr(on), hint=_HINT_ON)
    tables = {plain(table): None for table in resource_of(on)._from_objects}
    if len(tables) != 1:
        raise InvalidArgument(what="on", value=str(on), hint=_HINT_ON)
    (table,) = tables
    source = table.element if isinstance(table, Alias) else table
    if not isinstance(source, TableClause):
        hint = "only a table, or an alias of one, can be restricted; restrict the statement inside"
        raise InvalidArgument(what="on", value=str(on), hint=hint)
    return cast(TableClause | Alias, table)


def plain(part: Any) -> Any:
    """The element itself: the ORM gives out annotated copies."""
    return part._deannotate() if part._annotations else part


def is_same(part: Any, table: FromClause) -> bool:
    """Whether a part of a FROM clause is the table, or a copy of it."""
    return isinstance(part, FromClause) and bool(plain(part)._cloned_set & table._cloned_set)


# --- how they are written ---------------------------------------------------------------------------


@compiles(Places)
def _write_places(places: Places, compiler: SQLCompiler, **options: Any) -> str:
    """All at once: what was written for one must not be taken for the place of the next."""
    written = {
        name: compiler.process(getattr(places, name), **options)
        for name in ("organization", "subject", "permission")
    }
    text = _query(compiler, places.query, places.schema)
    return _PLACE.sub(lambda found: written[found[1] or found[2]], text)


@compiles(RowIsPermitted)
def _write_row(row: RowIsPermitted, compiler: SQLCompiler, **options: Any) -> str:
    passed = _passed(options)
    return Template(_query(compiler, "row_is_permitted", row.schema)).substitute(
        reach=compiler.process(row.reach, asfrom=True, **passed),
        resource=compiler.process(row.resource, **passed),
    )


@compiles(RowIsPermitted, "sqlite")
def _write_row_on_sqlite(row: RowIsPermitted, compiler: SQLCompiler, **options: Any) -> str:
    """Without a CTE: before a statement that begins with WITH, Python's sqlite3 opens no transaction."""
    passed = _passed(options)
    return Template(_query(compiler, "row_is_permitted", row.schema)).substitute(
        reach=f"({compiler.process(row.reach.element, **passed)})",
        resource=compiler.process(row.resource, **passed),
    )


@compiles(PermittedRows)
def _write_rows(
    rows: PermittedRows,
    compiler: SQLCompiler,
    asfrom: bool = False,  # noqa: ARG001 - as SQLAlchemy calls it
    from_linter: Any = None,
    **options: Any,
) -> str:
    table: Any = rows.element
    name = _name(table, compiler)
    if from_linter:
        from_linter.froms[rows] = from_linter.froms[table] = name
        from_linter.edges.add((rows, table))
    source = table.element if isinstance(table, Alias) else table
    inner = source.alias(ROW)
    text = Template(_query(compiler, "rows_of_list", rows.schema)).substitute(
        reach=compiler.process(rows.reach, asfrom=True, **_passed(options)),
        table=compiler.process(inner, asfrom=True),
        alias=ROW,
        columns=f"{ROW}.*, TRUE AS {PERMITTED}",
        resource=compiler.process(_on(inner, rows)),
        lookup="",
    )
    return f"({text}) AS {compiler.preparer.quote(name)}"


def _passed(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("literal_binds", "visiting_cte") if name in options}


def _on(inner: FromClause, rows: PermittedRows) -> Any:
    """The resource of a row of our clause's own table."""

    def ours(element: Any, **_: Any) -> Any:
        is_column = isinstance(element, ColumnClause) and element.table is not None
        return inner.c[element.key] if is_column and is_same(element.table, rows.element) else None

    return replacement_traverse(rows.resource, {}, ours)


def _query(compiler: SQLCompiler, name: str, schema: str | None) -> str:
    engine = _ENGINES.get(compiler.dialect.name)
    if engine is None:
        name = compiler.dialect.name
        raise CompileError(f"Rescind knows SQLite and PostgreSQL: it has no statement for {name}")
    return queries(engine, schema or SCHEMA)[name]


def _name(table: Any, compiler: SQLCompiler) -> str:
    """The name by which columns of the table are written."""
    if isinstance(table.name, _truncated_label):
        return compiler._truncated_identifier("alias", table.name)
    if not isinstance(table, Alias) and compiler.preparer.schema_for_object(table):
        raise CompileError(
            f"the table {table.name} has a schema, under which no other rows can stand: use an alias,"
            " D = aliased(Doc), and authorized(select(D), …, on=D.resource)"
        )
    return str(table.name)
