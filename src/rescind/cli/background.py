"""Background work: worker, pending."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import nullcontext
from dataclasses import asdict
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, Final

from rescind.authority import Authority
from rescind.cli import output, watching
from rescind.cli.change_commands import user
from rescind.cli.declared import Argument, Commands, Option
from rescind.cli.metrics_port import (
    Access,
    MetricsAccess,
    MetricsHost,
    MetricsPort,
    metrics_at,
    require_port,
)
from rescind.cli.options import Target, with_target
from rescind.cli.times import duration
from rescind.errors import InvalidArgument
from rescind.history.facts_look import facts_look
from rescind.history.snapshots import SnapshotWriter
from rescind.model import PendingWork
from rescind.propagation.background_audit import BackgroundAudit
from rescind.settings import Settings
from rescind.threads import running

MOST_LOOKED_AT = 100_000
_DEFAULTS = Settings()
Limit = Annotated[int, Option(min=1, max=100_000, help="How many to list, at most.")]


_AUDIT: Final = ("audit_rows_per_second", "audit_pause", "audit_repair")


class Action(StrEnum):
    """What to do with pending work."""

    LIST = "list"
    SHOW = "show"
    RETRY = "retry"
    PARK = "park"


def register(commands: Commands) -> None:
    """Add the commands of this module."""
    commands.add("worker", worker, "Background work", with_target)
    commands.add("pending", pending, "Background work", with_target)


def worker(
    target: Target,
    concurrency: Annotated[int, Option(min=1, max=64, help="Workers in this process.")] = 1,
    until_settled: Annotated[
        bool, Option("--until-settled", help="End when no work is due; run no audit.")
    ] = False,
    audit_rows_per_second: Annotated[
        int, Option(min=0, help="The background audit's budget; 0 switches it off.")
    ] = _DEFAULTS.audit_rows_per_second,
    audit_pause: Annotated[
        str, Option(help="Pause between rounds of the background audit: 5m, 1h, 1d.")
    ] = f"{_DEFAULTS.audit_pause_seconds:g}s",
    audit_repair: Annotated[
        bool, Option("--audit-repair", help="Let the background audit repair drift.")
    ] = False,
    listen_database: Annotated[
        str,
        Option(
            envvar="RESCIND_SETTINGS_LISTEN_DATABASE",
            help="The same database without its pooler, to be told of work at once.",
        ),
    ] = "",
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = "127.0.0.1",
    metrics_access: Access = MetricsAccess.KEY,
) -> None:
    """Do pending work until Ctrl-C or SIGTERM. The chunk under way is finished.

    Any number of workers may run, on any number of machines. One at a time
    also runs the background audit, and keeps snapshots for questions
    about the past.
    """
    settings = Settings(
        audit_rows_per_second=audit_rows_per_second,
        audit_pause_seconds=duration("--audit-pause", audit_pause, most_days=366),
        audit_repair=audit_repair,
    )
    require_port(target, metrics_port)
    if until_settled:
        target.refuse_given(*_AUDIT, hint="--until-settled runs no audit")
    if not audit_rows_per_second:
        target.refuse_given(
            *_AUDIT[1:], hint="the audit is off: give --audit-rows-per-second, not 0"
        )
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
    with target.open(listen_database=listen_database) as authority:
        _say(target, f"working on {output.plain(target.shown)}; Ctrl-C ends it")
        scraped = metrics_at(target, authority, metrics_host, metrics_port, metrics_access)
        audit = BackgroundAudit(authority.store, settings, facts=facts_look(authority.store))
        auditing = nullcontext() if until_settled else running(audit.run, "rescind-audit")
        snapshots = SnapshotWriter(authority.store, settings)
        keeping = nullcontext() if until_settled else running(snapshots.run, "rescind-snapshots")
        workers = authority.workers(concurrency=concurrency, on_progress=count)
        with workers, auditing, keeping, scraped:
            while not stop.wait(0.05):
                if until_settled and not authority.has_due_work():
                    break
    seconds = time.perf_counter() - start
    if target.as_json:
        output.say_json({**tally, "seconds": round(seconds, 3)})
    else:
        rows = f"{output.counted(tally['made'], 'effective role')} made, {tally['unmade']:,} unmade"
        settled = f"{output.counted(tally['settled'], 'job')} settled"
        output.say(f"stopped after {seconds:.1f} s: {settled}, {rows}")


def pending(
    target: Target,
    action: Annotated[Action, Argument(help="What to do.")] = Action.LIST,
    group: Annotated[str | None, Argument(help="The group; not needed to list.")] = None,
    watch: Annotated[
        bool, Option("--watch", help="Refresh until Ctrl-C, or until nothing is due.")
    ] = False,
    limit: Limit = 100,
) -> None:
    """List or watch work that is not settled; show, retry or park a group's."""
    if (action is Action.LIST) != (group is None):
        hint = (
            "list takes none; `show` is for one" if group else f"name the group to {action.value}"
        )
        raise InvalidArgument(what="group", hint=hint)
    if watch and (action is not Action.LIST or target.as_json):
        hint = "only what is listed can be watched, and not as JSON: ask again and again instead"
        raise InvalidArgument(what="--watch", hint=hint)
    if watch:
        target.refuse_given("limit", hint="--watch counts all of it: leave it out")
    with target.open() as authority:
        if action is Action.LIST:
            find = partial(authority.pending, organization=target.organization)
            if not (found := find(limit=limit + 1)):
                _require_known(target, authority)
            if watch:
                watching.watch(partial(find, limit=MOST_LOOKED_AT))
            else:
                _list(target, found, limit)
            return
        mine = _of_group(authority, target.organization, str(group))
        if action is Action.SHOW:
            _show(target, mine)
            return
        steer = authority.retry if action is Action.RETRY else authority.park
        changed = steer(mine[0], actor=user())
        word = "retried" if action is Action.RETRY else "parked"
        if target.as_json:
            output.say_json({"group": group, word: changed})
        else:
            output.say(f"{group}: {word}" if changed else f"{group}: it is so already")


