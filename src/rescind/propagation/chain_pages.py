"""Reads the hash chain of one organization's log in pages of bounded size."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias, cast

from rescind.model import OrganizationNumber
from rescind.store import Store
from rescind.store.rows.log import READ_CHAIN, READ_CHAIN_PAGE

Row: TypeAlias = tuple[int, bytes | None, bytes]
"""Revision, digest and content."""
Page: TypeAlias = Sequence[tuple[int, bytes | None, bytes | None]]
"""The content of a long change is None: `parts` reads it."""
PAGE: Final = 2_000
LONG: Final = 8_192
"""Characters of a body that is read alone. So the rest of a page has at most 16 million."""


def chain_pages(
    store: Store, organization: OrganizationNumber, after: int
) -> Generator[Sequence[Row], None, None]:
    """The changes after a revision, oldest first, until none is left. None of these sequences is empty.

    The next page of a server is read while the caller works on this one; closing the generator waits for it.
    A file's page is not: reading it and verifying it both need this process.
    """
    if not store.capabilities.is_remote:
        while page := read_page(store, organization, after):
            yield from parts(store, organization, page)
            after = _last(page)
        return
    with ThreadPoolExecutor(1, thread_name_prefix="rescind-verify") as reader:
        coming = reader.submit(read_page, store, organization, after)
        while page := coming.result():
            coming = reader.submit(read_page, store, organization, _last(page))
            yield from parts(store, organization, page)


def read_page(
    store: Store, organization: OrganizationNumber, after: int, *, within: object = None
) -> Page:
    """The next PAGE changes after a revision; fewer only at the end of the log."""
    asked = {"o": organization, "after": after, "limit": PAGE, "long": LONG}
    return store.fetch(READ_CHAIN_PAGE, asked, within=within)


def parts(
    store: Store, organization: OrganizationNumber, page: Page, *, within: object = None
) -> Iterator[Sequence[Row]]:
    """The changes of a page, in order: each long one alone, read when its turn comes, so that one of them is
    in memory at a time. Those that were taken out of the log meanwhile are left out.
    """
    begin = 0
    for place in [place for place, (_, _, content) in enumerate(page) if content is None]:
        if place > begin:
            yield cast("Sequence[Row]", page[begin:place])
        begin = place + 1
        revision, _, _ = page[place]
        asked = {"o": organization, "after": revision - 1, "limit": 1, "characters": 1}
        rows = store.fetch(READ_CHAIN, asked, within=within)
        if [found for found, _, _ in rows] == [revision]:
            yield rows
    if begin < len(page):
        yield cast("Sequence[Row]", page[begin:] if begin else page)


def _last(page: Page) -> int:
    revision, _, _ = page[-1]
    return revision
