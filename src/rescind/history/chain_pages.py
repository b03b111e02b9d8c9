"""Reads the hash chain of one organization's log for verification, page by page."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias, cast

from rescind.model import OrganizationNumber
from rescind.store import Store
from rescind.store.rows.log import READ_CHAIN, READ_CHAIN_PAGE

Row: TypeAlias = tuple[int, bytes | None, bytes]
"""Revision, digest and content."""
PAGE: Final = 2_000
LONG: Final = 8_192
"""Characters of a body that is read alone. So a page has at most 16 million."""


def chain_pages(
    store: Store, organization: OrganizationNumber, after: int
) -> Generator[Sequence[Row], None, None]:
    """The changes after a revision, oldest first, until none is left. No page is empty.

    The next page of a server is read while the caller works on this one; closing the generator waits for it.
    A file's page is not: reading it and verifying it both need this process.
    """
    if not store.capabilities.is_remote:
        while rows := _page(store, organization, after):
            yield rows
            after = rows[-1][0]
        return
    with ThreadPoolExecutor(1, thread_name_prefix="rescind-verify") as reader:
        coming = reader.submit(_page, store, organization, after)
        while rows := coming.result():
            coming = reader.submit(_page, store, organization, rows[-1][0])
            yield rows


def _page(store: Store, organization: OrganizationNumber, after: int) -> Sequence[Row]:
    asked = {"o": organization, "after": after, "limit": PAGE, "long": LONG}
    rows: Sequence[Row] = cast("Sequence[Row]", store.fetch(READ_CHAIN_PAGE, asked))
    long = [place for place, row in enumerate(rows) if row[2] is None]
    if not long:
        return rows
    whole = list(rows)
    for place in long:
        alone = {"o": organization, "after": rows[place][0] - 1, "limit": 1, "characters": 1}
        whole[place : place + 1] = store.fetch(READ_CHAIN, alone)
    is_whole = [row[0] for row in whole] == [row[0] for row in rows]
    return whole if is_whole else _page(store, organization, after)  # one was taken out meanwhile
