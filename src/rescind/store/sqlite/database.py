"""What a transaction, a snapshot or a listener needs of the store that it belongs to."""

from __future__ import annotations

from typing import Any, Protocol

from rescind.store.contract import Params
from rescind.store.probe import StoreProbe
from rescind.store.rows import Query


class SqliteDatabase(Protocol):
    """A file, seen by the parts of its store."""

    queries: dict[str, str]
    probe: StoreProbe | None

    def waiting(self) -> int: ...
    def version(self) -> tuple[int, int]: ...
    def fetch(self, query: Query[Any] | str, params: Params) -> Any: ...
