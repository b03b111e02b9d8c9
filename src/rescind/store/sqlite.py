"""The embedded engine: one file, WAL, every commit on disk when it returns.

One connection writes, under a lock of this process and `BEGIN IMMEDIATE` against others; every thread
reads on a connection of its own.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rescind.errors import (
    RescindError,
    SchemaMissing,
    StoreBusy,
    StoreError,
    StoreReadOnly,
    StoreUnavailable,
    refusal,
)
from rescind.store.base import Bounds, Change, KeyTaken, OverBudget, Params, PlanStale, Rows
from rescind.store.connections import driver_connection
from rescind.store.queries import queries
from rescind.store.schema import require_current
from rescind.store.turns import Turns

BUSY_SECONDS = 10.0
LISTEN_SECONDS = 0.01
"""How often a listener looks at the file's version."""


class SqliteTransaction:
    """Statements run as they come; SQL reads the counters by a function of the connection."""

    def __init__(
        self, connection: sqlite3.Connection, store: SqliteStore, tally: Counter[str]
    ) -> None:
        self._connection = connection
        self._store = store
        self._tally = tally
        self._tally.clear()

    def begin(self, *, o: int, organization: str, mode: str) -> None:
        self._tally.clear()
        if not self._execute("check_plan", o=o, organization=organization, mode=mode).fetchone():
            raise PlanStale

    def guard(self, query: str, /, **params: Any) -> None:
        for code, fact, value in self._execute(query, **params):
            raise refusal(code, {fact: value})

    def run(self, query: str, /, **params: Any) -> None:
        self._execute(query, **params)

    def count(self, query: str, /, *counters: str, **params: Any) -> None:
        before = self._connection.total_changes
        read = self._execute(query, **params).fetchall()
        rows = len(read) or self._connection.total_changes - before
        for counter in counters:
            self._tally[counter] += rows

    def choose(self, query: str, budget: Bounds, /, *, step: int, **params: Any) -> None:
        row = self._execute(query, most=budget.most, **params).fetchone()
        pairs, is_critical, _, is_unsettled = row
        if not budget.is_background:
            if pairs > (budget.critical_pairs if is_critical else budget.pairs):
                raise OverBudget(step=step, pairs=pairs, is_busy=False)
        else:
            self._tally["estimated"] += pairs
        self._tally["critical"] = int(bool(is_critical))
        self._tally["unsettled"] |= int(bool(is_unsettled))
        self._tally["pairs"] += pairs

    def observe(self, query: str, /, **params: Any) -> Callable[[], Rows]:
        rows = self._execute(query, **params).fetchall()
        return lambda: rows

    def once_committed(self, query: str, /, **params: Any) -> Callable[[], Rows | None]:  # noqa: ARG002
        return lambda: None

    def close(self, **params: Any) -> Callable[[], Rows]:
        self.run("advance_revision", **params)
        self.run("record_change", **params)
        return self.observe("read_outcome", **params)

    def _execute(self, query: str, /, **params: Any) -> sqlite3.Cursor:
        if self._store.on_statement:
            self._store.on_statement(query)
        cursor = self._connection.cursor()
        cursor.row_factory = None
        try:
            return cursor.execute(self._store.queries[query], params)
        except sqlite3.IntegrityError as error:
            if query == "claim_key":
                raise KeyTaken from error
            raise


class SqliteSnapshot:
    """A read transaction."""

    def __init__(self, connection: sqlite3.Connection, store: SqliteStore) -> None:
        self._connection, self._store = connection, store

    def fetch_many(
        self,
        questions: Sequence[tuple[str, Params]],
        *,
        is_last: bool = False,  # noqa: ARG002
    ) -> list[Rows]:
        execute = self._connection.execute
        return [execute(self._store.queries[name], params).fetchall() for name, params in questions]


class SqliteListener:
    """Sees by the file's version that somebody wrote."""

    def __init__(self, connection: sqlite3.Connection, store: SqliteStore) -> None:
        self._connection, self._store = connection, store
        self._seen = self._version()

    def wait(self, seconds: float) -> list[str] | None:
        deadline = time.monotonic() + seconds
        while self._version() == self._seen and time.monotonic() < deadline:
            time.sleep(min(LISTEN_SECONDS, seconds))
        self._seen = self._version()
        return None

    def fetch(self, name: str, params: Params) -> Rows:
        with translated_errors(self._store.path):
            return self._connection.execute(self._store.queries[name], params).fetchall()

    def close(self) -> None:
        self._connection.close()

    def _version(self) -> int:
        with translated_errors(self._store.path):
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])


