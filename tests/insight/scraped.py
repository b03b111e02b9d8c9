"""Reads what was scraped, with prometheus-client's own parsers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families as plain_families

Key: TypeAlias = tuple[str, frozenset[tuple[str, str]]]
Scraped: TypeAlias = Mapping[Key, float]


def families(text: str) -> dict[str, Any]:
    """The families of a text in either format, by name."""
    read = openmetrics_families if text.endswith("# EOF\n") else plain_families
    return {family.name: family for family in read(text)}


def scraped(text: str) -> dict[Key, float]:
    """The value of every series."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families(text).values()
        for sample in family.samples
    }


def value(found: Scraped, name: str, **labels: str) -> float:
    """The value of one series. Raises KeyError if there is none."""
    return found[name, frozenset(labels.items())]
