"""How long somebody waits for locks, as well as each engine can tell.

SQLite has one lock, so the time to get it is measured. A PostgreSQL server says what each of its connections
is waiting for at a moment, so those moments are sampled.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import psycopg

from rescind.store.sqlite import write_queue

SAMPLE_SECONDS = 0.01
SAMPLE = """
SELECT application_name, COALESCE(wait_event_type, 'none'), count(*) FROM pg_stat_activity
WHERE state <> 'idle' AND application_name LIKE 'rescind-lab-%' GROUP BY 1, 2"""
KINDS = {"lock": "Lock", "latch": "LWLock"}
"""Waits for each other's rows and the like, and for a moment's access to something shared in memory."""


@contextmanager
def sqlite_lock_seconds() -> Iterator[list[float]]:
    """Gives the seconds that each transaction of this process waits for the file's write lock."""
    original, waited = write_queue.begin_write, []

    def begin(connection: sqlite3.Connection, theirs: write_queue.WriteQueue) -> None:
        start = time.perf_counter()
        try:
            original(connection, theirs)
        finally:
            waited.append(time.perf_counter() - start)

    write_queue.begin_write = begin
    try:
        yield waited
    finally:
        write_queue.begin_write = original


class Samples:
    """What a server's connections wait for, looked at again and again in a `with` block."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._seen: Counter[tuple[str, str]] = Counter()

    def __enter__(self) -> Samples:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._connection.close()

    def share(self, name: str, kind: str) -> float:
        """Of the time that connections of that name were at work, the share spent in such waits."""
        total = sum(count for (who, _), count in self._seen.items() if who == name)
        return self._seen[(name, KINDS[kind])] / max(total, 1)

    def _look(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            for name, kind, count in self._connection.execute(SAMPLE, prepare=True):
                self._seen[(name, kind)] += count
