"""Rules, dashboard and specifications name only what is measured: the catalogue's metrics and labels."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import yaml

from rescind.insight.metrics.catalogue import CATALOGUE, Metric, MetricType, bounds
from rescind.insight.monitoring import Options, monitoring_files
from rescind.settings import Settings
from tests.insight.monitoring.expressions import grouped, selectors

EVERYWHERE = {"job", "instance"}
"""Labels that Prometheus adds when it scrapes."""
OTHERS = Settings(
    revocation_target_seconds=0.3,
    revocation_target_share=0.95,
    grant_target_seconds=90.0,
    grant_target_share=0.9,
)


def series() -> dict[str, tuple[Metric, set[str]]]:
    """The name of every series, with its metric and its labels."""
    found = {}
    for metric in CATALOGUE:
        labels = {*metric.labels, *EVERYWHERE}
        if metric.type is MetricType.HISTOGRAM:
            found[f"{metric.name}_bucket"] = metric, {*labels, "le"}
            found[f"{metric.name}_count"] = found[f"{metric.name}_sum"] = metric, labels
        else:
            found[metric.name] = metric, labels
    return found


def expressions(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every expression that is exported, with where it stands."""
    for path, text in monitoring_files(Options(settings)).items():
        if path.parts[0] == "prometheus":
            for group in yaml.safe_load(text)["groups"]:
                for rule in group["rules"]:
                    yield f"{path} {rule.get('alert') or rule['record']}", rule["expr"]
        elif path.suffix == ".json":
            for panel in json.loads(text)["panels"]:
                for target in panel.get("targets", ()):
                    yield f"{path} {panel['title']}", target["expr"]
        elif path.name == "sloth.yml":
            for slo in yaml.safe_load(text)["slos"]:
                yield from (
                    (f"{path} {slo['name']}", each) for each in slo["sli"]["events"].values()
                )
        elif path.name == "openslo.yml":
            for query in re.findall(r"query: (.+)", text):
                yield str(path), query


def wrong(settings: Settings, expression: str, recorded: set[str]) -> list[str]:
    """What an expression names that is not there."""
    known, found = series(), []
    for name, matchers in selectors(expression):
        if name in recorded or name == "up":
            found += [f"{name}: {label}" for label in {*matchers} - EVERYWHERE]
            continue
        if name not in known:
            found.append(f"{name}: not in the catalogue")
            continue
        metric, labels = known[name]
        for label, value in matchers.items():
            if label == "le":
                if float(value) not in bounds(metric, settings):
                    found.append(f"{name}: no bucket ends at {value}")
            elif label not in labels:
                found.append(f"{name}: {label}")
            elif label not in EVERYWHERE and value not in metric.labels[label]:
                found.append(f"{name}: {label} is never {value}")
    labels_of_all = set().union(*(labels for _, labels in known.values()))
    return found + [f"by {label}" for label in grouped(expression) - labels_of_all]


@pytest.mark.parametrize("settings", [Settings(), OTHERS], ids=["default", "others"])
def test_names_are_in_the_catalogue(settings: Settings) -> None:
    """Metrics, labels, their values, and the bucket of the target, which is there whatever the target is."""
    listed = list(expressions(settings))
    recorded = {where.split()[1] for where, _ in listed if ".rules.yml rescind:" in where}
    assert len(recorded) == 15
    assert len(listed) > 80
    found = {where: wrong(settings, each, recorded) for where, each in listed}
    assert {where: names for where, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "expression",
    [
        "rescind_check_total",
        'rescind_checks_total{points="live"}',
        'rescind_checks_total{point="alive"}',
        'rescind_enforcement_duration_seconds_bucket{le="1.5"}',
        "rescind_enforcement_duration_seconds",
        "sum by (organization) (rescind_checks_total)",
        "rescind:unknown:ratio",
    ],
)
def test_control_other_names_are_found(expression: str) -> None:
    """A metric, a label, a value or a bucket that does not exist."""
    assert wrong(Settings(), expression, set())


def test_every_metric_is_shown() -> None:
    """The dashboard has each metric of the catalogue somewhere."""
    text = next(t for p, t in monitoring_files(Options()).items() if p.suffix == ".json")
    assert [metric.name for metric in CATALOGUE if metric.name not in text] == [
        # by a recording rule
        "rescind_lease_expires_timestamp_seconds",
    ]
