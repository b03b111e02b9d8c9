"""Background work: give their digests to changes that older versions recorded.

A digest follows from contents that never change, so whoever makes it makes the same: several workers at
once, or one that was interrupted and begins again. Only a change without digest gets one. While the newest
change of an organization has none, its next change gets none either. So the last page is written while the
organization is locked: the change after that is chained at once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final, TypeAlias

from rescind.semantics.chain import chained, first_digest
from rescind.store import Store, Transaction
from rescind.store.rows.log import FIND_UNCHAINED, LOCK_ORGANIZATION, READ_CHAIN, UnchainedRow

Row: TypeAlias = tuple[int, bytes | None, bytes]
PAGE: Final = 500
PAGE_CHARACTERS: Final = 4_194_304
"""Of the bodies of what is read at a time; a single one may be longer."""


def chain_some(store: Store) -> int:
    """Give some changes of one organization their digests, in one transaction; returns how many had none.

    0 when there is nothing to do: every change has one, or what it would follow from is missing.
    """
    after = -1
    while found := store.fetch(FIND_UNCHAINED, {"after": after}):
        (first,) = found
        if done := _chain_page(store, first):
            return done
        after = first.organization
    return 0


def chain_all(store: Store) -> int:
    """As `chain_some`, until there is nothing to do. Returns how many changes got a digest."""
    total = 0
    while done := chain_some(store):
        total += done
    return total


def _chain_page(store: Store, first: UnchainedRow) -> int:
    rows = _read(store, first.revision - 1, first.organization)
    if rows and _read(store, rows[-1][0], first.organization, limit=1):
        digests = _digests(first, rows)
        if digests:
            store.transact(lambda tx: _write(tx, first, digests), yields=True)
        return len(digests)
    with store.connection() as connection:
        store.fetch(LOCK_ORGANIZATION, {"o": first.organization}, within=connection)
        rows = _read(store, first.revision - 1, first.organization, within=connection)
        digests = _digests(first, rows)
        if digests:
            store.transact(lambda tx: _write(tx, first, digests), within=connection)
    return len(digests)


def _read(
    store: Store, after: int, organization: int, *, limit: int = 0, within: object = None
) -> Sequence[Row]:
    asked = {
        "o": organization,
        "after": after,
        "limit": limit or PAGE,
        "characters": PAGE_CHARACTERS,
    }
    return store.fetch(READ_CHAIN, asked, within=within)


def _digests(first: UnchainedRow, rows: Sequence[Row]) -> list[tuple[int, bytes]]:
    """The digest of each row up to the first that has one."""
    before = _before(first)
    found = []
    for revision, digest, content in rows:
        if digest is not None or before is None:
            break
        before = chained(before, content)
        assert before is not None
        found.append((revision, before))
    return found


def _before(first: UnchainedRow) -> bytes | None:
    """The digest that the first change without one follows from; None if it is not known."""
    before, start = first.revision_before, first.revision_of_start
    if before is not None and (start is None or before > start):
        return first.digest_before
    if start is not None:
        return first.digest_of_start
    is_beginning = first.revision == 1 or not first.is_begun
    return first_digest(first.organization) if is_beginning else None


def _write(tx: Transaction, first: UnchainedRow, digests: list[tuple[int, bytes]]) -> None:
    is_cleared = first.revision_before is None and first.revision_of_start is None
    if is_cleared and first.revision > 1:  # an old log whose first changes were deleted
        start = {"revision": first.revision - 1, "digest": first_digest(first.organization)}
        tx.run("start_log_before", o=first.organization, now=time.time_ns() // 1_000, **start)
    for revision, digest in digests:
        tx.run("set_digest", o=first.organization, revision=revision, digest=digest)
