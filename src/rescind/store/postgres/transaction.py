"""The statements of one change, queued in a pipeline, and of one read, one round trip for each call."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.numeric import Int8Dumper

from rescind.store.contract import Bounds, Counter, LockCost, Params, Rows
from rescind.store.postgres.connection import Connection
from rescind.store.postgres.database import PostgresDatabase
from rescind.store.postgres.errors import FAULTS, interruption, translated
from rescind.store.rows import Query, typed, typed_each
from rescind.store.rows.actions import ServiceAction
from rescind.store.rows.changes import CLOSE_CHANGE, CLOSE_KEYED_CHANGE, ClosedRow, OutcomeRow

Driver = psycopg.Connection[tuple[Any, ...]]
SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"


def rows_of(connection: Connection, sql: str, params: Params, *, is_binary: bool = False) -> Rows:
    """The rows of one statement in a transaction of its own, in one round trip."""
    if not connection.opening:
        cursor = connection.execute(sql, params, prepare=True, binary=is_binary)
        return cursor.fetchall()
    with connection.pipeline():
        connection.begin()
        cursor = connection.execute(sql, params, prepare=True, binary=is_binary)
        connection.execute("COMMIT")
    return cursor.fetchall()


class PostgresTransaction:
    """Queues statements in the connection's pipeline. Counters are kept by the server, in the transaction."""

    def __init__(self, connection: Driver, store: PostgresDatabase, *, is_ours: bool) -> None:
        self.connection = connection
        self._is_ours = is_ours
        self._store = store
        self._prepares = store.connector.pooling.prepares
        self._unread = self._cursor()
        self._afterwards: list[tuple[str, Params]] = []
        self._looking: list[psycopg.Cursor[tuple[Any, ...]]] = []
        self._found: list[Rows] = []
        self._observing: list[psycopg.Cursor[tuple[Any, ...]]] = []
        self._observed: list[Rows] = []
        self._closed: Callable[[], list[ClosedRow]] = list

    def lock(
        self,
        *,
        number: int,
        organization: str,
        mode: str,
        has_required: bool | None = None,
        id_rule: str | None = None,
    ) -> None:
        self.run(
            "begin",
            o=number,
            organization=organization,
            mode=mode,
            has_required=has_required,
            id_rule=id_rule,
        )

    def refuse(self, query: str, /, **params: Any) -> None:
        self.execute_unread(query, self._store.statements.refusing(query), params)

    def run(self, query: str, /, **params: Any) -> None:
        self.execute_unread(query, self._sql(query), params)

    def count(self, query: str, /, *counters: Counter, **params: Any) -> None:
        self.execute_unread(query, self._store.statements.counting(query, counters), params)

    def count_expected(
        self,
        query: str,
        /,
        *counters: Counter,
        expected: int = 1,
        or_refuse: str | None = None,
        or_note: str | None = None,
        **params: Any,
    ) -> None:
        sql = self._store.statements.counting(query, counters, or_refuse=or_refuse, or_note=or_note)
        self.execute_unread(query, sql, {**params, "expected": expected})

    def note_missing(self, query: str, /, **params: Any) -> None:
        self.execute_unread(query, self._store.statements.noting(query), params)

    def rows_written(self, query: str, /, **params: Any) -> Callable[[], int]:
        cursor = self._kept(query, params)
        return lambda: cursor.rowcount

    def weigh(self, query: str, budget: Bounds, /, *, step: int, **params: Any) -> None:
        bounds = {
            "step": step,
            "is_background": budget.is_background,
            "pairs": budget.pairs,
            "critical_pairs": budget.critical_pairs,
            "most": budget.most,
            "waits": budget.waits,
        }
        if budget.waits and isinstance(self.connection, Connection):
            self.connection.silence_seconds = self._store.bulk_silence_seconds
        sql = self._store.statements.weighing(query, is_first=step == 0)
        self.execute_unread(query, sql, {**params, **bounds})

    def count_pending(self, query: str, /, **params: Any) -> None:
        self.execute_unread(query, self._store.statements.pending(query), params)

    def read_later(self, query: Query[Any] | str, /, **params: Any) -> Callable[[], Any]:
        place = len(self._observing)
        self._observing.append(self._kept(str(query), params))
        return lambda: typed(query, self._observed[place])

    def lock_cost(self, *, number: int) -> Callable[[], LockCost]:
        rows = self.read_later("read_held", o=number)
        return lambda: LockCost(*rows()[0])

    def read_after_commit(self, query: Query[Any] | str, /, **params: Any) -> Callable[[], Any]:
        place = len(self._afterwards)
        self._afterwards.append((str(query), params))
        return lambda: typed(query, self._found[place]) if place < len(self._found) else None

    def read_committed(self) -> None:
        """Send the queries that run after the commit."""
        ours = self.connection if isinstance(self.connection, Connection) else None
        is_transaction = bool(self._afterwards and ours is not None and ours.opening)
        if ours is not None and is_transaction:
            ours.begin()
        self._looking = [
            self.connection.execute(
                self._store.place(self._sql(query), params), params, prepare=True
            )
            for query, params in self._afterwards
        ]
        if is_transaction:
            self.connection.execute("COMMIT")

    def fetch_read_later(self) -> None:
        """Fetch the rows of `read_later`, before the connection is lent to others."""
        self._observed = [cursor.fetchall() for cursor in self._observing]

    def fetch_read_committed(self) -> None:
        """Fetch the rows of `read_after_commit`."""
        self._found = [cursor.fetchall() for cursor in self._looking]

    def lock_wait(self) -> Callable[[], float]:
        rows = self._closed
        return lambda: sum(row.lock_wait for row in rows())

    def record(self, **params: Any) -> Callable[[], list[OutcomeRow]]:
        is_keyed = params["key"] is not None
        rows = self._closed = self.read_later(
            CLOSE_KEYED_CHANGE if is_keyed else CLOSE_CHANGE, **params
        )
        return lambda: [row.outcome() for row in rows()]

    def note_action(self, action: ServiceAction, /) -> None:
        self.refuse("refuse_no_action_head")
        self.run("insert_service_action", **action._asdict())

    def _sql(self, name: str) -> str:
        return self._store.queries[name]

    def execute_unread(self, name: str, sql: str, params: Params) -> None:
        """Queue a statement whose result is not read. These share a cursor: each cursor costs time."""
        if self._store.probe is not None:
            self._store.probe.before_statement(name, params)
        self._unread.execute(self._store.place(sql, params), params, prepare=self._prepares)

    def _kept(self, name: str, params: Params) -> psycopg.Cursor[tuple[Any, ...]]:
        """Queue a query with a cursor of its own, and return that."""
        if self._store.probe is not None:
            self._store.probe.before_statement(name, params)
        sql = self._store.place(self._sql(name), params)
        return self._cursor().execute(sql, params, prepare=self._prepares)

    def _cursor(self) -> psycopg.Cursor[tuple[Any, ...]]:
        cursor = self.connection.cursor(row_factory=tuple_row)
        if not self._is_ours:
            cursor.adapters.register_dumper(int, Int8Dumper)
        return cursor


class PostgresSnapshot:
    """A read transaction. It begins with the first queries, in the same round trip."""

    def __init__(self, connection: Connection, store: PostgresDatabase) -> None:
        self._connection, self._store = connection, store
        self._is_begun = False

    def fetch_many(
        self, questions: Sequence[tuple[Query[Any] | str, Params]], *, is_last: bool = False
    ) -> Any:
        execute, queries = self._connection.execute, self._store.queries
        place = self._store.place
        before = sys.exception()
        try:
            with self._connection.pipeline():
                if not self._is_begun:
                    self._connection.begin(SNAPSHOT)
                cursors = [
                    execute(place(queries[str(query)], params), params, prepare=True)
                    for query, params in questions
                ]
                if is_last:
                    execute("COMMIT")
            self._is_begun = True
            return typed_each(questions, [cursor.fetchall() for cursor in cursors])
        except FAULTS as error:
            if (struck := interruption(error, before)) is not None:
                raise struck from struck.__cause__
            raise translated(error, self._store.where) from error
