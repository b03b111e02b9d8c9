"""The machine crashes: a chunk that only moves its cursor may be undone with it, a settled job may not be.

What a crash leaves of a log is what was written first. So every beginning of a file's log is tried; and a
server is ended when nobody has written its log but commits that wait for that.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rescind import Authority
from rescind.propagation.audit import audit
from rescind.propagation.work import Work
from rescind.store.sqlite import SqliteStore
from tests.faults import tasks
from tests.faults.server import Server, running, until_answered
from tests.faults.small import CHANGE, FACTS, MEMBERS, PLACES, Steady, opened, prepare, settle
from tests.jobs import due_jobs
from tests.probe import probe_of

ALL_PAIRS = 1_000
TAKEN = [(MEMBERS[0], "read", PLACES[0]), (MEMBERS[1], "read", PLACES[2])]
LOG_HEAD, FRAME_HEAD = 32, 24
"""Of SQLite's log (https://www.sqlite.org/fileformat2.html#the_write_ahead_log)."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server to crash, in which nothing is written but what a test does."""
    with running() as started:
        with psycopg.connect(started.new_database(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET autovacuum = off")
            connection.execute("SELECT pg_reload_conf()")
        yield started


def with_work(url: str) -> Authority:
    """An organization where somebody has left, a role was taken back, and more; all of it is pending."""
    prepare(url)
    authority = opened(url, "acme")
    authority.apply(FACTS, route="inline")
    authority.apply(CHANGE, route="background")
    return authority


# --- a file ---------------------------------------------------------------------------------------


def settle_in_chunks(url: str) -> None:
    """As a worker does."""
    with opened(url, "acme") as authority:
        settle(authority, Steady(2))


def settle_taken_off(url: str) -> None:
    """By a worker that takes the work off the list first."""
    tasks.settle_taken_off(lambda _: None, url, "acme", ALL_PAIRS)


@pytest.mark.parametrize("work", [settle_in_chunks, settle_taken_off])
def test_every_beginning_of_a_files_log_leads_to_the_right_rows(
    new_database: Callable[[str], str], tmp_path: Path, work: Callable[[str], None]
) -> None:
    """Wherever the log ends, nothing that was taken is allowed, and workers make all rows right from there.
    Control: where the work was taken off the list before it was done, some ends leave it undone for good.
    """
    url = new_database("sqlite")
    path = Path(url.removeprefix("sqlite:///"))
    with with_work(url) as authority:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        work(url)
        beginnings = _beginnings(path, tmp_path)
        right = [_comes_right(beginning) for beginning in beginnings]
        assert not authority.pending()
    assert right[0]
    assert right[-1]
    assert all(right) == (work is settle_in_chunks)


def _beginnings(path: Path, folder: Path) -> list[str]:
    """The database with each beginning of its log, as a crash may leave it."""
    log = Path(f"{path}-wal").read_bytes()
    frame = FRAME_HEAD + int.from_bytes(log[8:12], "big")
    copies = []
    for end in range(LOG_HEAD, len(log) + 1, frame):
        copy = str(folder / f"until-{end}.db")
        shutil.copy(path, copy)
        Path(f"{copy}-wal").write_bytes(log[:end])
        copies.append(copy)
    return copies


def _comes_right(url: str) -> bool:
    with opened(url, "acme") as authority:
        is_denied = not any(authority.check_many(TAKEN))
        settle(authority)
        return is_denied and not authority.pending() and audit(authority.store, "acme").is_clean


def test_only_chunks_that_move_a_cursor_may_be_lost_with_a_file(
    new_database: Callable[[str], str],
) -> None:
    """What ends a job, and every change, has the log on disk when it returns (`synchronous` is FULL, 2)."""
    with with_work(new_database("sqlite")) as authority:
        store = authority.store
        assert isinstance(store, SqliteStore)
        last, found = [""], []

        def note(statement: str) -> None:
            if statement == "commit":
                level = store.writer.execute("PRAGMA synchronous").fetchone()[0]
                found.append((last[0] == "advance_pending", level))
            last[0] = statement

        probe_of(store).before = note
        settle(authority, Steady(2))
        authority.apply(CHANGE[1:2], route="inline")
        assert set(found) == {(True, 1), (False, 2)}


# --- a server -------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_lost", [True, False])
def test_a_server_that_crashes_undoes_a_chunk_with_its_cursor(
    server: Server, monkeypatch: pytest.MonkeyPatch, is_lost: bool
) -> None:
    """Chunks whose log was not written are undone with their cursor, and done again; nothing that was taken
    is allowed meanwhile. Control: where each chunk waits for the log, none is undone.
    """
    with with_work(server.new_database()) as authority:
        if not is_lost:
            _transact_with(monkeypatch, authority, durable=True)
        with _Unwritten(authority.store.url) as log:  # type: ignore[attr-defined]
            _step(authority, 3)
            before = _done(authority)
            log.crash(server)
        server.start()
        assert not any(until_answered(lambda: authority.check_many(TAKEN)))
        assert before > 0
        assert (_done(authority) < before) == is_lost
        monkeypatch.undo()
        settle(authority)
        assert authority.pending() == []
        assert audit(authority.store, "acme").is_clean


@pytest.mark.parametrize("is_waited_for", [True, False])
def test_what_is_told_to_be_settled_stays_so(
    server: Server, monkeypatch: pytest.MonkeyPatch, is_waited_for: bool
) -> None:
    """The end of a job is on disk, and with it all chunks before. Control: one that may be lost is."""
    with with_work(server.new_database()) as authority:
        if not is_waited_for:
            _transact_with(monkeypatch, authority, durable=False)
        with _Unwritten(authority.store.url) as log:  # type: ignore[attr-defined]
            _step(authority, 10**6)
            assert authority.pending() == []
            log.crash(server)
        server.start()
        monkeypatch.undo()
        assert (until_answered(authority.pending) == []) == is_waited_for
        settle(authority)
        assert audit(authority.store, "acme").is_clean


class _Unwritten:
    """In the block a server writes its log only for who waits for that: the process that does so by itself
    stands still.
    """

    def __init__(self, url: str) -> None:
        with psycopg.connect(url) as connection:
            query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"
            row = connection.execute(query).fetchone()
        assert row is not None
        self._process: int | None = row[0]

    def __enter__(self) -> _Unwritten:
        assert self._process is not None
        os.kill(self._process, signal.SIGSTOP)
        return self

    def __exit__(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is not None:
            os.kill(process, signal.SIGKILL)

    def crash(self, server: Server) -> None:
        """End the server, and that process with it."""
        self.__exit__()
        server.crash()


def _step(authority: Authority, most: int) -> None:
    """Do chunks of two pairs each, so many at the most."""
    done = 0
    while due := due_jobs(authority.store):
        work, is_settled = Work(authority.store, due[0]), False
        while not is_settled:
            if done == most:
                return
            is_settled = work.step(Steady(2)).is_settled
            done += 1


def _done(authority: Authority) -> int:
    return sum(work.done for work in authority.pending())


def _transact_with(monkeypatch: pytest.MonkeyPatch, authority: Authority, **always: Any) -> None:
    transact = authority.store.transact

    def changed(*arguments: Any, **options: Any) -> None:
        transact(*arguments, **{**options, **always})

    monkeypatch.setattr(authority.store, "transact", changed)
