"""Histories in which one thing breaks, with the minute by which somebody must know."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.insight.monitoring.histories import (
    ALL,
    DAY,
    ONE,
    TWO,
    History,
    both,
    due,
    grants,
    healthy,
    revocations,
)

VIOLATED = {"RescindRevocationViolated page"}
TARGETS: tuple[tuple[str, Callable[..., dict[str, str]], float], ...] = (
    ("Revocation", revocations, 0.0001),
    ("Grant", grants, 0.01),
)
"""What each target is for, its series, and the share of late changes that the target allows."""
COUNT = 100_000
"""Changes between two samples, so many that the smallest share of late ones is a whole number."""


def broken() -> list[History]:
    """Every alert fires in one of them at least."""
    return [*_violated(), *_late(), *_not_measured(), *_down(), *_leases(), *_work(), *_watchers()]


def _violated() -> list[History]:
    name = "rescind_probe_violations_total"
    return [
        History(
            "a check was allowed after the revocation had returned; an hour later that is over",
            healthy(80) | {f'{name}{{{ONE},point="index"}}': "0x10 1x70"},
            {10: set(), 11: VIOLATED, 70: VIOLATED, 75: set()},
        ),
        History(
            "a process that is first seen with a violation",
            healthy(80) | {f'{name}{{{ONE},point="service"}}': "_x10 1x70"},
            {9: set(), 10: VIOLATED, 69: VIOLATED, 75: set()},
        ),
        History(
            "one violation in a million rounds",
            healthy(12)
            | {f'{name}{{{ONE},point="live"}}': "0x10 1x2"}
            | {f'rescind_probe_disappearance_seconds_count{{{ONE},point="live"}}': "0+1000000x12"},
            {10: set(), 11: VIOLATED},
        ),
    ]


def _late() -> list[History]:
    """After three days within the target, late changes at a multiple of what it allows."""
    found = []
    for what, of, budget in TARGETS:
        page, ticket = (f"Rescind{what}BudgetBurn {severity}" for severity in ("page", "ticket"))
        for rate, step, lead, minutes, alerts in (
            (20, 5, DAY, (30, 50), {f"{page} 1h"}),
            (7, 30, 3 * DAY, (270, 330), {f"{page} 6h"}),
            (3.5, 30, 3 * DAY, (1_170, 1_260), {f"{ticket} 1d", f"{ticket} 3d"}),
            (1.3, 60, 3 * DAY, (3_240, 3_420), {f"{ticket} 3d"}),
        ):
            before, after = minutes
            burning = _burning(of, round(COUNT * budget * rate), lead, after, step)
            fires = {lead + before: set(), lead + after: alerts}
            name = f"{what}: {rate} times what is allowed"
            found.append(History(name, burning, fires, step=step, rules=(f"{what.lower()}s",)))
        found.append(_all_late(what, of))
    return found


def _burning(
    of: Callable[..., dict[str, str]], late: int, lead: int, after: int, step: int
) -> dict[str, str]:
    first, then = lead // step, after // step
    within = f"0+{COUNT}x{first} {COUNT * (first + 1) - late}+{COUNT - late}x{then - 1}"
    return of(ONE, f"0+{COUNT}x{first + then}", within)


def _all_late(what: str, of: Callable[..., dict[str, str]]) -> History:
    """Somebody knows within two minutes, and it is over five minutes after it was mended."""
    series = of(ONE, "0+100x60", "0+100x10 1000x10 1100+100x38")
    alert = f"Rescind{what}BudgetBurn"
    at_once = {f"{alert} {label}" for label in ("page 1h", "page 6h", "ticket 1d", "ticket 3d")}
    over = {f"{alert} {label}" for label in ("ticket 1d", "ticket 3d")}
    fires = {10: set(), 12: at_once, 20: at_once, 56: over}
    return History(f"{what}: all late for ten minutes", series, fires, rules=(f"{what.lower()}s",))


def _not_measured() -> list[History]:
    found = []
    for what, of, _ in TARGETS:
        series = {
            re.sub('le="[^"]+"', 'le="7.0"', key): values
            for key, values in of(ONE, "0+100x20", "0+100x20").items()
        }
        fires = {14: set(), 16: {f"Rescind{what}TargetNotMeasured ticket"}}
        name = f"{what}: the service has another target"
        found.append(History(name, series, fires, rules=(f"{what.lower()}s",)))
    return found


def _down() -> list[History]:
    gone = {key: f"{values.partition('x')[0]}x10 stale" for key, values in healthy().items()}
    down = {"RescindServiceDown page"}
    return [
        History("no process answers", gone | both(up="1x10 0x10"), {10: set(), 14: down}),
        History("the job is not there", gone | both(up="1x10 stale"), {10: set(), 14: down}),
        History(
            "one process does not come back",
            healthy(30)
            | {key: values for key, values in gone.items() if TWO in key}
            | {f"up{{{TWO}}}": "1x10 0x20"},
            {24: set(), 28: {"RescindProcessDown ticket"}},
        ),
        History(
            "one process cannot ask the database",
            healthy(20) | {f"rescind_database_up{{{TWO}}}": "1x10 0x10"},
            {10: set(), 14: {"RescindDatabaseDown page"}},
        ),
    ]


def _leases() -> list[History]:
    name = "rescind_lease_expires_timestamp_seconds"
    late, none = {"RescindLeaseNearExpiry ticket"}, {"RescindNoLeaseRenewed page"}
    return [
        History(
            "a process renews its lease no more",
            healthy(60) | {f"{name}{{{TWO}}}": "1.75+60x10 601.75x50"},
            {10: set(), 18: late, 60: late},
        ),
        History(
            "a process renews its lease late",
            healthy(30) | {f"{name}{{{TWO}}}": "1.75+60x10 660.5+60x20"},
            {10: set(), 26: late},
        ),
        History(
            "no process renews its lease",
            healthy(20) | both(**{name: "1.75+60x10 601.75x10"}),
            {10: set(), 18: late | none},
        ),
    ]


def _work() -> list[History]:
    idle = both(rescind_chunk_duration_seconds_count="0+10x10 100x50")
    stalled, slow = {"RescindQueueStalled page"}, {"RescindQueueSlow ticket"}
    waiting = due(ONE, "0x10 50x50", "0x10 600x50") | due(TWO, "0x10 50x50", "0x10 600x50")
    return [
        History(
            "work is due, and nobody does it",
            healthy(60) | idle | waiting,
            {14: set(), 19: stalled, 50: stalled | slow},
        ),
        History(
            "workers work, and do not get to the oldest",
            healthy(60) | waiting,
            {40: set(), 47: slow},
        ),
        History(
            "work fails and is tried again for half an hour",
            healthy(60) | due(ONE, "0x10 1x50", "0x10 600x50", "waiting"),
            {40: set(), 47: slow},
        ),
        History(
            "work is parked",
            healthy(60) | due(ONE, "0x10 1x50", "0x10 600x50", "parked"),
            {11: set(), 17: {"RescindWorkParked ticket"}, 60: {"RescindWorkParked ticket"}},
        ),
        History(
            "a decision is dropped from the log, once",
            healthy(30) | {f"rescind_decision_log_dropped_total{{{ONE}}}": "0x10 1x20"},
            {10: set(), 12: {"RescindDecisionsNotLogged ticket"}, 25: set()},
        ),
        History(
            "a replica renews its lease and acknowledges nothing",
            healthy(30) | revocations(ONE, "0+10000x30", "0+10000x30", "0x10 1+1x20"),
            {10: set(), 22: {"RescindEnforcementWaitedOut ticket"}},
        ),
    ]


def _watchers() -> list[History]:
    """The probe and the audit: what they find, and that they stopped."""
    probed = "rescind_probe_disappearance_seconds_count"
    audited = "rescind_audit_last_completed_timestamp_seconds"
    overdue = {"RescindAuditOverdue ticket"}
    without = {key: value for key, value in healthy(10).items() if not key.startswith(probed)}
    return [
        History(
            "the audit finds a surplus row",
            healthy(12) | both(rescind_audit_drift_rows="0x10 1x2"),
            {10: set(), 11: {"RescindAuditDrift page"}},
        ),
        History(
            "the audit stopped",
            healthy(120, 60) | both(**{audited: "0+3600x24 86400x96"}),
            {70 * 60: set(), 76 * 60: overdue},
            step=60,
        ),
        History(
            "there never was an audit",
            healthy(120, 60) | both(**{audited: "0x120"}),
            {47 * 60: set(), 52 * 60: overdue},
            step=60,
        ),
        History(
            "the probe stopped",
            healthy(40) | {f'{probed}{{{at},point="index"}}': "0+2x10 20x30" for at in ALL},
            {10: set(), 32: {"RescindProbeNotRunning ticket"}},
        ),
        History("there is no probe", without, {7: {"RescindProbeNotRunning ticket"}}),
    ]
