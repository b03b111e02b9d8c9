"""A store in one file: its connections, and whose turn it is to write."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, Final, TypeAlias

from rescind import forks
from rescind.errors import OutcomeUnknown, StoreBusy, StoreUnavailable
from rescind.store.connections import driver_connection
from rescind.store.contract import Capabilities, Change, Params
from rescind.store.pool import FOREVER, Loan, Pool, PoolClosed, PoolExhausted
from rescind.store.queries import queries
from rescind.store.rows import Query, typed, typed_each
from rescind.store.schema import require_current, seals_of
from rescind.store.sqlite import files, turns
from rescind.store.sqlite.files import (
    FAULTS,
    FORKED,
    Commits,
    connect,
    is_nothing_written,
    refuse_inherited,
    require_file,
    translated,
    translated_errors,
)
from rescind.store.sqlite.lines import (
    MOST_READERS,
    Writer,
    may_read_again,
    may_write_again,
    undone,
)
from rescind.store.sqlite.listener import SqliteListener
from rescind.store.sqlite.transaction import SqliteSnapshot, SqliteTransaction, run_change
from rescind.store.sqlite.within import asked_within, transact_within

Act: TypeAlias = Callable[[Writer], None]
Version: TypeAlias = tuple[int, int]
MOST_WATCHERS: Final = 8
"""Connections that ask whether anybody wrote."""
FORK_SECONDS: Final = 5.0
"""How long a fork waits for what is under way, so that the child inherits no connection."""


class SqliteStore:
    """A store in one file. `on_statement` is called with each statement's name before it runs.

    Before a fork its connections are closed, and both processes open others when they need them.
    """

    engine = "sqlite"
    capabilities = Capabilities(has_replicas=False, has_standbys=False, is_remote=False)

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.queries = dict(queries("sqlite"))
        self.on_statement: Callable[[str], None] | None = None
        self._is_inherited = False
        require_file(self.path)
        self._open()
        forks.reinit_after_fork(self)
        forks.close_for_forks(self)
        loan: Loan[Writer] = Loan()
        try:
            with translated_errors(self.path):
                execute = loan.take(self._writers).connection.execute
                require_current(execute, "rescind_schema_version")
                self.seals = seals_of(execute, "rescind_directory_secret")
        except BaseException:
            self.close()
            raise
        finally:
            loan.give_back()

    def reinit_after_fork(self) -> None:
        """As in a new process: no connection is open. Where one is, since somebody used it when this process
        was forked, the file cannot be used here.
        """
        if inherited := [line for pool in self._pools() for line in pool.lines()]:
            forks.keep(inherited)
            refuse_inherited(self.path)
            self._is_inherited = True
        self._turns.close()
        self._open()

    def _open(self) -> None:
        self._readers = Pool(
            lambda: connect(self.path),
            may_read_again,
            most=MOST_READERS,
            wait_seconds=turns.BUSY_SECONDS,
        )
        # a look takes microseconds, and is not to wait for those who read much
        self._watchers = Pool(
            lambda: connect(self.path),
            may_read_again,
            most=MOST_WATCHERS,
            wait_seconds=turns.BUSY_SECONDS,
        )
        self._writers = Pool(lambda: Writer(self.path), may_write_again, most=1)
        # another one that writes, for `connection()`: counters make it forget what it has prepared
        self._carriers = Pool(lambda: Writer(self.path), may_write_again, most=1)
        self._turns = turns.Turns(self.path)

    def _pools(self) -> tuple[Pool[Any], ...]:
        return self._readers, self._watchers, self._writers, self._carriers

    def before_fork(self) -> None:
        for pool in self._pools():
            pool.rest(FORK_SECONDS)

    def after_fork(self) -> None:
        for pool in self._pools():
            pool.wake()

    def transact(
        self,
        change: Change,
        *,
        within: object = None,
        commit: bool = True,
        yields: bool = False,
        durable: bool = True,
    ) -> None:
        if within is not None:
            connection = driver_connection(within, sqlite3.Connection)
            with translated_errors(self.path):
                transact_within(connection, self, change, self._turns, commit=commit)
            return
        commits = files.LASTING
        if yields:
            commits = files.BACKGROUND if durable else files.LOSABLE

        def act(writer: Writer) -> None:
            run_change(change, SqliteTransaction(writer.connection, self, writer.tally))
            self._announce("commit")

        self._write(act, commits, yields=yields, commit=commit)
        self._announce("committed")

    def execute_alone(self, name: str, params: Params) -> None:
        """By the connection that changes go over: when another one writes, it forgets every page it has."""

        def act(writer: Writer) -> None:
            writer.connection.execute(self.queries[name], params)

        self._write(act, files.LASTING, yields=True, commit=True)

    def _write(self, act: Act, commits: Commits, *, yields: bool, commit: bool) -> None:
        loan: Loan[Writer] = Loan()
        try:
            try:
                with translated_errors(self.path):
                    writer = self._turn(loan, self._writers, yields=yields)
                    writer.commit_as(commits)
                    self._run(act, writer, commit=commit)
            finally:
                loan.give_back()
        finally:
            loan.give_back()  # again, since the first time may have been interrupted

    def _turn(self, loan: Loan[Writer], pool: Pool[Writer], *, yields: bool) -> Writer:
        """This process's writer, when it is our turn; who gives way takes it when nobody else wants it."""
        self._require_usable()
        if yields:
            self._turns.give_way()
        try:
            if not loan.take_free(pool):
                with nullcontext() if yields else self._turns.wanted():
                    return loan.take(pool)
            return loan.take(pool)
        except PoolClosed:
            raise self._closed() from None

    def _run(self, act: Act, writer: Writer, *, commit: bool) -> None:
        connection, is_sent = writer.connection, False
        try:
            turns.begin(connection, self._turns)
            act(writer)
            is_sent = commit
            connection.execute("COMMIT" if commit else "ROLLBACK")
        except FAULTS as error:
            if is_sent and not connection.in_transaction and not is_nothing_written(error):
                raise OutcomeUnknown(why=str(error) or type(error).__name__) from error
            raise
        finally:
            undone(connection)
            with suppress(*FAULTS):  # whoever writes next sees to it as well
                writer.commit_as(files.LASTING)

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        turn: Loan[Writer] = Loan()
        loan: Loan[Writer] = Loan()
        try:
            with translated_errors(self.path):
                self._turn(turn, self._writers, yields=False)
                connection = self._turn(loan, self._carriers, yields=False).connection
                is_sent = False
                try:
                    turns.begin(connection, self._turns)
                    yield connection
                    is_sent = True
                    connection.execute("COMMIT")
                except FAULTS as error:
                    if is_sent and not connection.in_transaction and not is_nothing_written(error):
                        raise OutcomeUnknown(why=str(error) or type(error).__name__) from error
                    raise
                finally:
                    undone(connection)
        finally:
            loan.give_back()
            turn.give_back()

    def waiting(self) -> int:
        return self._turns.waiting()

    def reconnect(self) -> None:
        """A file is nowhere else."""

    def listen(self, channel: str) -> SqliteListener:  # noqa: ARG002
        self._require_usable()
        return SqliteListener(self)

    def version(self) -> Version:
        """Which connection was asked, and what changes for it whenever anybody else wrote to the file.

        Each check from memory asks it, so a free connection is taken without the rest of a loan.
        """
        pool = self._watchers
        try:
            line = pool.free.pop()
        except IndexError:
            return self._version_on_loan()
        if self._is_inherited or line.good_until != FOREVER or line.connection is None:
            pool.put_back(line)
            return self._version_on_loan()
        try:
            ((found,),) = line.connection.execute("PRAGMA data_version")
        except FAULTS as error:
            line.end()
            raise translated(error, self.path) from error
        pool.put_back(line)
        return line.number, found

    def _version_on_loan(self) -> Version:
        loan: Loan[sqlite3.Connection] = Loan()
        try:
            ((found,),) = self._reader(loan, self._watchers).execute("PRAGMA data_version")
            return loan.number, found
        except FAULTS as error:
            raise translated(error, self.path) from error
        finally:
            loan.give_back()

    def fetch(self, query: Query[Any] | str, params: Params, *, within: object = None) -> Any:
        if within is not None:
            return self.fetch_many([(query, params)], within=within)[0]
        loan: Loan[sqlite3.Connection] = Loan()
        try:
            found = self._reader(loan).execute(self.queries[str(query)], params).fetchall()
            return typed(query, found)
        except FAULTS as error:
            raise translated(error, self.path) from error
        finally:
            loan.give_back()

    def fetch_many(
        self, questions: Sequence[tuple[Query[Any] | str, Params]], *, within: object = None
    ) -> Any:
        if within is not None:
            connection = driver_connection(within, sqlite3.Connection)
            with translated_errors(self.path):
                return typed_each(questions, asked_within(connection, self, questions))
        with self.snapshot() as snapshot:
            return snapshot.fetch_many(questions)

    @contextmanager
    def snapshot(self) -> Iterator[SqliteSnapshot]:
        loan: Loan[sqlite3.Connection] = Loan()
        try:
            with translated_errors(self.path):
                reader = self._reader(loan)
                reader.execute("BEGIN")
                yield SqliteSnapshot(reader, self)
                reader.execute("COMMIT")
        finally:
            loan.give_back()  # which ends the snapshot, where that is not done

    def close(self) -> None:
        """Wait for what is under way, and close all connections."""
        for pool in self._pools():
            pool.close(turns.BUSY_SECONDS)
        self._turns.close()

    def _reader(
        self, loan: Loan[sqlite3.Connection], pool: Pool[sqlite3.Connection] | None = None
    ) -> sqlite3.Connection:
        """A connection to read on, until the loan ends."""
        if self._is_inherited:
            self._require_usable()
        try:
            return loan.take(pool or self._readers)
        except PoolClosed:
            raise self._closed() from None
        except PoolExhausted:
            raise StoreBusy(path=self.path, why="all connections are in use") from None

    def _require_usable(self) -> None:
        if self._readers.is_closed:
            raise self._closed()
        if self._is_inherited:
            raise StoreUnavailable(path=self.path, hint=FORKED)

    def _closed(self) -> StoreUnavailable:
        return StoreUnavailable(path=self.path, hint="the store was closed; open it again")

    def _announce(self, name: str) -> None:
        if self.on_statement:
            self.on_statement(name)

    @property
    def _writer(self) -> sqlite3.Connection:
        """The connection that changes go over, for tests and measurements."""
        return next(line.connection.connection for line in self._writers.lines() if line.connection)
