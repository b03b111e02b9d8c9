"""Noticing that another connection wrote to the file."""

from __future__ import annotations

import time
from typing import Any, Final

from rescind.store.contract import Params
from rescind.store.rows import Query
from rescind.store.sqlite.database import SqliteDatabase

LISTEN_SECONDS: Final = 0.01
"""How often a listener reads the file's version."""


class SqliteListener:
    """Watches the version of the file."""

    is_polled = False

    def __init__(self, store: SqliteDatabase) -> None:
        self._store = store
        self._seen: dict[int, int] = {}
        self._has_news()

    def wait(self, seconds: float) -> list[str] | None:
        deadline = time.monotonic() + seconds
        while True:
            if self._has_news():
                return None
            if time.monotonic() >= deadline:
                return []
            time.sleep(min(LISTEN_SECONDS, seconds))

    def fetch(self, query: Query[Any] | str, params: Params) -> Any:
        return self._store.fetch(query, params)

    def close(self) -> None:
        """Nothing was taken."""

    def _has_news(self) -> bool:
        """Whether the file was written since the same connection was last asked, or that is unknown."""
        connection, version = self._store.version()
        was = self._seen.get(connection)
        self._seen[connection] = version
        return was != version
