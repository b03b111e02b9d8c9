"""Blocking calls of an event loop, made in a bounded pool of threads.

Owns what becomes of a call whose task is cancelled, and of the calls that run while the pool is closed.
Does not know what the calls do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import Context, copy_context
from functools import partial
from typing import Any, Final, TypeVar

from rescind import forks
from rescind.errors import StoreUnavailable

T = TypeVar("T")
MOST_ITEMS: Final = 256
"""Of an iterator, that are read in one visit of a thread."""
MOST_SECONDS: Final = 0.05
"""How long a visit reads before it hands over what it has."""


class Calls:
    """Runs calls in at most so many threads. May be used from several event loops, and after a fork."""

    def __init__(self, threads: int) -> None:
        self._threads, self._is_closed = threads, False
        forks.reinit_after_fork(self)

    def reinit_after_fork(self) -> None:
        """Start without threads, as in a new process."""
        self._executor = ThreadPoolExecutor(self._threads, thread_name_prefix="rescind-aio")
        self._under_way: set[Future[Any]] = set()

    def require_open(self) -> None:
        """Raises StoreUnavailable once `close` has been called."""
        if self._is_closed:
            raise StoreUnavailable(hint="the authority was closed")

    async def run(
        self, call: Callable[[], T], *, to_its_end: bool, context: Context | None = None
    ) -> T:
        """The result of a call.

        Where the task is cancelled, a call that no thread has begun is not made. One that has begun goes on:
        with `to_its_end` the cancellation waits for it, or else nobody does. Raises StoreUnavailable once the
        pool is closed.
        """
        self.require_open()
        return await self._made(call, to_its_end, copy_context() if context is None else context)

    async def _made(self, call: Callable[[], T], to_its_end: bool, context: Context) -> T:
        future = self._executor.submit(context.run, call)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        result = asyncio.wrap_future(future)
        try:
            return await asyncio.shield(result)
        except asyncio.CancelledError:
            if not future.cancel() and to_its_end:
                await _ended(result)
            raise

    async def iterate(self, make: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
        """The items of an iterator, which is read a piece at a time, and only as far as it is asked for."""
        context = copy_context()  # one for all pieces, as in a thread that reads it whole
        run = partial(self.run, to_its_end=True, context=context)
        items = await run(make)
        try:
            is_last = False
            while not is_last:
                piece, is_last = await run(partial(_piece, items))
                for item in piece:
                    yield item
        finally:
            if (end := getattr(items, "close", None)) is not None:
                await (_at_once(end) if self._is_closed else run(end))

    async def close(self, last: Callable[[], None]) -> None:
        """Refuse new calls, wait for those under way, and make the last one. Closing again does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        loop = asyncio.get_running_loop()
        while under_way := tuple(self._under_way):
            await loop.run_in_executor(None, wait, under_way)
        await self._made(last, True, copy_context())
        self._executor.shutdown(wait=False)


def _piece(items: Iterator[T]) -> tuple[list[T], bool]:
    """The next items, and whether they are the last."""
    piece: list[T] = []
    end = time.monotonic() + MOST_SECONDS
    for item in items:
        piece.append(item)
        if len(piece) >= MOST_ITEMS or time.monotonic() >= end:
            return piece, False
    return piece, True


async def _at_once(call: Callable[[], None]) -> None:
    call()


async def _ended(result: asyncio.Future[Any]) -> None:
    """Wait until a call has ended, whatever its result, and however often the task is cancelled meanwhile."""
    while not result.done():
        try:
            await asyncio.wait((result,))
        except asyncio.CancelledError:
            continue
    if not result.cancelled():
        result.exception()  # or else it is reported as never looked at
