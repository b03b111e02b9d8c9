"""How much a change may do inline: a time, divided by what a pair has been costing on this store."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rescind import forks
from rescind.changes import Change
from rescind.model import Route
from rescind.model.plural import counted
from rescind.settings import Settings
from rescind.store.retries import OverBudget

START_SECONDS_PER_PAIR: Final = {"sqlite": 5e-6, "postgres": 10e-6}
CHEAPEST, DEAREST = 0.2e-6, 1e-3
"""Seconds per pair that are believed at all."""
TELLING_PAIRS: Final = 200
"""Changes with fewer pairs say what a change costs, those with more say what a pair costs."""
WEIGHT: Final = 0.2
"""Of the newest measurement in the running mean."""
NO_LIMIT: Final = 2**62
ESTIMATE_PAIRS: Final = 201
"""How far is counted on either side only to say how large something is, at least."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Pairs that may be done inline; more of them where critical roles are revoked.

    A change that `waits` does so for a job that has the group, where others leave the work to it.
    """

    pairs: int
    critical_pairs: int
    waits: bool = False
    is_background: bool = False

    @property
    def most(self) -> int:
        """How far it is worth counting."""
        if self.is_background or self.pairs == NO_LIMIT:
            return ESTIMATE_PAIRS
        return max(self.pairs, self.critical_pairs) + 1


BACKGROUND: Final = Budget(0, 0, is_background=True)
FORCED: Final = {
    Route.INLINE: Budget(NO_LIMIT, NO_LIMIT, waits=True),
    Route.BACKGROUND: BACKGROUND,
}


def forced(route: Route, inline_most_pairs: int | None = None) -> Budget:
    """The budget of a change whose route was chosen; inline, at most so many pairs where that is given."""
    if route is Route.BACKGROUND or inline_most_pairs is None:
        return FORCED[route]
    return Budget(inline_most_pairs, inline_most_pairs, waits=True)


REMEMBERED_SECONDS: Final = 30.0
MOST_REMEMBERED: Final = 10_000


class Costs:
    """What a pair has been costing on a store. Safe to use from many threads."""

    def __init__(self, engine: str, settings: Settings) -> None:
        self._settings = settings
        forks.reinit_after_fork(self)
        self._per_pair = START_SECONDS_PER_PAIR[engine]
        self._per_change = 0.0
        self._large: dict[tuple[object, ...], float] = {}

    def reinit_after_fork(self) -> None:
        """As in a new process: nobody holds the lock."""
        self.lock = threading.Lock()

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

    def is_large(self, organization: str, changes: Sequence[Change]) -> bool:
        """Whether the like of a single change was too large for the inline route not long ago."""
        until = self._large.get(_kind(organization, changes), 0.0)
        return until > time.monotonic()

    def remember_large(self, organization: str, changes: Sequence[Change]) -> None:
        """The next change of this kind goes to the background without a try: one round trip, not two."""
        if len(changes) == 1:
            if len(self._large) > MOST_REMEMBERED:
                self._large.clear()
            until = time.monotonic() + REMEMBERED_SECONDS
            self._large[_kind(organization, changes)] = until

    def learn(self, pairs: int, seconds: float) -> None:
        """Remember what an inline change with so many pairs took."""
        with self.lock:
            if pairs < TELLING_PAIRS:
                self._per_change += WEIGHT * (seconds - self._per_change)
                return
            seen = max(seconds - self._per_change, 0.0) / pairs
            seen = min(max(seen, CHEAPEST), DEAREST)
            self._per_pair += WEIGHT * (seen - self._per_pair)


def why(budget: Budget, aside: Sequence[OverBudget], pairs: int) -> str:
    """Why a batch took its route, for a person."""
    if aside:
        first = aside[0]
        if first.is_busy:
            return "a job had the group"
        return f"{counted(first.pairs, 'pair')} over the budget"
    if budget.is_background:
        return f"asked for, or as large as one before; about {counted(pairs, 'pair')}"
    if budget.waits:
        return "asked for"
    if not pairs:
        return "no effective roles to move"
    return f"{counted(pairs, 'pair')} within the budget"


def _kind(organization: str, changes: Sequence[Change]) -> tuple[object, ...]:
    """What a change does and to which group; the like of it will be as large."""
    if len(changes) != 1:
        return ()
    change = changes[0]
    targets = (getattr(change, name, None) for name in ("group", "to", "into", "role"))
    return (organization, type(change), *targets)
