"""Freshness on SQLite: before each check, the file's version tells whether another process wrote.

Owns the versions that were seen. Needs no leases: `PRAGMA data_version` is read from the file itself, so a
cached index is never older than the check that it answers. A version is only comparable with others of the
same connection.

A file that was put in the place of another, or that was restored, has another incarnation: everything that
was cached is dropped.

A thread that must not wait does not read the log. It notes the version that it saw, and the next thread that
may wait reads the log for both.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rescind.model import ENVIRONMENT_NUMBER, OrganizationNumber, Revision
from rescind.replicas.cache import IndexCache
from rescind.store.sqlite.incarnation import Incarnation
from rescind.waiting import THREAD, MustWait


class _Sharing(threading.local):
    """Whether this thread is in `shared_freshness`."""

    is_shared = False


class WatchedFile(Protocol):
    """The store of the file."""

    incarnation: Incarnation

    def version(self) -> tuple[int, int]:
        """The number of a connection, and the file's version for it."""


class FileWatch:
    """Freshness of a database in a file."""

    def __init__(self, cache: IndexCache, store: WatchedFile) -> None:
        self._cache, self._version, self._incarnation = cache, store.version, store.incarnation
        self._number = self._incarnation.number
        self._seen: dict[int, int] = {}
        self._noted: dict[int, int] = {}
        """Versions seen by threads that must not wait, by connection."""
        self.sharing = _Sharing()

    @property
    def server(self) -> str:
        """The incarnation of the database."""
        return self._incarnation.installation.server

    def start(self) -> None:
        """Nothing to prepare."""

    def expiry(self) -> float:
        """Never: each check asks the file."""
        return math.inf

    def register(self, organization: OrganizationNumber, revision: Revision) -> None:
        """Nothing to do: no process waits for another."""

    def unregister(self, organization: OrganizationNumber) -> None:
        """Nothing to do: no process waits for another."""

    def ensure_fresh(self) -> None:
        """Bring every cached index up to date if a process wrote since this connection was last asked.

        Raises MustWait if this thread must not wait for that.
        """
        if self.sharing.is_shared:
            return
        connection, version = self._version()
        if self._seen.get(connection) == version and not (self._noted and THREAD.may_wait):
            return
        if not THREAD.may_wait:
            self._noted[connection] = version
            raise MustWait
        self._forget_former()
        noted = dict(self._noted)  # the log read below has all that was seen by now
        self._cache.refresh(ENVIRONMENT_NUMBER)
        self._seen |= {
            **noted,
            connection: version,
        }  # only now: until then other threads must refresh too
        for other, seen in noted.items():
            if self._noted.get(other) == seen:
                self._noted.pop(other, None)

    def _forget_former(self) -> None:
        """Drop what was read from another file, or another incarnation of the database."""
        if (number := self._incarnation.number) == self._number:
            return
        for cached in tuple(self._cache.indexes.values()):
            self._cache.drop(cached)
        self._number = number

    @contextmanager
    def shared_freshness(self) -> Iterator[None]:
        """Ask the file once now, and not again for this thread inside the `with` block."""
        self.ensure_fresh()
        self.sharing.is_shared = True
        try:
            yield
        finally:
            self.sharing.is_shared = False

    def close(self) -> None:
        """Nothing to release."""
