"""The files beside a database: its write-ahead log (`-wal`) and the log's index (`-shm`).

SQLite finds them by the database's name. Two processes that have different ones do not see each other's
commits, and each believes that it sees all. That is so if they opened the database under two names, or one of
them opened it after these files were deleted (https://www.sqlite.org/howtocorrupt.html).
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from rescind.errors import StoreUnavailable


class LogFiles(NamedTuple):
    """The inodes of a database, its log and the log's index; None for one that is not there."""

    database: int | None = None
    log: int | None = None
    log_index: int | None = None


MOUNTS: Final = Path("/proc/self/mountinfo")
"""Where Linux lists what is mounted for this process."""
LOST: Final = (
    "its -wal or -shm file was deleted while it was open, so commits of other processes may not be"
    " seen here; restart this process, and delete these files only while no process runs"
)
_FORMER: Final = (
    "another file has its name now, and beside it are the -wal and -shm files of the former one, which"
    " SQLite would copy into it; delete these two"
)
_LINKED: Final = (
    "the file has {count} names (hard links), and SQLite keeps a log beside each of them; copy it with"
    " `VACUUM INTO`, and delete the other names"
)
_MOUNTED: Final = (
    "the file is mounted by itself, so that its -wal file, with the last commits, is elsewhere; mount the"
    " folder that it is in"
)


def found_beside(path: str) -> LogFiles:
    """The files that have these names now. Of a symbolic link, they are beside what it leads to."""
    if os.path.islink(path):
        path = os.path.realpath(path)
    return LogFiles(_inode(path), _inode(f"{path}-wal"), _inode(f"{path}-shm"))


def is_other(now: LogFiles, opened: LogFiles) -> bool:
    """Whether another log has the names of the one that was opened. False if another database has the
    database's name: then nothing is known of the log.
    """
    if now.database != opened.database:
        return False
    return any(other not in (None, one) for one, other in zip(now, opened, strict=True))


def is_only_deleted(now: LogFiles, opened: LogFiles) -> bool:
    """Whether no other process made a log: each name has the file that was opened, or none."""
    return all(one is None or one == other for one, other in zip(now, opened, strict=True))


def require_no_former_log(path: str, former: LogFiles) -> None:
    """Raise StoreUnavailable if another database has the name now, with the former one's log beside it."""
    now = found_beside(path)
    if now.database == former.database or now.log is None or now.log != former.log:
        return
    with suppress(OSError):  # it was deleted meanwhile
        if os.stat(f"{os.path.realpath(path)}-wal").st_size:
            raise StoreUnavailable(path=path, hint=_FORMER)


def require_one_log(path: str) -> None:
    """Raise StoreUnavailable for a file that other processes may have open with another log: one with
    several names, and one that is mounted without its folder. A missing file passes.
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return
    if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
        raise StoreUnavailable(path=path, hint=_LINKED.format(count=found.st_nlink))
    name = os.path.realpath(path)
    mounted = _mounted()
    if name in mounted and f"{name}-wal" not in mounted:
        raise StoreUnavailable(path=path, hint=_MOUNTED)


def _mounted() -> set[str]:
    """Where something is mounted; nothing where the system does not say."""
    try:
        lines = MOUNTS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return set()
    return {_unescaped(line.split(" ", 5)[4]) for line in lines if line.count(" ") > 4}


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def _inode(path: str) -> int | None:
    try:
        return os.stat(path).st_ino
    except OSError:
        return None
