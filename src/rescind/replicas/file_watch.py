"""Freshness on SQLite: the file's version tells, for each check, whether anybody wrote since.

No leases: the version is asked of the file itself (`PRAGMA data_version`, whose numbers mean something to the
connection that was asked), so memory is never older than the check that it answers.

A thread that must not wait reads no log. Where somebody wrote, it notes what it saw for the next thread that
may, which reads the log for both.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rescind.model import Revision
from rescind.replicas.cache import IndexCache
from rescind.waiting import THREAD, MustWait


class _Sharing(threading.local):
    """Whether this thread is in `shared_freshness`."""

    is_shared = False


class FileWatch:
    """The keeper of an embedded database."""

    server = ""

    def __init__(self, cache: IndexCache, version: Callable[[], tuple[int, int]]) -> None:
        self._cache, self._version = cache, version
        self.ensure_fresh = self._ensure_fresh
        self._seen: dict[int, int] = {}
        self._noted: dict[int, int] = {}
        """What threads saw that must not wait, by connection."""
        self._sharing = _Sharing()

    def start(self) -> None:
        """Nothing is needed."""

    def expiry(self) -> float:
        """For ever: each check looks for itself."""
        return math.inf

    def register(self, o: int, revision: Revision) -> None:
        """Nobody needs to know."""

    def unregister(self, o: int) -> None:
        """Nobody needs to know."""

    def _ensure_fresh(self) -> None:
        """Bring all that is held to the facts, if anybody wrote since the same connection was last asked.

        Raises MustWait where this thread must not wait for that.
        """
        if self._sharing.is_shared:
            return
        connection, version = self._version()
        if self._seen.get(connection) == version and not (self._noted and THREAD.may_wait):
            return
        if not THREAD.may_wait:
            self._noted[connection] = version
            raise MustWait
        noted = dict(self._noted)  # whatever was seen by now is in the log that is read
        self._cache.refresh(0)
        self._seen |= {
            **noted,
            connection: version,
        }  # only now: until then others must look as well
        for other, seen in noted.items():
            if self._noted.get(other) == seen:
                self._noted.pop(other, None)

    @contextmanager
    def shared_freshness(self) -> Iterator[None]:
        """One look now, and none while it lasts, for all that this thread asks meanwhile."""
        self._ensure_fresh()
        self._sharing.is_shared = True
        try:
            yield
        finally:
            self._sharing.is_shared = False

    def close(self) -> None:
        """Nothing was taken."""
