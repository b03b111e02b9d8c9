"""The metrics of an authority as a collector, for an application's own registry of prometheus-client.

from prometheus_client import REGISTRY
from rescind.insight.metrics.collector import MetricsCollector

REGISTRY.register(MetricsCollector(authority))
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import TypeAlias

from rescind.errors import extra

with extra("metrics"):
    from prometheus_client.core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
    )
    from prometheus_client.metrics_core import Metric as Family
    from prometheus_client.registry import Collector

from rescind.authority import Authority
from rescind.insight.metrics.catalogue import CATALOGUE, Metric, MetricType
from rescind.insight.metrics.readings import Readings, Series

Bounds: TypeAlias = tuple[float, ...]


class MetricsCollector(Collector):
    """Collects the figures of one authority at each scrape.

    With prometheus-client's mode for several processes an application's registry does not ask collectors;
    `rescind serve` has one scrape for its processes.
    """

    def __init__(self, authority: Authority) -> None:
        self._readings = Readings(authority)

    def collect(self) -> Iterator[Family]:
        """Every metric of the catalogue; those of the database only while it answers."""
        for metric, bounds, series in self._readings.read():
            yield family_of(metric, bounds, series)

    def describe(self) -> Iterator[Family]:
        """The names, so that registering asks no database."""
        for metric in CATALOGUE:
            yield family_of(metric, metric.bounds, ())


def family_of(metric: Metric, bounds: Bounds, series: Iterable[Series]) -> Family:
    """One metric as prometheus-client has it."""
    labels = tuple(metric.labels)
    if metric.type is MetricType.HISTOGRAM:
        histogram = HistogramMetricFamily(metric.name, metric.meaning, labels=labels)
        ends = ["+Inf" if bound == math.inf else str(bound) for bound in bounds]
        for each in series:
            counts = accumulate(each.numbers[:-1])
            buckets = list(zip(ends, counts, strict=True))
            histogram.add_metric(each.labels, buckets, each.numbers[-1])
        return histogram
    make = CounterMetricFamily if metric.type is MetricType.COUNTER else GaugeMetricFamily
    family = make(metric.name, metric.meaning, labels=labels)
    for each in series:
        family.add_metric(each.labels, each.numbers[0])
    return family
