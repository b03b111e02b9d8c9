"""The production engine: PostgreSQL 15 and later, a change as one pipeline.

A change's statements go out together, `BEGIN` to `COMMIT`, and the answers are read once: one network
round trip whatever the fan-out, and no lock held while a packet travels. Guards raise in the server, so
that nothing after them runs.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.numeric import Int8Dumper
from psycopg_pool import ConnectionPool, PoolTimeout

from rescind.errors import (
    InvalidArgument,
    OutcomeUnknown,
    SchemaMissing,
    StoreBusy,
    StoreConflict,
    StoreError,
    StoreReadOnly,
    StoreUnavailable,
    refusal,
)
from rescind.store.base import Bounds, Change, KeyTaken, OverBudget, Params, PlanStale, Rows
from rescind.store.connections import driver_connection
from rescind.store.queries import changes_data, queries
from rescind.store.schema import require_current

CONFLICT_ATTEMPTS = 8
PIPELINE_NOISE = "error ignored terminating"
"""What psycopg logs when a refused change ends its pipeline; the refusal itself is raised."""
logging.getLogger("psycopg").addFilter(
    lambda record: not str(record.msg).startswith(PIPELINE_NOISE)
)
CONNECT_SECONDS = 10.0
BUSY_SECONDS = 10.0
"""How long a lock is waited for: its holder may stand still without being gone."""
GIVING_WAY_SECONDS = 0.25
"""The same, for who gives way."""

Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresTransaction:
    """Statements are queued in the connection's pipeline; counters live in the transaction."""

    def __init__(self, connection: Connection, store: PostgresStore, *, is_ours: bool) -> None:
        self.connection = connection
        self._is_ours = is_ours
        self._store = store
        self._afterwards: list[tuple[str, Params]] = []
        self._looking: list[psycopg.Cursor[tuple[Any, ...]]] = []
        self._found: list[Rows] = []

    def begin(self, *, o: int, organization: str, mode: str) -> None:
        self.run("begin", o=o, organization=organization, mode=mode)

    def guard(self, query: str, /, **params: Any) -> None:
        self._execute(
            query,
            f"SELECT rescind_refuse(g.code, g.fact, g.value) FROM ({self._sql(query)}) AS g",
            params,
        )

    def run(self, query: str, /, **params: Any) -> None:
        self._execute(query, self._sql(query), params)

    def count(self, query: str, /, *counters: str, **params: Any) -> None:
        self._execute(query, self._store.counting(query, counters), params)

    def choose(self, query: str, budget: Bounds, /, **params: Any) -> None:
        bounds = {
            "is_background": budget.is_background,
            "pairs": budget.pairs,
            "critical_pairs": budget.critical_pairs,
            "most": budget.most,
        }
        sql = self._store.choosing(query, waits=budget.waits)
        self._execute(query, sql, {**params, **bounds})

    def observe(self, query: str, /, **params: Any) -> Callable[[], Rows]:
        return self._execute(query, self._sql(query), params).fetchall

    def once_committed(self, query: str, /, **params: Any) -> Callable[[], Rows | None]:
        place = len(self._afterwards)
        self._afterwards.append((query, params))
        return lambda: self._found[place] if place < len(self._found) else None

    def look_committed(self) -> None:
        """Send what is to be run after the commit."""
        self._looking = [
            self.connection.execute(self._sql(query), params, prepare=True)
            for query, params in self._afterwards
        ]

    def keep_found(self) -> None:
        """Take what that found."""
        self._found = [cursor.fetchall() for cursor in self._looking]

    def close(self, **params: Any) -> Callable[[], Rows]:
        return self.observe("close_change", **params)

    def _sql(self, name: str) -> str:
        return self._store.queries[name]

    def _execute(self, name: str, sql: str, params: Params) -> psycopg.Cursor[tuple[Any, ...]]:
        if self._store.on_statement:
            self._store.on_statement(name)
        cursor = self.connection.cursor(row_factory=tuple_row)
        if not self._is_ours:
            cursor.adapters.register_dumper(int, Int8Dumper)
        return cursor.execute(sql, params, prepare=True)


