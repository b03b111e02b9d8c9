"""How large a chunk of background work is: learned from what the ones before took, near a target time.

The target is a part of what was asked for while somebody who waits was seen lately, and several times that
where nobody has been for long. Lately is a matter of time, not of chunks: short chunks are many, and who
changes something now and then, with pauses, is still about.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

START_PAIRS: Final = 2_000
LEAST_PAIRS, MOST_PAIRS = 100, 500_000
HASTE_SECONDS: Final = 2.0
"""So long after somebody was seen waiting, chunks are kept short."""
HASTE_TARGETS: Final = {"sqlite": 0.0125, "postgres": 0.25}
"""What part of the target a chunk then takes. Where one writes at a time everybody waits for a chunk, and one
costs little beside its rows; on a server it costs several round trips, and next to nobody waits.
"""
CALM_SECONDS: Final = 10.0
"""Where nobody was seen waiting for so long, nobody is about."""
CALM_TARGETS: Final = 2.5
"""How many times the target a chunk may then take."""
LATE: Final = 1.5
"""How many times what it should have taken a chunk may take before the next ones are made smaller."""


class Pace:
    """The size of the next chunk, in pairs. The clock counts seconds from anywhere, and only forwards."""

    def __init__(
        self, engine: str, target_ms: float = 20.0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.pairs = START_PAIRS
        self._target_seconds = target_ms / 1e3
        self._haste_targets = HASTE_TARGETS[engine]
        self._clock = clock
        self._seen_at: float | None = None

    def learn(self, seconds: float, waiting: int, *, is_full: bool) -> None:
        """A chunk kept others out for so long, while so many waited for a lock.

        One that is not full, because its job had no more to do, does not tell what a larger one would take.
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
