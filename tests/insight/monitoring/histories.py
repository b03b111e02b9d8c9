"""Histories of metrics, as promtool's `test rules` takes them, with the alerts that must fire in each.

A series is written as promtool has it: `0+5x60` begins at 0 and adds 5 for each of 60 more samples; `_x10` is
10 samples that are missing. A history that is healthy is silent; each other one breaks one thing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MINUTE = 60
"""In seconds."""
DAY = 24 * 60
"""In minutes."""
APPS = ("app-1:9464", "app-2:9464")


@dataclass(frozen=True)
class History:
    """Series with a sample each `step` minutes, and exactly the alerts that fire at some of the minutes."""

    name: str
    series: dict[str, str]
    fires: dict[int, set[str]] = field(default_factory=dict)
    """An alert is its name, its severity and, if it has one, its window. Without any minute the history is
    silent from its beginning to its end."""
    length: int = 0
    """Of a history without alerts, in samples."""
    step: int = 1
    rules: tuple[str, ...] = ("service", "probe", "audit")
    """The files of rules that are loaded, to save time."""

    @property
    def alerts(self) -> set[str]:
        """All that ever fire."""
        return set().union(*self.fires.values()) if self.fires else set()

    def test(self) -> dict[str, Any]:
        """The history as one test of promtool's."""
        return {
            "name": self.name,
            "interval": f"{self.step}m",
            "input_series": [
                {"series": series, "values": values} for series, values in self.series.items()
            ],
            "promql_expr_test": [
                {
                    "expr": f"group by (alertname, severity, window) ({expression}) # {self.name}",
                    "eval_time": f"{minute}m",
                    "exp_samples": [
                        {"labels": _labels(each), "value": 1} for each in sorted(alerts)
                    ],
                }
                for expression, minute, alerts in self._expected()
            ],
        }

    def _expected(self) -> Iterator[tuple[str, int, set[str]]]:
        firing = 'ALERTS{alertstate="firing"}'
        for minute, alerts in self.fires.items():
            yield firing, minute, alerts
        if not self.fires:
            end = self.length * self.step
            yield f"count_over_time({firing}[{end}m])", end, set()


def _labels(alert: str) -> str:
    named = zip(("alertname", "severity", "window"), alert.split(), strict=False)
    return "{" + ", ".join(f'{name}="{value}"' for name, value in named) + "}"


def healthy(length: int = 120, step: int = 1, apps: tuple[str, ...] = APPS) -> dict[str, str]:
    """A service with changes, a worker, leases, a probe and an audit, in which all is well."""
    seconds = step * MINUTE
    found: dict[str, str] = {}
    for app in apps:
        at = f'job="rescind",instance="{app}"'
        found |= {
            f"up{{{at}}}": f"1x{length}",
            f"rescind_database_up{{{at}}}": f"1x{length}",
            f"rescind_lease_expires_timestamp_seconds{{{at}}}": f"1.75+{seconds}x{length}",
            f"rescind_chunk_duration_seconds_count{{{at}}}": f"0+10x{length}",
            f"rescind_audit_drift_rows{{{at}}}": f"0x{length}",
            f"rescind_audit_last_completed_timestamp_seconds{{{at}}}": f"0+{seconds}x{length}",
            f'rescind_probe_disappearance_seconds_count{{{at},point="index"}}': f"0+2x{length}",
            f'rescind_probe_violations_total{{{at},point="index"}}': f"0x{length}",
            f"rescind_decision_log_dropped_total{{{at}}}": f"0x{length}",
            f'rescind_probe_violations_total{{{at},point="live"}}': f"0x{length}",
        }
        for direction in ("grants", "revokes"):
            for state in ("due", "waiting", "parked"):
                key = f'{at},direction="{direction}",state="{state}"'
                found[f"rescind_pending_items{{{key}}}"] = f"0x{length}"
                found[f"rescind_pending_oldest_timestamp_seconds{{{key}}}"] = f"0x{length}"
        found |= revocations(at, f"0+1000x{length}", f"0+1000x{length}")
        found |= grants(at, f"0+1000x{length}", f"0+1000x{length}")
    return found


EVERY = ("service", "probe", "audit", "revocations", "grants")


def revocations(at: str, all: str, within: str, waited_out: str = "0x2000") -> dict[str, str]:
    """Revocations of a process: how many, how many within the target, and how many were waited out."""
    name = "rescind_enforcement_duration_seconds"
    return {
        f'{name}_count{{{at},outcome="acknowledged"}}': all,
        f'{name}_bucket{{{at},outcome="acknowledged",le="1.0"}}': within,
        f'{name}_count{{{at},outcome="waited_out"}}': waited_out,
        f'{name}_bucket{{{at},outcome="waited_out",le="1.0"}}': "0x2000",
    }


def grants(at: str, all: str, within: str) -> dict[str, str]:
    """Grants of a process: how many, and how many within the target."""
    name = "rescind_settlement_duration_seconds"
    return {
        f'{name}_count{{{at},direction="grants"}}': all,
        f'{name}_bucket{{{at},direction="grants",le="30.0"}}': within,
    }


ONE, TWO = (f'job="rescind",instance="{app}"' for app in APPS)
ALL = (ONE, TWO)


def due(at: str, items: str, oldest: str, state: str = "due") -> dict[str, str]:
    """Pending grants of the database, as a process tells them."""
    key = f'{at},direction="grants",state="{state}"'
    return {
        f"rescind_pending_items{{{key}}}": items,
        f"rescind_pending_oldest_timestamp_seconds{{{key}}}": oldest,
    }


def both(**values: str) -> dict[str, str]:
    """The same values of a metric without other labels in both processes."""
    return {f"{name}{{{at}}}": value for name, value in values.items() for at in ALL}
