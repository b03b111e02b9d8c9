"""Pruning: takes the oldest changes out of a log, behind a snapshot of what they made.

What is left can still be verified: the log's start has the digest that its first change follows from. What
was before can no longer be asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from rescind import model
from rescind.errors import InvalidArgument, OrganizationNotFound, PastUnavailable
from rescind.history.log_start import forget
from rescind.history.moments import newest_before, organizations_of, recorded_at_of
from rescind.history.replaying import EnvironmentReplay, OrganizationReplay
from rescind.history.snapshots import keep
from rescind.model import (
    ENVIRONMENT_NUMBER,
    Microseconds,
    OrganizationId,
    OrganizationNumber,
)
from rescind.semantics.state_bytes import FORMAT
from rescind.store import Store, Transaction
from rescind.store.contract import Counter
from rescind.store.rows.actions import ServiceAction
from rescind.store.rows.past import FIND_LOG_NEEDS, FIND_SNAPSHOT, LogNeedsRow

YOUNGEST_DAYS: Final = 31
"""Changes that are younger stay: events of the directory, idempotency keys and targets need them."""
_YOUNGEST: Final = YOUNGEST_DAYS * 86_400_000_000
CHANGES: Final = 2_000
"""Changes that one transaction deletes."""


@dataclass(frozen=True, slots=True)
class Pruning:
    """What was, or would be, pruned of a log: up to `revision`, from which on the past can be asked."""

    organization: str
    revision: int
    recorded_at: datetime | None
    """When that change was recorded; none if nothing is to be pruned."""
    changes: int
    """How many changes go."""
    kept: int
    """How many stay."""
    held_back: str | None
    """Why it does not go up to where it was asked to."""
    is_done: bool


def prune(
    store: Store,
    name: OrganizationId,
    before: datetime | int,
    now: Microseconds,
    *,
    most_facts: int,
    dry_run: bool,
    actor: str,
) -> Pruning:
    """As `Authority.prune_log`."""
    model.require_text("actor", actor)
    dry_run = model.require_flag("dry_run", dry_run)
    for row in organizations_of(store, name):
        plan = _planned(store, name, row.organization, before, now)
        if dry_run or not plan.changes:
            return plan
        kept = _keep_snapshot(store, name, row.organization, plan.revision, most_facts)
        return _pruned(store, name, row.organization, plan, kept, now, actor)
    raise OrganizationNotFound(organization=name)


def _planned(
    store: Store,
    name: OrganizationId,
    o: OrganizationNumber,
    before: datetime | int,
    now: Microseconds,
) -> Pruning:
    if isinstance(before, datetime):
        up_to = newest_before(store, o, model.microseconds(before))
    elif isinstance(before, int):
        up_to = model.require_number("before", before, least=1, most=2**63 - 1) - 1
    else:
        raise InvalidArgument(what="before", value=repr(before), hint="give a time or a revision")
    (needs,) = store.fetch(FIND_LOG_NEEDS, {"o": o})
    if needs.first is None:
        return Pruning(name, 0, None, 0, 0, None, False)
    old = newest_before(store, o, Microseconds(now - _YOUNGEST))
    limit, why = min(_limits(needs, old))
    held_back = why if limit < min(up_to, needs.revision) else None
    revision = max(min(up_to, limit), needs.first - 1)
    changes = revision - needs.first + 1
    recorded_at = model.moment(recorded_at_of(store, o, revision)) if changes else None
    return Pruning(
        name, revision, recorded_at, changes, needs.revision - revision, held_back, False
    )


def _limits(needs: LogNeedsRow, old: int) -> list[tuple[int, str]]:
    """Up to where the log may be pruned, by each rule, and the rule in words."""
    found = [
        (needs.revision - 1, "the newest change stays"),
        (old, f"changes of the last {YOUNGEST_DAYS} days stay"),
        (needs.reported, f"events are written up to revision {needs.reported}"),
    ]
    if needs.unsettled is not None:
        found.append((needs.unsettled - 1, f"revision {needs.unsettled} is not settled"))
    if needs.unchained is not None:
        why = f"revision {needs.unchained} has no digest yet; `rescind worker` adds it"
        found.append((needs.unchained - 1, why))
    if needs.environment_needed is not None:
        why = "the logs of organizations that were not pruned so far need it"
        found.append((needs.environment_needed, why))
    return found


def _pruned(
    store: Store,
    name: OrganizationId,
    o: OrganizationNumber,
    plan: Pruning,
    snapshot: str,
    now: Microseconds,
    actor: str,
) -> Pruning:
    names = {"o": o, "revision": plan.revision}
    counts = {"up_to": plan.revision, "changes": plan.changes}
    detail = {**counts, "snapshot": snapshot, "format": FORMAT}
    action = ServiceAction("log_pruned", name, now, json.dumps(detail), actor, o=o)

    def start(tx: Transaction) -> None:
        tx.run("settle_causes", **names)
        tx.count("start_log_after", Counter.ALTERED, **names, now=now, why="pruned")
        tx.note_action(action)

    store.transact(start, yields=True)
    while _forget(store, o):
        pass
    store.transact(lambda tx: tx.run("forget_snapshots", **names), yields=True)
    return replace(plan, is_done=True)


def _forget(store: Store, o: OrganizationNumber) -> int:
    """Delete some of the changes before the log's start. Says how many."""
    counts: list[Callable[[], int]] = []
    store.transact(lambda tx: counts.append(forget(tx, o, limit=CHANGES)), yields=True)
    return counts[-1]()


def _keep_snapshot(
    store: Store, name: OrganizationId, o: OrganizationNumber, revision: int, most_facts: int
) -> str:
    """When this returns, the facts at the revision can be had without any change up to it: from the snapshot
    whose digest this is.
    """
    replay = _replay(store, name, o, revision, most_facts)
    if replay.state.revision != revision:
        replay.forward(revision)
        keep(store, o, replay.state, source=replay.source)
        if _replay(store, name, o, revision, most_facts).state.revision != revision:
            raise PastUnavailable(organization=name, why="the snapshot cannot be read back")
    asked = {"o": o, "format": FORMAT, "with_tables": True, "up_to": revision}
    (row,) = store.fetch(FIND_SNAPSHOT, asked)
    return bytes(row.digest).hex()


def _replay(
    store: Store, name: OrganizationId, o: OrganizationNumber, up_to: int, most_facts: int
) -> OrganizationReplay | EnvironmentReplay:
    if o == ENVIRONMENT_NUMBER:
        return EnvironmentReplay(store, up_to)
    return OrganizationReplay(store, o, name, up_to=up_to, most_facts=most_facts)
