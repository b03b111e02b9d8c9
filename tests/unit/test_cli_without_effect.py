"""An option that would have no effect is refused, and says which one it belongs to."""

from __future__ import annotations

from pathlib import Path

import pytest

from rescind.errors import InvalidArgument
from rescind.http.server.configuration import load, without_effect
from tests.unit.command_line import CommandLine, one_error


@pytest.mark.parametrize(
    "line",
    [
        "audit --limit 5",
        "keys list --scope read",
        "keys list name",
        "keys rotate k --days 3",
        "keys create k --grace 3",
        "worker --until-settled --metrics-host ::1",
        "worker --until-settled --audit-repair",
        "worker --audit-rows-per-second 0 --audit-pause 1h",
        "probe --metrics-access loopback",
        "probe --key rsk_x",
        "pending --watch --limit 3",
        "log show 1 --actor ada",
        "export --all --organization acme",
    ],
)
def test_what_would_be_ignored_is_refused(acme: CommandLine, line: str) -> None:
    """Before anything is done."""
    option = [word for word in line.split() if word.startswith("--")] or ["name"]
    assert option[-1] in one_error(acme(*line.split()))


def test_what_the_environment_has_may_be_for_others(
    acme: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key for services is no error of a probe of this database alone; the error is about what was typed."""
    monkeypatch.setenv("RESCIND_KEY", "rsk_x")
    assert "--metrics-host" in one_error(acme("probe", "--metrics-host", "::1"))


@pytest.mark.parametrize(
    "text",
    [
        "metrics_port = 0\n[settings]\nmetrics = false",
        "metrics_access = 'loopback'\n[settings]\nmetrics = false",
        "metrics_host = '::1'",
    ],
)
def test_settings_that_would_be_ignored_are_refused(tmp_path: Path, text: str) -> None:
    """Somebody relies on them. (Control: without the one that takes the effect away.)"""
    file = tmp_path / "rescind.toml"
    file.write_text(text)
    with pytest.raises(InvalidArgument, match="metrics_"):
        load(str(file), {}, {})
    file.write_text(
        text.replace("false", "true").replace("metrics_host", "metrics_port=0\nmetrics_host")
    )
    load(str(file), {}, {})


@pytest.mark.parametrize(
    ("variables", "warns"),
    [
        ({"PROBE_URLS": "http://a:1"}, "probe.urls"),
        ({"PROBE_URLS": "http://a:1", "PROBE_EVERY_SECONDS": "30"}, None),
        ({"SETTINGS_AUDIT_REPAIR": "true", "WORKERS": "0"}, "workers is 0"),
        ({"SETTINGS_AUDIT_REPAIR": "true"}, None),
    ],
)
def test_what_does_no_harm_is_a_warning(variables: dict[str, str], warns: str | None) -> None:
    """A file may be shared by processes of which some have no workers."""
    made, _ = load(None, {f"RESCIND_{name}": value for name, value in variables.items()}, {})
    warnings = list(without_effect(made))
    assert len(warnings) == (warns is not None)
    assert warns is None or warns in warnings[0]
