"""`rescind audit --replay`: compare the facts in the tables with the change log, replayed."""

from __future__ import annotations

from dataclasses import asdict

import click

from rescind.cli import output
from rescind.cli.options import Target
from rescind.history.replay_report import ReplayedOrganization, ReplayReport

DIFFERS = 1
COMPARES = "facts with the change log, replayed"


def show_replay(target: Target) -> None:
    """Compare, and print the result. Exits with 1 if they differ."""
    with target.open() as authority:
        report = authority.audit_replay(organization=target.organization)
    if target.as_json:
        output.say_json(_as_json(report))
    else:
        _say(report)
    if not report.is_clean:
        raise click.exceptions.Exit(DIFFERS)


def _as_json(report: ReplayReport) -> dict[str, object]:
    listed = [
        {**asdict(each), "first_revision": each.first_revision, "clean": each.is_clean}
        for each in report.organizations
    ]
    return {"organizations": listed, "clean": report.is_clean, "compares": COMPARES}


def _say(report: ReplayReport) -> None:
    output.pairs(
        [
            ("compared", f"{COMPARES}; effective roles: `rescind audit`"),
            ("organizations", f"{len(report.organizations):,}"),
            ("changes", f"{sum(each.changes for each in report.organizations):,}"),
            ("facts", f"{sum(each.facts for each in report.organizations):,}"),
        ]
    )
    for each in report.organizations:
        if each.unaudited:
            output.say(f"{each.organization}: not compared: {each.unaudited}")
        elif each.since:
            output.say(
                f"{each.organization}: speaks from revision {each.since:,} on, where a snapshot begins;"
                " the log before it was pruned"
            )
        if not each.is_clean:
            _say_differing(each)
    if report.is_clean and all(each.unaudited for each in report.organizations):
        output.say("nothing was compared")
    elif report.is_clean:
        output.say("the facts are what the log says")
    else:
        output.say("the log and the facts part")


def _say_differing(each: ReplayedOrganization) -> None:
    if each.is_upgraded:
        output.say(
            f"{each.organization}: the log begins with changes of an older version; an upgrade may have"
            " altered facts without a change"
        )
    if each.misfit_at is not None:
        output.say(
            f"{each.organization}: the log does not fit at revision {each.misfit_at:,}: {each.misfit}."
            " No facts were compared."
        )
        return
    first = each.first_revision
    where = "" if first is None else f", the first from revision {first:,} on"
    differ = "fact differs" if each.differing == 1 else "facts differ"
    output.say(f"{each.organization}: {each.differing:,} {differ}{where}")
    output.table(
        ("fact", "name", "by the log", "in the tables", "last altered by", "part from"),
        (
            (
                found.kind,
                found.name,
                found.in_log or "(none)",
                found.in_tables or "(none)",
                _revision(found.logged_at, "no change"),
                _revision(found.parts_at, "no change made it so"),
            )
            for found in each.differences
        ),
    )
    if each.differing > len(each.differences):
        output.say(f"and {each.differing - len(each.differences):,} more")


def _revision(revision: int | None, otherwise: str) -> str:
    return otherwise if revision is None else f"{revision:,}"
