"""`rescind monitoring export`: alert rules, a dashboard, targets and runbooks."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from rescind.cli import output
from rescind.cli.declared import Argument, Commands, Option
from rescind.cli.options import AsJson
from rescind.model import Direction

_WHAT = {Direction.REVOKES: "revocations", Direction.GRANTS: "grants"}


class MonitoringAction(StrEnum):
    """What to do about monitoring."""

    EXPORT = "export"


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add("monitoring", monitoring, "Service")


def monitoring(
    action: Annotated[MonitoringAction, Argument(help="What to do.")],
    folder: Annotated[
        Path,
        Argument(metavar="DIR", help="The folder to write to; created if it is missing."),
    ],
    config: Annotated[
        str | None,
        Option("--config", envvar="RESCIND_CONFIG", help="A TOML file with the targets."),
    ] = None,
    job: Annotated[
        str, Option(help="The name of the Prometheus job that scrapes this deployment.")
    ] = "rescind",
    runbooks: Annotated[
        str | None, Option(help="The URL under which the runbooks will be published.")
    ] = None,
    force: Annotated[bool, Option("--force", help="Replace existing files.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write Prometheus rules, a Grafana dashboard, SLO specs and a runbook for each alert.

    Reads no database. Nothing is replaced without --force.
    """
    from rescind.http.server.configuration import environment, load
    from rescind.insight.monitoring import (
        Options,
        monitoring_files,
        unreachable_alerts,
        write_files,
    )

    assert action is MonitoringAction.EXPORT
    configuration, _ = load(config, environment(), {})
    settings = configuration.settings
    options = Options(settings, job, "runbooks/" if runbooks is None else runbooks)
    done = write_files(folder, monitoring_files(options), force=force)
    if as_json:
        output.say_json(
            {
                "folder": str(folder),
                "written": [str(path) for path in done.written],
                "unchanged": [str(path) for path in done.unchanged],
            }
        )
    else:
        for path in done.written:
            output.say(folder / path)
        if done.unchanged:
            output.say(f"{output.counted(len(done.unchanged), 'file')} unchanged")
    for direction in unreachable_alerts(settings):
        output.warn(
            f"warning: the target for {_WHAT[direction]} allows so many late ones that it never pages"
        )
