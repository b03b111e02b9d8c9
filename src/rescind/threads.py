"""Threads of this process, and what it means when there can be no more."""

from __future__ import annotations

import threading
from collections.abc import Callable
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
