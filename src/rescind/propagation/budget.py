"""How many pairs a change may do inline: a time limit, divided by the measured cost of a pair."""

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
"""Bounds of the cost of a pair, in seconds. A measurement outside of them is clamped."""
TELLING_PAIRS: Final = 200
"""Changes with fewer pairs measure the fixed cost of a change, those with more the cost of a pair."""
WEIGHT: Final = 0.2
"""Weight of the newest measurement in the running mean."""
NO_LIMIT: Final = 2**62
ESTIMATE_PAIRS: Final = 201
"""Pairs up to which a change is counted if its exact size does not matter."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Pairs that may be done inline; `critical_pairs` applies if critical roles are revoked.

    If a job has the group, a change that `waits` waits for it. Others leave their work to the background.
    """

    pairs: int
    critical_pairs: int
    waits: bool = False
    is_background: bool = False

    @property
    def most(self) -> int:
        """Pairs up to which counting matters."""
        if self.is_background or self.pairs == NO_LIMIT:
            return ESTIMATE_PAIRS
        return max(self.pairs, self.critical_pairs) + 1


BACKGROUND: Final = Budget(0, 0, is_background=True)
FORCED: Final = {
    Route.INLINE: Budget(NO_LIMIT, NO_LIMIT, waits=True),
    Route.BACKGROUND: BACKGROUND,
}


def forced(route: Route, inline_most_pairs: int | None = None) -> Budget:
    """The budget of a change with a forced route; inline, of at most this many pairs if that is given."""
    if route is Route.BACKGROUND or inline_most_pairs is None:
        return FORCED[route]
    return Budget(inline_most_pairs, inline_most_pairs, waits=True)


REMEMBERED_SECONDS: Final = 30.0
MOST_REMEMBERED: Final = 10_000


class Costs:
    """The measured cost of a pair on one store. Safe to use from many threads."""

    def __init__(self, engine: str, settings: Settings) -> None:
        self._settings = settings
        forks.reinit_after_fork(self)
        self._per_pair = START_SECONDS_PER_PAIR[engine]
        self._per_change = 0.0
        self._large: dict[tuple[object, ...], float] = {}

    def reinit_after_fork(self) -> None:
        """Make a new lock: a thread of the parent may hold the old one."""
        self.lock = threading.Lock()

    def budget(self) -> Budget:
        """What may be done inline now, within the limits of the settings."""
        settings, per_pair = self._settings, self._per_pair
        return Budget(
            min(int(settings.inline_budget_ms / 1e3 / per_pair), settings.inline_most_pairs),
            min(
                int(settings.critical_inline_budget_ms / 1e3 / per_pair),
                settings.critical_inline_most_pairs,
            ),
        )

    def is_large(self, organization: str, changes: Sequence[Change]) -> bool:
        """Whether a change of the same kind was recently too large for the inline route."""
        until = self._large.get(_kind(organization, changes), 0.0)
        return until > time.monotonic()

    def remember_large(self, organization: str, changes: Sequence[Change]) -> None:
        """Let the next change of this kind take the background at once: one round trip instead of two."""
        if len(changes) == 1:
            if len(self._large) > MOST_REMEMBERED:
                self._large.clear()
            until = time.monotonic() + REMEMBERED_SECONDS
            self._large[_kind(organization, changes)] = until

    def learn(self, pairs: int, seconds: float) -> None:
        """Note how many seconds an inline change of so many pairs took."""
        with self.lock:
            if pairs < TELLING_PAIRS:
                self._per_change += WEIGHT * (seconds - self._per_change)
                return
            seen = max(seconds - self._per_change, 0.0) / pairs
            seen = min(max(seen, CHEAPEST), DEAREST)
            self._per_pair += WEIGHT * (seen - self._per_pair)


def why(budget: Budget, aside: Sequence[OverBudget], pairs: int) -> str:
    """Why a batch took its route, in words for people."""
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
    """The type of a change and what it names. Changes of one kind are expected to be of one size."""
    if len(changes) != 1:
        return ()
    change = changes[0]
    targets = (getattr(change, name, None) for name in ("group", "to", "into", "role"))
    return (organization, type(change), *targets)
