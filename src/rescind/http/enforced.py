"""When the changes that this process made were enforced: the log does not keep it."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from threading import Lock
from typing import Final

from rescind.changelog import LogEntry
from rescind.model import Receipt

MOST: Final = 10_000


class Enforced:
    """The latest receipts of this process. Safe to use from many threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int, datetime], datetime] = OrderedDict()
        self._lock = Lock()

    def remember(self, receipt: Receipt) -> None:
        """Keep when it was enforced."""
        if not receipt.changed or receipt.enforced_at is None:
            return
        key = (receipt.organization, receipt.revision.organization, receipt.recorded_at)
        with self._lock:
            self._known.setdefault(key, receipt.enforced_at)
            if len(self._known) > MOST:
                self._known.popitem(last=False)

    def at(self, entry: LogEntry) -> datetime | None:
        """When a change was enforced; None where this process did not make it, or long ago."""
        return self._known.get((entry.organization, entry.revision, entry.recorded_at))
