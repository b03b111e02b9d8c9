"""Threads of this process, and what it means when there can be no more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rescind.errors import ThreadsExhausted


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
