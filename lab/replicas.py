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
POLL_PAUSE_SECONDS = 0.000_2
"""Between two checks of one that polls: others use the processors too."""


@dataclass(frozen=True)
class Polled:
    """Of one that polled, after a moment: checks that started then, and how many were allowed. `seconds` is
    from that moment to the start of the last one allowed, or 0.
    """

    checks: int
    allowed: int
    seconds: float


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

    def poll(self, question: Question) -> None:
        """Have it ask without end, until `polled`."""
        self.pipe.send(("poll", question, 0))

    def polled(self, since: float) -> Polled:
        """Have it stop to ask; what it saw since that moment, by the machine's monotonic clock."""
        self.pipe.send(since)
        return Polled(*self.pipe.recv())

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
def replicas(urls: list[str], *, index: bool = True) -> Iterator[list[Remote]]:
    """A replica for each URL, all holding the organization; without `index`, all ask the database."""
    context = get_context("spawn")
    started: list[Remote] = []
    try:
        for url in urls:
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(url, index, there), daemon=True)
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


def _serve(url: str, index: bool, pipe: Connection) -> None:
    with Authority.open(url, organization="lab", index=index) as authority:
        if index:
            authority.load()
        pipe.send("ready")
        while (asked := pipe.recv()) is not None:
            what, question, times = asked
            if what == "poll":
                pipe.send(_poll(authority, question, pipe))
            else:
                pipe.send(_answer(authority, what, question, times))


def _poll(authority: Authority, question: Question, pipe: Connection) -> tuple[int, int, float]:
    seen: list[tuple[float, bool]] = []
    while not pipe.poll():
        start = time.monotonic()
        seen.append((start, bool(authority.check(*question))))
        time.sleep(POLL_PAUSE_SECONDS)
    return after(seen, pipe.recv())


def after(seen: list[tuple[float, bool]], since: float) -> tuple[int, int, float]:
    """Of checks by their start: those that started after that moment, those of them that were allowed, and
    the seconds to the last of these.
    """
    counted = [(start, allowed) for start, allowed in seen if start > since]
    stale = [start - since for start, allowed in counted if allowed]
    return len(counted), len(stale), max(stale, default=0.0)


def _answer(authority: Authority, what: str, question: Question, times: int) -> Any:
    if what == "ask":
        return sum(bool(authority.check(*question)) for _ in range(times))
    while not authority.check(*question):
        time.sleep(0.000_1)
    return time.monotonic()