class PostgresSnapshot:
    """A read transaction; it begins with the first question, in the same round trip."""

    def __init__(self, connection: Connection, store: PostgresStore) -> None:
        self._connection, self._store = connection, store
        self._is_begun = False

    def fetch_many(
        self, questions: Sequence[tuple[str, Params]], *, is_last: bool = False
    ) -> list[Rows]:
        execute, queries = self._connection.execute, self._store.queries
        try:
            with self._connection.pipeline():
                if not self._is_begun:
                    execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                cursors = [
                    execute(queries[name], params, prepare=True) for name, params in questions
                ]
                if is_last:
                    execute("COMMIT")
            self._is_begun = True
            return [cursor.fetchall() for cursor in cursors]
        except psycopg.Error as error:
            raise self._store.translated(error) from error


class PostgresListener:
    """Hears a channel's notifications, on a connection that has not been made before it is needed.

    What it writes is not waited for to be on disk: it is only for what may be lost with the server.
    """

    def __init__(self, store: PostgresStore, channel: str) -> None:
        self._store, self._channel = store, channel
        self._connection: Connection | None = None

    def wait(self, seconds: float) -> list[str] | None:
        try:
            if self._connection is None or self._connection.closed:
                self._connect()
                return None
            heard = self._connection.notifies(timeout=seconds, stop_after=1)
            return [notification.payload for notification in heard]
        except psycopg.Error as error:
            self.close()
            raise self._unavailable(error) from error

    def fetch(self, name: str, params: Params) -> Rows:
        try:
            if self._connection is None or self._connection.closed:
                self._connect()
            assert self._connection is not None
            return self._connection.execute(
                self._store.queries[name], params, prepare=True
            ).fetchall()
        except psycopg.Error as error:
            self.close()
            raise self._unavailable(error) from error

    def _connect(self) -> None:
        connection = psycopg.connect(
            self._store.url, autocommit=True, connect_timeout=int(CONNECT_SECONDS)
        )
        self._connection = connection
        configure(connection)
        connection.execute("SET synchronous_commit = off")
        connection.execute(f'LISTEN "{self._channel}"')

    def _unavailable(self, error: psycopg.Error) -> StoreUnavailable:
        return StoreUnavailable(database=location(self._store.url), why=_first_line(error))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresStore:
    """A store in a PostgreSQL database. `on_statement` is called with each statement's name before
    it is sent.
    """

    engine = "postgres"

    def __init__(self, url: str, *, connections: int = 8) -> None:
        location(url)
        self.url = url
        self.queries = dict(queries("postgres"))
        self.on_statement: Callable[[str], None] | None = None
        self._counting: dict[tuple[str, tuple[str, ...]], str] = {}
        self._choosing: dict[tuple[str, bool], str] = {}
        self._connections = connections
        self._process = os.getpid()
        try:
            with psycopg.connect(url, connect_timeout=int(CONNECT_SECONDS)) as connection:
                require_current(connection.execute)
        except psycopg.errors.UndefinedTable:
            raise SchemaMissing(database=self._where()) from None
        except (psycopg.Error, UnicodeError) as error:
            raise self.translated(error) from error
        self._pool = self._open_pool()

    def _open_pool(self) -> ConnectionPool[Connection]:
        return ConnectionPool(
            self.url,
            min_size=1,
            max_size=self._connections,
            kwargs={"autocommit": True},
            configure=configure,
            timeout=CONNECT_SECONDS,
            open=True,
        )

    def transact(
        self, change: Change, *, within: object = None, keep: bool = True, gives_way: bool = False
    ) -> None:
        if within is not None:
            connection = driver_connection(within, psycopg.Connection)
            self._transact_within(change, connection, keep=keep)
            return
        attempts = 1 if gives_way else CONFLICT_ATTEMPTS
        for attempt in range(attempts):
            try:
                self._transact(change, keep=keep, gives_way=gives_way)
                return
            except StoreConflict:
                if attempt == attempts - 1:
                    raise

    def _transact(self, change: Change, *, keep: bool, gives_way: bool) -> None:
        with self._connection() as connection:
            committing, is_sent = None, False
            try:
                with connection.pipeline():
                    connection.execute("BEGIN")
                    if gives_way:
                        connection.execute(
                            f"SET LOCAL lock_timeout = {GIVING_WAY_SECONDS * 1e3:.0f}"
                        )
                    tx = PostgresTransaction(connection, self, is_ours=True)
                    change(tx)
                    if keep:
                        self._announce("commit")
                        is_sent = True
                        committing = connection.execute("COMMIT")
                        tx.look_committed()
                tx.keep_found()
            except psycopg.Error as error:
                is_committed = committing is not None and committing.statusmessage == "COMMIT"
                if connection.closed and is_sent and not is_committed:
                    raise OutcomeUnknown(why=_first_line(error)) from error
                if not is_committed:
                    raise self.translated(error) from error
            finally:
                _reset(connection)
            self._announce("committed")

    def _transact_within(self, change: Change, connection: Connection, *, keep: bool) -> None:
        if connection.autocommit and connection.info.transaction_status == _IDLE:
            raise InvalidArgument(what="within", mend="open a transaction on the connection first")
        with self._translating():
            connection.execute("SAVEPOINT rescind")
        try:
            with connection.pipeline():
                change(PostgresTransaction(connection, self, is_ours=False))
                if keep:
                    connection.execute("RELEASE SAVEPOINT rescind")
            if not keep:
                connection.execute(_undo("ROLLBACK TO SAVEPOINT rescind"))
        except BaseException as error:
            if not connection.closed:
                connection.execute(_undo("ROLLBACK TO SAVEPOINT rescind"))
            if isinstance(error, psycopg.Error):
                raise self.translated(error) from error
            raise

    def fetch(self, name: str, params: Params, *, within: object = None) -> Rows:
        if within is not None:
            connection = driver_connection(within, psycopg.Connection)
            with self._translating():
                cursor = connection.cursor(row_factory=tuple_row)
                cursor.adapters.register_dumper(int, Int8Dumper)
                return cursor.execute(self.queries[name], params).fetchall()
        with self._connection() as connection:
            try:
                return connection.execute(self.queries[name], params, prepare=True).fetchall()
            except psycopg.Error as error:
                raise self.translated(error) from error

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        with self._connection() as connection:
            sent = False
            try:
                connection.execute("BEGIN")
                yield connection
                sent = True
                connection.execute("COMMIT")
            except psycopg.Error as error:
                if connection.closed and sent:
                    raise OutcomeUnknown(why=_first_line(error)) from error
                raise self.translated(error) from error
            finally:
                _reset(connection)

    def waiting(self) -> int:
        with self._connection() as connection, self._translating():
            row = connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
            return int(row[0]) if row else 0

    def listen(self, channel: str) -> PostgresListener:
        return PostgresListener(self, channel)

    def fetch_many(self, questions: Sequence[tuple[str, Params]]) -> list[Rows]:
        with self._connection() as connection:
            snapshot = PostgresSnapshot(connection, self)
            try:
                return snapshot.fetch_many(questions, is_last=True)
            finally:
                _reset(connection)

    @contextmanager
    def snapshot(self) -> Iterator[PostgresSnapshot]:
        with self._connection() as connection:
            try:
                yield PostgresSnapshot(connection, self)
                if connection.info.transaction_status == _INTRANS:
                    connection.execute("COMMIT")
            except psycopg.Error as error:
                raise self.translated(error) from error
            finally:
                _reset(connection)

    def close(self) -> None:
        self._pool.close()

    def counting(self, name: str, counters: tuple[str, ...]) -> str:
        """The statement, made to add the rows that it wrote or read to counters."""
        known = self._counting.get((name, counters))
        if known is None:
            sql = self.queries[name]
            returning = "\nRETURNING 1" if changes_data(sql) else ""
            tallies = ", ".join(f"rescind_tally('{counter}', c.n)" for counter in counters)
            known = (
                f"WITH counted AS (\n{sql}{returning}\n)\n"
                f"SELECT {tallies} FROM (SELECT count(*) AS n FROM counted) AS c"
            )
            self._counting[(name, counters)] = known
        return known

    def choosing(self, name: str, *, waits: bool) -> str:
        """The statement that weighs a change, made to choose its route from that."""
        known = self._choosing.get((name, waits))
        if known is None:
            sql = self.queries[name]
            known = (
                "SELECT rescind_choose(w.pairs, w.is_critical, w.is_busy, w.is_unsettled,"
                " %(is_background)s, %(pairs)s, %(critical_pairs)s, %(step)s)"
                f" FROM (\n{sql.replace(' SKIP LOCKED', '') if waits else sql}\n) AS w"
            )
            self._choosing[(name, waits)] = known
        return known

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        if os.getpid() != self._process:
            self._pool = self._open_pool()
            self._process = os.getpid()
        try:
            connection = self._pool.getconn()
        except (PoolTimeout, psycopg.Error) as error:
            raise StoreUnavailable(database=self._where(), why=_first_line(error)) from error
        try:
            yield connection
        finally:
            self._pool.putconn(connection)

    def _announce(self, name: str) -> None:
        if self.on_statement:
            self.on_statement(name)

    def _where(self) -> str:
        return location(self.url)

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise self.translated(error) from error

    def translated(self, error: Exception) -> BaseException:
        """The driver's error as one of the domain."""
        if isinstance(error, psycopg.Error) and error.sqlstate:
            return _by_state(error, self._where())
        return StoreUnavailable(database=self._where(), why=_first_line(error))


