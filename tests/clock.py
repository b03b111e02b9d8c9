"""The clock of the authorities that tests open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass
class SettableClock:
    """Given to an authority when it is opened. Shows the time of day until it is set, and then that."""

    now: datetime | None = None

    def __call__(self) -> datetime:
        return self.now or datetime.now(UTC)
