"""Figures about a database."""

from __future__ import annotations

from typing import Final, NamedTuple

from rescind.model import Microseconds
from rescind.store.rows.query import Query


class PendingCountRow(NamedTuple):
    """Pieces of background work in one state. There may be two rows for one."""

    direction: str
    state: str
    items: int
    oldest: Microseconds
    """When the oldest change behind them was recorded."""


class ReplicaCountRow(NamedTuple):
    """How many replicas are registered."""

    replicas: int


COUNT_PENDING: Final = Query("count_pending", PendingCountRow)
COUNT_REPLICAS: Final = Query("count_replicas", ReplicaCountRow)