def location(url: str) -> str:
    """Which database a URL means, without its user and password, which no message may repeat.

    Raises InvalidArgument for a malformed one.
    """
    try:
        parts = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        mend = "write postgresql://user:password@host:port/database, other signs as %xx"
        raise InvalidArgument(what="database", mend=mend) from None
    return f"{parts.get('dbname', '')} on {parts.get('host', 'localhost')}"


_IDLE = psycopg.pq.TransactionStatus.IDLE
_INTRANS = psycopg.pq.TransactionStatus.INTRANS


def configure(connection: Connection) -> None:
    """Settings that hold for a connection of ours.

    Every statement of Rescind goes from keys to keys through indexes, in the order it is written
    in: plans are made once, and not for tables that happened to be empty at that time. A machine that
    vanished is noticed, and gives up its locks, within half a minute.
    """
    connection.adapters.register_dumper(int, Int8Dumper)
    connection.prepared_max = 1_000
    connection.execute(
        "SELECT set_config(name, value, false) FROM (VALUES ('jit', 'off'),"
        " ('plan_cache_mode', 'force_generic_plan'), ('enable_seqscan', 'off'),"
        " ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'), ('enable_material', 'off'),"
        " ('enable_bitmapscan', 'off'), ('join_collapse_limit', '1'), ('from_collapse_limit', '1'),"
        " ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'),"
        f" ('tcp_keepalives_count', '3'), ('lock_timeout', '{BUSY_SECONDS * 1e3:.0f}'),"
        " ('default_transaction_isolation', 'read committed')) AS s (name, value)"
    )


