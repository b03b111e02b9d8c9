"""Makes the schema in a new file, in one transaction and without Alembic."""

from __future__ import annotations

from contextlib import closing

from rescind.store.schema import VERSIONS
from rescind.store.schema_text import schema_text, sqlite_views, statements
from rescind.store.sqlite.files import connect, translated_errors
from rescind.store.sqlite.log_files import require_one_log


def make_file(path: str) -> None:
    """Make the current schema in a file that is missing or empty; leave any other as it is.

    Several processes may call it at once. Interrupted, the file is empty, and the next call makes it.
    Raises StoreUnavailable, StoreReadOnly or StoreBusy.
    """
    require_one_log(path)
    with translated_errors(path), closing(connect(path)) as connection:
        if not _is_empty(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()):
            return
        connection.execute("PRAGMA foreign_keys = OFF")  # tables name others that are made later
        connection.execute("BEGIN IMMEDIATE")
        if _is_empty(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()):
            for statement in statements(schema_text("sqlite")):
                connection.execute(statement)
            version = VERSIONS[-1]
            connection.execute("INSERT INTO rescind_schema_version VALUES (?)", (version,))
            for view in sqlite_views().values():
                connection.execute(view)
        connection.execute("COMMIT")


def _is_empty(row: tuple[int]) -> bool:
    return row[0] == 0
