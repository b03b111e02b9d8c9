"""Workers in processes of their own, as they would run, and what each of them saw."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from lab.databases import called
from lab.waits import sqlite_lock_seconds
from rescind.errors import GroupBusy, PendingMoved, StoreConflict
from rescind.propagation.jobs import Job, Progress
from rescind.propagation.worker import Stop, Worker
from rescind.store import Store, open_store

NAME = "rescind-lab-worker"
READY_SECONDS = 60.0


@dataclass
class Tally:
    """What one worker did: rows, the seconds that each chunk kept others out, and how often it came to
    a group that another worker or a change had, or had gone on with.
    """

    rows: int = 0
    chunks: list[float] = field(default_factory=list)
    retries: int = 0
    lock_seconds: float = 0.0

    def note(self, _: Job, done: Progress) -> None:
        """Count a chunk."""
        self.rows += done.made + done.unmade
        if done.held_seconds:
            self.chunks.append(done.held_seconds)


class Crew(AbstractContextManager["Crew"]):
    """Worker processes. In the block they are ready, and wait for `go`; at its end they have stopped."""

    def __init__(self, engine: str, url: str, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._go, self._stop = context.Event(), context.Event()
        self._pipes: list[Connection] = []
        self._processes = []
        self._theirs: list[Connection] = []
        self.tallies: list[Tally] = []
        for _ in range(count):
            here, there = context.Pipe()
            arguments = (called(engine, url, NAME), self._go, self._stop, there)
            self._processes.append(context.Process(target=_work, args=arguments, daemon=True))
            self._pipes.append(here)
            self._theirs.append(there)

    def __enter__(self) -> Crew:
        for process, theirs in zip(self._processes, self._theirs, strict=True):
            process.start()
            theirs.close()  # so that the end of a process is the end of its pipe
        for pipe in self._pipes:
            if not pipe.poll(READY_SECONDS):
                raise TimeoutError("a worker did not start")
            pipe.recv()
        return self

    def go(self) -> None:
        """Begin to work."""
        self._go.set()

    def stop(self) -> list[Tally]:
        """End between chunks; what each worker saw."""
        self._stop.set()
        self._go.set()
        self.tallies = [pipe.recv() for pipe in self._pipes]
        self._pipes = []
        for process in self._processes:
            process.join()
        return self.tallies

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            for process in self._processes:
                process.terminate()
        elif self._pipes:
            self.stop()


def _work(url: str, go: Any, stop: Stop, pipe: Connection) -> None:
    """The life of one worker process."""
    tally = Tally()
    with closing(open_store(url)) as store, sqlite_lock_seconds() as waited:
        store.transact = _counting_retries(store, tally)  # type: ignore[method-assign]
        worker = Worker(store, on_progress=tally.note)
        pipe.send("ready")
        go.wait()
        worker.run(stop)
        tally.lock_seconds = sum(waited)
    pipe.send(tally)


def _counting_retries(store: Store, tally: Tally) -> Callable[..., None]:
    original = store.transact

    def transact(*arguments: Any, **options: Any) -> None:
        try:
            original(*arguments, **options)
        except (GroupBusy, PendingMoved, StoreConflict):
            tally.retries += 1
            raise

    return transact
