"""The embedded engine: one file, WAL, every commit on disk when it returns.

One connection writes, under a lock of this process and `BEGIN IMMEDIATE` against others; every thread
reads on a connection of its own.
"""

from rescind.store.sqlite.files import connect, require_file, translated_errors
from rescind.store.sqlite.store import SqliteStore
from rescind.store.sqlite.turns import BUSY_SECONDS

__all__ = ["BUSY_SECONDS", "SqliteStore", "connect", "require_file", "translated_errors"]
