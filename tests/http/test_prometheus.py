"""A Prometheus of its own scrapes a service, and evaluates every rule and every query of the dashboard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rescind.insight.monitoring import Options, monitoring_files, write_files
from tests.http.processes import Process, started
from tests.insight.monitoring.prometheus import Prometheus, require, scraping

SETUP: list[dict[str, Any]] = [
    {"change": "create_organization"},
    {"change": "define_permission", "permission": "doc:read"},
    {"change": "define_role", "role": "reader", "permissions": ["doc:read"]},
    {"change": "add_membership", "subject": "user:ada"},
    {"change": "create_group", "group": "eng"},
    {"change": "add_members", "group": "eng", "members": ["user:ada"]},
    {"change": "assign", "role": "reader", "to": "group:eng"},
]
REVOCATION = [{"change": "remove_members", "group": "eng", "members": ["user:ada"]}]
EMPTY = {
    "Age of the oldest pending work": "nothing is pending",
    "Lease left when scraped": "SQLite has no leases",
    "Allowed after revocation": "no probe runs",
}
"""Panels that have no data here, and why."""
SHARES = (
    "Revocations within 1 s",
    "Revocations: error budget left",
    "Grants within 30 s",
    "Grants: error budget left",
    "Burn rate over one hour",
)
"""Panels of shares of changes, which have no data where nobody changed anything."""


def test_a_real_prometheus(tmp_path: Path) -> None:
    """It scrapes a service, answers every query of the dashboard, and all rules are silent until it ends."""
    require("prometheus")
    export = tmp_path / "export"
    write_files(export, monitoring_files(Options()), force=False)
    rules = sorted(export.glob("prometheus/*.yml"))
    with (
        started(tmp_path, RESCIND_METRICS_ACCESS="loopback", RESCIND_LOG_LEVEL="error") as service,
        scraping(tmp_path, [service.url.removeprefix("http://")], rules) as prometheus,
    ):
        require_no_data(prometheus, export)
        make_traffic(prometheus, service)
        require_answers(prometheus, export)
        require_refusals(prometheus)
        require_silence(prometheus)
        assert service.end() == 0
        pending = 'ALERTS{alertname="RescindServiceDown", alertstate="pending"}'
        prometheus.wait_until(lambda: prometheus.query(pending))


def require_no_data(prometheus: Prometheus, export: Path) -> None:
    """Before the first change there is no share of changes: neither all nor none were in time."""
    prometheus.wait_until(lambda: prometheus.query("count_over_time(rescind_replicas[1m]) > 2"))
    shares = [query for title, query in queries(export) if title in SHARES]
    assert len(shares) == len(SHARES) + 1
    assert [query for query in shares if prometheus.query(query)] == []


def make_traffic(prometheus: Prometheus, service: Process) -> None:
    """A grant, a revocation and a check, each counted; and a round of the background audit."""
    with service.client() as client:
        for changes in (SETUP, REVOCATION):
            body = {"organization": "acme", "changes": changes}
            client.post("/v1/changes", json=body).raise_for_status()
        question = {"subject": "user:ada", "permission": "doc:read", "organization": "acme"}
        assert client.post("/v1/check", json=question).json()["allowed"] is False
    for name in ("revocations", "grants"):
        all_in_time = f"rescind:{name}_late:ratio_rate5m == 0"
        prometheus.wait_until(lambda query=all_in_time: prometheus.query(query))
    completed = "rescind_audit_last_completed_timestamp_seconds > 0"
    prometheus.wait_until(lambda: prometheus.query(completed))
    prometheus.wait_until(lambda: all(rule["health"] != "unknown" for rule in prometheus.rules()))


def require_answers(prometheus: Prometheus, export: Path) -> None:
    """Every query of the dashboard has data, but for what this service cannot have."""
    asked = queries(export)
    assert {title for title, query in asked if not prometheus.query(query)} == set(EMPTY)


def require_refusals(prometheus: Prometheus) -> None:
    """The control: what is no query is refused, and a metric that does not exist has no data."""
    assert not prometheus.query("rescind_unknown_total")
    with pytest.raises(AssertionError, match="parse error"):
        prometheus.query("sum by (")


def require_silence(prometheus: Prometheus) -> None:
    """No rule has an error, and none fires for a service that is well. That nobody probes it is noticed."""
    rules = prometheus.rules()
    assert len(rules) == 39
    assert [rule for rule in rules if rule["health"] != "ok"] == []
    prometheus.wait_until(lambda: noticed(prometheus) <= {"RescindProbeNotRunning"})
    assert not prometheus.query('ALERTS{alertstate="firing"}')


def noticed(prometheus: Prometheus) -> set[str]:
    """The rules that are pending or fire. Until its first round has ended, the audit is one of them."""
    return {
        rule["name"] for rule in prometheus.rules() if rule.get("state", "inactive") != "inactive"
    }


def queries(export: Path) -> list[tuple[str, str]]:
    """The title of each panel with each of its queries, its variables set."""
    dashboard = json.loads((export / "grafana/rescind.json").read_text("utf-8"))
    values = {"$__rate_interval": "1m", "$__range": "1h", "$job": "rescind"}
    found = []
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"]
            for variable, value in values.items():
                expression = expression.replace(variable, value)
            assert "$" not in expression
            found.append((panel["title"], expression))
    return found
