"""A store in one SQLite file: its connection pools, transactions and reads."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, Final, TypeAlias

from rescind import forks
from rescind.errors import StoreBusy, StoreUnavailable
from rescind.model import Seals
from rescind.store.connections import driver_connection
from rescind.store.contract import Capabilities, Change, Params
from rescind.store.pool import FOREVER, Checkout, Pool, PoolClosed, PoolExhausted
from rescind.store.probe import StoreProbe, store_queries
from rescind.store.queries import queries
from rescind.store.rows import Query, typed, typed_each
from rescind.store.sqlite import files, write_queue
from rescind.store.sqlite.connections import Writer, open_pools, rolled_back
from rescind.store.sqlite.files import FAULTS, Connection, translated, translated_errors
from rescind.store.sqlite.incarnation import Incarnation
from rescind.store.sqlite.listener import SqliteListener
from rescind.store.sqlite.log_files import LOST
from rescind.store.sqlite.own_log import OwnLog
from rescind.store.sqlite.shared_commits import Act, SharedCommits
from rescind.store.sqlite.transaction import SqliteSnapshot, SqliteTransaction, run_change
from rescind.store.sqlite.within import asked_within, transact_within
from rescind.waiting import THREAD

Version: TypeAlias = tuple[int, int]
FORK_SECONDS: Final = 5.0
"""How long a fork waits for running statements, so that the child inherits no connection."""


class SqliteStore:
    """A store in one file.

    Before a fork all connections are closed. Both processes open new ones when they need them.
    """

    engine = "sqlite"
    capabilities = Capabilities(has_replicas=False, has_standbys=False, is_remote=False)

    def __init__(self, path: str | os.PathLike[str], *, probe: StoreProbe | None = None) -> None:
        self.path = os.fspath(path)
        self.probe, self.queries = probe, store_queries(queries("sqlite"), probe)
        self._is_inherited = False
        self._log = OwnLog(self.path, self.pools)
        self.incarnation = Incarnation(self.path, self._log.begin_anew, self._log.require)
        self._open()
        forks.reinit_after_fork(self)
        forks.close_for_forks(self)
        checkout: Checkout[Writer] = Checkout()
        try:
            with translated_errors(self.path):
                self.incarnation.read(checkout.acquire(self.writers).connection)
        except BaseException:
            self.close()
            raise
        finally:
            checkout.release()

    def reinit_after_fork(self) -> None:
        """Start anew after a fork, without open connections. If one was in use during the fork, the file
        cannot be used in this process.
        """
        if inherited := [pooled for pool in self.pools() for pooled in pool.connections()]:
            forks.keep(inherited)
            files.refuse_inherited(self.path)
            self._is_inherited = True
        self.write_queue.close()
        self._open()

    def _open(self) -> None:
        self.readers, self.watchers, self.writers, self.carriers = open_pools(self.path)
        self.write_queue = write_queue.WriteQueue(self.path)
        self.shared_commits = SharedCommits(self.path, self.write_queue)

    @property
    def seals(self) -> Seals:
        """Of the file's present incarnation, which is read again if that was long ago."""
        if time.monotonic() >= self.incarnation.next_reading and THREAD.may_wait:
            with self._reading():
                """That reads it."""
        return self.incarnation.seals

    def pools(self) -> tuple[Pool[Any], ...]:
        return self.readers, self.watchers, self.writers, self.carriers

    def before_fork(self) -> None:
        self._log.pause(FORK_SECONDS)

    def after_fork(self) -> None:
        for pool in self.pools():
            pool.resume()

    def transact(
        self,
        change: Change,
        *,
        within: object = None,
        commit: bool = True,
        yields: bool = False,
        durable: bool = True,
        shares: bool = False,
    ) -> None:
        if within is not None:
            connection = driver_connection(within, sqlite3.Connection)
            self._require_log()
            with translated_errors(self.path):
                transact_within(connection, self, change, self.write_queue, commit=commit)
            return
        commits = files.DURABLE
        if yields:
            commits = files.BACKGROUND if durable else files.NOT_DURABLE

        start = time.perf_counter()

        def act(writer: Writer) -> None:
            waited = time.perf_counter() - start
            tx = SqliteTransaction(writer.connection, self, writer.tally, waited_seconds=waited)
            run_change(change, tx)
            self._announce("commit")

        self._write(act, commits, yields=yields, commit=commit, shares=shares)
        self._announce("committed")

    def execute_alone(self, name: str, params: Params) -> None:
        """Runs on the connection for changes: a write by another connection would empty its page cache."""

        def act(writer: Writer) -> None:
            writer.connection.execute(self.queries[name], params)

        self._write(act, files.DURABLE, yields=True, commit=True)

    def _write(
        self, act: Act, commits: files.Commits, *, yields: bool, commit: bool, shares: bool = False
    ) -> None:
        def run(acts: Act, writer: Writer) -> None:
            writer.commit_as(commits)
            self._run(acts, writer, commit=commit)

        checkout: Checkout[Writer] = Checkout()
        try:
            try:
                with translated_errors(self.path):
                    if shares and commit and not yields:
                        self._require_usable()
                        self.shared_commits.commit(act, checkout, self.writers, run)
                    else:
                        run(act, self._turn(checkout, self.writers, yields=yields))
            except PoolClosed:
                raise self._closed() from None
            finally:
                checkout.release()
        finally:
            checkout.release()  # again, because the first call may have been interrupted
            self.shared_commits.hand_over()

    def _turn(self, checkout: Checkout[Writer], pool: Pool[Writer], *, yields: bool) -> Writer:
        """Borrow this process's writer. With `yields`, not before other writers."""
        self._require_usable()
        if yields:
            self.write_queue.yield_to_others()
        try:
            if not checkout.acquire_free(pool):
                with nullcontext() if yields else self.write_queue.announce_here():
                    return checkout.acquire(pool)
            return checkout.acquire(pool)
        except PoolClosed:
            raise self._closed() from None

    def _run(self, act: Act, writer: Writer, *, commit: bool) -> None:
        connection, is_sent = writer.connection, False
        self.incarnation.require_same_file()
        try:
            write_queue.begin_write(connection, self.write_queue)
            act(writer)
            is_sent = commit
            connection.execute("COMMIT" if commit else "ROLLBACK")
        except FAULTS as error:
            files.require_known_outcome(error, connection, is_sent=is_sent)
            raise
        finally:
            rolled_back(connection)
            with suppress(*FAULTS):  # the next writer sets it as well
                writer.commit_as(files.DURABLE)

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        turn: Checkout[Writer] = Checkout()
        checkout: Checkout[Writer] = Checkout()
        try:
            with translated_errors(self.path):
                self._turn(turn, self.writers, yields=False)
                connection = self._turn(checkout, self.carriers, yields=False).connection
                is_sent = False
                self.incarnation.require_same_file()
                try:
                    write_queue.begin_write(connection, self.write_queue)
                    yield connection
                    is_sent = True
                    connection.execute("COMMIT")
                except FAULTS as error:
                    files.require_known_outcome(error, connection, is_sent=is_sent)
                    raise
                finally:
                    rolled_back(connection)
        finally:
            checkout.release()
            turn.release()
            self.shared_commits.hand_over()

    def waiting(self) -> int:
        return self.write_queue.waiting()

    def reconnect(self) -> None:
        self._log.require()
        self._log.renew()
        self.incarnation.next_look = self.incarnation.next_reading = 0.0

    def listen(self, channel: str) -> SqliteListener:  # noqa: ARG002
        self._require_usable()
        return SqliteListener(self)

    def version(self) -> Version:
        """The number of a connection, and a value that changes for it whenever another one wrote to the file.

        Each check from memory calls this, so a free connection is taken without the cost of a checkout.
        """
        if time.monotonic() >= self.incarnation.next_look:
            self.incarnation.look()
        pool = self.watchers
        try:
            pooled = pool.free.pop()
        except IndexError:
            return self._version_on_loan()
        is_refused = self._is_inherited or self._log.is_lost
        if is_refused or pooled.good_until != FOREVER or pooled.connection is None:
            pool.give_back(pooled)
            return self._version_on_loan()
        try:
            ((found,),) = pooled.connection.execute("PRAGMA data_version")
        except FAULTS as error:
            pooled.end()
            raise translated(error, self.path) from error
        pool.give_back(pooled)
        return pooled.number, found

    def _version_on_loan(self) -> Version:
        with self._reading(self.watchers) as lent:
            ((found,),) = lent.connection.execute("PRAGMA data_version")
            return lent.number, found

    def fetch(self, query: Query[Any] | str, params: Params, *, within: object = None) -> Any:
        if within is not None:
            return self.fetch_many([(query, params)], within=within)[0]
        with self._reading() as lent:
            found = lent.connection.execute(self.queries[str(query)], params).fetchall()
        return typed(query, found)

    def fetch_many(
        self, questions: Sequence[tuple[Query[Any] | str, Params]], *, within: object = None
    ) -> Any:
        if within is not None:
            connection = driver_connection(within, sqlite3.Connection)
            self._look()
            with translated_errors(self.path):
                return typed_each(questions, asked_within(connection, self, questions))
        with self.snapshot() as snapshot:
            return snapshot.fetch_many(questions)

    @contextmanager
    def snapshot(self) -> Iterator[SqliteSnapshot]:
        with self._reading() as lent:
            lent.connection.execute("BEGIN")
            yield SqliteSnapshot(lent.connection, self)
            lent.connection.execute("COMMIT")

    def close(self) -> None:
        """Wait for running statements, and close all connections."""
        self._log.close(write_queue.BUSY_SECONDS)
        self.write_queue.close()

    @contextmanager
    def _reading(self, pool: Pool[Connection] | None = None) -> Iterator[Checkout[Connection]]:
        """Lend a connection for a block. It is closed if the block raises: a statement that was not read to
        its end would keep its snapshot, and later reads would be of it.
        """
        if self._is_inherited or self.readers.is_closed:
            self._require_usable()
        self._look()
        lent: Checkout[Connection] = Checkout()
        try:
            with translated_errors(self.path):
                connection = lent.acquire(pool or self.readers)
                if time.monotonic() >= self.incarnation.next_reading:
                    self.incarnation.read(connection)
                yield lent
        except PoolClosed:
            raise self._closed() from None
        except PoolExhausted:
            raise StoreBusy(path=self.path, why="all connections are in use") from None
        except BaseException:
            lent.drop()
            raise
        finally:
            lent.release()

    def _look(self) -> None:
        """Notice, LOOK_SECONDS late at most, that the file was replaced or lost its log."""
        if self._log.is_lost:
            self._require_usable()
        if time.monotonic() >= self.incarnation.next_look:
            self.incarnation.look()

    def _require_usable(self) -> None:
        if self.readers.is_closed:
            raise self._closed()
        if self._is_inherited:
            raise StoreUnavailable(path=self.path, hint=files.FORKED)
        if self._log.is_lost:
            self.incarnation.look()
            if self._log.is_lost:
                raise StoreUnavailable(path=self.path, hint=LOST)

    def _require_log(self) -> None:
        """Raise StoreUnavailable if the file lost its log: the caller's connection may have it."""
        if self._log.is_lost:
            self._require_usable()
        self._log.require()

    def _closed(self) -> StoreUnavailable:
        return StoreUnavailable(path=self.path, hint="the store was closed; open it again")

    def _announce(self, name: str) -> None:
        if self.probe is not None:
            self.probe.before_statement(name, {})

    @property
    def writer(self) -> sqlite3.Connection:
        """The connection for changes, for tests and measurements."""
        pooled = self.writers.connections()
        return next(each.connection.connection for each in pooled if each.connection)
