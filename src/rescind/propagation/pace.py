"""The size of chunks of background work, learned from earlier chunks, so that each takes about a target
time.

If waiters were seen lately, the target is a fraction of the setting. If none was seen for long, it is a
multiple of it. Lately is measured in time, not in chunks: chunks may be short and many, and a client that
makes a change now and then still counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

START_PAIRS: Final = 2_000
LEAST_PAIRS, MOST_PAIRS = 100, 500_000
HASTE_SECONDS: Final = 2.0
"""How long chunks stay short after a waiter was seen."""
HASTE_TARGETS: Final = {"sqlite": 0.0125, "postgres": 0.25}
"""The fraction of the target that a chunk then takes. On SQLite every writer waits for a chunk, and a chunk
costs little beside its rows. On PostgreSQL few wait, and a chunk costs several round trips.
"""
CALM_SECONDS: Final = 10.0
"""If no waiter was seen for so long, chunks may be long."""
CALM_TARGETS: Final = 2.5
"""The multiple of the target that a chunk may then take."""
LATE: Final = 1.5
"""The multiple of its expected time after which a chunk makes the next ones smaller."""


class Pace:
    """The size of the next chunk, in pairs. The clock is monotonic, in seconds."""

    def __init__(
        self, engine: str, target_ms: float = 20.0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.pairs = START_PAIRS
        self._target_seconds = target_ms / 1e3
        self._haste_targets = HASTE_TARGETS[engine]
        self._clock = clock
        self._seen_at: float | None = None

    def learn(self, seconds: float, waiting: int, *, is_full: bool) -> None:
        """Note that a chunk held its locks for so long, while so many sessions waited for a lock.

        A chunk that was not full, because its job ended, says nothing about larger ones.
        """
        if waiting:
            self._seen_at = self._clock()
        target = self._target()
        if seconds > LATE * target:
            self.pairs = max(int(self.pairs * target / seconds), LEAST_PAIRS)
        elif is_full and seconds < target:
            step = self.pairs if seconds < target / 2 else max(self.pairs // 8, 1)
            self.pairs = min(self.pairs + step, MOST_PAIRS)

    def _target(self) -> float:
        if self._seen_at is None:
            return CALM_TARGETS * self._target_seconds
        since = self._clock() - self._seen_at
        if since < HASTE_SECONDS:
            return self._haste_targets * self._target_seconds
        return self._target_seconds * (CALM_TARGETS if since >= CALM_SECONDS else 1.0)
