"""`rescind probe`: gives and takes access on purpose, and shows when each decision point followed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import click

from rescind.authority import Authority
from rescind.cli import output
from rescind.cli.declared import Commands, Option
from rescind.cli.metrics_port import (
    Access,
    MetricsAccess,
    MetricsHost,
    MetricsPort,
    metrics_at,
    require_port,
)
from rescind.cli.options import Target, with_target
from rescind.cli.times import duration, shown_seconds
from rescind.errors import InvalidArgument, OrganizationNotFound

if TYPE_CHECKING:
    from rescind.insight.probe import Measurement, Point, Spread, Summary

STALE: Final = 1
UNMEASURED: Final = 2

TargetFile = Annotated[
    Path | None, Option(help="Probe another system: a TOML file that describes it.")
]
Url = Annotated[
    list[str] | None, Option(help="Probe this service too; repeat it for each replica.")
]
Key = Annotated[str | None, Option(envvar="RESCIND_KEY", help="A key with scope check, for --url.")]
Rounds = Annotated[int, Option(min=1, max=10_000, help="Rounds: how often each way is tried.")]
Every = Annotated[str | None, Option(help="Run until stopped, one round every 30s, 5m or 1h.")]
Hold = Annotated[
    str | None,
    Option(help="With --target: leave access for a random time, at most this; 5s."),
]
Evidence = Annotated[Path, Option(help="The file for evidence, if a check was allowed too late.")]


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add("probe", probe, "Background work", with_target)


def probe(
    where: Target,
    target: TargetFile = None,
    url: Url = None,
    key: Key = None,
    rounds: Rounds = 1,
    every: Every = None,
    hold: Hold = None,
    evidence: Evidence = Path("rescind-probe-evidence.json"),
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = "127.0.0.1",
    metrics_access: Access = MetricsAccess.KEY,
) -> None:
    """Measure when access appears and disappears, at every decision point.

    Writes to the organization rescind-probe alone. Exits with 1 if a check
    that started after the revoking call had returned was allowed, with 2 if
    that could not be measured.
    """
    from rescind.insight.probe import Summary
    from rescind.insight.probe.evidence import write_evidence

    if not url:
        where.refuse_given("key", hint="it is for services: give --url as well")
    require_port(where, metrics_port)
    interval = None if every is None else duration("--every", every, most_days=1)
    _require_possible(
        is_own=target is None,
        is_service=interval is not None,
        url=url,
        hold=hold,
        rounds=rounds,
        metrics_port=metrics_port,
    )
    summary = Summary()
    with ExitStack() as stack, _stoppable() as stop:
        if target is None:
            authority = stack.enter_context(where.open())
            at = (metrics_host, metrics_port, metrics_access)
            stack.enter_context(metrics_at(where, authority, *at))
            one_round = _own_rounds(stack, where, authority, url or [], key)
        else:
            one_round = _target_rounds(stack, target, hold)
        left = rounds
        while not stop.is_set():
            measured = one_round()
            summary.add(measured)
            if any(each.violations for each in measured):
                write_evidence(evidence, summary.measurements)
            if interval is None:
                left -= 1
                if not left:
                    break
                continue
            _say_round(where, measured)
            summary.forget_all_but(1_000)
            stop.wait(interval)
    _show(where, summary)
    if summary.violation_count:
        output.complain(f"checks were allowed too late; what was seen is in {evidence}")
        raise click.exceptions.Exit(STALE)
    if not summary.is_complete:
        output.complain("some decision points did not answer or never allowed: see the tables")
        raise click.exceptions.Exit(UNMEASURED)


def _require_possible(
    *,
    is_own: bool,
    is_service: bool,
    url: list[str] | None,
    hold: str | None,
    rounds: int,
    metrics_port: int | None,
) -> None:
    """Raises InvalidArgument for options that do not go together."""
    if url and not is_own:
        raise InvalidArgument(what="--url", hint="the target's file names what is asked")
    if hold is not None and is_own:
        raise InvalidArgument(what="--hold", hint="it is for another system: give --target as well")
    if metrics_port is not None and not (is_service and is_own):
        hint = "it is for the probe as a service: give --every, and no --target"
        raise InvalidArgument(what="--metrics-port", hint=hint)
    if is_service and rounds != 1:
        raise InvalidArgument(what="--rounds", hint="give either --rounds or --every")


def _own_rounds(
    stack: ExitStack, where: Target, authority: Authority, urls: list[str], key: str | None
) -> Callable[[], tuple[Measurement, ...]]:
    from rescind.insight.probe import ORGANIZATION, HttpPoint, Probe, points_of
    from rescind.insight.probe.service import observe
    from rescind.insight.probe.tidying import forget_log, remove_left
    from rescind.insight.probe.ways import ways

    replica = stack.enter_context(Authority.open(where.database, index=True))
    remote = [HttpPoint(each, key=key) for each in urls]
    for point in remote:
        stack.callback(point.close)
    points: list[Point] = [*points_of(replica, authority), *remote]
    prober = Probe(authority, points)
    prober.prepare()
    remove_left(authority)
    for point in remote:
        point.allows(ways("none")[0].question)  # a wrong URL or key is an error at once
    replica.load(ORGANIZATION)
    kinds = {point.name: point.kind for point in points}

    def one_round() -> tuple[Measurement, ...]:
        try:
            measured = _with_progress(prober.round)
        except OrganizationNotFound:  # somebody deleted it since
            prober.prepare()
            replica.load(ORGANIZATION)
            measured = _with_progress(prober.round)
        observe(authority.instruments, kinds, measured)
        forget_log(authority)
        return measured

    return one_round


def _target_rounds(
    stack: ExitStack, path: Path, hold: str | None
) -> Callable[[], tuple[Measurement, ...]]:
    from rescind.insight.probe import Limits
    from rescind.insight.probe.target import HOLD_SECONDS, TargetProbe, read_target

    held = HOLD_SECONDS if hold is None else duration("--hold", hold, most_days=1)
    target = read_target(path)
    limits = Limits(timeout_seconds=60.0, hold_seconds=held)
    prober = TargetProbe(target, limits=limits)
    stack.callback(prober.close)

    def one_round(on_way: Callable[[str], None]) -> tuple[Measurement, ...]:
        on_way(target.name)
        return (prober.round(),)

    return lambda: _with_progress(one_round)


def _with_progress(
    one_round: Callable[[Callable[[str], None]], tuple[Measurement, ...]],
) -> tuple[Measurement, ...]:
    """One round; on a terminal, a line shows which way is being tried."""
    with output.progress() as bar:
        task = bar.add_task("probing", total=None)
        return one_round(
            lambda way: bar.update(task, description=f"probing: {output.one_line(way)}")
        )


@contextmanager
def _stoppable() -> Iterator[threading.Event]:
    """An event that SIGTERM sets, so that a round under way ends and is cleaned up."""
    stop = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)


def _say_round(where: Target, measured: tuple[Measurement, ...]) -> None:
    """One line for one round of many."""
    late = sum(len(each.violations) for each in measured)
    unseen = sum(t.appearance is None for each in measured for t in each.times)
    gone = [t.disappearance for m in measured for t in m.times if t.disappearance is not None]
    slowest = max(gone, default=None)
    if where.as_json:
        output.say_json({"at": datetime.now(UTC), "measurements": [asdict(m) for m in measured]})
        return
    state = f"{late} LATE ALLOWS" if late else "none allowed late"
    not_seen = f", {unseen} did not appear" if unseen else ""
    at = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    output.say(f"{at}  {state}{not_seen}; slowest to disappear: {shown_seconds(slowest)}")


def _show(where: Target, summary: Summary) -> None:
    if where.as_json:
        output.say_json(
            {
                "measurements": [asdict(each) for each in summary.measurements],
                "points": [asdict(each) for each in summary.by_point()],
                "violations": summary.violation_count,
            }
        )
        return
    if not summary.measurements:
        output.say("no data: the probe was stopped before its first round ended")
        return
    ways = summary.ways()
    by_way: list[tuple[object, ...]] = []
    for way in ways:
        points, calls = summary.by_point(way), summary.revoke_calls(way)
        by_way.append(
            (
                way,
                shown_seconds(_of(summary.grant_calls(way), "p50")),
                shown_seconds(_slowest(each.appearance for each in points)),
                "–" if calls is None else shown_seconds(calls.p50),
                shown_seconds(_slowest(each.disappearance for each in points)),
                sum(each.violations for each in points),
            )
        )
    output.table(("way", "grant", "seen after", "revoke", "gone after", "late allows"), by_way)
    output.say("")
    by_point: list[tuple[object, ...]] = [
        (
            each.point,
            f"{each.checks:,}",
            f"{each.errors:,}",
            shown_seconds(_of(each.disappearance, "p50")),
            shown_seconds(_of(each.disappearance, "max")),
            shown_seconds(_of(each.stale, "max")),
            each.not_disappeared,
        )
        for each in summary.by_point()
    ]
    columns = ("decision point", "checks", "errors", "gone p50", "gone max", "stale max", "never")
    output.table(columns, by_point)
    output.say("")
    output.say("seen after, gone after: from the start of the call, at the slowest decision point")
    output.say("late allows: allowed checks that started after the revoking call had returned")


def _slowest(spreads: Any) -> float | None:
    return max((each.max for each in spreads if each is not None), default=None)


def _of(spread: Spread | None, what: str) -> float | None:
    return None if spread is None else getattr(spread, what)
