"""Who must not wait, and who not for long.

A thread that must not wait, such as an event loop's, is answered at once, or MustWait is raised. What runs in
a context with a deadline waits for a server or a connection until then at most.
"""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from typing import Any, Final


class MustWait(Exception):
    """It cannot be had without waiting: ask where waiting does no harm."""


class _Thread(threading.local):
    """What holds for the calling thread."""

    may_wait = True


THREAD: Final = _Thread()


class _AtOnce:
    """A class, since it is around each check of a service and takes less time than a generator would."""

    def __enter__(self) -> None:
        THREAD.may_wait = False

    def __exit__(self, *_: object) -> None:
        THREAD.may_wait = True


AT_ONCE: Final = _AtOnce()
"""While it lasts this thread waits for nobody: MustWait is raised where it would."""


class _Tried:
    """A lock that is had at once, or not at all."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise MustWait

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def held(lock: threading.Lock) -> AbstractContextManager[Any]:
    """The lock for a `with` block. Raises MustWait where somebody has it and this thread must not wait."""
    return lock if THREAD.may_wait else _Tried(lock)


def require_may_wait() -> None:
    """Raises MustWait where this thread must not wait."""
    if not THREAD.may_wait:
        raise MustWait


# --- deadlines ------------------------------------------------------------------------------------

NEVER: Final = float("inf")
_DEADLINE: Final[ContextVar[float]] = ContextVar("deadline", default=NEVER)
"""Of the monotonic clock."""


class until:  # noqa: N801 - reads as what it does
    """A block in which nothing is waited for beyond a time of the monotonic clock. NEVER takes that off."""

    __slots__ = ("_deadline", "_token")
    _token: Token[float]

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline

    def __enter__(self) -> None:
        self._token = _DEADLINE.set(self._deadline)

    def __exit__(self, *_: object) -> None:
        _DEADLINE.reset(self._token)


def deadline_within(seconds: float) -> float:
    """When a wait of so many seconds at most, which begins now, has to end."""
    return min(_DEADLINE.get(), time.monotonic() + seconds)
