"""The connections to a file: readers, and the writer that changes use."""

from __future__ import annotations

import sqlite3
from typing import Final, NamedTuple

from rescind.store.pool import Pool
from rescind.store.sqlite import files, statistics, write_queue
from rescind.store.sqlite.files import FAULTS, Commits, Connection, connect, set_commits
from rescind.store.sqlite.log_files import LogFiles
from rescind.store.sqlite.transaction import Tally, counters_of

MOST_READERS: Final = 16
"""Maximum number of reading connections of one store; further threads wait."""

MOST_WATCHERS: Final = 8
"""Maximum number of connections that read the file's version."""


class Writer:
    """A writing connection and its counters."""

    __slots__ = ("_commits", "connection", "tally")

    def __init__(self, path: str) -> None:
        self.connection = connect(path)
        self.connection.execute("PRAGMA busy_timeout = 0")
        statistics.restore(self.connection)
        self.tally: Tally = counters_of(self.connection)
        self._commits: Commits | None = files.DURABLE

    def commit_as(self, commits: Commits) -> None:
        """Set how later commits are made durable. Safe after an interrupted earlier call."""
        if self._commits is not commits:
            self._commits = None
            set_commits(self.connection, commits)
            self._commits = commits

    @property
    def log_files(self) -> LogFiles:
        """The log that it writes."""
        return self.connection.log_files

    def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""
        self.connection.close()


def is_reader_idle(reader: sqlite3.Connection) -> bool:
    """Whether it is in no snapshot; an abandoned one is ended first."""
    return rolled_back(reader)


def is_writer_idle(writer: Writer) -> bool:
    """Whether it is in no transaction; an abandoned one is rolled back first."""
    return rolled_back(writer.connection)


def rolled_back(connection: sqlite3.Connection) -> bool:
    """Roll back an abandoned transaction; return whether none is open now."""
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except FAULTS:
        return False
    return True


class Pools(NamedTuple):
    """The connections of one store."""

    readers: Pool[Connection]
    watchers: Pool[Connection]
    """Read the file's version: that takes microseconds and must not wait for long reads."""
    writers: Pool[Writer]
    carriers: Pool[Writer]
    """Another writer, for `connection()`: creating the counters discards prepared statements."""


def open_pools(path: str) -> Pools:
    """Pools of connections to a file; each connection is opened when it is first needed."""

    def reading(most: int) -> Pool[Connection]:
        wait_seconds = write_queue.BUSY_SECONDS
        return Pool(lambda: connect(path), is_reader_idle, most=most, wait_seconds=wait_seconds)

    def writing() -> Pool[Writer]:
        return Pool(lambda: Writer(path), is_writer_idle, most=1)

    return Pools(reading(MOST_READERS), reading(MOST_WATCHERS), writing(), writing())
