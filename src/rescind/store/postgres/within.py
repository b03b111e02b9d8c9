"""Changes and queries in the caller's own transaction, on its connection, under a savepoint.

Queries go out in one round trip. JIT compilation is off while they run: a stock server would compile a list
because of its estimated cost, which takes longer than the list itself.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row
from psycopg.types.numeric import Int8Dumper

from rescind.errors import InvalidArgument, StoreError
from rescind.store.contract import Change, Params, Rows
from rescind.store.postgres.connection import Connection, undo
from rescind.store.postgres.database import PostgresDatabase
from rescind.store.postgres.errors import FAULTS, interruption, translated
from rescind.store.postgres.transaction import PostgresTransaction
from rescind.store.rows import Query

SAVE: Final = "SAVEPOINT rescind_question"
RELEASE: Final = "RELEASE SAVEPOINT rescind_question"
RESTORE: Final = "ROLLBACK TO SAVEPOINT rescind_question"
WITHOUT_JIT: Final = (
    "SELECT set_config('rescind.jit', current_setting('jit'), true), set_config('jit', 'off', true)"
)
WITH_JIT_AS_BEFORE: Final = "SELECT set_config('jit', current_setting('rescind.jit'), true)"
ABORTED: Final = "the transaction is aborted: a statement of it has failed"


def require_transaction(connection: psycopg.Connection[Any]) -> None:
    """Raise InvalidArgument if each statement on the caller's connection would commit by itself."""
    if connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE:
        raise InvalidArgument(what="within", hint="open a transaction on the connection first")


def transact_within(
    connection: psycopg.Connection[Any], store: PostgresDatabase, change: Change, *, commit: bool
) -> None:
    """Run a change in the caller's transaction, under a savepoint. With `commit=False`, or if it is refused,
    that transaction stays as it was.
    """
    require_transaction(connection)
    before = sys.exception()
    try:
        connection.execute("SAVEPOINT rescind")
    except FAULTS as error:
        raise translated(error, store.where) from error
    try:
        with connection.pipeline():
            tx = PostgresTransaction(connection, store, is_ours=False)
            change(tx)
            if commit:
                connection.execute("RELEASE SAVEPOINT rescind")
        tx.fetch_read_later()
        if not commit:
            connection.execute(undo("ROLLBACK TO SAVEPOINT rescind"))
    except BaseException as error:
        with suppress(*FAULTS):  # it is closed, or the savepoint is gone
            connection.execute(undo("ROLLBACK TO SAVEPOINT rescind"))
        if isinstance(error, FAULTS):
            if (struck := interruption(error, before)) is not None:
                raise struck from struck.__cause__
            raise translated(error, store.where) from error
        raise


def asked_within(
    connection: psycopg.Connection[Any],
    store: PostgresDatabase,
    questions: Sequence[tuple[Query[Any] | str, Params]],
) -> list[Rows]:
    """The rows of several queries in the caller's transaction, which stays as it was, also where one fails.

    Raises a StoreError without asking anything where that transaction has failed already. A connection that
    the store itself has lent needs no savepoint: whoever has it ends the transaction where one fails.
    """
    if isinstance(connection, Connection):
        return _asked_of_ours(connection, store, questions)
    if has_failed(connection):
        raise StoreError(database=store.where, why=ABORTED, hint="Roll your transaction back.")
    before = sys.exception()
    saved: psycopg.Cursor[Any] | None = None
    try:
        with connection.pipeline():
            saved = connection.execute(SAVE)
            connection.execute(WITHOUT_JIT)
            cursors = [
                new_cursor(connection).execute(
                    store.place(store.queries[str(query)], params), params
                )
                for query, params in questions
            ]
            connection.execute(WITH_JIT_AS_BEFORE)
            connection.execute(RELEASE)
        return [cursor.fetchall() for cursor in cursors]
    except BaseException as error:
        if is_saved(saved):
            with suppress(*FAULTS):  # it is closed, or the savepoint is released
                connection.execute(undo(RESTORE))
                connection.execute(RELEASE)
        if isinstance(error, FAULTS):
            if (struck := interruption(error, before)) is not None:
                raise struck from struck.__cause__
            raise translated(error, store.where) from error
        raise


def _asked_of_ours(
    connection: Connection,
    store: PostgresDatabase,
    questions: Sequence[tuple[Query[Any] | str, Params]],
) -> list[Rows]:
    try:
        return [
            connection.execute(store.place(store.queries[str(query)], each), each).fetchall()
            for query, each in questions
        ]
    except FAULTS as error:
        raise translated(error, store.where) from error


def has_failed(connection: psycopg.Connection[Any]) -> bool:
    """Whether the transaction can only be rolled back."""
    return connection.info.transaction_status == TransactionStatus.INERROR


def is_saved(saved: psycopg.Cursor[Any] | None) -> bool:
    """Whether our savepoint was set. Else a rollback would go to an older one of the same name."""
    return saved is not None and saved.statusmessage == "SAVEPOINT"


def new_cursor(connection: psycopg.Connection[Any]) -> psycopg.Cursor[tuple[Any, ...]]:
    cursor = connection.cursor(row_factory=tuple_row)
    cursor.adapters.register_dumper(int, Int8Dumper)
    return cursor
