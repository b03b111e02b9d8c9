"""Background work: delete rows that were kept while pending work referred to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rescind.model import OrganizationNumber
from rescind.propagation.organization_removal import clear
from rescind.store import Store, Transaction
from rescind.store.contract import Counter
from rescind.store.rows.reconcile import LIST_PURGEABLE, READ_PURGED, PurgedRow

PURGE_SIZE: Final = 5_000
"""Rows of a chunk, at most."""


def purge(store: Store, *, organizations: int = 100) -> int:
    """Delete rows that were kept while pending work referred to them, of some organizations.

    Returns how many organizations had any. Also finds rows that a killed worker left. Of one deleted
    organization it deletes one chunk, so that other work can go first in between.
    """
    found = store.fetch(LIST_PURGEABLE, {"limit": organizations})
    for row in found:
        _purge(store, row.organization)
    return len(found) + clear(store)


def _purge(store: Store, organization: OrganizationNumber) -> None:
    o = organization
    tallies: list[Callable[[], list[PurgedRow]]] = []

    def members(tx: Transaction) -> None:
        tx.count("purge_group_members", Counter.ALTERED, o=o, limit=PURGE_SIZE)
        tallies[:] = [tx.read_later(READ_PURGED)]

    def rest(tx: Transaction) -> None:
        tx.count("purge_assignments", Counter.ALTERED, o=o, limit=PURGE_SIZE)
        tx.run("delete_ended_nestings", o=o)
        tx.run("delete_ended_groups", o=o)
        tallies[:] = [tx.read_later(READ_PURGED)]

    for part in (members, rest):
        while True:
            store.transact(part, yields=True)
            if tallies[0]()[0].altered < PURGE_SIZE:
                break
