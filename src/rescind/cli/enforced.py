"""How a revocation was enforced, in words: when, and on which replicas."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from rescind.cli import output
from rescind.cli.times import shown_seconds
from rescind.model import (
    EnforcedReplica,
    Enforcement,
    EnforcementStatus,
    LogEntry,
    Receipt,
    ReplicaOutcome,
)

NONE_HELD: Final = "none held the organization"
UNKNOWN: Final = "not known: they could not be read, so all leases were waited out"
_STATUS: Final = {
    EnforcementStatus.NOTHING_REVOKED: "nothing was revoked",
    EnforcementStatus.OPEN: "not yet: a process may still answer from an older state",
    EnforcementStatus.NOT_RECORDED: "not recorded",
}


def taken(recorded_at: datetime, enforced_at: datetime | None) -> str:
    """How long it took from when the change was recorded; clocks of two machines may differ."""
    if enforced_at is None:
        return "no data"
    return shown_seconds(max(0.0, (enforced_at - recorded_at).total_seconds()))


def replica_words(each: EnforcedReplica) -> str:
    """A replica, and what it did."""
    own = " (this process)" if each.is_own else ""
    return f"{output.plain(each.name)}{own}, {did(each)}"


def did(each: EnforcedReplica) -> str:
    """What a replica did, and after how long."""
    after = shown_seconds(each.milliseconds / 1_000)
    match each.outcome:
        case ReplicaOutcome.CURRENT:
            return "at once"
        case ReplicaOutcome.ACKNOWLEDGED:
            return f"acknowledged after {after}"
        case ReplicaOutcome.RELEASED:
            return f"let go after {after}"
        case ReplicaOutcome.WAITED_OUT:
            return f"waited out for {after}"


def replicas_in_words(done: Enforcement | None) -> list[str]:
    """The replicas that held the organization, one a line."""
    if done is None:
        return ["not recorded"]
    if not done.are_replicas_known:
        return [UNKNOWN]
    told = [replica_words(each) for each in done.replicas] or [NONE_HELD]
    return [*told, *([f"and {done.others:,} more"] if done.others else [])]


def revocations(found: Iterable[tuple[str, Receipt]]) -> list[tuple[str, str, str]]:
    """What was revoked, after how long that was enforced, and on which replicas: rows of a table."""
    return [
        (
            what,
            taken(receipt.recorded_at, receipt.enforced_at),
            "; ".join(replicas_in_words(receipt.enforcement)),
        )
        for what, receipt in found
        if receipt.enforcement is not None
    ]


def show(entry: LogEntry) -> None:
    """When and how a change of the log was enforced."""
    status = entry.enforcement_status
    if entry.enforced_at is None or status is EnforcementStatus.NOTHING_REVOKED:
        output.say(f"enforced: {_STATUS[status]}")
        return
    at = entry.enforced_at.isoformat(sep=" ", timespec="milliseconds")
    if status is EnforcementStatus.NOT_RECORDED and entry.caused_by is None:
        # the time may be that of this question, or of an earlier one: it says by when, and no more
        output.say(f"enforced: when was not recorded; by {at} no process answered from before it")
    else:
        after = taken(entry.recorded_at, entry.enforced_at)
        output.say(f"enforced: {at}, {after} after it was recorded")
    if entry.enforcement is None and entry.caused_by is not None:
        output.say(f"replicas: as of revision {entry.caused_by} of '*', which caused this change")
        return
    told = replicas_in_words(entry.enforcement)
    output.say(f"replicas: {told[0]}")
    for line in told[1:]:
        output.say(f"          {line}")
