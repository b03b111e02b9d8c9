"""The clause `permitted` as it is where a subject reaches many resources, however few those are."""

from __future__ import annotations

import re
from typing import Any

import psycopg

from rescind.store.queries import queries


def walked(connection: Any, clause: str) -> str:
    """Looks nothing up by key, and decides each row. On PostgreSQL it is for this connection alone."""
    if not isinstance(connection, psycopg.Connection):
        text = re.sub(r"CASE\s+WHEN x.last_number.*?END", "-1", clause, flags=re.DOTALL)
    else:
        define = queries("postgres")["define_reach"].replace("%(now)s", "moment")
        own = define.replace(
            "CREATE FUNCTION rescind.reach(", "CREATE OR REPLACE FUNCTION pg_temp.reach("
        )
        always = own.replace("most := 4 * sqrt(o.last_number)", "most := 0")
        assert define != own != always
        connection.execute(always.encode())
        text = clause.replace("rescind.reach(", "pg_temp.reach(")
    assert text != clause
    return text
