"""Whose turn it is to write to a file that has one writer at a time.

Who waits for it shows that: to its own process by a count, to others by a shared lock on a file beside the
database. Background work looks, and gives way. Both are hints: they decide how long somebody waits, never
who may write.
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
except ImportError:  # not every system has it; there background work always leaves gaps
    fcntl = None  # type: ignore[assignment]

TAKE: Final = "DELETE FROM rescind_pending WHERE FALSE"
"""Takes the write lock in a transaction that may only have read; not where it read before somebody wrote
(SQLITE_BUSY_SNAPSHOT, https://www.sqlite.org/rescode.html#busy_snapshot).
"""
BUSY_SECONDS: Final = 10.0
"""How long somebody waits for the file before giving up."""
TURN_SECONDS: Final = 0.0001
"""How soon somebody who waits for the file asks again."""
LONG_TURN_SECONDS: Final = 0.001
"""The same, for who has waited for long: many that wait would take the processor from who writes."""
GAP_SECONDS: Final = 2 * LONG_TURN_SECONDS
"""How long who gives way leaves the file alone where it cannot see whether another process waits."""
COURTESY_SECONDS: Final = 0.05
"""The longest that it is left alone for another process, which may have been stopped while it waited."""
MOST_COURTESY_SECONDS: Final = 1.0
"""The same for threads of this process, of which one or another may always be waiting."""
INTERRUPTED_SECONDS: Final = 0.05
"""Nobody looks, or shows that it waits, for so long."""


class Waiting:
    """Somebody who waits, for as long as this object lives: an interrupted wait ends with it."""

    __slots__ = ("__weakref__",)


class Waiters:
    """Who waits at this time."""

    def __init__(self) -> None:
        self._waiting: set[weakref.ref[Waiting]] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """In the block somebody more waits."""
        waiting = Waiting()
        place = weakref.ref(waiting, self._waiting.discard)
        try:
            self._waiting.add(place)
            yield
        finally:
            self._waiting.discard(place)


class Turns:
    """The turns of one process at one file."""

    def __init__(self, path: str) -> None:
        self._wanting, self._waiters = Waiters(), Waiters()
        self._is_shown = False
        self._lock = threading.Lock()
        self._file: int | None = None
        if fcntl is not None:
            with contextlib.suppress(OSError):
                mode = (
                    os.stat(path).st_mode & 0o666
                )  # who may not read the one has no use for the other
                self._file = os.open(f"{path}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """In the block no other thread looks or shows. Who has it for long was interrupted, and left it."""
        lock = self._lock
        if not lock.acquire(timeout=INTERRUPTED_SECONDS):
            lock = self._lock = threading.Lock()
            lock.acquire()
        try:
            yield
        finally:
            with contextlib.suppress(RuntimeError):
                lock.release()

    def close(self) -> None:
        """From now on nothing is shown or seen."""
        with self._alone():
            file, self._file = self._file, None
            if file is not None:
                os.close(file)

    def wanted(self) -> AbstractContextManager[None]:
        """In the block others of this process see that somebody waits."""
        return self._wanting.one_more()

    @contextmanager
    def waiter(self) -> Iterator[Callable[[float], None]]:
        """Gives what waits so many seconds; from its first call to the end other processes see that."""
        try:
            with self._waiters.one_more():
                yield self._wait
        finally:
            with self._alone():
                self._show_no_more()

    def waiting(self) -> int:
        """How many wait in this process, and one more where another process does."""
        return len(self._wanting) + self._is_another_waiting()

    def give_way(self) -> None:
        """Return when nobody else waits any more, or after a while where somebody always does."""
        if self._file is None:
            time.sleep(GAP_SECONDS)
        start = now = time.monotonic()
        while now - start < MOST_COURTESY_SECONDS and (
            self._wanting or (now - start < COURTESY_SECONDS and self._is_another_waiting())
        ):
            time.sleep(TURN_SECONDS)
            now = time.monotonic()

    def _wait(self, seconds: float) -> None:
        with self._alone():
            self._is_shown = self._is_shown or self._take("LOCK_SH")
        time.sleep(seconds)

    def _is_another_waiting(self) -> bool:
        with self._alone():
            if self._file is None:
                return False
            self._show_no_more()
            if self._is_shown or not self._take("LOCK_EX"):
                return True
            self._take("LOCK_UN")
            return False

    def _show_no_more(self) -> None:
        """With the lock: where nobody waits any more, other processes see nobody."""
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


def begin(connection: sqlite3.Connection, turns: Turns) -> None:
    """Take the file's write lock. Asks again soon and often, where SQLite's own waiting would sleep
    past the turns that background work gives.
    """
    if _has_begun(connection):
        return
    start, waited = time.monotonic(), 0.0
    with turns.waiter() as wait:
        while True:
            wait(min(max(waited / 4, TURN_SECONDS), LONG_TURN_SECONDS))
            waited = time.monotonic() - start
            if _has_begun(connection, is_last=waited > BUSY_SECONDS):
                return


def _has_begun(connection: sqlite3.Connection, *, is_last: bool = False) -> bool:
    """Whether the file could be had; where it is the last time to ask, StoreBusy says that it could not."""
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if is_last or getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True
