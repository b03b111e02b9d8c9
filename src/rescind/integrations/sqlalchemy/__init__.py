"""SQLAlchemy: statements that return only the rows that a subject may use.

    statement = authorized(select(Doc), "user:ada", "doc:read", on=Doc.resource, organization="acme")
    page = session.scalars(statement.order_by(Doc.updated.desc()).limit(20)).all()

The result is an ordinary statement for SQLite and PostgreSQL. Nothing is asked when it is made: the database
decides when the statement runs, in the transaction of the session or connection that runs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar, cast

from rescind.errors import InvalidArgument, extra

with extra("sqlalchemy"):
    from sqlalchemy import Boolean, ColumnElement, Delete, Select, Update, column, literal_column

from rescind.integrations.sqlalchemy.clauses import (
    PERMITTED,
    PermittedRows,
    Question,
    Text,
    resource_of,
    table_of,
)
from rescind.integrations.sqlalchemy.placing import with_rows
from rescind.store.queries import SCHEMA

Statement = TypeVar("Statement", bound=Select[Any] | Update | Delete)


def authorized(
    statement: Statement,
    subject: Text,
    permission: Text,
    *,
    on: Any,
    organization: Text,
    schema: str = SCHEMA,
) -> Statement:
    """The statement, with only those rows of a table that the subject may use with the permission.

    `on` is the column or expression that gives the resource of a row; its table, or alias, is the one that is
    restricted, wherever it stands in the FROM of the statement. It has an index. A row is there exactly if a
    check would allow it when the statement runs. An outer join has NULL in place of rows that are not.
    `schema` is the one that the URL of Rescind's PostgreSQL database names.
    An UPDATE or DELETE changes only such rows. Raises MalformedId, and InvalidArgument for a statement that
    does not read the table of `on`, or that cannot be restricted.
    """
    question = Question.of(organization, subject, permission, schema)
    if isinstance(statement, Update | Delete):
        return cast(Statement, statement.where(question.row(on)))
    select = _listing(statement)
    table = table_of(on)
    rows = PermittedRows(table, resource_of(on), question.found("list"), schema)
    marked = column(PERMITTED, Boolean(), _selectable=table).is_not(literal_column("FALSE"))
    return cast(Statement, with_rows(select, rows).where(marked))


def _listing(statement: object) -> Select[Any]:
    if not isinstance(statement, Select):
        hint = "give a select(), update() or delete(); restrict each part of a union"
        raise InvalidArgument(what="statement", value=type(statement).__name__, hint=hint)
    if statement._for_update_arg is not None:
        hint = "a restricted table cannot be locked: use .where(allowed(…)) with with_for_update()"
        raise InvalidArgument(what="statement", value="FOR UPDATE", hint=hint)
    return statement


def allowed(
    subject: Text, permission: Text, *, on: Any, organization: Text, schema: str = SCHEMA
) -> ColumnElement[bool]:
    """A condition on a row: whether the subject may use it with the permission.

    For a WHERE that other conditions already narrow, for `with_loader_criteria`, `relationship.and_`, and as
    a column ("may edit"). Each row that is looked at costs two or three look-ups: lists are for `authorized`.
    It is FALSE for what a check would deny. Raises MalformedId, and InvalidArgument if `on` is of no table.
    """
    return Question.of(organization, subject, permission, schema).row(on)


@dataclass(frozen=True, slots=True)
class Access:
    """`authorized` and `allowed` with an organization and a schema of their own. One for an application."""

    organization: str
    schema: str = SCHEMA

    def authorized(
        self,
        statement: Statement,
        subject: Text,
        permission: Text,
        *,
        on: Any,
        organization: Text | None = None,
    ) -> Statement:
        """As the function `authorized`."""
        return authorized(
            statement,
            subject,
            permission,
            on=on,
            organization=self.organization if organization is None else organization,
            schema=self.schema,
        )

    def allowed(
        self, subject: Text, permission: Text, *, on: Any, organization: Text | None = None
    ) -> ColumnElement[bool]:
        """As the function `allowed`."""
        return allowed(
            subject,
            permission,
            on=on,
            organization=self.organization if organization is None else organization,
            schema=self.schema,
        )


__all__ = ["Access", "allowed", "authorized"]
