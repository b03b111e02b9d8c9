"""The alert rules, as Prometheus evaluates them: what must fire does in time, and what must not is silent."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from rescind.insight.monitoring import Options, monitoring_files, write_files
from tests.insight.monitoring.broken import broken
from tests.insight.monitoring.histories import History
from tests.insight.monitoring.prometheus import require
from tests.insight.monitoring.sound import sound


@pytest.fixture(scope="module")
def promtool() -> str:
    return require("promtool")


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export with the settings' own targets."""
    folder = tmp_path_factory.mktemp("export")
    write_files(folder, monitoring_files(Options()), force=False)
    return folder


def tried(promtool: str, export: Path, folder: Path, histories: Sequence[History]) -> set[str]:
    """The names of the histories in which other alerts fire than expected, by one call of promtool."""
    files = []
    for number, (step, rules) in enumerate(sorted({(each.step, each.rules) for each in histories})):
        content = {
            "rule_files": [str(export / f"prometheus/rescind-{name}.rules.yml") for name in rules],
            "evaluation_interval": f"{step}m",
            "tests": [
                each.test() for each in histories if (each.step, each.rules) == (step, rules)
            ],
        }
        path = folder / f"{number}.yml"
        path.write_text(json.dumps(content))  # which is YAML, and takes a hundredth of the time
        files.append(str(path))
    done = subprocess.run([promtool, "test", "rules", *files], capture_output=True, text=True)
    failed = set(re.findall(r'# (.+)", time: ', done.stderr + done.stdout))
    assert bool(failed) == bool(done.returncode), done.stdout + done.stderr
    return failed


def test_promtool_accepts_the_rules(promtool: str, export: Path) -> None:
    """The syntax of every file, and no rule twice."""
    files = sorted(map(str, export.glob("prometheus/*.yml")))
    command = [promtool, "check", "rules", "--lint-fatal", *files]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_histories(promtool: str, export: Path, tmp_path: Path) -> None:
    """Whatever breaks is told in time and alone; a restart, an empty night and a storm are not told."""
    assert tried(promtool, export, tmp_path, [*broken(), *sound()]) == set()


def test_every_alert_fires_somewhere(export: Path) -> None:
    """No alert is without a history in which it fires, with the severity that it has."""
    fired = {" ".join(each.split()[:2]) for history in broken() for each in history.alerts}
    known = {f"{rule['alert']} {rule['labels']['severity']}" for rule in rules(export, "alert")}
    assert fired == known


def test_control_rules_that_never_fire_are_noticed(
    promtool: str, export: Path, tmp_path: Path
) -> None:
    """With rules that are silent whatever happens, each broken history fails."""
    silenced = altered(export, tmp_path / "silent", "vector(0) > 1")
    histories = broken()
    assert tried(promtool, silenced, tmp_path, histories) == {each.name for each in histories}


def test_control_rules_that_always_fire_are_noticed(
    promtool: str, export: Path, tmp_path: Path
) -> None:
    """With rules that fire whatever happens, each sound history fails."""
    loud = altered(export, tmp_path / "loud", "vector(1)")
    histories = sound()
    assert tried(promtool, loud, tmp_path, histories) == {each.name for each in histories}


GUARDS = [
    (
        "service",
        "and sum by (job) (increase(rescind_chunk_duration_seconds_count[5m])) == 0",
        "",
        "a large job of ten minutes",
    ),
    (
        "service",
        'rescind_pending_oldest_timestamp_seconds{state!="parked"} > 0',
        'rescind_pending_oldest_timestamp_seconds{state!="parked"}',
        "all is well for a day",
    ),
    (
        "service",
        "and rescind_lease_expires_timestamp_seconds > 0",
        "",
        "one process on SQLite",
    ),
    ("service", "for: 15m", "for: 0m", "a rolling restart"),
    (
        "service",
        "for: 10m",
        "for: 0m",
        "a process is killed, and its lease is waited out once",
    ),
    (
        "probe",
        "or sum by (job, point) (rescind_probe_violations_total unless",
        "or sum by (job, point) (0 * rescind_probe_violations_total unless",
        "a process that is first seen with a violation",
    ),
    (
        "revocations",
        "and rescind:revocations_late:ratio_rate5m > 14.4 * 0.0001",
        "",
        "Revocation: all late for ten minutes",
    ),
    (
        "revocations",
        "ratio_rate6h > 6 *",
        "ratio_rate6h > 0.1 *",
        "Revocation: 7 times what is allowed",
    ),
    ("grants", "14.4 *", "0.5 *", "a storm within the targets"),
]
"""A file of rules, a guard in it, what is left without it, and the history that needs it."""


@pytest.mark.parametrize(("file", "guard", "without", "name"), GUARDS)
def test_control_each_guard_of_a_rule_is_needed(
    promtool: str, export: Path, tmp_path: Path, file: str, guard: str, without: str, name: str
) -> None:
    """Without it, a history that must be silent is not, or one that must be told is not."""
    shutil.copytree(export / "prometheus", tmp_path / "weaker/prometheus")
    path = tmp_path / f"weaker/prometheus/rescind-{file}.rules.yml"
    text = path.read_text("utf-8")
    assert guard in text
    path.write_text(text.replace(guard, without))
    (history,) = (each for each in [*broken(), *sound()] if each.name == name)
    assert tried(promtool, tmp_path / "weaker", tmp_path, [history]) == {name}


def altered(export: Path, folder: Path, expression: str) -> Path:
    """The rules with another expression in every alert."""
    (folder / "prometheus").mkdir(parents=True)
    for path in export.glob("prometheus/*.yml"):
        content = yaml.safe_load(path.read_text("utf-8"))
        for group in content["groups"]:
            group["rules"] = [
                rule | {"expr": expression} for rule in group["rules"] if "alert" in rule
            ]
        (folder / "prometheus" / path.name).write_text(yaml.safe_dump(content))
    return folder


def rules(export: Path, kind: str) -> list[dict[str, Any]]:
    """All rules of a kind, `alert` or `record`."""
    return [
        rule
        for path in sorted(export.glob("prometheus/*.yml"))
        for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
        for rule in group["rules"]
        if kind in rule
    ]
