"""`rescind targets`: how the targets for revocations and for grants were met."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import click

from rescind.cli import output
from rescind.cli.declared import Commands, Option
from rescind.cli.options import Target, with_target
from rescind.cli.times import duration, shown_seconds
from rescind.model import Direction

if TYPE_CHECKING:
    from rescind.insight.targets import Attainment

_WHAT = {Direction.REVOKES: ("revocations", "enforced"), Direction.GRANTS: ("grants", "settled")}
_TEN_YEARS = 3_660.0

Window = Annotated[str, Option(help="The time to look back: 1h, 7d, 30d.")]
Config = Annotated[
    str | None,
    Option("--config", envvar="RESCIND_CONFIG", help="A TOML file with the targets."),
]


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add("targets", targets, "Background work", with_target)


def targets(target: Target, window: Window = "30d", config: Config = None) -> None:
    """Show how revocations and grants met their targets, from the log. Exits with 1 if one was missed."""
    from rescind.http.server.configuration import environment, load
    from rescind.insight.targets import attainments, targets_of

    seconds = duration("--window", window, most_days=_TEN_YEARS)
    configuration, _ = load(config, environment(), {})
    with target.open() as authority:
        found = attainments(
            authority.store,
            targets=targets_of(configuration.settings),
            organization=target.organization,
            window_seconds=seconds,
        )
    if target.as_json:
        for each in found:
            output.say_json({**asdict(each), "is_met": each.is_met})
    else:
        whose = "all organizations" if target.organization is None else target.organization
        output.say(f"last {window}, {whose}")
        for each in found:
            output.say("")
            _show(each)
    if any(each.is_met is False for each in found):
        raise click.exceptions.Exit(1)


def _show(met: Attainment) -> None:
    name, done = _WHAT[met.direction]
    target = f"{100 * met.target.share:.6g} %"
    output.say(f"{name}: {target} {done} within {met.target.seconds:g} s")
    if met.is_met is None:
        output.say("  no data")
    else:
        output.say(f"  {'met' if met.is_met else 'MISSED'}: {met.within:,} of {met.changes:,}")
        output.say(f"  p50 {shown_seconds(met.p50_seconds)}, p99 {shown_seconds(met.p99_seconds)}")
        assert met.budget_left is not None
        burn = "no data" if met.burn is None else f"{met.burn:.1f} ×"
        left = f"{met.budget_left:.1%}" if met.budget_left > -100 else "none"
        output.say(f"  error budget left: {left}; burn in the last hour: {burn}")
    if met.undecided:
        why = "not settled yet, in time so far" if name == "grants" else f"not known to be {done}"
        output.say(f"  {met.undecided:,} more are {why}")
    for number, slow in enumerate(met.slowest):
        head = "  slowest:" if number == 0 else " " * 10
        whose = "a deleted organization" if slow.organization is None else slow.organization
        output.say(f"{head} {shown_seconds(slow.seconds)}, {whose}, revision {slow.revision}")
