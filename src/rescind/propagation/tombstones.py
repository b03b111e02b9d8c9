"""Background work: delete what was kept on record while something pending referred to it."""

from __future__ import annotations

from typing import Any, Final

from rescind.propagation.organization_removal import clear
from rescind.store import Store, Transaction
from rescind.store.contract import Counter

PURGE_SIZE: Final = 5_000
"""Rows of a chunk."""


def purge(store: Store, *, organizations: int = 100) -> int:
    """Delete what was kept on record while something pending referred to it; some organizations' worth.

    Says how many organizations had any. What is left behind by a killed worker is found as well. Of one
    deleted organization a chunk is cleared away, so that others can go first in between.
    """
    found = store.fetch("list_purgeable", {"limit": organizations})
    for (o,) in found:
        _purge(store, o)
    return len(found) + clear(store)


def _purge(store: Store, o: int) -> None:
    tallies: list[Any] = []

    def members(tx: Transaction) -> None:
        tx.count("purge_group_members", Counter.ALTERED, o=o, limit=PURGE_SIZE)
        tallies[:] = [tx.read_later("read_purged")]

    def rest(tx: Transaction) -> None:
        tx.count("purge_assignments", Counter.ALTERED, o=o, limit=PURGE_SIZE)
        tx.run("delete_ended_nestings", o=o)
        tx.run("delete_ended_groups", o=o)
        tallies[:] = [tx.read_later("read_purged")]

    for part in (members, rest):
        while True:
            store.transact(part, yields=True)
            if tallies[0]()[0][0] < PURGE_SIZE:
                break
