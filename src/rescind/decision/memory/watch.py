"""Freshness on SQLite: the file's version tells, for each check, whether anybody wrote since.

No leases: the version is asked of the file itself (`PRAGMA data_version`, by each thread on a connection
of its own), so memory is never older than the check that it answers.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rescind.decision.memory.memory import Memory
from rescind.model import Revision


class Seen(threading.local):
    """What this thread knows: the version that it saw last, and whether it is in `together`."""

    version: int | None = None
    is_together = False


class FileWatch:
    """The keeper of an embedded database."""

    def __init__(self, memory: Memory, version: Callable[[], int]) -> None:
        self._memory, self._version = memory, version
        self.look = self._look
        self._seen = Seen()

    def start(self) -> None:
        """Nothing is needed."""

    def expiry(self) -> float:
        """For ever: each check looks for itself."""
        return math.inf

    def hold(self, o: int, revision: Revision) -> None:
        """Nobody needs to know."""

    def release(self, o: int) -> None:
        """Nobody needs to know."""

    def _look(self) -> None:
        """Bring all that is held to the facts, if anybody wrote since this thread looked last."""
        seen = self._seen
        if seen.is_together:
            return
        version = self._version()
        if seen.version != version:
            self._memory.keep_up(0)
            seen.version = version

    @contextmanager
    def together(self) -> Iterator[None]:
        """One look now, and none while it lasts, for all that this thread asks meanwhile."""
        self._look()
        self._seen.is_together = True
        try:
            yield
        finally:
            self._seen.is_together = False

    def close(self) -> None:
        """Nothing was taken."""
