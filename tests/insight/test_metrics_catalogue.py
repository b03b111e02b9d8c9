"""The catalogue of metrics keeps to Prometheus's names, and to closed sets of labels."""

from __future__ import annotations

import math
import re

import pytest

from rescind.insight.metrics.catalogue import (
    CATALOGUE,
    ENFORCEMENT_SECONDS,
    SETTLEMENT_SECONDS,
    Metric,
    MetricType,
    bounds,
)
from rescind.settings import Settings

BASE_UNITS = ("_seconds", "_bytes")


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_a_metric_is_named_as_prometheus_wants(metric: Metric) -> None:
    """Counters end in `_total`, nothing else does; units are base units; labels are plain words."""
    assert re.fullmatch(r"rescind_[a-z]+(_[a-z]+)*", metric.name)
    assert metric.name.endswith("_total") == (metric.type is MetricType.COUNTER)
    assert not re.search(r"_(ms|milliseconds|microseconds|megabytes|percent)\b", metric.name)
    if metric.type is MetricType.HISTOGRAM:
        assert metric.name.endswith(BASE_UNITS)
    for label, values in metric.labels.items():
        assert re.fullmatch(r"[a-z]+", label)
        assert label not in ("le", "quantile", "instance", "job")
        assert len(values) == len(set(values))
        assert all(re.fullmatch(r"[a-z_]+", value) for value in values)


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_a_metric_says_what_it_means_and_what_for(metric: Metric) -> None:
    """One meaning, without a full stop at its end, and one question."""
    assert metric.meaning
    assert not metric.meaning.endswith(".")
    assert metric.question.endswith("?")


def test_buckets_ascend_and_have_the_targets_among_them() -> None:
    """So that the share within a target can be read from them, whatever the target is."""
    settings = Settings(revocation_target_seconds=0.7, grant_target_seconds=77.0)
    for metric in CATALOGUE:
        found = bounds(metric, settings)
        assert list(found) == sorted(set(found))
        assert not found or found[-1] == math.inf
    assert 0.7 in bounds(ENFORCEMENT_SECONDS, settings)
    assert 77.0 in bounds(SETTLEMENT_SECONDS, settings)


def test_no_metric_is_there_twice() -> None:
    """Also not by the names of a histogram's series."""
    names = [metric.name for metric in CATALOGUE]
    assert len(names) == len(set(names))
    assert not {f"{name}{end}" for name in names for end in ("_sum", "_count", "_bucket")} & {
        *names
    }
