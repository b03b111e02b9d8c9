"""Pending work for whoever runs it: what there is, and what may be done about one piece of it."""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from rescind.errors import GroupBusy, InvalidArgument
from rescind.model import OrganizationId, PendingWork, require_number
from rescind.propagation.organization_removal import clear_one
from rescind.propagation.reconcile import reconcile_numbered
from rescind.store import Rows, Store, Transaction
from rescind.store.contract import Counter

MOST: Final = 2**31 - 1
"""Of pending work that is asked for at a time."""


def listed(store: Store, organization: OrganizationId | None, limit: int) -> list[PendingWork]:
    """What is not settled, of one organization or of all: the most urgent first, what is left of deleted
    organizations last. Raises InvalidArgument for a limit out of range, or a StoreError.
    """
    limit = require_number("limit", limit, least=0, most=MOST)
    rows = store.fetch("list_pending", {"organization": organization, "limit": limit})
    found = [PendingWork.of(row) for row in rows]
    names = {"organization": organization, "limit": limit - len(found)}
    left = store.fetch("list_deletions", names) if len(found) < limit else []
    return found + [PendingWork.of_deletion(row) for row in left]


def is_due(store: Store) -> bool:
    """Whether there is anything that a worker would do at this time."""
    names = {"organization": None, "after": -1, "below": 3, "limit": 1}
    queries = ("list_due_organizations", "list_purgeable", "list_deletions")
    return any(store.fetch(query, names) for query in queries)


def settle(store: Store, work: PendingWork) -> None:
    """Settle all that is pending for the work's group, in this thread, or clear a deleted organization away.

    Raises GroupBusy while a worker is at it, or a StoreError; what was done by then stays done.
    """
    if work.kind == "organization":
        clear_one(store, work.organization_number)
    else:
        reconcile_numbered(store, work.organization_number, work.group_number)


def settle_organization(store: Store, organization: OrganizationId) -> None:
    """Settle what is pending for an organization's groups, unless a worker is at them or they are parked.

    Raises a StoreError; what was done by then stays done.
    """
    for (o,) in store.fetch("find_log", {"organization": organization}):
        for (group,) in store.fetch("list_pending_groups", {"o": o}):
            with suppress(GroupBusy):
                reconcile_numbered(store, o, group)


def park(store: Store, work: PendingWork) -> bool:
    """Leave what is pending for the work's group alone until `retry`. Says whether that is new."""
    return _steer(store, "park_pending", work)


def retry(store: Store, work: PendingWork) -> bool:
    """Let workers take what is pending for the work's group, at once. Says whether that is new."""
    return _steer(store, "retry_pending", work)


def _steer(store: Store, query: str, work: object) -> bool:
    if not isinstance(work, PendingWork):
        hint = "give an item of what pending() returned"
        raise InvalidArgument(what="work", value=reprlib.repr(work), hint=hint)
    tallies: list[Callable[[], Rows]] = []

    def steer(tx: Transaction) -> None:
        tx.count(query, Counter.ALTERED, o=work.organization_number, g=work.group_number)
        tallies[:] = [tx.read_later("read_purged")]

    store.transact(steer)
    return bool(tallies[0]()[0][0])
