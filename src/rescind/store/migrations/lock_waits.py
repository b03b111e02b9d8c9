"""How long a migration on PostgreSQL waits for locks, and how often it tries again.

A statement that waits for a table's exclusive lock makes every later statement on that table wait behind it,
even those that only read. So each wait is short, and between two waits the application goes on.
"""

from __future__ import annotations

import logging
import random
import time
from typing import Final

from rescind.errors import InvalidArgument, StoreBusy

LOCK_SECONDS: Final = 1.0
"""How long a statement waits for a lock."""
PATIENCE_SECONDS: Final = 60.0
"""How long a migration is tried again."""
LEAST_PAUSE_SECONDS: Final = 0.1
MOST_PAUSE_SECONDS: Final = 5.0

log = logging.getLogger(__name__)


class LockWaits:
    """The waits of one migration."""

    def __init__(self, lock_seconds: float, patience_seconds: float) -> None:
        if not 0.001 <= lock_seconds <= 3_600:
            hint = "give seconds from 0.001 to 3600"
            raise InvalidArgument(what="lock_seconds", value=lock_seconds, hint=hint)
        if not 0 <= patience_seconds <= 86_400:
            hint = "give seconds from 0 to 86400"
            raise InvalidArgument(what="patience_seconds", value=patience_seconds, hint=hint)
        self.lock_milliseconds = round(lock_seconds * 1_000)
        self._until = time.monotonic() + patience_seconds
        self._pause = LEAST_PAUSE_SECONDS

    def may_retry(self, error: StoreBusy) -> bool:
        """Pause, unless the time is over; return whether to try again. Nothing is locked meanwhile."""
        pause = random.uniform(0.5, 1.5) * self._pause  # noqa: S311 - jitter
        if time.monotonic() + pause > self._until:
            return False
        log.warning("the migration gave way, and is tried again in %.1f s: %s", pause, error)
        time.sleep(pause)
        self._pause = min(2 * self._pause, MOST_PAUSE_SECONDS)
        return True
