"""Pending work for operators: a list of it, and what can be done about one item."""

from __future__ import annotations

import json
import reprlib
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from rescind.errors import GroupBusy, InvalidArgument
from rescind.instruments import Instruments
from rescind.model import (
    Direction,
    GroupNumber,
    Microseconds,
    OrganizationId,
    OrganizationNumber,
    PendingWork,
    require_number,
    require_text,
)
from rescind.propagation.organization_removal import clear_one
from rescind.propagation.reconcile import reconcile_numbered
from rescind.store import Store, Transaction
from rescind.store.contract import Counter
from rescind.store.rows.actions import ServiceAction
from rescind.store.rows.deletion import LIST_DELETIONS, DeletionRow
from rescind.store.rows.organizations import FIND_LOG
from rescind.store.rows.reconcile import (
    LIST_DUE_ORGANIZATIONS,
    LIST_PENDING,
    LIST_PENDING_GROUPS,
    LIST_PURGEABLE,
    READ_PURGED,
    ListedPendingRow,
    PurgedRow,
)

MOST: Final = 2**31 - 1
"""Items of pending work in one list."""


def listed(store: Store, organization: OrganizationId | None, limit: int) -> list[PendingWork]:
    """What is not settled, of one organization or of all: the most urgent first, rows left over from deleted
    organizations last. Raises InvalidArgument for a limit out of range, or a StoreError.
    """
    limit = require_number("limit", limit, least=0, most=MOST)
    rows = store.fetch(LIST_PENDING, {"organization": organization, "limit": limit})
    found = [_work(row) for row in rows]
    params = {"organization": organization, "limit": limit - len(found)}
    left = store.fetch(LIST_DELETIONS, params) if len(found) < limit else []
    return found + [_deletion(row) for row in left]


def _work(row: ListedPendingRow) -> PendingWork:
    is_gone = row.group is None or row.group.startswith("\x01")
    return PendingWork(
        organization=row.organization,
        group=None if is_gone else row.group,
        kind=row.kind,
        subject=row.about,
        direction=Direction(row.direction),
        is_critical=row.urgency == 0,
        done=row.done,
        total=row.total,
        lag_seconds=max(row.age, 0) / 1e6,
        attempts=row.attempts,
        waits_seconds=max(row.waits, 0) / 1e6,
        is_parked=bool(row.parked),
        last_error=row.last_error,
        since=row.since,
        revision=row.revision,
        group_number=row.group_number,
        organization_number=row.organization_number,
    )


def _deletion(row: DeletionRow) -> PendingWork:
    """An item for the rows left over from a deleted organization."""
    return PendingWork(
        organization=row.name,
        group=None,
        kind="organization",
        subject=None,
        direction=Direction.REVOKES,
        is_critical=False,
        done=row.done,
        total=None,
        lag_seconds=max(row.age, 0) / 1e6,
        attempts=0,
        waits_seconds=0.0,
        is_parked=False,
        last_error=None,
        since=row.revision,
        revision=row.revision,
        group_number=0,
        organization_number=row.organization,
    )


def is_due(store: Store) -> bool:
    """Whether a worker would find anything to do now."""
    params = {"organization": None, "after": -1, "below": 3, "limit": 1}
    return (
        bool(store.fetch(LIST_DUE_ORGANIZATIONS, params))
        or bool(store.fetch(LIST_PURGEABLE, params))
        or bool(store.fetch(LIST_DELETIONS, params))
    )


def settle(store: Store, work: PendingWork, instruments: Instruments) -> None:
    """Settle all that is pending for the item's group, in this thread, or delete the rows of a deleted
    organization.

    Raises GroupBusy while a worker has it, or a StoreError; what was done by then stays done.
    """
    if work.kind == "organization":
        clear_one(store, OrganizationNumber(work.organization_number))
    else:
        o, group = OrganizationNumber(work.organization_number), GroupNumber(work.group_number)
        reconcile_numbered(store, o, group, instruments=instruments)


def settle_organization(store: Store, organization: OrganizationId) -> None:
    """Settle what is pending for an organization's groups, except those that a worker has or that are parked.

    Raises a StoreError; what was done by then stays done.
    """
    for found in store.fetch(FIND_LOG, {"organization": organization}):
        for pending in store.fetch(LIST_PENDING_GROUPS, {"o": found.organization}):
            with suppress(GroupBusy):
                reconcile_numbered(store, found.organization, pending.group)


def park(store: Store, work: PendingWork, *, actor: str = "", request: str = "") -> bool:
    """Keep workers from what is pending for the item's group until `retry`. Returns whether that is new."""
    return _steer(store, "park_pending", work, ("work_parked", actor, request))


def retry(store: Store, work: PendingWork, *, actor: str = "", request: str = "") -> bool:
    """Let workers take what is pending for the item's group, now. Returns whether that is new."""
    return _steer(store, "retry_pending", work, ("work_retried", actor, request))


def _steer(store: Store, query: str, work: object, by: tuple[str, str, str]) -> bool:
    if not isinstance(work, PendingWork):
        hint = "give an item of what pending() returned"
        raise InvalidArgument(what="work", value=reprlib.repr(work), hint=hint)
    kind, actor, request = by
    require_text("actor", actor)
    detail = json.dumps({"group_number": work.group_number})
    now, o = Microseconds(time.time_ns() // 1_000), work.organization_number
    action = ServiceAction(kind, work.group or "", now, detail, actor, request, o)
    tallies: list[Callable[[], list[PurgedRow]]] = []

    def steer(tx: Transaction) -> None:
        tx.count(query, Counter.ALTERED, o=work.organization_number, g=work.group_number)
        tallies[:] = [tx.read_later(READ_PURGED)]
        tx.note_action(action)

    store.transact(steer)
    return bool(tallies[0]()[0].altered)
