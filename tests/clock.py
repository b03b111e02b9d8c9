"""The clock of the authorities that tests open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass
class SettableClock:
    """Given to an authority when it is opened. Shows the time of day until it is set, and then that.

    It may follow another clock instead.
    """

    now: datetime | None = None
    follows: Callable[[], datetime] | None = None

    def __call__(self) -> datetime:
        if self.follows is not None:
            return self.follows()
        return self.now or datetime.now(UTC)
