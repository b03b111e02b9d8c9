"""Who may write: one at a time, and who gives way leaves room for others."""

from __future__ import annotations

import sqlite3
import time

BUSY_SECONDS = 10.0
TURN_SECONDS = 0.0005
"""How often somebody who waits for the write lock asks again."""
GAP_SECONDS = 2 * TURN_SECONDS
"""How long who gives way leaves the file alone before a transaction, so that other processes get a turn."""


def begin(connection: sqlite3.Connection) -> None:
    """Take the file's write lock. Asks again soon and often, where SQLite's own waiting would sleep
    past the gaps that background work leaves.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > deadline:
                raise
        time.sleep(TURN_SECONDS)
