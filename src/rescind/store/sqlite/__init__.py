"""The embedded engine: one file, WAL, every commit on disk when it returns.

One connection writes, lent to one thread at a time, with `BEGIN IMMEDIATE` against other processes; a few
others are lent for reading.
"""

from rescind.store.sqlite.files import connect, file_of, require_file, translated_errors
from rescind.store.sqlite.log_files import require_one_log
from rescind.store.sqlite.store import SqliteStore
from rescind.store.sqlite.write_queue import BUSY_SECONDS

__all__ = [
    "BUSY_SECONDS",
    "SqliteStore",
    "connect",
    "file_of",
    "require_file",
    "require_one_log",
    "translated_errors",
]
