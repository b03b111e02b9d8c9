"""Who may write to a file next. SQLite allows one writer at a time.

A waiting writer is visible to its own process by a count, and to other processes by a shared lock on a file
beside the database. Background work checks both and yields. Both are hints: they affect how long a writer
waits, never who may write.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

try:
    import fcntl
except ImportError:  # not available on every system; without it background work always leaves gaps
    fcntl = None  # type: ignore[assignment]

TAKE_WRITE_LOCK: Final = "DELETE FROM rescind_pending WHERE FALSE"
"""Takes the write lock in a transaction that has only read. Fails if another connection wrote since it read
(SQLITE_BUSY_SNAPSHOT, https://www.sqlite.org/rescode.html#busy_snapshot).
"""
BUSY_SECONDS: Final = 10.0
"""How long a writer waits for the file before it gives up."""
RETRY_SECONDS: Final = 0.0001
"""How soon a waiting writer tries again at first."""
LONG_RETRY_SECONDS: Final = 0.001
"""How often it tries later: frequent polling by many waiters would starve the writer."""
GAP_SECONDS: Final = 2 * LONG_RETRY_SECONDS
"""How long background work pauses if it cannot see whether another process waits."""
MOST_YIELD_SECONDS: Final = 0.05
"""The longest pause for another process, which may have been stopped while it waited."""
MOST_YIELD_HERE_SECONDS: Final = 1.0
"""The longest pause for threads of this process, of which one may always be waiting."""
INTERRUPTED_SECONDS: Final = 0.05
"""No thread holds the internal lock for so long, unless an exception interrupted it."""


class Waiter:
    """One waiting writer, for as long as this object lives: an interrupted wait ends with it."""

    __slots__ = ("__weakref__",)


class Waiters:
    """The writers that wait at this time."""

    def __init__(self) -> None:
        self._waiting: set[weakref.ref[Waiter]] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count one more waiter in the block."""
        waiting = Waiter()
        place = weakref.ref(waiting, self._waiting.discard)
        try:
            self._waiting.add(place)
            yield
        finally:
            self._waiting.discard(place)


class WriteQueue:
    """The waiting writers of one process at one file."""

    def __init__(self, path: str) -> None:
        self._waiting_here, self._waiters = Waiters(), Waiters()
        self._is_shown = False
        self.lock = threading.Lock()
        self._file: int | None = None
        if fcntl is not None:
            with contextlib.suppress(OSError):
                mode = os.stat(path).st_mode & 0o666  # the same permissions as the database
                self._file = os.open(f"{path}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        """Hold the internal lock. A thread that holds it for long was interrupted; then it is replaced."""
        lock = self.lock
        if not lock.acquire(timeout=INTERRUPTED_SECONDS):
            lock = self.lock = threading.Lock()
            lock.acquire()
        try:
            yield
        finally:
            with contextlib.suppress(RuntimeError):
                lock.release()

    def close(self) -> None:
        """Close the lock file. From now on other processes neither see waiters of this one nor are seen."""
        with self._exclusively():
            file, self._file = self._file, None
            if file is not None:
                os.close(file)

    def announce_here(self) -> AbstractContextManager[None]:
        """Show other threads of this process that a writer waits, in the block."""
        return self._waiting_here.one_more()

    @contextmanager
    def announce_everywhere(self) -> Iterator[Callable[[float], None]]:
        """Yield a function that sleeps. From its first call to the end of the block, other processes see a
        waiter.
        """
        try:
            with self._waiters.one_more():
                yield self._wait
        finally:
            with self._exclusively():
                self._show_no_more()

    def waiting(self) -> int:
        """How many writers wait in this process, plus one if any other process has one."""
        return len(self._waiting_here) + self._is_another_waiting()

    def yield_to_others(self) -> None:
        """Return when no other writer waits, or after a limit if there always is one."""
        if self._file is None:
            time.sleep(GAP_SECONDS)
        start = now = time.monotonic()
        while now - start < MOST_YIELD_HERE_SECONDS and (
            self._waiting_here or (now - start < MOST_YIELD_SECONDS and self._is_another_waiting())
        ):
            time.sleep(RETRY_SECONDS)
            now = time.monotonic()

    def _wait(self, seconds: float) -> None:
        with self._exclusively():
            self._is_shown = self._is_shown or self._take("LOCK_SH")
        time.sleep(seconds)

    def _is_another_waiting(self) -> bool:
        with self._exclusively():
            if self._file is None:
                return False
            self._show_no_more()
            if self._is_shown or not self._take("LOCK_EX"):
                return True
            self._take("LOCK_UN")
            return False

    def _show_no_more(self) -> None:
        """Release the shared lock if no writer waits any more. Called with the internal lock held."""
        if self._is_shown and not self._waiters:
            self._is_shown = False
            self._take("LOCK_UN")

    def _take(self, how: str) -> bool:
        if self._file is None:
            return False
        try:
            fcntl.flock(self._file, getattr(fcntl, how) | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def begin_write(connection: sqlite3.Connection, queue: WriteQueue) -> None:
    """Begin a transaction that holds the file's write lock. Retries soon and often: SQLite's own busy handler
    would sleep through the gaps that background work leaves.
    """
    if _has_begun(connection):
        return
    start, waited = time.monotonic(), 0.0
    with queue.announce_everywhere() as wait:
        while True:
            wait(min(max(waited / 4, RETRY_SECONDS), LONG_RETRY_SECONDS))
            waited = time.monotonic() - start
            if _has_begun(connection, is_last=waited > BUSY_SECONDS):
                return


def _has_begun(connection: sqlite3.Connection, *, is_last: bool = False) -> bool:
    """Try once to take the write lock; return whether that worked. The last try raises if it did not."""
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if is_last or getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True
