"""The dashboard has the structure that Grafana reads, and shows "no data" where there is none."""

from __future__ import annotations

import itertools
import json
import tomllib
from pathlib import PurePosixPath
from typing import Any, Literal

import msgspec
import pytest
import yaml

from rescind.insight.monitoring import Options, monitoring_files
from rescind.insight.monitoring.dashboard import dashboard

UNITS = {"s", "ops", "short", "percentunit", "bytes"}
"""Units that Grafana knows by these ids."""


class Strict(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A part of Grafana's classic model, with the fields that are used and no others."""


class Datasource(Strict):
    type: Literal["prometheus"]
    uid: Literal["${datasource}"]


class Grid(Strict):
    h: int
    w: int
    x: int
    y: int


class Step(Strict):
    color: Literal["green", "red"]
    value: float | None


class Thresholds(Strict):
    mode: Literal["absolute"]
    steps: list[Step]


class Defaults(Strict):
    unit: str
    no_value: Literal["no data"]
    decimals: int | None = None
    min: int | None = None
    color: dict[str, str] | None = None
    thresholds: Thresholds | None = None


class FieldConfig(Strict):
    defaults: Defaults
    overrides: list[object]


class Query(Strict):
    ref_id: str
    datasource: Datasource
    expr: str
    legend_format: str
    instant: bool
    range: bool


class Panel(Strict):
    id: int
    type: Literal["stat", "timeseries"]
    title: str
    description: str
    datasource: Datasource
    grid_pos: Grid
    field_config: FieldConfig
    options: dict[str, object]
    targets: list[Query]


class Row(Strict):
    id: int
    type: Literal["row"]
    title: str
    collapsed: bool
    grid_pos: Grid
    panels: list[object]


@pytest.fixture(scope="module")
def exported() -> dict[str, Any]:
    files = monitoring_files(Options())
    found: dict[str, Any] = json.loads(files[PurePosixPath("grafana/rescind.json")])
    return found


@pytest.fixture(scope="module")
def panels(exported: dict[str, Any]) -> list[Panel]:
    """All but the rows, each read strictly."""
    found = []
    for each in exported["panels"]:
        if each["type"] == "row":
            msgspec.convert(each, Row)
        else:
            found.append(msgspec.convert(each, Panel))
    return found


def test_panels_are_what_grafana_reads(panels: list[Panel]) -> None:
    """Every panel has a unit that Grafana knows, and queries with letters of their own."""
    assert len(panels) > 25
    for panel in panels:
        assert panel.title
        assert panel.field_config.defaults.unit in UNITS
        letters = [query.ref_id for query in panel.targets]
        assert letters
        assert letters == sorted(set(letters))
        assert (panel.type == "stat") == (panel.field_config.defaults.thresholds is not None)
        if len(panel.targets) > 1:
            assert all(query.legend_format for query in panel.targets)


def test_ids_are_unique(exported: dict[str, Any]) -> None:
    """Grafana would show one panel twice."""
    ids = [each["id"] for each in exported["panels"]]
    assert sorted(set(ids)) == ids
    assert len({each["title"] for each in exported["panels"]}) == len(ids)


def test_panels_do_not_overlap(exported: dict[str, Any]) -> None:
    """Each has its place within 24 columns."""
    places = [msgspec.convert(each["gridPos"], Grid) for each in exported["panels"]]
    assert all(place.x >= 0 and place.x + place.w <= 24 for place in places)
    for one, other in itertools.combinations(places, 2):
        beside = one.x + one.w <= other.x or other.x + other.w <= one.x
        below = one.y + one.h <= other.y or other.y + other.h <= one.y
        assert beside or below


def test_variables(exported: dict[str, Any], panels: list[Panel]) -> None:
    """Which Prometheus and which job are chosen above; every query is of that job alone."""
    variables = {each["name"]: each["type"] for each in exported["templating"]["list"]}
    assert variables == {"datasource": "datasource", "job": "query"}
    for panel in panels:
        for query in panel.targets:
            assert query.expr.count("{") == query.expr.count('job="$job"')


def test_the_same_description_gives_the_same_text() -> None:
    """So that a difference in a repository is one of the dashboard."""
    files = [monitoring_files(Options()) for _ in range(2)]
    assert files[0] == files[1]
    assert list(files[0]) == sorted(files[0])


def test_control_a_panel_without_a_place_is_refused() -> None:
    """A description that lacks a width is no dashboard."""
    with pytest.raises(KeyError):
        dashboard('[[rows]]\ntitle = "x"\n[[rows.panels]]\ntitle = "y"\nunit = "s"\nqueries = []\n')
    with pytest.raises(tomllib.TOMLDecodeError):
        dashboard("[[rows]\n")


def test_sloth_and_openslo() -> None:
    """Both specifications have both targets, in the structure of their formats."""
    files = monitoring_files(Options())
    sloth = yaml.safe_load(files[PurePosixPath("slo/sloth.yml")])
    assert (sloth["version"], sloth["service"]) == ("prometheus/v1", "rescind")
    assert [(slo["name"], slo["objective"]) for slo in sloth["slos"]] == [
        ("revocations", 99.99),
        ("grants", 99),
    ]
    for slo in sloth["slos"]:
        assert set(slo) == {"name", "objective", "description", "sli", "alerting"}
        assert set(slo["sli"]["events"]) == {"error_query", "total_query"}
        assert all("[{{.window}}]" in query for query in slo["sli"]["events"].values())
    service, *slos = yaml.safe_load_all(files[PurePosixPath("slo/openslo.yml")])
    assert (service["apiVersion"], service["kind"]) == ("openslo/v1", "Service")
    assert [slo["spec"]["objectives"][0]["target"] for slo in slos] == [0.9999, 0.99]
    for slo in slos:
        assert (slo["apiVersion"], slo["kind"]) == ("openslo/v1", "SLO")
        assert slo["spec"]["service"] == service["metadata"]["name"]
        assert slo["spec"]["budgetingMethod"] == "Occurrences"
        ratio = slo["spec"]["indicator"]["spec"]["ratioMetric"]
        assert set(ratio) == {"counter", "good", "total"}
        for name in ("good", "total"):
            assert ratio[name]["metricSource"]["type"] == "Prometheus"
