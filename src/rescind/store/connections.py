"""Finds the driver's connection in whatever wraps the caller's connection."""

from __future__ import annotations

from inspect import iscoroutinefunction, ismethod
from typing import Any, Final, TypeVar

from rescind.errors import UnsupportedConnection

T = TypeVar("T")
ASYNCHRONOUS: Final = (
    "An asynchronous connection cannot: make the change on a synchronous one, in a thread."
)


def driver_connection(within: object, expected: type[T]) -> T:
    """The driver's connection in a plain, SQLAlchemy (connection or session) or Django connection.

    Raises UnsupportedConnection for anything else, such as a connection to another engine.
    """
    candidate = within
    for _ in range(4):
        if isinstance(candidate, expected):
            return candidate
        if _is_asynchronous(candidate):
            raise _unsupported(within, expected, hint=ASYNCHRONOUS)
        candidate = _inner(candidate)
    raise _unsupported(within, expected)


def _unsupported(within: object, expected: type, **hint: str) -> UnsupportedConnection:
    return UnsupportedConnection(
        got=f"{type(within).__module__}.{type(within).__qualname__}",
        store_needs=f"{expected.__module__}.{expected.__qualname__}",
        **hint,
    )


def _is_asynchronous(wrapper: object) -> bool:
    """Whether it is of SQLAlchemy's asynchronous side, or a driver's connection for an event loop."""
    dialect = getattr(getattr(wrapper, "bind", None), "dialect", getattr(wrapper, "dialect", None))
    return bool(getattr(dialect, "is_async", False)) or any(
        iscoroutinefunction(getattr(type(wrapper), name, None)) for name in ("execute", "commit")
    )


def _inner(wrapper: Any) -> object:
    if hasattr(wrapper, "driver_connection"):  # SQLAlchemy's pooled connection
        return wrapper.driver_connection
    if hasattr(wrapper, "ensure_connection"):  # Django's wrapper connects when first used
        wrapper.ensure_connection()
    if hasattr(wrapper, "get_transaction") and wrapper.get_transaction() is None:
        wrapper.begin()  # SQLAlchemy commits only what it knows to have begun
    inner = getattr(wrapper, "connection", None)  # Session.connection() and Connection.connection
    return inner() if ismethod(inner) else inner
