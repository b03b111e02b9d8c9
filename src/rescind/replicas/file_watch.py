"""Freshness on SQLite: before each check, the file's version tells whether another process wrote.

Owns the versions that were seen. Needs no leases: `PRAGMA data_version` is read from the file itself, so a
cached index is never older than the check that it answers. A version is only comparable with others of the
same connection.

A thread that must not wait does not read the log. It notes the version that it saw, and the next thread that
may wait reads the log for both.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rescind.model import ENVIRONMENT_NUMBER, OrganizationNumber, Revision
from rescind.replicas.cache import IndexCache
from rescind.waiting import THREAD, MustWait


class _Sharing(threading.local):
    """Whether this thread is in `shared_freshness`."""

    is_shared = False


class FileWatch:
    """Freshness of a database in a file."""

    server = ""

    def __init__(self, cache: IndexCache, version: Callable[[], tuple[int, int]]) -> None:
        self._cache, self._version = cache, version
        self._seen: dict[int, int] = {}
        self._noted: dict[int, int] = {}
        """Versions seen by threads that must not wait, by connection."""
        self.sharing = _Sharing()

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
        noted = dict(self._noted)  # the log read below has all that was seen by now
        self._cache.refresh(ENVIRONMENT_NUMBER)
        self._seen |= {
            **noted,
            connection: version,
        }  # only now: until then other threads must refresh too
        for other, seen in noted.items():
            if self._noted.get(other) == seen:
                self._noted.pop(other, None)

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
