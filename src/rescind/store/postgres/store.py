"""A store in a PostgreSQL database: its connection pool, transactions and reads."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from rescind import forks
from rescind.errors import OutcomeUnknown, SchemaMissing, StoreConflict, StoreUnavailable
from rescind.model import Seals
from rescind.settings import Settings
from rescind.store.connections import driver_connection
from rescind.store.contract import Capabilities, Change, Params
from rescind.store.pool import Checkout, Pool, PoolClosed, PoolExhausted
from rescind.store.postgres.address import address, location
from rescind.store.postgres.connection import (
    CONNECT_SECONDS,
    YIELDING_LOCK_SECONDS,
    Connection,
    is_idle,
    require_confirmed,
)
from rescind.store.postgres.connector import Connector
from rescind.store.postgres.durability import warn_of_lost_commits
from rescind.store.postgres.errors import FAULTS, first_line, interruption, is_of_client, translated
from rescind.store.postgres.listener import PostgresListener
from rescind.store.postgres.placement import (
    Place,
    as_written,
    count_partitions,
    placing,
    spread_out,
)
from rescind.store.postgres.primary import IS_STANDBY, require_primary
from rescind.store.postgres.statements import Statements
from rescind.store.postgres.transaction import PostgresSnapshot, PostgresTransaction, rows_of
from rescind.store.postgres.within import asked_within, require_transaction, transact_within
from rescind.store.probe import StoreProbe, store_queries
from rescind.store.queries import named, queries, quoted, unindented
from rescind.store.rows import Query, typed, typed_each
from rescind.store.schema import Installation, read_installation, require_usable, seals_of
from rescind.waiting import THREAD

CONFLICT_ATTEMPTS = 8
LIFETIME_SECONDS = 3_600.0
"""The age at which a connection is replaced."""
PIPELINE_NOISE = "error ignored terminating"
"""What psycopg logs when a refused change ends its pipeline; the refusal itself is raised."""
logging.getLogger("psycopg").addFilter(
    lambda record: not str(record.msg).startswith(PIPELINE_NOISE)
)


class PostgresStore:
    """A store in a PostgreSQL database.

    Every call ends: with an answer, or with StoreUnavailable or OutcomeUnknown once the server has sent
    nothing for `silence_seconds` (`bulk_silence_seconds` for a change that is forced inline). Before that it
    may wait for a connection, for CONNECT_SECONDS.
    """

    engine = "postgres"
    capabilities = Capabilities(has_replicas=True, has_standbys=True, is_remote=True)

    def __init__(
        self,
        url: str,
        *,
        connections: int | None = None,
        settings: Settings | None = None,
        probe: StoreProbe | None = None,
    ) -> None:
        at, self.where = address(url), location(url)
        self.url, self.schema, self._ours = at.url, at.schema, quoted(at.schema)
        self._seals: Seals
        self.installation: Installation | None = None
        settings = settings or Settings()
        self.connector = Connector(at, settings)
        self.silence_seconds = settings.silence_seconds
        self.bulk_silence_seconds = settings.bulk_silence_seconds
        self.probe, self.queries = (
            probe,
            store_queries(unindented(queries("postgres", self.schema)), probe),
        )
        self.place: Place = as_written
        self._connections = connections or settings.database_connections
        self.pool = self._new_pool()
        try:
            with self.connector.opening() as connection:
                self._recognize(connection)
                warn_of_lost_commits(connection, self.where)
                if partitions := count_partitions(connection.execute, self._ours):
                    self.place = placing(partitions, self._ours)
                    self.queries.update(spread_out(self.queries, self._ours))
                self.connector.learn(connection)
        except psycopg.errors.UndefinedTable:
            raise SchemaMissing(database=self.where) from None
        except (*FAULTS, UnicodeError) as error:
            raise translated(error, self.where) from error
        self.statements = Statements(self.queries, self._ours)
        forks.reinit_after_fork(self)

    def reinit_after_fork(self) -> None:
        """Start anew after a fork, without open connections. Those of the parent are left alone."""
        if inherited := self.pool.connections():
            forks.keep(inherited)
        self.pool = self._new_pool()

    def _new_pool(self) -> Pool[Connection]:
        return Pool(
            self._connect,
            is_idle,
            most=self._connections,
            wait_seconds=CONNECT_SECONDS,
            lifetime_seconds=LIFETIME_SECONDS,
        )

    @property
    def seals(self) -> Seals:
        if self.installation is None and THREAD.may_wait:
            with self._connection():
                """A new connection knows the incarnation."""
        return self._seals

    def _connect(self) -> Connection:
        connection = self.connector.connect()
        try:
            self._recognize(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _recognize(self, connection: Connection) -> None:
        """Require the primary, and a schema that this code may use; take the seals of its incarnation."""
        ours = partial(named, engine="postgres", schema=self.schema)
        require_usable(connection.execute, ours)
        found = read_installation(connection.execute, ours, f"rescind.identity(), {IS_STANDBY}")
        require_primary(connection, self.where, is_standby=found.is_standby)
        if found != self.installation:
            self._seals = seals_of(connection.execute, ours, found)
            self.installation = found

    def transact(
        self,
        change: Change,
        *,
        within: object = None,
        commit: bool = True,
        yields: bool = False,
        durable: bool = True,
        shares: bool = False,  # noqa: ARG002 - the server commits concurrent transactions together
    ) -> None:
        if within is not None:
            connection = driver_connection(within, psycopg.Connection)
            transact_within(connection, self, change, commit=commit)
            return
        attempts = 1 if yields else CONFLICT_ATTEMPTS
        for attempt in range(attempts):
            try:
                self._transact(change, commit=commit, yields=yields, durable=durable)
                return
            except StoreConflict:
                if attempt == attempts - 1:
                    raise

    def _transact(self, change: Change, *, commit: bool, yields: bool, durable: bool) -> None:
        checkout: Checkout[Connection] = Checkout()
        try:
            try:
                self._run(change, checkout, commit=commit, yields=yields, durable=durable)
            finally:
                checkout.release()
        finally:
            checkout.release()  # again, because the first call may have been interrupted
        self._announce("committed")

    def _run(
        self,
        change: Change,
        checkout: Checkout[Connection],
        *,
        commit: bool,
        yields: bool,
        durable: bool,
    ) -> None:
        connection, before = self._borrow(checkout), sys.exception()
        committing, is_sent = None, False
        try:
            with connection.pipeline():
                connection.begin()
                if yields:
                    connection.execute(
                        f"SET LOCAL lock_timeout = {YIELDING_LOCK_SECONDS * 1e3:.0f}"
                    )
                if yields and not durable:
                    connection.execute("SET LOCAL synchronous_commit = off")
                tx = PostgresTransaction(connection, self, is_ours=True)
                change(tx)
                if commit:
                    self._announce("commit")
                    is_sent = True
                    committing = connection.execute("COMMIT")
                    tx.read_committed()
            self._collect(tx, is_committed=commit)
        except FAULTS as error:
            if committing is not None and committing.statusmessage == "COMMIT":
                self._collect(tx, is_committed=True)
                require_confirmed(connection)
                return
            if (struck := interruption(error, before)) is not None:
                raise struck from struck.__cause__
            if is_sent and (connection.closed or is_of_client(error)):
                raise OutcomeUnknown(why=first_line(error)) from error
            raise translated(error, self.where) from error
        require_confirmed(connection)

    def _collect(self, tx: PostgresTransaction, *, is_committed: bool) -> None:
        """Fetch what the statements found. If that fails after the commit, the outcome is unknown to the
        caller.
        """
        try:
            tx.fetch_read_later()
            with suppress(*FAULTS):  # callers can ask again
                tx.fetch_read_committed()
        except FAULTS as error:
            if is_committed:
                raise OutcomeUnknown(why=first_line(error)) from error
            raise

    def fetch(self, query: Query[Any] | str, params: Params, *, within: object = None) -> Any:
        if within is not None:
            return self.fetch_many([(query, params)], within=within)[0]
        checkout: Checkout[Connection] = Checkout()
        before = sys.exception()
        try:
            connection = self._borrow(checkout)
            sql = self.place(self.queries[str(query)], params)
            is_binary = isinstance(query, Query) and query.is_binary
            found = rows_of(connection, sql, params, is_binary=is_binary)
            require_confirmed(connection)
            return typed(query, found)
        except FAULTS as error:
            if (struck := interruption(error, before)) is not None:
                raise struck from struck.__cause__
            raise translated(error, self.where) from error
        finally:
            checkout.release()

    def execute_alone(self, name: str, params: Params) -> None:
        self.fetch(name, params)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        with self._connection() as connection:
            self._begin(connection)
            is_sent = False
            try:
                yield connection
                is_sent = True
                connection.execute("COMMIT")
                require_confirmed(connection)
            except FAULTS as error:
                if is_sent and (connection.closed or is_of_client(error)):
                    raise OutcomeUnknown(why=first_line(error)) from error
                raise translated(error, self.where) from error

    def _begin(self, connection: Connection) -> None:
        """Begin a transaction, in one round trip."""
        before = sys.exception()
        try:
            with connection.pipeline() if connection.opening else nullcontext():
                connection.begin()
        except FAULTS as error:
            if (struck := interruption(error, before)) is not None:
                raise struck from struck.__cause__
            raise translated(error, self.where) from error

    def waiting(self) -> int:
        with self._connection() as connection, self._translating():
            row = connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
            return int(row[0]) if row else 0

    def reconnect(self) -> None:
        self.pool.renew()
        self.installation = None

    def listen(self, channel: str) -> PostgresListener:
        return PostgresListener(self, channel)

    def fetch_many(
        self, questions: Sequence[tuple[Query[Any] | str, Params]], *, within: object = None
    ) -> Any:
        if within is not None:
            connection = driver_connection(within, psycopg.Connection)
            require_transaction(connection)
            return typed_each(questions, asked_within(connection, self, questions))
        with self._connection() as connection:
            return PostgresSnapshot(connection, self).fetch_many(questions, is_last=True)

    @contextmanager
    def snapshot(self) -> Iterator[PostgresSnapshot]:
        with self._connection() as connection, self._translating():
            yield PostgresSnapshot(connection, self)
            if connection.info.transaction_status == TransactionStatus.INTRANS:
                connection.execute("COMMIT")

    def close(self) -> None:
        self.pool.close()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        checkout: Checkout[Connection] = Checkout()
        try:
            yield self._borrow(checkout)
        finally:
            checkout.release()

    def _borrow(self, checkout: Checkout[Connection]) -> Connection:
        """Borrow a connection of the pool."""
        try:
            connection = checkout.acquire(self.pool)
        except PoolClosed:
            hint = "the store was closed; open it again"
            raise StoreUnavailable(database=self.where, hint=hint) from None
        except PoolExhausted:
            why = f"all {self._connections} connections are in use"
            raise StoreUnavailable(database=self.where, why=why) from None
        except FAULTS as error:
            raise StoreUnavailable(database=self.where, why=first_line(error)) from error
        connection.silence_seconds = self.silence_seconds
        return connection

    def _announce(self, name: str) -> None:
        if self.probe is not None:
            self.probe.before_statement(name, {})

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except FAULTS as error:
            raise translated(error, self.where) from error
