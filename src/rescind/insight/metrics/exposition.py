"""The metrics of an authority as text: Prometheus's format, or OpenMetrics if it is asked for.

prometheus-client writes the text. Most series stay as they were from one scrape to the next, so the lines of
each are kept until it changes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from rescind.errors import extra

with extra("metrics"):
    from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
    from prometheus_client.metrics_core import Metric as Family
    from prometheus_client.openmetrics import exposition as openmetrics
    from prometheus_client.registry import Collector

from rescind import forks
from rescind.authority import Authority
from rescind.insight.metrics.collector import family_of
from rescind.insight.metrics.readings import Reading, Readings, Series

END: Final = b"# EOF\n"


class Format(NamedTuple):
    """A format of exposition."""

    content_type: str
    write: Callable[[Collector], bytes]
    end: bytes


PLAIN: Final = Format(CONTENT_TYPE_PLAIN_0_0_4, generate_latest, b"")
OPENMETRICS: Final = Format(openmetrics.CONTENT_TYPE_LATEST, openmetrics.generate_latest, END)


def format_for(accept: str) -> Format:
    """The format that a scraper's `Accept` asks for."""
    wanted = (part.partition(";")[0].strip().lower() for part in accept.split(","))
    return OPENMETRICS if "application/openmetrics-text" in wanted else PLAIN


class Exposition:
    """Exposes the metrics of one authority. Safe to use from many threads."""

    def __init__(
        self, authority: Authority, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` says, in seconds, how old figures of the database are."""
        self._readings = Readings(authority, clock=clock)
        forks.reinit_after_fork(self)

    def reinit_after_fork(self) -> None:
        """As in a new process: with a lock that nobody holds."""
        self._lock = threading.Lock()
        self._texts = {PLAIN: _Texts(PLAIN), OPENMETRICS: _Texts(OPENMETRICS)}

    def text(self, accept: str = "") -> tuple[str, bytes]:
        """The content type, and all metrics as they are now. May wait for the database, for two seconds."""
        readings = self._readings.read()
        chosen = format_for(accept)
        with self._lock:
            parts = [part for each in readings for part in self._texts[chosen].of(each)]
        return chosen.content_type, b"".join([*parts, chosen.end])


class _Texts:
    """Lines of one format that were written before."""

    def __init__(self, chosen: Format) -> None:
        self._format = chosen
        self._heads: dict[str, bytes] = {}
        self._lines: dict[tuple[str, tuple[str, ...]], tuple[tuple[float, ...], bytes]] = {}

    def of(self, reading: Reading) -> Iterator[bytes]:
        """The text of one metric: its head, then each series."""
        name = reading.metric.name
        if name not in self._heads:
            self._heads[name] = self._written(reading, [])
        head = self._heads[name]
        yield head
        for series in reading.series:
            key = (name, series.labels)
            numbers, lines = self._lines.get(key, ((), b""))
            if numbers != series.numbers:
                lines = self._written(reading, [series])[len(head) :]
                self._lines[key] = series.numbers, lines
            yield lines

    def _written(self, reading: Reading, series: list[Series]) -> bytes:
        family = family_of(reading.metric, reading.bounds, series)
        return self._format.write(_One(family)).removesuffix(self._format.end)


class _One(Collector):
    """A registry of one family."""

    def __init__(self, family: Family) -> None:
        self._family = family

    def collect(self) -> Iterator[Family]:
        yield self._family
