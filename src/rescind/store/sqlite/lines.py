"""Connections of a file: those that read, and the one that changes go over."""

from __future__ import annotations

import sqlite3
from typing import Final

from rescind.store.sqlite import files
from rescind.store.sqlite.files import FAULTS, Commits, connect, set_commits
from rescind.store.sqlite.transaction import Tally, counters_of

MOST_READERS: Final = 16
"""Connections of one store for reading at most; further threads wait for one."""


class Writer:
    """A connection that changes go over, and its counters."""

    __slots__ = ("_commits", "connection", "tally")

    def __init__(self, path: str) -> None:
        self.connection = connect(path)
        self.connection.execute("PRAGMA busy_timeout = 0")
        self.tally: Tally = counters_of(self.connection)
        self._commits: Commits | None = files.LASTING

    def commit_as(self, commits: Commits) -> None:
        """What is committed from now on is committed so, whatever was under way when it was last used."""
        if self._commits is not commits:
            self._commits = None
            set_commits(self.connection, commits)
            self._commits = commits

    def close(self) -> None:
        """Give it up; what was not committed is undone."""
        self.connection.close()


def may_read_again(reader: sqlite3.Connection) -> bool:
    """Whether it is in no snapshot; one that was left in it leaves it here."""
    return undone(reader)


def may_write_again(writer: Writer) -> bool:
    """Whether it is in no transaction; one that was left in one has undone it here."""
    return undone(writer.connection)


def undone(connection: sqlite3.Connection) -> bool:
    """End the transaction that somebody left; says whether there is none now."""
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except FAULTS:
        return False
    return True
