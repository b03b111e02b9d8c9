"""How a database file is opened, and how errors of the driver become errors of Rescind."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, NamedTuple

from rescind.errors import (
    InvalidArgument,
    OutcomeUnknown,
    RescindError,
    SchemaDiffers,
    SchemaMissing,
    StoreBusy,
    StoreConflict,
    StoreError,
    StoreReadOnly,
    StoreUnavailable,
)
from rescind.errors.database import MIGRATE, REPEAT_TRANSACTION
from rescind.store.sqlite import write_queue
from rescind.store.sqlite.log_files import LOST, LogFiles, found_beside


class Commits(NamedTuple):
    """How a connection commits: `synchronous` tells whether a commit is on disk when it returns, `log_pages`
    is the WAL size, in pages, at which a commit checkpoints.
    """

    synchronous: str
    log_pages: int


DURABLE: Final = Commits("FULL", 4_000)
BACKGROUND: Final = Commits("FULL", 1_000)
"""Background work checkpoints earlier, so that changes do not have to."""
NOT_DURABLE: Final = Commits("NORMAL", 1_000)
"""The next durable commit puts the WAL on disk up to there, whichever process wrote it."""

NAMELESS: Final = "it is empty: give a URL or a file's path"
IN_MEMORY: Final = (
    "each connection would have a database of its own, gone with it: name a file,"
    " in a temporary folder if it is for a test"
)
NO_URI: Final = "SQLite's own URIs are not taken: give the path, as ./file:… if a file is called so"
NO_PARAMETERS: Final = "sqlite:///file.db takes no parameters: leave out what begins with ?"
PRIVATE: Final = 0o600
"""The mode of a new file."""
FORKED: Final = (
    "a fork copied a connection that was in use; fork while nothing is asked of the store"
)
FAULTS: Final = (sqlite3.Error, MemoryError)
"""The exceptions that the driver raises."""
inherited: Final[set[tuple[int, int]]] = set()
without_log: Final[set[tuple[int, int]]] = set()
"""Files whose log was deleted while this process had them open."""


class Connection(sqlite3.Connection):
    """A connection that knows which log it writes."""

    log_files: LogFiles = LogFiles()


def file_of(database: str) -> str:
    """The file that a path or a URL (`sqlite:///file.db`) names. Raises InvalidArgument if it is none."""
    scheme, separator, rest = database.partition("://")
    path = database
    if separator and scheme == "sqlite":
        path = rest.removeprefix("/")
        if "?" in path and not path.startswith("file:"):
            raise InvalidArgument(what="database", value=database, hint=NO_PARAMETERS)
    require_named(path)
    return path


def require_named(path: str) -> None:
    """Raise InvalidArgument for what SQLite takes for a database in memory, or for a URI."""
    hint = None
    if not path.strip():
        raise InvalidArgument(what="database", hint=NAMELESS)
    if path.strip() == ":memory:":
        hint = IN_MEMORY
    elif path.startswith("file:"):
        hint = IN_MEMORY if ":memory:" in path or "mode=memory" in path else NO_URI
    if hint is not None:
        raise InvalidArgument(what="database", value=path, hint=hint)


def require_file(path: str) -> None:
    """Raise StoreUnavailable with a hint unless there is a file of that name."""
    try:
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        hint = "there is no such file; make it with `rescind init`, or in Python with `create`"
        raise StoreUnavailable(path=path, hint=hint) from None
    except (OSError, ValueError) as error:
        raise StoreUnavailable(path=path, why=getattr(error, "strerror", None) or error) from None
    if is_folder:
        raise StoreUnavailable(path=path, hint="that is a folder; name a file in it")


def connect(path: str) -> Connection:
    """A connection with the settings that the guarantees need. A new file is readable by its owner only;
    files that SQLite creates beside it get the same mode. Raises InvalidArgument for a path that SQLite takes
    for a database in memory, or one that is gone when it is closed.
    """
    require_named(path)
    require_own(path)
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE))
    connection = sqlite3.connect(
        path,
        timeout=write_queue.BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
        factory=Connection,
    )
    try:
        configure(connection)
        # The log is open from the first read on; before, others may delete it and make it anew.
        connection.execute("PRAGMA schema_version").fetchone()
        connection.log_files = found_beside(path)
    except BaseException:
        connection.close()
        raise
    return connection


def configure(connection: sqlite3.Connection) -> None:
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_READONLY:
            raise
    set_commits(connection, DURABLE)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA temp_store = MEMORY")


def refuse_inherited(path: str) -> None:
    """Never open the file in this process: the parent had it open when it forked. SQLite would take the
    inherited connection's locks for locks of this process.
    """
    with contextlib.suppress(OSError):
        inherited.add(_identity(path))


def require_own(path: str) -> None:
    """Raise StoreUnavailable for a file that this process inherited open, or whose log it lost."""
    if not inherited and not without_log:
        return
    with contextlib.suppress(OSError):
        if _identity(path) in inherited:
            raise StoreUnavailable(path=path, hint=FORKED)
        if _identity(path) in without_log:
            raise StoreUnavailable(path=path, hint=LOST)


def refuse_without_log(path: str) -> None:
    """Never open the file again in this process: SQLite would use the log that the process still has, and
    no other. It is kept open, so that no other file gets its number.
    """
    with contextlib.suppress(OSError):
        if _identity(path) not in without_log:
            os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            without_log.add(_identity(path))


def _identity(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_dev, found.st_ino


def keep_for_good(connections: object) -> None:
    """Never close these, also when the process ends in order: a reference more than it can give up."""
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connections))


def set_commits(connection: sqlite3.Connection, commits: Commits) -> None:
    """Set how a connection commits from now on."""
    connection.execute(f"PRAGMA synchronous = {commits.synchronous}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {commits.log_pages}")


def translated_errors(path: str) -> AbstractContextManager[None]:
    """Translate errors of the driver in the block."""
    return _Translating(path)


class _Translating(AbstractContextManager[None]):
    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Does nothing. A class instead of a generator, because every change goes through it."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, FAULTS):
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


_REFUSED: Final = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CONSTRAINT,
)


def is_nothing_written(error: Exception) -> bool:
    """Whether a commit that failed so has left nothing in the WAL that could come back after a crash."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _REFUSED


def require_known_outcome(
    error: Exception, connection: sqlite3.Connection, *, is_sent: bool
) -> None:
    """Raise OutcomeUnknown for an error of a commit that was sent, and that a crash may still bring back."""
    if is_sent and not connection.in_transaction and not is_nothing_written(error):
        raise OutcomeUnknown(why=str(error) or type(error).__name__) from error


def _why_not_opened(path: str) -> str:
    if Path(path).is_dir():
        return "that is a folder; name a file in it"
    if not Path(path).parent.is_dir():
        return "its folder does not exist; make that first"
    return StoreReadOnly.hint


def translated(error: Exception, path: str) -> RescindError:
    """The error of Rescind for an error of the driver on that file."""
    if str(error).startswith("no such table"):
        return SchemaMissing(database=path, why=str(error))
    if str(error).startswith("no such column"):
        return SchemaDiffers(database=path, why=str(error), hint=MIGRATE)
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_BUSY_SNAPSHOT:
        why = "the transaction had read before another one wrote"
        return StoreConflict(why=why, hint=REPEAT_TRANSACTION)
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreUnavailable(path=path, why=str(error), hint=_why_not_opened(path))
    kind = _KINDS.get(code & 0xFF, StoreError) if code is not None else StoreUnavailable
    return kind(database=path, why=str(error) or type(error).__name__)
