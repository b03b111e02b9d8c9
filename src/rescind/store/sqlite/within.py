"""Changes and queries in the caller's own transaction, on its connection, under a savepoint."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any

from rescind.store.contract import Change, Params, Rows
from rescind.store.rows import Query
from rescind.store.sqlite import write_queue
from rescind.store.sqlite.database import SqliteDatabase
from rescind.store.sqlite.files import FAULTS
from rescind.store.sqlite.transaction import SqliteTransaction, counters_of, run_change


def transact_within(
    connection: sqlite3.Connection,
    store: SqliteDatabase,
    change: Change,
    queue: write_queue.WriteQueue,
    *,
    commit: bool,
) -> None:
    """Run a change in the caller's transaction, or in a new one where none is open. With `commit=False`, or
    if it is refused, that transaction stays as it was.
    """
    if connection.in_transaction:
        connection.execute(write_queue.TAKE_WRITE_LOCK)
    else:
        write_queue.begin_write(connection, queue)
    counters = counters_of(connection)
    try:
        connection.execute("SAVEPOINT rescind")
        run_change(change, SqliteTransaction(connection, store, counters))
        if store.probe is not None:
            store.probe.before_statement("commit", {})
        connection.execute("RELEASE rescind" if commit else "ROLLBACK TO rescind")
    except BaseException:
        if connection.in_transaction:
            with suppress(*FAULTS):  # it was not set, or is released
                connection.execute("ROLLBACK TO rescind")
                connection.execute("RELEASE rescind")
        raise
    if store.probe is not None:
        store.probe.before_statement("committed", {})


def asked_within(
    connection: sqlite3.Connection,
    store: SqliteDatabase,
    questions: Sequence[tuple[Query[Any] | str, Params]],
) -> list[Rows]:
    """The rows of several queries on the caller's connection, all of one state of the file."""
    with _one_state(connection) as cursor:
        return [
            cursor.execute(store.queries[str(query)], params).fetchall()
            for query, params in questions
        ]


@contextmanager
def _one_state(connection: sqlite3.Connection) -> Iterator[sqlite3.Cursor]:
    """A cursor of the caller's connection whose queries all see one state of the file.

    An open transaction has one state already. Otherwise a savepoint is opened for as long as the block runs.
    """
    is_open = connection.in_transaction
    with closing(connection.cursor()) as cursor:
        cursor.row_factory = None
        if not is_open:
            cursor.execute("SAVEPOINT rescind_question")
        try:
            yield cursor
        finally:
            if not is_open and connection.in_transaction:
                cursor.execute("RELEASE rescind_question")
