"""Threads of requests, and those among them whose request was given up: they cannot be stopped."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from typing import Any, Final

from rescind.errors import ThreadsExhausted
from rescind.http.server.timeouts import unavailable_in_time
from rescind.waiting import NEVER, deadline_within

THREADS: Final = 40
"""Requests of one process that may wait for the database at a time."""
MOST_LEFT: Final = THREADS // 2
"""So many threads may go on for requests that were given up. Then nothing is begun but checks."""
GRACE_SECONDS: Final = 0.1
"""How long after its deadline a check is given up that has not ended by itself."""


class Work:
    """What one request has under way in threads."""

    __slots__ = ("is_given_up", "running")

    def __init__(self) -> None:
        self.running, self.is_given_up = 0, False


WORK: Final[ContextVar[Work | None]] = ContextVar("work", default=None)
"""Of the request that the current task answers."""


class Left:
    """Counts the threads that go on for requests that were given up. Safe to use from many threads."""

    def __init__(self) -> None:
        self.threads = 0
        self._lock = threading.Lock()

    def give_up(self, work: Work) -> None:
        """Nobody waits any more for what a request has under way."""
        with self._lock:
            if not work.is_given_up:
                work.is_given_up = True
                self.threads += work.running

    def require_few(self) -> None:
        """Raises ThreadsExhausted where so many go on that others would soon have none."""
        if self.threads >= MOST_LEFT:
            why = f"{self.threads} requests that took too long are still under way"
            raise ThreadsExhausted(why=why, hint="try again when they have ended")

    def run(self, work: Work, call: Callable[..., Any], arguments: Any, named: Any) -> Any:
        """The result of a call for a request, counted while it runs."""
        with self._lock:
            work.running += 1
            self.threads += work.is_given_up
        try:
            return call(*arguments, **named)
        finally:
            with self._lock:
                work.running -= 1
                self.threads -= work.is_given_up


class Threads(ThreadPoolExecutor):
    """The threads of one event loop, which know whose request they work for."""

    def __init__(self, left: Left) -> None:
        super().__init__(THREADS, thread_name_prefix="rescind-http")
        self._left = left

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As the base class; counted for the request of the current task, if there is one."""
        work = WORK.get()
        if work is None:
            return super().submit(fn, *args, **kwargs)
        return super().submit(self._left.run, work, fn, args, kwargs)


async def in_thread(call: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a call that may wait for the database. Raises DecisionUnavailable soon after the
    deadline, also where no thread was free until then.
    """
    loop, context = asyncio.get_running_loop(), copy_context()
    future = loop.run_in_executor(None, context.run, call, *arguments)
    seconds = deadline_within(NEVER) - time.monotonic()
    if seconds == NEVER:
        return await future
    with unavailable_in_time():  # the thread keeps the deadline by itself, once there is one
        return await asyncio.wait_for(future, seconds + GRACE_SECONDS)
