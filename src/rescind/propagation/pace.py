"""How large a chunk of background work is: additive up, multiplicative down, near a target time."""

from __future__ import annotations

from typing import Final

START_PAIRS: Final = 2_000
STEP_PAIRS: Final = 1_000
LEAST_PAIRS, MOST_PAIRS = 100, 500_000
LOOK_EVERY: Final = 8
"""Chunks between two looks at who waits for a lock."""


class Pace:
    """The size of the next chunk, in pairs, learned from the ones before."""

    def __init__(self, target_ms: float = 20.0) -> None:
        self.pairs = START_PAIRS
        self._target_seconds = target_ms / 1e3
        self._chunks = 0

    def is_due(self) -> bool:
        """Whether it is time to look at who waits."""
        return self._chunks % LOOK_EVERY == 0

    def learn(self, seconds: float, waiting: int) -> None:
        """A chunk kept others out for so long, while so many waited for a lock."""
        self._chunks += 1
        if waiting or seconds > 1.5 * self._target_seconds:
            self.pairs = max(self.pairs // 2, LEAST_PAIRS)
        elif seconds < self._target_seconds:
            step = (
                max(STEP_PAIRS, self.pairs // 8)
                if seconds < self._target_seconds / 2
                else STEP_PAIRS
            )
            self.pairs = min(self.pairs + step, MOST_PAIRS)
