"""Threads of this process, and what it means when there can be no more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, TypeVar

from rescind.errors import ThreadsExhausted

T = TypeVar("T")


def started(run: Callable[..., Any], name: str, *args: Any) -> threading.Thread:
    """A thread that runs; it does not keep the process alive. Raises ThreadsExhausted."""
    thread = threading.Thread(target=run, args=args, name=name, daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError) as error:
        raise ThreadsExhausted(thread=name, why=error) from error
    return thread


@contextmanager
def running(run: Callable[[threading.Event], None], name: str) -> Iterator[None]:
    """While the block lasts, a thread runs, with an event that tells it to stop; then its end is waited for.

    Raises ThreadsExhausted.
    """
    stop = threading.Event()
    thread = started(run, name, stop)
    try:
        yield
    finally:
        stop.set()
        thread.join()


def side_by_side(calls: Sequence[Callable[[], T]], name: str) -> list[T]:
    """The results of all calls, at least one, in their order: the first call runs in this thread, each other
    one in a thread of its own with this one's context. When it returns or raises, all have ended.

    Raises what a call has raised, and ThreadsExhausted.
    """
    first, *others = calls
    with ThreadPoolExecutor(max(1, len(others)), thread_name_prefix=name) as threads:
        try:
            coming = [threads.submit(copy_context().run, call) for call in others]
        except (RuntimeError, MemoryError) as error:
            raise ThreadsExhausted(thread=name, why=error) from error
        return [first(), *(each.result() for each in coming)]
