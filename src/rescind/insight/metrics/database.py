"""Figures that are read from the database at a scrape, at most once a second."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from rescind.errors import RescindError
from rescind.insight.metrics.catalogue import (
    AUDIT_COMPLETED,
    AUDIT_DRIFT,
    CATALOGUE,
    DATABASE_UP,
    PENDING_ITEMS,
    PENDING_OLDEST,
    REPLICAS,
    Metric,
    Origin,
)
from rescind.propagation.audit_history import read_state
from rescind.store import Store
from rescind.store.rows.metrics import COUNT_PENDING, COUNT_REPLICAS
from rescind.waiting import deadline_within, until

FRESH_SECONDS: Final = 1.0
"""How long figures hold: scrapes of that time have the same."""
MOST_SECONDS: Final = 2.0
"""How long a database on a server may take. Prometheus waits for ten."""

Values: TypeAlias = Mapping[tuple[str, ...], float]
"""Of one metric, by the values of its labels. What is not there is 0."""
Figures: TypeAlias = Mapping[str, Values]
"""By the name of the metric."""

log = logging.getLogger(__name__)


def _pending(store: Store) -> Figures:
    items: dict[tuple[str, ...], float] = defaultdict(float)
    oldest: dict[tuple[str, ...], float] = {}
    for row in store.fetch(COUNT_PENDING, {}):
        key, recorded = (row.direction, row.state), row.oldest / 1e6
        items[key] += row.items
        oldest[key] = min(recorded, oldest.get(key, recorded))
    return {PENDING_ITEMS.name: items, PENDING_OLDEST.name: oldest}


def _replicas(store: Store) -> Figures:
    if not store.capabilities.has_replicas:
        return {}
    (row,) = store.fetch(COUNT_REPLICAS, {})
    return {REPLICAS.name: {(): float(row.replicas)}}


def _audit(store: Store) -> Figures:
    state = read_state(store)
    completed = (state.last_completed_at or 0) / 1e6
    return {AUDIT_DRIFT.name: {(): state.drift_rows}, AUDIT_COMPLETED.name: {(): completed}}


SOURCES: Final[tuple[Callable[[Store], Figures], ...]] = (_pending, _replicas, _audit)
"""What reads figures. Each may raise a StoreError."""


class DatabaseFigures:
    """The figures of one database. Of many threads one reads, and the others wait for it."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
        self._known: Figures = {}
        self._until = 0.0

    def read(self) -> Figures:
        """The figures of every metric of the database; where it does not answer, `rescind_database_up` alone,
        which is 0 then.
        """
        with self._lock:
            if self._clock() >= self._until:
                self._known = self._read()
                self._until = self._clock() + FRESH_SECONDS
            return self._known

    def _read(self) -> Figures:
        found: dict[str, Values] = {
            metric.name: {} for metric in CATALOGUE if metric.origin is Origin.DATABASE
        }
        try:
            with until(deadline_within(MOST_SECONDS)):
                for source in SOURCES:
                    found |= source(self._store)
        except RescindError as error:
            log.warning("figures of the database are missing: %s", error)
            return {DATABASE_UP.name: {(): 0.0}}
        return {**found, DATABASE_UP.name: {(): 1.0}}


def values_of(metric: Metric, figures: Figures) -> list[tuple[tuple[str, ...], float]] | None:
    """Every series of a metric with its value; None if there are no figures."""
    if metric.name not in figures:
        return None
    values = figures[metric.name]
    return [(labels, float(values.get(labels, 0.0))) for labels in metric.series()]
