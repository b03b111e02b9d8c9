"""A store in one file: its connections, and whose turn it is to write."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from rescind.errors import StoreUnavailable
from rescind.store.base import Change, Params, Rows
from rescind.store.connections import driver_connection
from rescind.store.queries import queries
from rescind.store.schema import require_current
from rescind.store.sqlite import turns
from rescind.store.sqlite.files import (
    as_background,
    connect,
    require_file,
    translated,
    translated_errors,
)
from rescind.store.sqlite.readers import Reader
from rescind.store.sqlite.transaction import (
    SqliteListener,
    SqliteSnapshot,
    SqliteTransaction,
    Tally,
    counters_of,
)


class SqliteStore:
    """A store in one file. `on_statement` is called with each statement's name before it runs."""

    engine = "sqlite"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.queries = dict(queries("sqlite"))
        self.on_statement: Callable[[str], None] | None = None
        self._lock = threading.Lock()
        self._local = threading.local()
        self._readers: list[Reader] = []
        self._writers: list[sqlite3.Connection] = []
        self._spare: list[sqlite3.Connection] = []
        self._process = os.getpid()
        self._closed = False
        require_file(self.path)
        with translated_errors(self.path):
            self._writer = self._new_writer()
            self._tally = counters_of(self._writer)
            require_current(self._writer.execute)
            self._writer.execute("PRAGMA busy_timeout = 0")
        self._turns = turns.Turns(self.path)

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
            connection = driver_connection(within, sqlite3.Connection)
            with translated_errors(self.path):
                if connection.in_transaction:
                    connection.execute(turns.TAKE)
                else:
                    turns.begin(connection, self._turns)
                tally = counters_of(connection)
            self._run(change, connection, tally, within=True, keep=keep)
            return
        self._require_usable()
        with self._turn(gives_way=gives_way):
            if gives_way:
                with as_background(self._writer, may_be_lost=may_be_lost):
                    self._run(change, self._writer, self._tally, within=False, keep=keep)
            else:
                self._run(change, self._writer, self._tally, within=False, keep=keep)

    def _turn(self, *, gives_way: bool) -> AbstractContextManager[object]:
        """The lock of this process's writer, had until the block ends; who gives way takes it when nobody
        else wants it.
        """
        if gives_way:
            self._turns.give_way()
            return self._lock
        return turns.Wanted(self._lock, self._turns)

    def put(self, name: str, params: Params) -> None:
        """By the connection that changes go over: when another one writes, it forgets every page it has."""
        self._require_usable()
        with self._turn(gives_way=True), translated_errors(self.path):
            turns.begin(self._writer, self._turns)
            try:
                self._writer.execute(self.queries[name], params)
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        self._require_usable()
        with translated_errors(self.path):
            try:
                connection = self._spare.pop()
            except IndexError:
                connection = self._new_writer()
            try:
                with self._turn(gives_way=False):
                    turns.begin(connection, self._turns)
                    try:
                        yield connection
                        connection.execute("COMMIT")
                    except BaseException:
                        if connection.in_transaction:
                            connection.execute("ROLLBACK")
                        raise
            finally:
                self._spare.append(connection)

    def waiting(self) -> int:
        return self._turns.waiting()

    def listen(self, channel: str) -> SqliteListener:  # noqa: ARG002
        self._require_usable()
        with translated_errors(self.path):
            return SqliteListener(self._new_reader(), self)

    def version(self) -> int:
        """Changes for the calling thread whenever anybody else wrote to the file."""
        reader = self._reader()
        try:
            with reader.lock:
                found: int = reader.connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
        return found

    def _run(
        self,
        change: Change,
        connection: sqlite3.Connection,
        tally: Tally,
        *,
        within: bool,
        keep: bool,
    ) -> None:
        undo = "ROLLBACK TO rescind" if within else "ROLLBACK"
        commit = undo if not keep else "RELEASE rescind" if within else "COMMIT"
        with translated_errors(self.path):
            connection.execute("SAVEPOINT rescind") if within else turns.begin(
                connection, self._turns
            )
            try:
                change(SqliteTransaction(connection, self, tally))
                if self.on_statement:
                    self.on_statement("commit")
                connection.execute(commit)
            except BaseException:
                if connection.in_transaction:
                    connection.execute(undo)
                raise
            if self.on_statement:
                self.on_statement("committed")

    def fetch(self, name: str, params: Params, *, within: object = None) -> Rows:
        try:
            if within is not None:
                cursor = driver_connection(within, sqlite3.Connection).cursor()
                cursor.row_factory = None
                return cursor.execute(self.queries[name], params).fetchall()
            reader = self._reader()
            with reader.lock:
                return reader.connection.execute(self.queries[name], params).fetchall()
        except sqlite3.Error as error:
            raise translated(error, self.path) from error

    def fetch_many(self, questions: Sequence[tuple[str, Params]]) -> list[Rows]:
        with self.snapshot() as snapshot:
            return snapshot.fetch_many(questions)

    @contextmanager
    def snapshot(self) -> Iterator[SqliteSnapshot]:
        reader = self._reader()
        with translated_errors(self.path), reader.lock:
            reader.connection.execute("BEGIN")
            try:
                yield SqliteSnapshot(reader.connection, self)
            finally:
                reader.connection.execute("COMMIT")

    def close(self) -> None:
        """Wait for what is under way, and close all connections."""
        self._closed = True
        with self._lock:
            for connection in self._writers:
                connection.close()
        for reader in tuple(self._readers):
            reader.close()
        self._turns.close()

    def _reader(self) -> Reader:
        """This thread's."""
        self._require_usable()
        try:
            return self._local.reader  # type: ignore[no-any-return]
        except AttributeError:
            with translated_errors(self.path):
                self._local.reader = self._new_reader()
            return self._local.reader  # type: ignore[no-any-return]

    def _require_usable(self) -> None:
        if self._closed:
            raise StoreUnavailable(path=self.path, mend="the store was closed; open it again")
        if os.getpid() != self._process:
            raise StoreUnavailable(
                path=self.path, mend="a SQLite store cannot cross a fork; open it in each process"
            )

    def _new_writer(self) -> sqlite3.Connection:
        """Used under the lock alone."""
        connection = connect(self.path)
        self._writers.append(connection)
        return connection

    def _new_reader(self) -> Reader:
        reader = Reader(connect(self.path))
        self._readers.append(reader)
        return reader
