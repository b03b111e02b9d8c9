"""The SQL of lists: conditions on a user's access, and the query that runs one of them fast.

`Allowed` is a condition of a queryset and holds wherever it stands: as `pk IN (WITH …)`. Where it is one of
the conditions that must all hold, `AuthorizedQuery` reads `FROM permitted` instead, which the planner cannot
misjudge (docs/howto/join-in-sql.md). What changes the kind of the query, as updates and deletions do, keeps
the condition.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.core.exceptions import FullResultSet, ImproperlyConfigured
from django.db.models import Model
from django.db.models.lookups import Lookup
from django.db.models.sql import Query
from django.db.models.sql.datastructures import BaseTable
from django.db.models.sql.where import AND, WhereNode

from rescind import sql as clauses
from rescind.integrations.django.opened import engine_of
from rescind.integrations.django.resources import Registration, ResourceSql, resource_sql
from rescind.store.queries import Engine, named

_ROW: Final = '"rescind_row"'
_PARAMETER: Final = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class ListQuestion:
    """Which rows of a model: those on whose resource a subject has a permission."""

    registration: Registration
    model: type[Model]
    organization: str
    subject: str
    permission: str
    alias: str
    schema: str

    def clause(self) -> tuple[str, list[str]]:
        """WITH …, and its parameters: a statement that begins so reads `FROM permitted`."""
        meta, engine = self.model._meta, engine_of(self.alias)
        name = self.registration.id_field
        field = meta.pk if name == "pk" else meta.get_field(name)
        if field not in meta.local_concrete_fields and field.model._meta.db_table != meta.db_table:
            raise ImproperlyConfigured(f"{field} is in another table than {self.model.__name__}.")
        kind = self.registration.type
        resource = resource_sql(kind, field, f'{_ROW}."{field.column}"', engine)
        text, names = _clause(meta.db_table, resource, engine, self.schema)
        return text, [getattr(self, name) for name in names]


@lru_cache(256)
def _clause(
    table: str, resource: ResourceSql, engine: Engine, schema: str
) -> tuple[str, tuple[str, ...]]:
    quoted = table if table.startswith('"') else f'"{table}"'
    if table.strip('"').lower() in clauses.TAKEN:
        raise ImproperlyConfigured(
            f"Rescind's lists have a table {table!r} of their own: rename it."
        )
    text = clauses.permitted(
        f"{quoted} AS {_ROW}",
        resource=resource.expression,
        lookup=resource.lookup,
        engine=engine,
        placeholders="pyformat",
        schema=schema,
    )
    return _PARAMETER.sub("%s", text), tuple(_PARAMETER.findall(text))


class Allowed(Lookup):
    """Whether a row, by its primary key, is one of those that the question means."""

    lookup_name = "allowed"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        question: ListQuestion = self.rhs
        if connection.alias != question.alias:
            raise ImproperlyConfigured(
                f"Rescind's facts are in the database {question.alias!r}: a list is not read from"
                f" {connection.alias!r}."
            )
        if getattr(compiler, "permitted_from", None) is self:
            raise FullResultSet  # the rows come from `permitted` already
        key, parameters = self.process_lhs(compiler, connection)
        clause, asked = question.clause()
        column = connection.ops.quote_name(question.model._meta.pk.column)
        return f"{key} IN ({clause} SELECT permitted.{column} FROM permitted)", [
            *parameters,
            *asked,
        ]


@dataclass(frozen=True, slots=True)
class UserQuestion:
    """Which users: those who have a permission, or any, on a resource."""

    organization: str
    permission: str | None
    resource: str
    alias: str
    schema: str


class HoldsPermission(Lookup):
    """Whether a user, by the field of its id, is one of those that the question means."""

    lookup_name = "holds"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        question: UserQuestion = self.rhs
        if connection.alias != question.alias:
            raise ImproperlyConfigured(f"Rescind's facts are in the database {question.alias!r}.")
        key, parameters = self.process_lhs(compiler, connection)
        asked = [question.organization, question.resource]
        condition = ""
        if question.permission is not None:
            condition = " AND e.permission = %s"
            asked.append(question.permission)
        engine = engine_of(question.alias)
        subject = resource_sql("user", self.lhs.output_field, key, engine).expression
        view = named("rescind.effective_permission", engine, question.schema)
        return (
            f"{subject} IN (SELECT e.subject FROM {view} AS e WHERE e.organization = %s"
            f" AND e.resource = %s{condition})",
            [*(parameters * subject.count(key)), *asked],
        )


class AuthorizedQuery(Query):
    """A query with an `Allowed` among its conditions, which its compiler runs fast where it can."""

    def get_compiler(
        self, using: str | None = None, connection: Any = None, elide_empty: bool = True
    ) -> Any:
        compiler = super().get_compiler(using, connection, elide_empty)
        kind: Any = type(compiler)
        compiler.__class__ = _fast(kind)
        return compiler


@lru_cache(16)
def _fast(base: Any) -> Any:
    """The engine's compiler, which reads from `permitted`."""
    return type(f"Authorized{base.__name__}", (_FromPermitted, base), {})


class _FromPermitted:
    """Reads `FROM permitted` in place of the model's table, and then leaves the condition out."""

    query: Query
    connection: Any
    permitted_from: Allowed | None = None
    """The condition whose rows the statement reads. It is set where the table is written, and not before."""
    _chosen: Allowed | None = None

    def as_sql(self, with_limits: bool = True, with_col_aliases: bool = False) -> Any:
        self.permitted_from, self._chosen = None, self._choose()
        base: Any = super()
        text, parameters = base.as_sql(with_limits, with_col_aliases)
        found: Any = self.permitted_from
        if found is not None:
            clause, asked = found.rhs.clause()
            start = self._start()
            text = f"{start}{clause} {text.removeprefix(start)}"
            parameters = (*asked, *parameters)
            if with_col_aliases and self.connection.vendor == "sqlite":
                text = f"SELECT * FROM ({text})"  # SQLite has no WITH in a part of a compound
        return text, tuple(parameters)

    def compile(self, node: Any) -> Any:
        chosen = self._chosen
        if chosen is not None and type(node) is BaseTable and node.table_alias == chosen.lhs.alias:
            self.permitted_from = chosen
            alias = self.quote_name_unless_alias(node.table_alias)  # type: ignore[attr-defined]
            return f"permitted AS {alias}", []
        base: Any = super()
        return base.compile(node)

    def _choose(self) -> Allowed | None:
        """The condition that the rows can be read by: one that must hold, on the table that is read first."""
        query = self.query
        if query.combinator or query.select_for_update or query.group_by is not None:
            return None  # a lock and a group need the table itself
        tables = {each.table_name.strip('"').lower() for each in query.alias_map.values()}
        if tables & clauses.TAKEN:
            return None
        for each in conditions(query.where):
            if isinstance(each, Allowed) and getattr(each.lhs, "alias", None) == query.base_table:
                return each
        return None

    def _start(self) -> str:
        info = self.query.explain_info
        if not info:
            return ""
        prefix = self.connection.ops.explain_query_prefix(info.format, **info.options)
        return f"{prefix} "


def conditions(where: Any) -> Iterator[Any]:
    """What must all hold."""
    if not isinstance(where, WhereNode):
        yield where
    elif where.connector == AND and not where.negated:
        for each in where.children:
            yield from conditions(each)