def _require_known(target: Target, authority: Authority) -> None:
    """Raises OrganizationNotFound for an organization that never existed: a mistyped name must not look
    settled.
    """
    if target.organization is not None:
        next(authority.log(organization=target.organization, limit=1), None)


def _of_group(authority: Authority, organization: str | None, group: str) -> list[PendingWork]:
    """All that is pending for one group, by its name, or by its number if it was deleted.

    Raises InvalidArgument if there is none, or if several organizations have such a group.
    """
    found = authority.pending(organization=organization, limit=MOST_LOOKED_AT)
    named = [work for work in found if work.group == group]
    without = [work for work in found if work.group is None and work.kind != "organization"]
    mine = named or [work for work in without if _number(work) == group.lstrip("-")]
    if not mine:
        raise InvalidArgument(what="group", value=group, hint="nothing is pending for it")
    if len({work.organization_number for work in mine}) > 1:
        hint = "several organizations have it; name one with --organization"
        raise InvalidArgument(what="group", value=group, hint=hint)
    return mine


# --- what a person sees ---------------------------------------------------------------------------


def _say(target: Target, text: str) -> None:
    if not target.as_json:
        output.say(text)


def _list(target: Target, found: list[PendingWork], limit: int) -> None:
    listed = found[:limit]
    if target.as_json:
        for work in listed:
            output.say_json(asdict(work))
        return
    if not found:
        output.say("nothing is pending")
        return
    first = 0 if target.organization is None else 1  # the organization, where that is not known
    output.table(_COLUMNS[first:], (_row(work)[first:] for work in listed))
    if len(found) > limit:
        output.say("… and more; --limit says how many are shown")


_COLUMNS = ("organization", "group", "kind", "of", "direction", "done", "lag", "state")


def _row(work: PendingWork) -> tuple[object, ...]:
    share = "–" if not work.total else f"{min(work.done / work.total, 1):.0%}"
    return (
        work.organization or "(deleted)",
        work.group or _without_name(work),
        work.kind,
        work.subject or "",
        f"{work.direction.value}{', critical' if work.is_critical else ''}",
        share,
        f"{work.lag_seconds:.1f} s",
        _state(work),
    )


def _without_name(work: PendingWork) -> str:
    return "all of it" if work.kind == "organization" else f"(deleted: {_number(work)})"


def _number(work: PendingWork) -> str:
    """A group's number without its sign, which would be read as an option."""
    return str(abs(work.group_number))


def _state(work: PendingWork) -> str:
    if work.is_parked:
        return f"parked after {work.attempts} attempts"
    if work.attempts:
        return f"tried {work.attempts}×, again in {work.waits_seconds:.0f} s"
    return "under way" if work.done else "due"


def _show(target: Target, found: list[PendingWork]) -> None:
    for number, work in enumerate(found):
        if target.as_json:
            output.say_json(asdict(work))
            continue
        if number:
            output.say("")
        output.pairs(
            [
                *zip(_COLUMNS, _row(work), strict=True),
                ("pairs", _pairs(work)),
                ("revisions", f"{work.since} to {work.revision}"),
                ("last error", work.last_error or "none"),
            ]
        )


def _pairs(work: PendingWork) -> str:
    if work.total is None:
        return "not counted yet"
    return f"{work.done:,} of {work.total:,} looked at"
