"""Background work: worker and audit; the command about pending work is in `pending`."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

import typer

from rescind.cli import output
from rescind.cli.options import Place, with_place
from rescind.cli.pending import pending
from rescind.insight.audit import Report
from rescind.insight.audit import audit as run_audit

DRIFT = 1


def register(app: typer.Typer) -> None:
    """Add the commands of background work."""
    commands: dict[str, Callable[..., None]] = {
        "worker": worker,
        "pending": pending,
        "audit": audit,
    }
    for name, command in commands.items():
        app.command(name, rich_help_panel="Background work")(with_place(command))


def worker(
    place: Place,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Workers here.")] = 1,
    until_settled: Annotated[
        bool, typer.Option("--until-settled", help="End when nothing is due.")
    ] = False,
) -> None:
    """Do pending work until told to stop (Ctrl-C, SIGTERM); the chunk under way is finished.

    Any number of workers may run, on any number of machines.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    tally = {"made": 0, "unmade": 0, "settled": 0}
    lock = threading.Lock()

    def count(_: object, done: Any) -> None:
        with lock:
            tally["made"] += done.made
            tally["unmade"] += done.unmade
            tally["settled"] += done.is_settled

    start = time.perf_counter()
    with place.open() as authority:
        if not place.as_json:
            output.say(f"working on {output.plain(place.shown)}; Ctrl-C ends it")
        with authority.workers(concurrency=concurrency, on_progress=count):
            while not stop.wait(0.05):
                if until_settled and not authority.has_due_work():
                    break
    seconds = time.perf_counter() - start
    if place.as_json:
        output.say_json({**tally, "seconds": round(seconds, 3)})
    else:
        rows = f"{output.counted(tally['made'], 'effective role')} made, {tally['unmade']:,} unmade"
        settled = f"{output.counted(tally['settled'], 'job')} settled"
        output.say(f"stopped after {seconds:.1f} s: {settled}, {rows}")


def audit(
    place: Place,
    repair: Annotated[
        bool, typer.Option("--repair", help="Put right what is wrong, as pending work.")
    ] = False,
) -> None:
    """Compare effective roles with what the facts imply. Exits with 1 if they differ.

    Without an organization, all are audited.
    """
    with place.open() as authority:
        report = run_audit(authority, place.organization, repair=repair)
    if place.as_json:
        output.say_json({**asdict(report), "clean": report.is_clean})
    else:
        _report(report)
    if not report.is_clean:
        raise typer.Exit(DRIFT)


def _report(report: Report) -> None:
    output.pairs(
        [
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
    output.say("effective roles are what the facts imply" if report.is_clean else "there is drift")
