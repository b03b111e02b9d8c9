"""Connections for reading: each is one thread's, and closed by another only while it is not in use."""

from __future__ import annotations

import sqlite3
import threading

new_lock = threading.RLock


class Reader:
    """A connection, and the lock that its thread holds while it uses it.

    A connection that is closed while a statement runs on it takes the whole process down.
    """

    __slots__ = ("connection", "lock")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.lock = new_lock()

    def close(self) -> None:
        """Close it, once what is under way on it has ended."""
        with self.lock:
            self.connection.close()
