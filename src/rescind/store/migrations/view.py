"""Creates the view `effective_permission` on PostgreSQL, from the fragments of the checks."""

from __future__ import annotations

from typing import Final

import sqlalchemy

from rescind.store.migrations.scripts import schema_of
from rescind.store.queries import queries, quoted

_CLOCK: Final = "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000 AS BIGINT)"


def renew_view_on_postgres(connection: sqlalchemy.Connection) -> None:
    """Create the view if it is missing or differs. Grants on it stay."""
    if not is_view_current(connection):
        create, name, meaning = _wanted(connection)
        connection.exec_driver_sql(f"{create}OR REPLACE {name}{meaning}")


def is_view_current(connection: sqlalchemy.Connection) -> bool:
    """Whether it is there, and means what this code means. PostgreSQL keeps a view's meaning, not its text.
    So it is compared with a temporary one.
    """
    create, _, meaning = _wanted(connection)
    connection.exec_driver_sql(f"{create}TEMPORARY VIEW rescind_wanted{meaning}")
    is_so = connection.exec_driver_sql(
        "SELECT pg_get_viewdef('pg_temp.rescind_wanted'::regclass)"
        " = pg_get_viewdef(to_regclass(%(view)s))",
        {"view": f"{quoted(schema_of(connection))}.effective_permission"},
    ).scalar()
    connection.exec_driver_sql("DROP VIEW pg_temp.rescind_wanted")
    return bool(is_so)


def _wanted(connection: sqlalchemy.Connection) -> tuple[str, str, str]:
    schema = schema_of(connection)
    text = queries("postgres", schema)["effective_permission_view"].replace("%(now)s", _CLOCK)
    return text.partition(f"VIEW {quoted(schema)}.effective_permission")
