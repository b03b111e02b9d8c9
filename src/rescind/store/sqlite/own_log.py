"""The log that a store's connections write, and whether it still is the file's.

Its files may be deleted while they are open. Whoever opens the database then makes new ones, and what it
commits is not seen here. SQLite opens no second log of a file in one process, so nothing is asked of the file
in this process any more.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias

from rescind.errors import StoreUnavailable
from rescind.store.pool import Checkout, Pool
from rescind.store.sqlite import files
from rescind.store.sqlite.log_files import (
    LOST,
    LogFiles,
    found_beside,
    is_only_deleted,
    is_other,
)

Pools: TypeAlias = Callable[[], tuple[Pool[Any], ...]]


class OwnLog:
    """The log of a store's connections. Safe to use from many threads."""

    def __init__(self, path: str, pools: Pools) -> None:
        self._path, self._pools = path, pools
        self.is_lost = self._is_kept = False

    def require(self) -> LogFiles:
        """The files of the log. Raises StoreUnavailable if a connection has others, and refuses the file in
        this process from then on.

        If another process made new ones, the connections stay open for good: the last to close would copy its
        own log into the file, and delete the new one with what the other process committed.
        """
        opened = [
            (pooled, log)
            for pool in self._pools()
            for pooled in pool.connections()
            if (log := getattr(pooled.connection, "log_files", None)) is not None
        ]
        now = found_beside(self._path)  # after the list: each open connection made its files before
        lost = [
            log for pooled, log in opened if is_other(now, log) and pooled.connection is not None
        ]
        if not lost:
            return now
        self.is_lost = True
        files.refuse_without_log(self._path)
        if all(is_only_deleted(now, log) for log in lost):
            self._save()
            self.renew()
        elif not self._is_kept:
            self._is_kept = True
            files.keep_for_good([pooled for pooled, _ in opened])
        raise StoreUnavailable(path=self._path, hint=LOST)

    def renew(self) -> None:
        """Let no connection be used again that was opened before."""
        for pool in self._pools():
            pool.renew()

    def pause(self, seconds: float) -> None:
        """Close all connections, unless that would take something from other processes."""
        if self._may_be_closed():
            for pool in self._pools():
                pool.pause(seconds)

    def close(self, seconds: float) -> None:
        """As `pause`, and lend no connection from now on."""
        may_be_closed = self._may_be_closed()
        for pool in self._pools():
            if may_be_closed:
                pool.close(seconds)
            pool.is_closed = True

    def begin_anew(self) -> None:
        """Another file has the name now, and a log of its own."""
        self.renew()
        self.is_lost = self._is_kept = False

    def _save(self) -> None:
        """Copy the log into the file, for processes that open it before the last connection is closed. This
        waits for nobody: the part that a long read still needs stays in the log until then.
        """
        readers: Checkout[Any] = Checkout()
        if readers.acquire_free(self._pools()[0]):
            with suppress(*files.FAULTS):
                readers.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            readers.release()

    def _may_be_closed(self) -> bool:
        with suppress(StoreUnavailable):
            self.require()
        return not self._is_kept
