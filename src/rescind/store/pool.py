"""A pool of database connections for one process. A connection is lent to one borrower at a time.

A signal handler may raise an exception at any line, also in this module. So nothing is counted and no lock is
held: a connection is in the pool, in a checkout, or gone, and it moves between them in one step of the
interpreter. A connection that is gone frees its slot when Python frees the object.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

from rescind import forks
from rescind.waiting import deadline_within, require_may_wait

RECHECK_SECONDS: Final = 0.05
"""How often a waiter checks the pool by itself, in case nobody woke it."""
FOREVER: Final = float("inf")


class Closable(Protocol):
    """A connection."""

    def close(self) -> None: ...


C = TypeVar("C", bound=Closable)
_numbers = itertools.count(1)


class PoolClosed(Exception):
    """The pool was closed."""


class PoolExhausted(Exception):
    """No connection became free within the time to wait."""


class PooledConnection(Generic[C]):
    """A connection, its pool, and its slot there. `number` is unique in this process."""

    __slots__ = (
        "__weakref__",
        "borrower",
        "connection",
        "good_until",
        "number",
        "pool",
        "process",
        "slot",
    )

    def __init__(self, pool: Pool[C]) -> None:
        self.pool, self.process, self.number = pool, os.getpid(), next(_numbers)
        self.connection: C | None = None
        self.borrower = threading.get_ident()
        self.good_until = time.monotonic() + pool.lifetime_seconds
        self.slot = weakref.ref(self, pool.slots.discard)

    def end(self) -> None:
        """Close the connection and free its slot. One of another process is left alone."""
        connection, self.connection = self.connection, None
        if connection is None:
            self.pool.slots.discard(self.slot)
        elif self.process != os.getpid():
            forks.keep(connection)
        else:
            try:
                connection.close()
            finally:
                self.pool.slots.discard(self.slot)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.end()


class Checkout(Generic[C]):
    """One borrower's connection, or none yet. Releasing it twice does no harm."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: list[PooledConnection[C]] = []

    def acquire(self, pool: Pool[C]) -> C:
        """Borrow a connection. Raises PoolClosed, PoolExhausted, and what making one raises."""
        if not (self._held or self.acquire_free(pool)):
            pool.fill(self._held)
        pooled = self._held[0]
        pooled.borrower = threading.get_ident()
        assert pooled.connection is not None
        return pooled.connection

    def acquire_free(self, pool: Pool[C]) -> bool:
        """Borrow a free connection; return whether there was one."""
        if pool.is_paused:
            return False
        try:
            self._held.append(pool.free.pop())
        except IndexError:
            return False
        return True

    def try_acquire(self, pool: Pool[C]) -> bool:
        """Borrow a free or a new connection without waiting; return whether there was one. Raises PoolClosed,
        and what making one raises.
        """
        return pool.try_fill(self._held)

    @property
    def connection(self) -> C:
        """The borrowed connection."""
        connection = self._held[0].connection
        assert connection is not None
        return connection

    @property
    def number(self) -> int:
        """The number of the borrowed connection."""
        return self._held[0].number

    def drop(self) -> None:
        """Close the connection rather than return it."""
        if self._held:
            pool = self._held[0].pool
            self._held.pop().end()
            pool.wake_one()

    def release(self) -> None:
        """Return the connection to its pool, or close it if it cannot be used again."""
        held = self._held
        if not held:
            return
        pool = held[0].pool
        if pool.accepts(held[0]):
            held[0].borrower = 0
            pool.free.append(held.pop())
        else:
            held.pop().end()
        pool.wake_one()


class Pool(Generic[C]):
    """Opens at most `most` connections by `make`, and keeps those that `is_usable` accepts.

    A borrower waits for a free connection for at most `wait_seconds`.
    """

    def __init__(
        self,
        make: Callable[[], C],
        is_usable: Callable[[C], bool],
        *,
        most: int,
        wait_seconds: float = FOREVER,
        lifetime_seconds: float = FOREVER,
    ) -> None:
        self._make, self._is_usable = make, is_usable
        self.most, self._wait_seconds = most, wait_seconds
        self.lifetime_seconds = lifetime_seconds
        self.free: list[PooledConnection[C]] = []
        self.slots: set[weakref.ref[PooledConnection[C]]] = set()
        self.is_closed = self.is_paused = False
        self.wake = threading.Lock()

    def connections(self) -> list[PooledConnection[C]]:
        """All open connections, free or lent."""
        return [pooled for slot in tuple(self.slots) if (pooled := slot()) is not None]

    def accepts(self, pooled: PooledConnection[C]) -> bool:
        """Whether a connection can be lent again."""
        return (
            not self.is_closed
            and pooled.good_until > time.monotonic()
            and pooled.connection is not None
            and self._is_usable(pooled.connection)
        )

    def fill(self, held: list[PooledConnection[C]]) -> None:
        """Put a connection into a checkout: a new one while a slot is free, else a released one."""
        deadline = deadline_within(self._wait_seconds)
        while not self.try_fill(held):
            left = deadline - time.monotonic()
            if left <= 0:
                raise PoolExhausted
            require_may_wait()
            self.wake.acquire(timeout=min(left, RECHECK_SECONDS))

    def try_fill(self, held: list[PooledConnection[C]]) -> bool:
        """As `fill`, without waiting; return whether there was one."""
        if self.is_closed:
            raise PoolClosed
        if self.is_paused:
            return False
        if self.free:
            with contextlib.suppress(IndexError):
                held.append(self.free.pop())
                if self.free:
                    self.wake_one()
                return True
        if not self.has_room(1):
            return False
        require_may_wait()  # for a connection to open
        return self._is_made(held)

    def _is_made(self, held: list[PooledConnection[C]]) -> bool:
        pooled = PooledConnection(self)
        try:
            self.slots.add(pooled.slot)
            if not self.has_room(0):  # other threads took the last slots
                pooled.end()
                return False
            pooled.connection = self._make()
            held.append(pooled)
        except BaseException:
            if not held:
                pooled.end()
            raise
        return True

    def has_room(self, slots: int) -> bool:
        return len(self.slots) + slots <= self.most

    def give_back(self, pooled: PooledConnection[C]) -> None:
        """Take back a connection that can be lent again; close it if the pool is paused."""
        self.free.append(pooled)
        if self.is_paused:
            self._end_free()
        self.wake_one()

    def wake_one(self) -> None:
        """Make one waiter check the pool."""
        if self.wake.locked():
            with contextlib.suppress(RuntimeError):
                self.wake.release()

    def pause(self, seconds: float) -> bool:
        """Lend nothing from now on, and close each connection once it is released. Says if all are closed.

        Waits for at most `seconds`, and not for connections that this thread has.
        """
        self.is_paused = True
        self._end_free()
        deadline, mine = time.monotonic() + seconds, threading.get_ident()
        while any(pooled.borrower != mine for pooled in self.connections()):
            if time.monotonic() > deadline:
                break
            time.sleep(0.000_5)
            self._end_free()
        return not self.connections()

    def renew(self) -> None:
        """Replace every connection that is open now."""
        for pooled in self.connections():
            pooled.good_until = 0.0
        self._end_free()

    def resume(self) -> None:
        """Lend again after `pause`."""
        self.is_paused = False
        self.wake_one()

    def close(self, wait_seconds: float = 0.0) -> None:
        """Close all connections; those that are lent, when they are released. Waits for these."""
        self.is_closed = True
        self.pause(wait_seconds)

    def _end_free(self) -> None:
        """Close the free connections."""
        while self.free:
            with contextlib.suppress(IndexError):
                self.free.pop().end()
