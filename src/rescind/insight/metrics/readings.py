"""All figures of an authority at one moment, by metric and series. Knows nothing of how they are exposed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rescind import forks
from rescind.authority import Authority
from rescind.insight.metrics.catalogue import CATALOGUE, Metric, Origin
from rescind.insight.metrics.database import DatabaseFigures, Figures, values_of


class Series(NamedTuple):
    """One series. The numbers are its value; of a histogram, the count in each bucket, then the sum."""

    labels: tuple[str, ...]
    numbers: tuple[float, ...]


class Reading(NamedTuple):
    """One metric with all its series, and the ends of its buckets if it is a histogram."""

    metric: Metric
    bounds: tuple[float, ...]
    series: list[Series]


class Readings:
    """Reads the figures of one authority, of all processes that share its instruments."""

    def __init__(
        self, authority: Authority, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._instruments, self._store = authority.instruments, authority.store
        self._clock = clock
        forks.reinit_after_fork(self)

    def reinit_after_fork(self) -> None:
        """As in a new process: with a lock that nobody holds."""
        self._lock = threading.Lock()
        self._database = DatabaseFigures(self._store, clock=self._clock)

    def read(self) -> list[Reading]:
        """In the order of the catalogue. What cannot be read from the database is left out. Raises nothing
        for that.
        """
        figures = self._database.read()
        with self._lock:
            rows = self._instruments.read()
        return [*self._all(rows, figures)]

    def _all(self, rows: list[Sequence[float]], figures: Figures) -> Iterator[Reading]:
        for metric in CATALOGUE:
            if metric.origin is Origin.DATABASE:
                values = values_of(metric, figures)
                if values is not None:
                    yield Reading(metric, (), [Series(each, (value,)) for each, value in values])
                continue
            family = getattr(self._instruments, metric.source)
            series = [
                Series(labels, _combined(metric, [row[places] for row in rows]))
                for labels, places in family.places()
            ]
            yield Reading(metric, family.bounds, series)


def _combined(metric: Metric, parts: list[Sequence[float]]) -> tuple[float, ...]:
    """The numbers of several processes as one."""
    if len(parts) == 1:
        return tuple(parts[0])
    if metric.least:
        return (min((value for (value,) in parts if value), default=0.0),)
    return tuple(map(sum, zip(*parts, strict=True)))
