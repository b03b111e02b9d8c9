"""Connections of one process: made when they are needed, at most so many, and lent to one borrower at a time.

An exception out of a signal handler may strike at any line, also in here. So nothing is counted and no lock
is kept: a connection is in the pool, in a loan, or gone, and moves in one step of the interpreter. One that
is gone gives its place free by being freed.
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

LOOK_SECONDS: Final = 0.05
"""How often a waiter looks for itself, should nobody have woken it."""
FOREVER: Final = float("inf")


class Closable(Protocol):
    """A connection."""

    def close(self) -> None: ...


C = TypeVar("C", bound=Closable)
_numbers = itertools.count(1)


class PoolClosed(Exception):
    """The pool was closed."""


class PoolExhausted(Exception):
    """All connections were lent for as long as was to be waited."""


class Line(Generic[C]):
    """A connection, its pool, and its place there. `number` is no other's in this process."""

    __slots__ = (
        "__weakref__",
        "borrower",
        "connection",
        "good_until",
        "number",
        "place",
        "pool",
        "process",
    )

    def __init__(self, pool: Pool[C]) -> None:
        self.pool, self.process, self.number = pool, os.getpid(), next(_numbers)
        self.connection: C | None = None
        self.borrower = threading.get_ident()
        self.good_until = time.monotonic() + pool.lifetime_seconds
        self.place = weakref.ref(self, pool.places.discard)

    def end(self) -> None:
        """Close it and give its place free. What another process made is neither closed nor freed."""
        connection, self.connection = self.connection, None
        if connection is None:
            self.pool.places.discard(self.place)
        elif self.process != os.getpid():
            forks.keep(connection)
        else:
            try:
                connection.close()
            finally:
                self.pool.places.discard(self.place)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.end()


class Loan(Generic[C]):
    """What a borrower has of a pool: nothing, or one connection. Giving it back twice does no harm."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: list[Line[C]] = []

    def take(self, pool: Pool[C]) -> C:
        """Borrow a connection. Raises PoolClosed, PoolExhausted, and what making one raises."""
        if not (self._held or self.take_free(pool)):
            pool.provide(self._held)
        line = self._held[0]
        line.borrower = threading.get_ident()
        assert line.connection is not None
        return line.connection

    def take_free(self, pool: Pool[C]) -> bool:
        """Borrow one that is free; says whether there was one."""
        if pool.is_resting:
            return False
        try:
            self._held.append(pool.free.pop())
        except IndexError:
            return False
        return True

    @property
    def number(self) -> int:
        """Of the connection that is borrowed."""
        return self._held[0].number

    def give_back(self) -> None:
        """The pool that lent it has it again; unless it is of no more use, which ends it."""
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
    """Makes connections by `make`, and keeps those that `is_usable` says may be lent again.

    Who finds none free waits for at most `wait_seconds`; without that, for as long as it takes.
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
        self._most, self._wait_seconds = most, wait_seconds
        self.lifetime_seconds = lifetime_seconds
        self.free: list[Line[C]] = []
        self.places: set[weakref.ref[Line[C]]] = set()
        self.is_closed = self.is_resting = False
        self._wake = threading.Lock()

    def lines(self) -> list[Line[C]]:
        """All that there are."""
        return [line for place in tuple(self.places) if (line := place()) is not None]

    def accepts(self, line: Line[C]) -> bool:
        """Whether a connection may be lent again."""
        return (
            not self.is_closed
            and line.good_until > time.monotonic()
            and line.connection is not None
            and self._is_usable(line.connection)
        )

    def provide(self, held: list[Line[C]]) -> None:
        """Put a connection into a loan: a new one while there is a place, else one that is given back."""
        deadline = deadline_within(self._wait_seconds)
        while True:
            if self.is_closed:
                raise PoolClosed
            if not self.is_resting:
                if self.free:
                    with contextlib.suppress(IndexError):
                        held.append(self.free.pop())
                        if self.free:
                            self.wake_one()
                        return
                if self._has_room(1) and self._is_made(held):
                    return
            left = deadline - time.monotonic()
            if left <= 0:
                raise PoolExhausted
            require_may_wait()
            self._wake.acquire(timeout=min(left, LOOK_SECONDS))

    def _is_made(self, held: list[Line[C]]) -> bool:
        line = Line(self)
        try:
            self.places.add(line.place)
            if not self._has_room(0):  # others were as quick
                line.end()
                return False
            line.connection = self._make()
            held.append(line)
        except BaseException:
            if not held:
                line.end()
            raise
        return True

    def _has_room(self, places: int) -> bool:
        return len(self.places) + places <= self._most

    def put_back(self, line: Line[C]) -> None:
        """Take back a connection that may be lent again, unless the pool is closing."""
        self.free.append(line)
        if self.is_resting:
            self._end_free()
        self.wake_one()

    def wake_one(self) -> None:
        """Have a waiter look."""
        if self._wake.locked():
            with contextlib.suppress(RuntimeError):
                self._wake.release()

    def rest(self, seconds: float) -> bool:
        """Lend nothing from now on, and close everything once it was given back. Says whether all is closed;
        what this thread has itself, or others keep for longer, is not.
        """
        self.is_resting = True
        self._end_free()
        deadline, mine = time.monotonic() + seconds, threading.get_ident()
        while any(line.borrower != mine for line in self.lines()):
            if time.monotonic() > deadline:
                break
            time.sleep(0.000_5)
            self._end_free()
        return not self.lines()

    def renew(self) -> None:
        """Lend none again that there is now."""
        for line in self.lines():
            line.good_until = 0.0
        self._end_free()

    def wake(self) -> None:
        """Lend again."""
        self.is_resting = False
        self.wake_one()

    def close(self, wait_seconds: float = 0.0) -> None:
        """Close all connections: those that are lent when they are given back, which is waited for."""
        self.is_closed = True
        self.rest(wait_seconds)

    def _end_free(self) -> None:
        """Close those that are lent to nobody."""
        while self.free:
            with contextlib.suppress(IndexError):
                self.free.pop().end()
