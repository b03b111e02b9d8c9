"""A signal that arrives while SQLite asks for a counter is the caller's, and no error of the database."""

from __future__ import annotations

import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from rescind.store.sqlite.transaction import counters_of

ASK = """
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
    SELECT sum(rescind_tallied('none' || (i - i))) FROM n"""
"""Asks for a counter that was never counted, again and again."""


@contextmanager
def interrupted_soon() -> Iterator[None]:
    """As by Ctrl-C, in the middle of what is done in the block."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def ask_until_interrupted(connection: sqlite3.Connection) -> None:
    with interrupted_soon():
        while True:
            connection.execute(ASK).fetchall()


def test_an_interrupt_is_one() -> None:
    """It arrives when the statement is over, as it does where no counter is asked for."""
    with closing(sqlite3.connect(":memory:")) as connection:
        tally = counters_of(connection)
        with pytest.raises(KeyboardInterrupt):
            ask_until_interrupted(connection)
        tally["granted"] += 2
        assert connection.execute("SELECT rescind_tallied('granted')").fetchone() == (2,)


def test_a_counter_in_python_would_take_it_for_an_error() -> None:
    """Control: what runs Python code in the middle of a statement is interrupted there."""
    with closing(sqlite3.connect(":memory:")) as connection:
        tally: Counter[str] = Counter()
        connection.create_function("rescind_tallied", 1, tally.__getitem__)
        with pytest.raises(sqlite3.OperationalError, match="user-defined function"):
            ask_until_interrupted(connection)
