"""Limits how many requests of one kind are answered at a time, so that they leave threads to others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from rescind.errors import ThreadsExhausted


class Turns:
    """Turns of one process for one kind of request. Safe to use from many threads."""

    def __init__(self, most: int, *, why: str) -> None:
        """`why` says what is under way, after the number of turns."""
        self._turns, self._why = BoundedSemaphore(most), f"{most} {why}"

    @contextmanager
    def one(self) -> Iterator[None]:
        """A block that few requests are in at a time. Raises ThreadsExhausted at once for one more."""
        if not self._turns.acquire(blocking=False):
            raise ThreadsExhausted(why=self._why, hint="Try again when that has ended")
        try:
            yield
        finally:
            self._turns.release()
