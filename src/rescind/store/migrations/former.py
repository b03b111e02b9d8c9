"""Installations from before 0021, when Rescind had no schema, prefix or version table of its own.

Their version is a row of `alembic_version`, which may be an application's table as well. So an installation
is recognized by its tables together with such a row. Similar tables of an application are not touched.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import sqlalchemy

from rescind.errors import SchemaDiffers
from rescind.store.migrations.scripts import engine_of, execute, names_made, ours, schema_of
from rescind.store.queries import quoted
from rescind.store.schema import FORMER_VERSIONS

TABLES: Final = (
    *("membership", "group", "group_member", "nesting", "recorded_nesting", "permission", "role"),
    *("resource_type", "resource", "assignment", "effective_role", "role_reset", "change"),
    "idempotency",
)
"""Tables since 0001 that have a column `organization`."""
ENOUGH: Final = 8
"""This many matching tables are no coincidence. One or two may have been altered."""
LOST: Final = (
    "these are the tables of a Rescind before 0.2, but `alembic_version` does not say of which version:"
    " put its row back, or move the tables away if they are of no use"
)


class Former(NamedTuple):
    """An installation from before 0021: its schema on PostgreSQL, and its possible versions."""

    schema: str
    versions: tuple[str, ...]


def find_former(connection: sqlalchemy.Connection, where: str) -> Former | None:
    """The installation on the search path, or in the schema that Rescind will have; None if there is none.

    Raises SchemaDiffers if the tables are there without a version.
    """
    if engine_of(connection) == "sqlite":
        return _of_schema(connection, where, "main")
    path = connection.exec_driver_sql("SELECT unnest(current_schemas(false))::text").scalars()
    for schema in dict.fromkeys([*path, schema_of(connection)]):
        if found := _of_schema(connection, where, schema):
            return found
    return None


def _of_schema(connection: sqlalchemy.Connection, where: str, schema: str) -> Former | None:
    columns = _columns(connection, schema)
    if sum((table, "organization") in columns for table in TABLES) < ENOUGH:
        return None
    if ("schema_version", "version_num") in columns:  # of 0021 or later, in a schema with that name
        return None
    versions: tuple[str, ...] = ()
    if ("alembic_version", "version_num") in columns:
        asked = f"SELECT version_num FROM {_version_table(schema)}"
        rows = set(connection.exec_driver_sql(asked).scalars())
        versions = tuple(version for version in FORMER_VERSIONS if version in rows)
    if not versions:
        tables = ", ".join(sorted(table for table, name in columns if name == "organization")[:3])
        raise SchemaDiffers(database=where, version="unknown", tables=tables, hint=LOST)
    return Former(schema, versions)


def _columns(connection: sqlalchemy.Connection, schema: str) -> set[tuple[str, str]]:
    """The columns of each table and view there, by name."""
    if engine_of(connection) == "sqlite":
        found = connection.exec_driver_sql(
            "SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c"
            " WHERE m.type = 'table' OR m.name = 'nesting'"
        )
    else:
        found = connection.exec_driver_sql(
            "SELECT CAST(c.relname AS text), CAST(a.attname AS text)"
            " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            " JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'v')",
            {"schema": schema},
        )
    return {(table, column) for table, column in found}


def _version_table(schema: str) -> str:
    return f"{quoted_name(schema)}.alembic_version"


def quoted_name(schema: str) -> str:
    """Quote the name of any schema, also one that Rescind does not allow for itself."""
    escaped = schema.replace('"', '""')
    return f'"{escaped}"'


def take_over(connection: sqlalchemy.Connection, former: Former, version: str) -> None:
    """Move the version to a table of Rescind's own. Later migrations work where the tables are."""
    if engine_of(connection) == "postgres":
        make_home(connection)
        let_in(connection, former.schema)
        execute(connection, f"SET LOCAL search_path = {quoted_name(former.schema)}")
    else:
        _stand_in_for_view(connection)
    execute(connection, ours(connection, VERSION_TABLE))
    execute(
        connection, ours(connection, f"INSERT INTO rescind.schema_version VALUES ('{version}')")
    )
    table = _version_table(former.schema)
    execute(connection, f"DELETE FROM {table} WHERE version_num = '{version}'")
    if not connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar():
        execute(connection, f"DROP TABLE {table}")


VERSION_TABLE: Final = (
    "CREATE TABLE rescind.schema_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
)


STAND_IN: Final = """
CREATE VIEW effective_permission AS
SELECT o.slug AS organization, m.subject, p.slug AS permission, r.slug AS resource
FROM organization AS o JOIN membership AS m ON m.organization = o.id
JOIN permission AS p ON p.organization IN (0, o.id) JOIN resource AS r ON r.organization = o.id
WHERE FALSE"""


