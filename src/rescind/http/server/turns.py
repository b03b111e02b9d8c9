"""Limits how many requests of one kind are answered at a time, so that they leave threads to others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Final

from rescind.errors import ThreadsExhausted

HINT: Final = "Try again when that has ended"


class Turns:
    """Turns of one process for one kind of request. Safe to use from many threads."""

    def __init__(self, most: int, *, why: str) -> None:
        """`why` says what is under way, after the number of turns."""
        self._turns, self._why = BoundedSemaphore(most), f"{most} {why}"
        self._lock, self._whose = Lock(), set[str]()

    @contextmanager
    def one(self, whose: str | None = None) -> Iterator[None]:
        """A block that few requests are in at a time, and one of each organization, if it is named. Raises
        ThreadsExhausted at once for one more.
        """
        with self._lock:
            if whose is not None and whose in self._whose:
                raise ThreadsExhausted(why="one of this organization is under way", hint=HINT)
            if not self._turns.acquire(blocking=False):
                raise ThreadsExhausted(why=self._why, hint=HINT)
            if whose is not None:
                self._whose.add(whose)
        try:
            yield
        finally:
            with self._lock:
                if whose is not None:
                    self._whose.remove(whose)
                self._turns.release()
