"""Coroutines that cannot be used as a condition. Python counts any other coroutine as true, so a check
without `await` would allow everybody.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Generator
from functools import update_wrapper
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
MISSING: Final = (
    "the decision was not awaited, and a coroutine counts as true: write `await` before the call"
)


class Awaited(Coroutine[Any, Any, T]):
    """A coroutine that raises TypeError if it is used as a condition."""

    __slots__ = ("coroutine",)

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self.coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, T]:
        return self.coroutine.__await__()

    def send(self, value: Any) -> Any:
        return self.coroutine.send(value)

    def throw(self, *raised: Any) -> Any:
        return self.coroutine.throw(*raised)

    def close(self) -> None:
        self.coroutine.close()

    def __bool__(self) -> bool:
        self.coroutine.close()
        raise TypeError(MISSING)


def awaited(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Awaited[T]]:
    """Wrap a coroutine function: its result raises TypeError if it is used as a condition without `await`."""

    def call(*arguments: P.args, **named: P.kwargs) -> Awaited[T]:
        return Awaited(function(*arguments, **named))

    update_wrapper(call, function)
    _mark(call)
    return call


def _mark(call: Any) -> None:
    """Make `inspect` and `asyncio` recognize the wrapper as a coroutine function."""
    if hasattr(inspect, "markcoroutinefunction"):  # since Python 3.12
        inspect.markcoroutinefunction(call)
    else:
        call._is_coroutine = getattr(asyncio.coroutines, "_is_coroutine", None)
