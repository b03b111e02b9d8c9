"""Closing a SQLite store while other threads use it: nothing is closed under them, and they are told."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from rescind import Authority
from rescind.errors import StoreUnavailable

WAIT_SECONDS = 30
FETCHES = ("fetch", "fetch_many", "snapshot", "listener")
READS = (*FETCHES, "version")


def read(store: Any, how: str, meanwhile: Callable[[], int]) -> Any:
    """Read so, with something done in the middle of the statement."""
    store.queries["slow"] = "SELECT meanwhile()"
    listener = store.listen("") if how == "listener" else None
    store.version()
    store.fetch("plan", {"organization": "acme"})
    (line,) = (store.readers if how in FETCHES else store.watchers).free
    line.connection.create_function("meanwhile", 0, meanwhile)
    if how == "version":
        line.connection.set_trace_callback(lambda _: meanwhile() and None)
        return store.version() and None
    if how == "fetch_many":
        return store.fetch_many([("slow", {})])[0]
    if how == "snapshot":
        with store.snapshot() as snapshot:
            return snapshot.fetch_many([("slow", {})])[0]
    return (listener or store).fetch("slow", {})


@pytest.mark.parametrize("how", READS)
def test_closing_waits_for_a_statement_under_way(
    how: str, new_database: Callable[[str], str]
) -> None:
    """A read that is under way ends as it would have; the next one says that the store was closed."""
    inside, go = threading.Event(), threading.Event()

    def meanwhile() -> int:
        inside.set()
        assert go.wait(WAIT_SECONDS)
        return 7

    store: Any = Authority.open(new_database("sqlite")).store
    with ThreadPoolExecutor(2) as pool:
        rows = pool.submit(read, store, how, meanwhile)
        assert inside.wait(WAIT_SECONDS)
        closing = pool.submit(store.close)
        while not store.readers.is_paused:
            assert not closing.done()
        assert store.readers.connections() or store.watchers.connections()
        go.set()
        assert rows.result(WAIT_SECONDS) == (None if how == "version" else [(7,)])
        closing.result(WAIT_SECONDS)
    with pytest.raises(StoreUnavailable):
        store.fetch("slow", {})


MANY = 300_000
CLOSED_MEANWHILE = """
import sys, threading
from rescind import Authority
from rescind.store.pool import Pool
if sys.argv[2] == "unguarded":
    Pool.close = lambda pool, _: [line.connection.close() for line in pool.connections()]
store = Authority.open(sys.argv[1]).store
store.queries["slow"] = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)"
    " SELECT meanwhile(i) FROM n")
inside = threading.Event()
def meanwhile(number):
    inside.set()
    return number
def run():
    store.fetch("plan", {"organization": "acme"})
    store.readers.free[0].connection.create_function("meanwhile", 1, meanwhile)
    print(len(store.fetch("slow", {"many": int(sys.argv[3])})))
reading = threading.Thread(target=run)
reading.start()
inside.wait()
store.close()
reading.join()
"""


@pytest.mark.parametrize("guard", ["guarded", "unguarded"])
def test_closing_in_the_middle_of_many_rows(guard: str, new_database: Callable[[str], str]) -> None:
    """All rows come. Control: without the guard the process dies, or the read fails."""
    given = [new_database("sqlite"), guard, str(MANY)]
    ended = subprocess.run(
        [sys.executable, "-c", CLOSED_MEANWHILE, *given], capture_output=True, check=False
    )
    is_whole = (ended.returncode, ended.stdout) == (0, f"{MANY}\n".encode())
    assert is_whole == (guard == "guarded"), ended
