"""The planner's statistics that the schema states, and how they are put back.

`ANALYZE`, and `PRAGMA optimize` of newer SQLite, replace them with measured ones, or remove them where a
table is empty. From measured ones SQLite may decide to fill a Bloom filter with all rows of a table for each
change, so that removing one member from a group takes time in proportion to all members of all groups.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Final

from rescind.store.schema_text import schema_text
from rescind.store.sqlite.files import FAULTS

STATED: Final = "10000000000"
"""How many rows the schema states for most indexes. No table has as many."""
COUNT: Final = 60
"""Indexes for which it does."""
_LOOK: Final = (
    "SELECT count(*) FROM sqlite_stat1"
    f" WHERE tbl GLOB 'rescind_*' AND stat GLOB '{STATED} *' AND idx IS NOT NULL"
)
_TABLES: Final = "SELECT name FROM sqlite_schema WHERE name IN ('sqlite_stat1', 'sqlite_stat4')"
"""The second one is there if SQLite was built to sample values."""
_ROW: Final = re.compile(r"^    \('(rescind_\w+)', '(\w+)', '([\d ]+)'\)[,;]$", re.MULTILINE)


def stated() -> list[tuple[str, str, str]]:
    """Table, index and statistics of each index, as the schema states them."""
    return [(table, index, text) for table, index, text in _ROW.findall(schema_text("sqlite"))]


def restore(connection: sqlite3.Connection) -> None:
    """Put the stated statistics back if others replaced them, and have this connection plan by them.

    Waits for nobody: if the file cannot be written now, it stays as it is, and is only slower.
    """
    try:
        ((count,),) = connection.execute(_LOOK)
        if count >= COUNT:
            return
        connection.execute("BEGIN IMMEDIATE")
    except FAULTS:  # no schema, a file that may only be read, or another writer
        return
    try:
        for (table,) in connection.execute(_TABLES).fetchall():
            connection.execute(f"DELETE FROM {table} WHERE tbl GLOB 'rescind_*'")
        connection.executemany(
            "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", stated()
        )
        connection.execute("COMMIT")
        connection.execute("ANALYZE sqlite_schema")  # has them read again
    except FAULTS:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
