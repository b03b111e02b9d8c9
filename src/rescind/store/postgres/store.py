"""A store in a PostgreSQL database: its connections, and what goes over them."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row
from psycopg.types.numeric import Int8Dumper
from psycopg_pool import ConnectionPool, PoolTimeout

from rescind.errors import (
    InvalidArgument,
    OutcomeUnknown,
    SchemaMissing,
    StoreConflict,
    StoreUnavailable,
)
from rescind.settings import Settings
from rescind.store.base import Change, Params, Rows
from rescind.store.connections import driver_connection
from rescind.store.postgres.connection import (
    BEGIN,
    CONNECT_SECONDS,
    GIVING_WAY_SECONDS,
    Connection,
    configure,
    connect,
    location,
    parameters,
    reset,
    undo,
)
from rescind.store.postgres.errors import first_line, translated
from rescind.store.postgres.listener import PostgresListener
from rescind.store.postgres.transaction import PostgresSnapshot, PostgresTransaction
from rescind.store.queries import changes_data, queries
from rescind.store.schema import require_current

CONFLICT_ATTEMPTS = 8
PIPELINE_NOISE = "error ignored terminating"
"""What psycopg logs when a refused change ends its pipeline; the refusal itself is raised."""
logging.getLogger("psycopg").addFilter(
    lambda record: not str(record.msg).startswith(PIPELINE_NOISE)
)


class PostgresStore:
    """A store in a PostgreSQL database. `on_statement` is called with each statement's name before
    it is sent.

    Every call ends: with an answer, or with StoreUnavailable or OutcomeUnknown once the server has said
    nothing for `silence_seconds` (`bulk_silence_seconds` for a change that is to be inline however much
    that is). Before that it may have waited for a connection, for CONNECT_SECONDS.
    """

    engine = "postgres"

    def __init__(
        self,
        url: str,
        *,
        connections: int = 8,
        settings: Settings | None = None,
    ) -> None:
        self.url, self.where = url, location(url)
        settings = settings or Settings()
        self.silence_seconds = settings.silence_seconds
        self.bulk_silence_seconds = settings.bulk_silence_seconds
        self.queries = dict(queries("postgres"))
        self.on_statement: Callable[[str], None] | None = None
        self._counting: dict[tuple[str, tuple[str, ...], str], str] = {}
        self._connections = connections
        self._process = os.getpid()
        try:
            with connect(url, self.silence_seconds) as connection:
                require_current(connection.execute)
        except psycopg.errors.UndefinedTable:
            raise SchemaMissing(database=self.where) from None
        except (psycopg.Error, UnicodeError) as error:
            raise translated(error, self.where) from error
        self._pool = self._open_pool()

    def _open_pool(self) -> ConnectionPool[Connection]:
        return ConnectionPool(
            self.url,
            min_size=1,
            max_size=self._connections,
            connection_class=Connection,
            kwargs={"autocommit": True, **parameters(self.url)},
            configure=self._configure,
            timeout=CONNECT_SECONDS,
            open=True,
        )

    def _configure(self, connection: Connection) -> None:
        connection.silence_seconds = self.silence_seconds
        configure(connection, silence_seconds=self.silence_seconds)

    def transact(
        self,
        change: Change,
        *,
        within: object = None,
        keep: bool = True,
        gives_way: bool = False,
        may_be_lost: bool = False,
    ) -> None:
        if within is not None:
            connection = driver_connection(within, psycopg.Connection)
            self._transact_within(change, connection, keep=keep)
            return
        attempts = 1 if gives_way else CONFLICT_ATTEMPTS
        for attempt in range(attempts):
            try:
                self._transact(change, keep=keep, gives_way=gives_way, may_be_lost=may_be_lost)
                return
            except StoreConflict:
                if attempt == attempts - 1:
                    raise

    def _transact(self, change: Change, *, keep: bool, gives_way: bool, may_be_lost: bool) -> None:
        with self._connection() as connection:
            committing, is_sent = None, False
            try:
                with connection.pipeline():
                    connection.execute(BEGIN)
                    if gives_way:
                        connection.execute(
                            f"SET LOCAL lock_timeout = {GIVING_WAY_SECONDS * 1e3:.0f}"
                        )
                    if gives_way and may_be_lost:
                        connection.execute("SET LOCAL synchronous_commit = off")
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
                    raise OutcomeUnknown(why=first_line(error)) from error
                if not is_committed:
                    raise translated(error, self.where) from error
            finally:
                connection.silence_seconds = self.silence_seconds
                reset(connection)
            self._announce("committed")

    def _transact_within(
        self, change: Change, connection: psycopg.Connection[Any], *, keep: bool
    ) -> None:
        if connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE:
            raise InvalidArgument(what="within", mend="open a transaction on the connection first")
        with self._translating():
            connection.execute("SAVEPOINT rescind")
        try:
            with connection.pipeline():
                change(PostgresTransaction(connection, self, is_ours=False))
                if keep:
                    connection.execute("RELEASE SAVEPOINT rescind")
            if not keep:
                connection.execute(undo("ROLLBACK TO SAVEPOINT rescind"))
        except BaseException as error:
            if not connection.closed:
                connection.execute(undo("ROLLBACK TO SAVEPOINT rescind"))
            if isinstance(error, psycopg.Error):
                raise translated(error, self.where) from error
            raise

    def fetch(self, name: str, params: Params, *, within: object = None) -> Rows:
        if within is not None:
            connection = driver_connection(within, psycopg.Connection)
            with self._translating():
                cursor = connection.cursor(row_factory=tuple_row)
                cursor.adapters.register_dumper(int, Int8Dumper)
                return cursor.execute(self.queries[name], params).fetchall()
        connection = self._taken()
        try:
            return connection.execute(self.queries[name], params, prepare=True).fetchall()
        except psycopg.Error as error:
            raise translated(error, self.where) from error
        finally:
            self._pool.putconn(connection)

    def put(self, name: str, params: Params) -> None:
        self.fetch(name, params)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        with self._connection() as connection:
            sent = False
            try:
                connection.execute(BEGIN)
                yield connection
                sent = True
                connection.execute("COMMIT")
            except psycopg.Error as error:
                if connection.closed and sent:
                    raise OutcomeUnknown(why=first_line(error)) from error
                raise translated(error, self.where) from error
            finally:
                reset(connection)

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
                reset(connection)

    @contextmanager
    def snapshot(self) -> Iterator[PostgresSnapshot]:
        with self._connection() as connection:
            try:
                yield PostgresSnapshot(connection, self)
                if connection.info.transaction_status == TransactionStatus.INTRANS:
                    connection.execute("COMMIT")
            except psycopg.Error as error:
                raise translated(error, self.where) from error
            finally:
                reset(connection)

    def close(self) -> None:
        self._pool.close()

    def counting(self, name: str, counters: tuple[str, ...], guard: str = "") -> str:
        """The statement, made to add the rows that it wrote or read to counters; the guard is asked where
        there were fewer than expected.
        """
        known = self._counting.get((name, counters, guard))
        if known is None:
            sql = self.queries[name]
            returning = "\nRETURNING 1" if changes_data(sql) else ""
            tallies = ", ".join(f"rescind_tally('{counter}', c.n)" for counter in counters)
            if guard:
                tallies += (
                    f", CASE WHEN c.n < %(expected)s THEN ({self.refusing(guard)} LIMIT 1) END"
                )
            known = (
                f"WITH counted AS (\n{sql}{returning}\n)\n"
                f"SELECT {tallies} FROM (SELECT count(*) AS n FROM counted) AS c"
            )
            self._counting[(name, counters, guard)] = known
        return known

    def choosing(self, name: str, *, is_first: bool) -> str:
        """The statement that weighs a step, made to choose its route from that. What steps before it do
        inline is off the budget.
        """
        done = "" if is_first else " - rescind_tallied('pairs') + rescind_tallied('estimated')"
        return (
            "SELECT rescind_choose(w.pairs, w.is_critical, w.is_busy, w.is_unsettled,"
            f" %(is_background)s, %(pairs)s{done}, %(critical_pairs)s{done}, %(step)s)"
            f" FROM (\n{self.queries[name]}\n) AS w"
        )

    def pending(self, name: str) -> str:
        """The statement, made to add what it leaves to counters."""
        counters = ("pended", "estimated", "pairs")
        known = self._counting.get((name, counters, ""))
        if known is None:
            known = (
                f"WITH pended AS (\n{self.queries[name]}\n)\n"
                "SELECT rescind_tally('pended', p.n), rescind_tally('estimated', p.pairs),"
                " rescind_tally('pairs', p.pairs) FROM (SELECT count(*) AS n,"
                " CAST(COALESCE(sum(pairs), 0) AS bigint) AS pairs FROM pended) AS p"
            )
            self._counting[(name, counters, "")] = known
        return known

    def refusing(self, name: str) -> str:
        """The guard, made to refuse."""
        return f"SELECT rescind_refuse(g.code, g.fact, g.value) FROM ({self.queries[name]}) AS g"

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        connection = self._taken()
        try:
            yield connection
        finally:
            self._pool.putconn(connection)

    def _taken(self) -> Connection:
        """A connection of the pool, to be put back."""
        if os.getpid() != self._process:
            self._pool = self._open_pool()
            self._process = os.getpid()
        try:
            return self._pool.getconn()
        except (PoolTimeout, psycopg.Error) as error:
            raise StoreUnavailable(database=self.where, why=first_line(error)) from error

    def _announce(self, name: str) -> None:
        if self.on_statement:
            self.on_statement(name)

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise translated(error, self.where) from error
