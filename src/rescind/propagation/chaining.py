"""Background work: give their digests to changes that older versions recorded.

A digest follows from contents that never change, so whoever makes it makes the same: several workers at
once, or one that was interrupted and begins again. Only a change without digest gets one. While the newest
change of an organization has none, its next change gets none either. So the last page is written while the
organization is locked: the change after that is chained at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, groupby
from typing import Final, NamedTuple

from rescind.propagation import chain_pages
from rescind.propagation.chain_pages import Row, parts, read_page
from rescind.semantics.chain import chained, first_digest
from rescind.store import Store, Transaction
from rescind.store.rows.log import FIND_UNCHAINED, LOCK_ORGANIZATION, UnchainedRow

PAGE_BYTES: Final = 67_108_864
"""Of the contents that are read for one transaction; the last of them may be longer. A page without long
changes has no more, so none of it is read again.
"""
LOCKED_BYTES: Final = 4_194_304
"""The same, while the organization is locked."""


class Chained(NamedTuple):
    """The digest that a change gets."""

    revision: int
    digest: bytes


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
    """A full page is written without the lock, as there may be more after it."""
    o, after = first.organization, first.revision - 1
    page = read_page(store, o, after)
    if len(page) >= chain_pages.PAGE:
        digests = _digests(first, parts(store, o, page), PAGE_BYTES)
        if digests:
            store.transact(lambda tx: _write(tx, first, digests), yields=True)
        return len(digests)
    with store.connection() as connection:
        store.fetch(LOCK_ORGANIZATION, {"o": o}, within=connection)
        page = read_page(store, o, after, within=connection)
        digests = _digests(first, parts(store, o, page, within=connection), LOCKED_BYTES)
        if digests:
            store.transact(lambda tx: _write(tx, first, digests), within=connection)
    return len(digests)


def _digests(first: UnchainedRow, read: Iterable[Sequence[Row]], most_bytes: int) -> list[Chained]:
    """The digest of each change up to the first that has one, or until so many bytes were read."""
    before, size = _before(first), 0
    found: list[Chained] = []
    for part in read:
        for revision, digest, content in part:
            if digest is not None or before is None or size > most_bytes:
                return found
            before = chained(before, content)
            assert before is not None
            found.append(Chained(revision, before))
            size += len(content)
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


def _write(tx: Transaction, first: UnchainedRow, digests: Sequence[Chained]) -> None:
    is_cleared = first.revision_before is None and first.revision_of_start is None
    if is_cleared and first.revision > 1:  # an old log whose first changes were deleted
        start = {"revision": first.revision - 1, "digest": first_digest(first.organization)}
        tx.run("start_log_before", o=first.organization, now=time.time_ns() // 1_000, **start)
    for run in _runs(digests):
        ends = {"first": run[0].revision, "last": run[-1].revision}
        written = b"".join(each.digest for each in run)
        tx.run("set_digests", o=first.organization, **ends, digests=written)


def _runs(digests: Sequence[Chained]) -> Iterator[list[Chained]]:
    """The same in runs of revisions without a gap."""
    place = count()  # in a run, it goes up as the revision does
    for _, run in groupby(digests, key=lambda each: each.revision - next(place)):
        yield list(run)