def _reset(connection: Connection) -> None:
    """End a failed transaction."""
    if not connection.closed and connection.info.transaction_status != _IDLE:
        connection.execute(_undo("ROLLBACK"))


_undone = itertools.count()


def _undo(command: str) -> str:
    """A rollback that makes the driver forget which statements it prepared.

    Those queued behind a failed one were never prepared in the server. The driver clears its list
    on a rollback, but only on one whose text it has not seen (hence the number) and that is not
    itself in a pipeline (there the clearing would hit what is prepared next).
    """
    return f"{command} -- {next(_undone)}"


def _by_state(error: psycopg.Error, where: str) -> BaseException:
    state, diagnostics = error.sqlstate or "", error.diag
    if state == "RS001":
        return refusal(
            diagnostics.message_primary or "", json.loads(diagnostics.message_detail or "{}")
        )
    if state == "RS002":
        return PlanStale()
    if state == "RS003":
        return OverBudget(**json.loads(diagnostics.message_detail or "{}"))
    if state == "23505" and diagnostics.constraint_name == "idempotency_pkey":
        return KeyTaken()
    if state == "23505" and diagnostics.constraint_name == "organization_pkey":
        return PlanStale()
    if state in ("40001", "40P01", "23503", "23505"):
        return StoreConflict(why=_first_line(error))
    if state == "55P03":
        return StoreBusy(database=where, why=_first_line(error))
    if state == "25006":
        return StoreReadOnly(database=where)
    if state == "42P01":
        return SchemaMissing(database=where)
    if state.startswith(("08", "57", "53")):
        return StoreUnavailable(database=where, why=_first_line(error))
    return StoreError(database=where, why=_first_line(error))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
