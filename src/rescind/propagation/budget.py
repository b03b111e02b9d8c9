"""How much a change may do inline: a time, divided by what a pair has been costing on this store."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from rescind.model import Route
from rescind.settings import Settings

START_SECONDS_PER_PAIR: Final = {"sqlite": 5e-6, "postgres": 10e-6}
CHEAPEST, DEAREST = 0.2e-6, 1e-3
"""Seconds per pair that are believed at all."""
TELLING_PAIRS: Final = 200
"""Changes with fewer pairs say what a change costs, those with more say what a pair costs."""
WEIGHT: Final = 0.2
"""Of the newest measurement in the running mean."""
NO_LIMIT: Final = 2**62


@dataclass(frozen=True, slots=True)
class Budget:
    """Pairs that may be done inline; more of them where critical roles are revoked.

    A change that `waits` does so for a job that has the group, where others leave the work to it.
    """

    pairs: int
    critical_pairs: int
    waits: bool = False

    @property
    def most(self) -> int:
        """How far it is worth counting."""
        return max(0, min(max(self.pairs, self.critical_pairs), 1_000_000)) + 1


FORCED: Final = {
    Route.INLINE: Budget(NO_LIMIT, NO_LIMIT, waits=True),
    Route.BACKGROUND: Budget(-1, -1),
}


class Costs:
    """What a pair has been costing on a store. Safe to use from many threads."""

    def __init__(self, engine: str, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._per_pair = START_SECONDS_PER_PAIR[engine]
        self._per_change = 0.0

    def budget(self) -> Budget:
        """What may be done inline at this time; never more than the settings' caps."""
        settings, per_pair = self._settings, self._per_pair
        return Budget(
            min(int(settings.inline_budget_ms / 1e3 / per_pair), settings.inline_most_pairs),
            min(
                int(settings.critical_inline_budget_ms / 1e3 / per_pair),
                settings.critical_inline_most_pairs,
            ),
        )

    def learn(self, pairs: int, seconds: float) -> None:
        """Remember what an inline change with so many pairs took."""
        with self._lock:
            if pairs < TELLING_PAIRS:
                self._per_change += WEIGHT * (seconds - self._per_change)
                return
            seen = max(seconds - self._per_change, 0.0) / pairs
            seen = min(max(seen, CHEAPEST), DEAREST)
            self._per_pair += WEIGHT * (seen - self._per_pair)
