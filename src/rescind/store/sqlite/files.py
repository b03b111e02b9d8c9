"""A database's file: how it is opened, and its errors as errors of the domain."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from rescind.errors import (
    RescindError,
    SchemaMissing,
    StoreBusy,
    StoreConflict,
    StoreError,
    StoreReadOnly,
    StoreUnavailable,
)
from rescind.errors.database import REPEAT_TRANSACTION
from rescind.store.sqlite import turns

LASTING, LOSABLE = "FULL", "NORMAL"
"""Whether a commit is on disk when it returns: what `synchronous` is then."""
LOG_PAGES, LOG_PAGES_OF_BACKGROUND = 4_000, 1_000
"""How long the log may be before who has just committed writes it back into the file. Background work does so
first, so that no change does for it.
"""


def require_file(path: str) -> None:
    """StoreUnavailable, with what to do, unless there is a file of that name."""
    try:
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        mend = "there is no such file; run `rescind init` to make it"
        raise StoreUnavailable(path=path, mend=mend) from None
    except (OSError, ValueError) as error:
        raise StoreUnavailable(path=path, why=getattr(error, "strerror", None) or error) from None
    if is_folder:
        raise StoreUnavailable(path=path, mend="that is a folder; name a file in it")


def connect(path: str) -> sqlite3.Connection:
    """A connection with the settings that the promises rest on."""
    connection = sqlite3.connect(
        path,
        timeout=turns.BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_READONLY:
            connection.close()
            raise
    _set(connection, LASTING, LOG_PAGES)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


@contextmanager
def as_background(connection: sqlite3.Connection, *, may_be_lost: bool) -> Iterator[None]:
    """In the block the connection commits background work; what may be lost is not waited for to be on disk.

    Who is next to commit for good has the log on disk up to there, whichever process wrote it.
    """
    _set(connection, LOSABLE if may_be_lost else LASTING, LOG_PAGES_OF_BACKGROUND)
    try:
        yield
    finally:
        _set(connection, LASTING, LOG_PAGES)


def _set(connection: sqlite3.Connection, synchronous: str, log_pages: int) -> None:
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {log_pages}")


def translated_errors(path: str) -> AbstractContextManager[None]:
    """Errors of the driver as errors of the domain."""
    return _Translating(path)


class _Translating(AbstractContextManager[None]):
    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Nothing to do; a class, since every change goes through it."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, sqlite3.Error):
            raise translated(error, self._path) from error


_KINDS: dict[int, type[RescindError]] = {
    sqlite3.SQLITE_BUSY: StoreBusy,
    sqlite3.SQLITE_LOCKED: StoreBusy,
    sqlite3.SQLITE_READONLY: StoreReadOnly,
    sqlite3.SQLITE_CANTOPEN: StoreUnavailable,
    sqlite3.SQLITE_NOTADB: StoreUnavailable,
    sqlite3.SQLITE_CORRUPT: StoreUnavailable,
    sqlite3.SQLITE_FULL: StoreUnavailable,
    sqlite3.SQLITE_IOERR: StoreUnavailable,
    sqlite3.SQLITE_PERM: StoreUnavailable,
}


def _why_not_opened(path: str) -> str:
    if Path(path).is_dir():
        return "that is a folder; name a file in it"
    if not Path(path).parent.is_dir():
        return "its folder does not exist; make that first"
    return StoreReadOnly.mend


def translated(error: sqlite3.Error, path: str) -> RescindError:
    """What the driver's error on that file means."""
    if str(error).startswith("no such table"):
        return SchemaMissing(database=path)
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_BUSY_SNAPSHOT:
        why = "the transaction had read before another one wrote"
        return StoreConflict(why=why, mend=REPEAT_TRANSACTION)
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreUnavailable(path=path, why=str(error), mend=_why_not_opened(path))
    kind = _KINDS.get(code & 0xFF, StoreError) if code is not None else StoreUnavailable
    return kind(database=path, why=str(error))
