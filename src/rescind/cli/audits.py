"""`rescind audit`: compare effective roles with the facts, or the facts with the change log, or show what the
background audit found.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import click

from rescind.cli import output
from rescind.cli.change_commands import user
from rescind.cli.declared import Commands, Option
from rescind.cli.options import Target, with_target
from rescind.cli.replays import show_replay
from rescind.cli.times import second
from rescind.errors import InvalidArgument
from rescind.propagation.audit import Report
from rescind.propagation.audit import audit as run_audit
from rescind.propagation.audit_history import AuditHistory, read_history, read_rounds

DRIFT = 1
COMPARES = "effective roles with what the facts imply"


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add("audit", audit, "Background work", with_target)


def audit(
    target: Target,
    repair: Annotated[
        bool, Option("--repair", help="Correct what differs, as pending work.")
    ] = False,
    history: Annotated[
        bool,
        Option("--history", help="Compare nothing; show what the background audit found."),
    ] = False,
    replay: Annotated[
        bool,
        Option("--replay", help="Replay the change log, and compare the facts with that."),
    ] = False,
    limit: Annotated[
        int,
        Option(min=1, max=10_000, help="Rounds and drift of the history to show, at most."),
    ] = 20,
) -> None:
    """Compare effective roles with what the facts imply; with --replay, the facts with the change log.

    Exits with 1 if they differ. Without an organization, all are audited.
    """
    _require_one({"--repair": repair, "--history": history, "--replay": replay})
    if history:
        _show_history(target, limit)
        return
    target.refuse_given("limit", hint="it is for --history")
    if replay:
        show_replay(target)
        return
    with target.open() as authority:
        report = run_audit(authority.store, target.organization, repair=repair, actor=user())
    if target.as_json:
        output.say_json({**asdict(report), "clean": report.is_clean, "compares": COMPARES})
    else:
        _report(report)
    if not report.is_clean:
        raise click.exceptions.Exit(DRIFT)


def _require_one(options: dict[str, bool]) -> None:
    """Raise InvalidArgument for more than one of these options."""
    given = [option for option, is_given in options.items() if is_given]
    if len(given) > 1:
        raise InvalidArgument(what=given[0], hint=f"give either {given[0]} or {given[1]}")


# --- what a person sees ---------------------------------------------------------------------------


def _show_history(target: Target, limit: int) -> None:
    with target.open() as authority:
        found = read_history(authority.store, target.organization, limit=limit)
        has_begun = bool(found.rounds or read_rounds(authority.store, limit=1))
    if target.as_json:
        output.say_json(asdict(found))
    else:
        _say_history(found, has_begun=has_begun)
    if any(drift.ended_at is None for drift in found.drift):
        raise click.exceptions.Exit(DRIFT)


def _say_history(found: AuditHistory, *, has_begun: bool) -> None:
    if not has_begun:
        output.say("no data: no background audit has begun")
        output.say("`rescind worker` and `rescind serve` run it")
        return
    if found.rounds:
        output.table(
            ("round", "began", "ended", "organizations", "effective roles", "drift", "repaired"),
            (
                (
                    each.round,
                    second(each.started_at, ""),
                    second(each.completed_at, "under way"),
                    f"{each.organizations:,}",
                    f"{each.effective_roles:,}",
                    f"{each.missing + each.surplus:,}",
                    f"{each.repaired:,}",
                )
                for each in found.rounds
            ),
        )
        output.say("")
    if not found.drift:
        output.say(
            "no data: no round of the background audit is complete yet"
            if found.last_completed_at is None
            else "no drift was found"
        )
        return
    output.table(
        (
            "organization",
            "group",
            "since",
            "last seen",
            "gone",
            "missing",
            "surplus",
            "repaired",
            "such as",
        ),
        (
            (
                drift.organization or "(deleted)",
                drift.group or "(none)",
                second(drift.since, ""),
                second(drift.seen_at, ""),
                second(drift.ended_at, "no"),
                f"{drift.missing:,}",
                f"{drift.surplus:,}",
                f"{drift.repaired:,}",
                drift.example,
            )
            for drift in found.drift
        ),
    )


def _report(report: Report) -> None:
    output.pairs(
        [
            ("compared", f"{COMPARES}; the facts themselves: `rescind audit --replay`"),
            ("organizations", f"{report.organizations:,}"),
            ("memberships", f"{report.memberships:,}"),
            ("effective roles", f"{report.effective_roles:,}"),
        ]
    )
    if report.groups:
        output.table(
            ("organization", "group", "missing", "surplus", "not settled yet", "such as"),
            (
                (
                    drift.organization,
                    drift.group or "(none)",
                    f"{drift.missing:,}",
                    f"{drift.surplus:,}",
                    f"{drift.unsettled:,}",
                    "; ".join(drift.examples),
                )
                for drift in report.groups
            ),
        )
    if report.repaired:
        output.say(f"{report.repaired:,} repairs; what goes through a group is pending now")
    if not report.is_clean:
        output.say("there is drift")
        return
    but = ", but for what is not settled yet" if report.groups else ""
    output.say(f"effective roles are what the facts imply{but}")