def _stand_in_for_view(connection: sqlalchemy.Connection) -> None:
    """Replace the view by one that uses only what every version has. SQLite renames no table while a view is
    invalid, and objects that users built on the view need it until it is recreated.
    """
    there = "SELECT 1 FROM sqlite_master WHERE type = 'view' AND name = 'effective_permission'"
    if connection.exec_driver_sql(there).scalar():
        execute(connection, "DROP VIEW effective_permission")
        execute(connection, STAND_IN)


def make_home(connection: sqlalchemy.Connection) -> None:
    """Create the schema on PostgreSQL if it is missing. If it exists, no privilege is needed."""
    there = "SELECT to_regnamespace(%(schema)s) IS NOT NULL"
    schema = quoted(schema_of(connection))
    if not connection.exec_driver_sql(there, {"schema": schema}).scalar():
        execute(connection, f"CREATE SCHEMA {schema}")


def let_in(connection: sqlalchemy.Connection, schema: str) -> None:
    """Let everybody with a grant on the tables use the schema that these move to."""
    grantees = connection.exec_driver_sql(
        "SELECT DISTINCT COALESCE(quote_ident(r.rolname), 'PUBLIC')"
        " FROM pg_class AS c CROSS JOIN aclexplode(c.relacl) AS a"
        " LEFT JOIN pg_roles AS r ON r.oid = a.grantee"
        " WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relname = ANY (%(tables)s)"
        " AND a.grantee <> c.relowner",
        {"schema": quoted_name(schema), "tables": [*TABLES, "effective_permission"]},
    ).scalars()
    for grantee in list(grantees):
        execute(connection, f"GRANT USAGE ON SCHEMA {quoted(schema_of(connection))} TO {grantee}")


def share_new_tables(connection: sqlalchemy.Connection) -> None:
    """Copy the grants of the former tables to tables that an upgrade created (PostgreSQL), and not to an
    application's tables in the schema.
    """
    schema = schema_of(connection)
    grants = connection.exec_driver_sql(
        "SELECT quote_ident(new.relname), COALESCE(quote_ident(r.rolname), 'PUBLIC'), a.privilege_type"
        " FROM pg_class AS known CROSS JOIN aclexplode(known.relacl) AS a"
        " LEFT JOIN pg_roles AS r ON r.oid = a.grantee"
        " JOIN pg_class AS new ON new.relnamespace = known.relnamespace AND new.relkind IN ('r', 'p')"
        " AND new.relacl IS NULL AND new.relowner = known.relowner"
        " LEFT JOIN pg_inherits AS i ON i.inhrelid = new.oid"
        " LEFT JOIN pg_class AS parent ON parent.oid = i.inhparent"
        " WHERE known.oid = to_regclass(%(known)s) AND a.grantee <> known.relowner"
        " AND COALESCE(parent.relname, new.relname) = ANY (%(made)s)"
        " AND (a.privilege_type = 'SELECT' OR new.relname <> 'schema_version')"
        " AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')",
        {"known": f"{quoted(schema)}.role_before", "made": sorted(names_made(connection))},
    ).all()
    for table, grantee, privilege in grants:
        execute(connection, f"GRANT {privilege} ON {quoted(schema)}.{table} TO {grantee}")


def keep_view_name(connection: sqlalchemy.Connection, former: Former) -> None:
    """Keep `effective_permission` without a schema as a view of the view, with its grants."""
    view = "SELECT organization, subject, permission, resource FROM rescind.effective_permission"
    if engine_of(connection) == "sqlite":
        execute(connection, "DROP VIEW IF EXISTS effective_permission")
        execute(connection, ours(connection, f"CREATE VIEW effective_permission AS {view}"))
        return
    if former.schema == schema_of(connection):
        return
    name = f"{quoted_name(former.schema)}.effective_permission"
    execute(connection, ours(connection, f"CREATE VIEW {name} AS {view}"))
    grants = connection.exec_driver_sql(
        "SELECT COALESCE(quote_ident(r.rolname), 'PUBLIC'), a.is_grantable"
        " FROM pg_class AS c CROSS JOIN aclexplode(c.relacl) AS a"
        " LEFT JOIN pg_roles AS r ON r.oid = a.grantee"
        " WHERE c.oid = to_regclass(%(view)s) AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner",
        {"view": ours(connection, "rescind.effective_permission")},
    ).all()
    for grantee, is_grantable in grants:
        option = " WITH GRANT OPTION" if is_grantable else ""
        execute(connection, f"GRANT SELECT ON {name} TO {grantee}{option}")
