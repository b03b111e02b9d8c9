"""Processes that are stopped or killed at a statement, and tell what they came to until then.

They are forked off a server that has one thread and no connection, so that nothing crosses the fork.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable
from contextlib import nullcontext
from multiprocessing.connection import Connection
from typing import Any

import psycopg

from rescind.store import Store
from tests.forked import CONTEXT
from tests.probe import probe_of

WAIT_SECONDS = 60
"""How long a test waits for a child before it fails."""

Task = Callable[..., Any]


class Child:
    """A process that opens a store and does a task, one statement at a time or as it comes.

    At the failpoint (the number of a statement, or a name, the first time; none: nowhere) it sends itself
    the signal. Whatever becomes of it, `end_all` ends it.
    """

    def __init__(
        self,
        task: Task,
        *args: Any,
        at: int | str | None = None,
        by: signal.Signals = signal.SIGKILL,
        one_by_one: bool = False,
    ) -> None:
        self.statements: list[str] = []
        self.result: Any = None
        self._reports, far_end = CONTEXT.Pipe(duplex=False)
        self._process = CONTEXT.Process(
            target=_run, args=(far_end, task, args, at, by, one_by_one), daemon=True
        )
        self._process.start()
        far_end.close()
        _children.append(self)

    def wait(self) -> int:
        """Its exit code, when it has ended; what it told is in `statements` and `result`."""
        self._hear()
        self._process.join(WAIT_SECONDS)
        assert self._process.exitcode is not None, "it goes on and on"
        return self._process.exitcode

    def wait_until_at(self, statement: str) -> None:
        """It has come to that statement, where it stops."""
        while statement not in self.statements:
            assert self._reports.poll(WAIT_SECONDS), f"it stays at {self.statements}"
            self._hear_one()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def end(self) -> None:
        """End it, also if it stands still."""
        self._process.kill()
        self._process.join()
        self._reports.close()

    def _hear(self) -> None:
        try:
            while self._reports.poll(WAIT_SECONDS):
                self._hear_one()
        except (EOFError, ConnectionResetError):
            return
        raise AssertionError(f"it stays at {self.statements[-3:]}")

    def _hear_one(self) -> None:
        kind, what = self._reports.recv()
        if kind == "statement":
            self.statements.append(what)
        else:
            self.result = what


_children: list[Child] = []


def end_all() -> None:
    """End all children that are left."""
    while _children:
        _children.pop().end()


def one_by_one(connection: object) -> Any:
    """Stands for a pipeline: each statement is answered before the next is sent."""
    return nullcontext()


def _run(
    reports: Connection,
    task: Task,
    args: tuple[Any, ...],
    at: int | str | None,
    by: signal.Signals,
    is_one_by_one: bool,
) -> None:
    if is_one_by_one:
        psycopg.Connection.pipeline = one_by_one  # type: ignore[method-assign]
    numbers, ahead = itertools.count(), [at]

    def watch(store: Store) -> None:
        probe_of(store).before = reached

    def reached(name: str) -> None:
        reports.send(("statement", name))
        if ahead and ahead[0] in (next(numbers), name):
            ahead.clear()
            os.kill(os.getpid(), by)

    reports.send(("result", task(watch, *args)))
    reports.close()
