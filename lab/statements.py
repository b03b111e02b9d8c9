"""The very statements of Rescind's changes, for those who send each when the one before has been answered."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from rescind.store.postgres import PostgresTransaction

Script = list[tuple[str, Any]]
"""Statements with their parameters, in order, without BEGIN and COMMIT."""


def recorded(actions: Sequence[Callable[[], object]]) -> list[Script]:
    """Do each action; the statements that each sends to PostgreSQL in this process."""
    scripts: list[Script] = []
    original = PostgresTransaction.execute_unread

    def recording(self: PostgresTransaction, name: str, sql: str, params: Any) -> Any:
        scripts[-1].append((sql, params))
        return original(self, name, sql, params)

    PostgresTransaction.execute_unread = recording  # type: ignore[method-assign]
    try:
        for action in actions:
            scripts.append([])
            action()
    finally:
        PostgresTransaction.execute_unread = original  # type: ignore[method-assign]
    return scripts


def replayed(connection: Any, scripts: Sequence[Script]) -> Callable[[], None]:
    """An action that does the next of the scripts, in turn, one statement at a time, as one transaction. The
    connection is in autocommit mode.
    """
    turn = itertools.cycle(scripts)

    def change() -> None:
        connection.execute("BEGIN")
        for sql, params in next(turn):
            connection.execute(sql, params, prepare=True)
        connection.execute("COMMIT")

    return change
