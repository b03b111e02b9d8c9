"""Replicas in processes of their own, asked over a pipe."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from rescind import Authority

Question = tuple[str, str, str]


@dataclass
class Remote:
    """One replica."""

    process: SpawnProcess
    pipe: Connection

    def allowed(self, question: Question, times: int) -> int:
        """How many of so many checks that begin after this call are allowed."""
        self.pipe.send(("ask", question, times))
        return int(self.pipe.recv())

    def watch(self, question: Question) -> None:
        """Have it ask until it is allowed; `seen` says when that was."""
        self.pipe.send(("watch", question, 0))

    def seen(self) -> float:
        """By the machine's monotonic clock."""
        return float(self.pipe.recv())

    def stop(self) -> None:
        """Stop it where it stands."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)


@contextmanager
def replicas(urls: list[str]) -> Iterator[list[Remote]]:
    """A replica for each URL, all holding the organization."""
    context = get_context("spawn")
    started: list[Remote] = []
    try:
        for url in urls:
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(url, there), daemon=True)
            process.start()
            started.append(Remote(process, here))
        for remote in started:
            remote.pipe.recv()
        yield started
    finally:
        for remote in started:
            remote.go_on()
            remote.pipe.send(None)
            remote.process.join()


def _serve(url: str, pipe: Connection) -> None:
    with Authority.open(url, organization="lab", index=True) as authority:
        authority.load()
        pipe.send("ready")
        while (asked := pipe.recv()) is not None:
            pipe.send(_answer(authority, *asked))


def _answer(authority: Authority, what: str, question: Question, times: int) -> Any:
    if what == "ask":
        return sum(bool(authority.check(*question)) for _ in range(times))
    while not authority.check(*question):
        time.sleep(0.000_1)
    return time.monotonic()