class SqliteStore:
    """A store in one file. `on_statement` is called with each statement's name before it runs."""

    engine = "sqlite"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.queries = dict(queries("sqlite"))
        self.on_statement: Callable[[str], None] | None = None
        self._lock = threading.Lock()
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._spare: list[sqlite3.Connection] = []
        self._process = os.getpid()
        self._closed = False
        require_file(self.path)
        with translated_errors(self.path):
            self._writer = self._connect()
            self._tally = _counters(self._writer)
            require_current(self._writer.execute)
            self._writer.execute("PRAGMA busy_timeout = 0")
        self._turns = Turns(self.path)

    def transact(
        self, change: Change, *, within: object = None, keep: bool = True, gives_way: bool = False
    ) -> None:
        if within is not None:
            connection = driver_connection(within, sqlite3.Connection)
            with translated_errors(self.path):
                if not connection.in_transaction:
                    _begin(connection, self._turns)
                tx = SqliteTransaction(connection, self, _counters(connection))
            self._run(change, tx, connection, within=True, keep=keep)
            return
        self._require_usable()
        with self._turn(gives_way=gives_way):
            tx = SqliteTransaction(self._writer, self, self._tally)
            self._run(change, tx, self._writer, within=False, keep=keep)

    @contextmanager
    def _turn(self, *, gives_way: bool) -> Iterator[None]:
        """The lock of this process's writer; who gives way takes it when nobody else wants it."""
        if gives_way:
            self._turns.give_way()
            self._lock.acquire()
        else:
            with self._turns.wanted():
                self._lock.acquire()
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        self._require_usable()
        with translated_errors(self.path):
            try:
                connection = self._spare.pop()
            except IndexError:
                connection = self._connect()
            try:
                with self._turn(gives_way=False):
                    _begin(connection, self._turns)
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
            return SqliteListener(self._connect(), self)

    def version(self) -> int:
        """Changes for the calling thread whenever anybody else wrote to the file."""
        try:
            row = self._reader().execute("PRAGMA data_version").fetchone()
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error
        return int(row[0])

    def _run(
        self,
        change: Change,
        tx: SqliteTransaction,
        connection: sqlite3.Connection,
        *,
        within: bool,
        keep: bool,
    ) -> None:
        undo = "ROLLBACK TO rescind" if within else "ROLLBACK"
        commit = undo if not keep else "RELEASE rescind" if within else "COMMIT"
        with translated_errors(self.path):
            connection.execute("SAVEPOINT rescind") if within else _begin(connection, self._turns)
            try:
                change(tx)
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
        connection = (
            driver_connection(within, sqlite3.Connection) if within is not None else self._reader()
        )
        try:
            cursor = connection.cursor()
            cursor.row_factory = None
            return cursor.execute(self.queries[name], params).fetchall()
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error

    def fetch_many(self, questions: Sequence[tuple[str, Params]]) -> list[Rows]:
        with self.snapshot() as snapshot:
            return snapshot.fetch_many(questions)

    @contextmanager
    def snapshot(self) -> Iterator[SqliteSnapshot]:
        connection = self._reader()
        with translated_errors(self.path):
            connection.execute("BEGIN")
            try:
                yield SqliteSnapshot(connection, self)
            finally:
                connection.execute("COMMIT")

    def close(self) -> None:
        self._closed = True
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
        self._turns.close()

    def _reader(self) -> sqlite3.Connection:
        self._require_usable()
        try:
            return self._local.connection  # type: ignore[no-any-return]
        except AttributeError:
            with translated_errors(self.path):
                self._local.connection = self._connect()
            return self._local.connection  # type: ignore[no-any-return]

    def _require_usable(self) -> None:
        if self._closed:
            raise StoreUnavailable(path=self.path, mend="the store was closed; open it again")
        if os.getpid() != self._process:
            raise StoreUnavailable(
                path=self.path, mend="a SQLite store cannot cross a fork; open it in each process"
            )

    def _connect(self) -> sqlite3.Connection:
        connection = connect(self.path)
        self._opened.append(connection)
        return connection


def _counters(connection: sqlite3.Connection) -> Counter[str]:
    """Counters that SQL on the connection can ask for. Once for a connection where that can be had: it
    makes the engine forget all that was prepared.
    """
    tally: Counter[str] = Counter()
    connection.create_function("rescind_tallied", 1, tally.__getitem__, deterministic=True)
    return tally


def _begin(connection: sqlite3.Connection, turns: Turns) -> None:
    """Take the file's write lock. Asks again soon and often, where SQLite's own waiting would sleep
    past the turns that background work gives.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    with turns.waiter() as wait:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not is_busy or time.monotonic() > deadline:
                    raise
            wait()


def require_file(path: str) -> None:
    """StoreUnavailable, with what to do, unless there is a file of that name."""
    try:
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        mend = "there is no such file; run `rescind init` to make it"
        raise StoreUnavailable(path=path, mend=mend) from None
    except (OSError, ValueError) as error:
        raise StoreUnavailable(path=path, why=getattr(error, "strerror", None) or error) from None
    if is_folder:
        raise StoreUnavailable(path=path, mend="that is a folder; name a file in it")


def connect(path: str) -> sqlite3.Connection:
    """A connection with the settings that the promises rest on."""
    connection = sqlite3.connect(
        path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_READONLY:
            connection.close()
            raise
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


@contextmanager
def translated_errors(path: str) -> Iterator[None]:
    """Errors of the driver as errors of the domain."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(error, path) from error


_KINDS: dict[int, type[RescindError]] = {
    sqlite3.SQLITE_BUSY: StoreBusy,
    sqlite3.SQLITE_LOCKED: StoreBusy,
    sqlite3.SQLITE_READONLY: StoreReadOnly,
    sqlite3.SQLITE_CANTOPEN: StoreUnavailable,
    sqlite3.SQLITE_NOTADB: StoreUnavailable,
    sqlite3.SQLITE_CORRUPT: StoreUnavailable,
    sqlite3.SQLITE_FULL: StoreUnavailable,
    sqlite3.SQLITE_IOERR: StoreUnavailable,
    sqlite3.SQLITE_PERM: StoreUnavailable,
}


def _why_not_opened(path: str) -> str:
    if Path(path).is_dir():
        return "that is a folder; name a file in it"
    if not Path(path).parent.is_dir():
        return "its folder does not exist; make that first"
    return StoreReadOnly.mend


def _translated(error: sqlite3.Error, path: str) -> RescindError:
    if str(error).startswith("no such table"):
        return SchemaMissing(database=path)
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreUnavailable(path=path, why=str(error), mend=_why_not_opened(path))
    kind = _KINDS.get(code & 0xFF, StoreError) if code is not None else StoreUnavailable
    return kind(database=path, why=str(error))
