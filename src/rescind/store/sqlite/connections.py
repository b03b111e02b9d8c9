"""The connections to a file: readers, and the writer that changes use."""

from __future__ import annotations

import sqlite3
from typing import Final

from rescind.store.sqlite import files
from rescind.store.sqlite.files import FAULTS, Commits, connect, set_commits
from rescind.store.sqlite.transaction import Tally, counters_of

MOST_READERS: Final = 16
"""Maximum number of reading connections of one store; further threads wait."""


class Writer:
    """A writing connection and its counters."""

    __slots__ = ("_commits", "connection", "tally")

    def __init__(self, path: str) -> None:
        self.connection = connect(path)
        self.connection.execute("PRAGMA busy_timeout = 0")
        self.tally: Tally = counters_of(self.connection)
        self._commits: Commits | None = files.DURABLE

    def commit_as(self, commits: Commits) -> None:
        """Set how later commits are made durable. Safe after an interrupted earlier call."""
        if self._commits is not commits:
            self._commits = None
            set_commits(self.connection, commits)
            self._commits = commits

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
