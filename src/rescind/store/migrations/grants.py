"""Lets a role that owns nothing use Rescind's objects on PostgreSQL, and no more than that."""

from __future__ import annotations

import re
from typing import Final

import sqlalchemy

from rescind.errors import InvalidArgument
from rescind.store.migrations.former import quoted_name
from rescind.store.migrations.scripts import execute, names_made, schema_of
from rescind.store.queries import quoted
from rescind.store.schema_text import schema_text

_MADE: Final = re.compile(r"^CREATE FUNCTION rescind\.(\w+)", re.MULTILINE)
READ_ONLY: Final = frozenset({"schema_version", "directory_secret", "installation"})
"""Tables that only a migration, and `rescind restored`, write."""


def require_roles(connection: sqlalchemy.Connection, roles: tuple[str, ...]) -> None:
    """Raises InvalidArgument for a role that the server does not have."""
    for role in roles:
        known = "SELECT 1 FROM pg_roles WHERE rolname = %(role)s"
        if not connection.exec_driver_sql(known, {"role": role}).scalar():
            hint = f"create it first: CREATE ROLE {quoted_name(role)} LOGIN"
            raise InvalidArgument(what="grant_to", value=role, hint=hint)


def grant_use(connection: sqlalchemy.Connection, role: str) -> None:
    """Give a role what an application of Rescind needs, and take nothing away. Safe to repeat.

    It may read and write rows of Rescind's own tables (`READ_ONLY`: read), read its view, and call its
    functions. It may create, alter and truncate nothing. Other tables in the schema are not granted.
    """
    schema, to = quoted(schema_of(connection)), quoted_name(role)
    execute(connection, f"GRANT USAGE ON SCHEMA {schema} TO {to}")
    kinds = connection.exec_driver_sql(
        "SELECT CAST(c.relname AS text), c.relkind = 'v' FROM pg_class AS c"
        " LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid"
        " LEFT JOIN pg_class AS parent ON parent.oid = i.inhparent"
        " WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relkind IN ('r', 'p', 'v')"
        " AND COALESCE(parent.relname, c.relname) = ANY (%(made)s)",
        {"schema": schema, "made": sorted(names_made(connection))},
    ).all()
    written = [name for name, is_view in kinds if not is_view and name not in READ_ONLY]
    only_read = [name for name, is_view in kinds if is_view or name in READ_ONLY]
    for what, names in (("SELECT, INSERT, UPDATE, DELETE", written), ("SELECT", only_read)):
        listed = ", ".join(f"{schema}.{quoted_name(name)}" for name in names)
        execute(connection, f"GRANT {what} ON {listed} TO {to}")
    functions = connection.exec_driver_sql(
        "SELECT CAST(CAST(p.oid AS regprocedure) AS text) FROM pg_proc AS p"
        " WHERE p.pronamespace = to_regnamespace(%(schema)s) AND p.proname = ANY (%(made)s)",
        {"schema": schema, "made": [*_MADE.findall(schema_text("postgres")), "reach"]},
    ).scalars()
    execute(connection, f"GRANT EXECUTE ON FUNCTION {', '.join(functions)} TO {to}")
