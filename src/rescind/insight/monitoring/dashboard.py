"""Grafana's JSON of a dashboard, made of a shorter description in TOML."""

from __future__ import annotations

import json
import tomllib
from typing import Any, Final

COLUMNS: Final = 24
HEIGHT: Final = 8
STAT_HEIGHT: Final = 4
SCHEMA_VERSION: Final = 38
"""Of Grafana 10. Later versions migrate it when they load it."""
DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


def dashboard(text: str) -> str:
    """The dashboard as JSON to import. The same description always gives the same text."""
    panels: list[dict[str, Any]] = []
    top = 0
    for row in tomllib.loads(text)["rows"]:
        panels.append(_row(row["title"], top))
        top += 1
        left = height = 0
        for panel in row["panels"]:
            if left + panel["width"] > COLUMNS:
                left, top, height = 0, top + height, 0
            panels.append(_panel(panel, left, top))
            left += panel["width"]
            height = max(height, panels[-1]["gridPos"]["h"])
        top += height
    for number, each in enumerate(panels, start=1):
        each["id"] = number
    return json.dumps(_around(panels), indent=2, sort_keys=True) + "\n"


def _row(title: str, top: int) -> dict[str, Any]:
    place = {"h": 1, "w": COLUMNS, "x": 0, "y": top}
    return {"type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}


def _panel(panel: dict[str, Any], left: int, top: int) -> dict[str, Any]:
    kind = panel.get("kind", "timeseries")
    height = STAT_HEIGHT if kind == "stat" else HEIGHT
    defaults: dict[str, Any] = {"unit": panel["unit"], "noValue": "no data"}
    if "decimals" in panel:
        defaults["decimals"] = panel["decimals"]
    if kind == "stat":
        defaults |= {"color": {"mode": "thresholds"}, "thresholds": _thresholds(panel)}
        options: dict[str, Any] = {
            "reduceOptions": {"calcs": ["lastNotNull"]},
            "colorMode": "value",
        }
    else:
        defaults["min"] = 0
        options = {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}}
    return {
        "type": kind,
        "title": panel["title"],
        "description": panel.get("description", ""),
        "datasource": DATASOURCE,
        "gridPos": {"h": height, "w": panel["width"], "x": left, "y": top},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "targets": [
            _target(query, chr(ord("A") + number), is_instant=kind == "stat")
            for number, query in enumerate(panel["queries"])
        ],
    }


def _thresholds(panel: dict[str, Any]) -> dict[str, Any]:
    first, then = ("green", "red") if "red_from" in panel else ("red", "green")
    start = panel.get("red_from", panel.get("green_from"))
    steps = [{"color": first, "value": None}, {"color": then, "value": start}]
    return {"mode": "absolute", "steps": steps}


def _target(query: dict[str, Any], letter: str, *, is_instant: bool) -> dict[str, Any]:
    return {
        "refId": letter,
        "datasource": DATASOURCE,
        "expr": query["expr"].strip(),
        "legendFormat": query.get("legend", ""),
        "instant": is_instant,
        "range": not is_instant,
    }


def _around(panels: list[dict[str, Any]]) -> dict[str, Any]:
    job = "label_values(rescind_database_up, job)"
    return {
        "uid": "rescind",
        "title": "Rescind",
        "description": "Revocations and grants, what they wait for, and what the probe and the audit see.",
        "tags": ["rescind"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [],
        "templating": {
            "list": [
                {
                    "type": "datasource",
                    "name": "datasource",
                    "label": "Prometheus",
                    "query": "prometheus",
                },
                {
                    "type": "query",
                    "name": "job",
                    "label": "Job",
                    "datasource": DATASOURCE,
                    "definition": job,
                    "query": {"query": job, "refId": "job"},
                    "refresh": 2,
                    "sort": 1,
                },
            ]
        },
        "panels": panels,
    }
