"""How large a chunk of background work is: additive up, multiplicative down, near a target time."""

from __future__ import annotations

from typing import Final

START_PAIRS: Final = 2_000
STEP_PAIRS: Final = 1_000
LEAST_PAIRS, MOST_PAIRS = 100, 500_000
CALM_CHUNKS: Final = 16
"""After so many chunks that nobody waited for, nobody is about."""
CALM_TARGETS: Final = 2.5
"""How many times the target a chunk may then take."""
HASTE_TARGETS: Final = 0.25
"""What part of the target it takes at the least while somebody waits: less is hardly worth a commit."""


class Pace:
    """The size of the next chunk, in pairs, learned from the ones before."""

    def __init__(self, target_ms: float = 20.0) -> None:
        self.pairs = START_PAIRS
        self._target_seconds = target_ms / 1e3
        self._calm_chunks = 0

    def learn(self, seconds: float, waiting: int) -> None:
        """A chunk kept others out for so long, while so many waited for a lock."""
        self._calm_chunks = 0 if waiting else self._calm_chunks + 1
        target = self._target_seconds
        if waiting:
            target *= HASTE_TARGETS
        elif self._calm_chunks > CALM_CHUNKS:
            target *= CALM_TARGETS
        if seconds > 1.5 * target:
            self.pairs = max(self.pairs // 2, LEAST_PAIRS)
        elif seconds < target:
            eighth = self.pairs // 8
            is_far = seconds < target / 2
            step = min(max(STEP_PAIRS, eighth), self.pairs) if is_far else min(STEP_PAIRS, eighth)
            self.pairs = min(self.pairs + step, MOST_PAIRS)
