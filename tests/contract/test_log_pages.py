"""Verification reads a log in pages; long changes are read alone, and all contents are the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rescind import Authority, changes
from rescind.model import Fault, FaultKind, OrganizationNumber
from rescind.propagation import chain_pages
from rescind.store.rows.log import READ_CHAIN, READ_CHAIN_PAGE
from tests.conftest import ENGINES
from tests.contract.world import WORLD
from tests.sql import ours

LAST = 7
LONG_ONES = (1, 3, 4, 6, 7)
"""Revisions with bodies of more than 2,000 characters."""
TEXTS = ("actor", "reason", "idempotency_key", "body")


@pytest.fixture(scope="module", params=ENGINES)
def kept(
    request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]
) -> Iterator[Authority]:
    """A log with short and long changes; the body of the fourth has more bytes than characters."""
    with Authority.open(new_shared_database(request.param), organization="acme") as opened:
        opened.apply(WORLD)
        for number in range(LAST - 1):
            name = "ü" * 190 if number == 2 else "x"
            group = [
                changes.CreateGroup(group=f"g{number}-{i}", name=name)
                for i in range(1 + 40 * (number % 3))
            ]
            opened.apply(group, actor="Zoë", reason="1:a," * number)
        yield opened


def number(authority: Authority) -> OrganizationNumber:
    (found,) = (log.number for log in authority.log_heads(organization="acme"))
    return OrganizationNumber(found)


def execute(authority: Authority, sql: str) -> None:
    with authority.store.connection() as connection:
        driver: Any = connection
        driver.execute(ours(authority, sql))


@pytest.fixture(params=[(1, 10), (3, 300), (3, 10**9), (100, 0)])
def pages(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain_pages, "PAGE", request.param[0])
    monkeypatch.setattr(chain_pages, "LONG", request.param[1])


@pytest.mark.usefixtures("pages")
def test_any_size_of_page_finds_the_same(kept: Authority) -> None:
    seen: list[tuple[str, int, int]] = []
    (found,) = kept.verify_log(organization="acme", progress=lambda *at: seen.append(at))
    assert (found.fault, found.rows) == (None, LAST)
    assert seen[-1] == ("acme", LAST, LAST)
    assert [done for _, done, _ in seen] == sorted({done for _, done, _ in seen})
    execute(kept, "UPDATE rescind.change SET granted = granted + 1 WHERE revision = 5")
    (found,) = kept.verify_log(organization="acme")
    execute(kept, "UPDATE rescind.change SET granted = granted - 1 WHERE revision = 5")
    assert found.fault == Fault(FaultKind.ALTERED, 5)


def contents(authority: Authority) -> tuple[dict[int, bytes], dict[int, bytes]]:
    """The contents by revision as verification reads them, and as the digests are made of."""
    asked = {"o": 1, "after": 0, "limit": 100, "characters": 10**9, "long": 10**9}
    page: Any = authority.store.fetch(READ_CHAIN_PAGE, asked)
    plain = authority.store.fetch(READ_CHAIN, asked)
    return {at: text for at, _, text in page}, {at: text for at, _, text in plain}


def test_the_content_is_the_same_bytes_by_both_queries(kept: Authority) -> None:
    page, plain = contents(kept)
    assert page == plain
    assert len(page) == LAST


@pytest.mark.parametrize("column", TEXTS)
def test_a_nul_hides_nothing_that_follows_it(kept: Authority, column: str) -> None:
    """SQLite's printf would end the text there. PostgreSQL keeps none."""
    if kept.store.engine != "sqlite":
        return
    hidden = f"UPDATE rescind.change SET {column} = 'a' || char(0) || '%' WHERE revision = 3"
    execute(
        kept, f"CREATE TABLE kept AS SELECT {column} AS was FROM rescind.change WHERE revision = 3"
    )
    try:
        execute(kept, hidden.replace("%", "b"))
        page, plain = contents(kept)
        assert page == plain
        assert b"3:a\0b," in page[3]
        execute(
            kept, f"UPDATE rescind.change SET {column} = CAST(x'61ff' AS TEXT) WHERE revision = 3"
        )
        page, plain = contents(kept)
        assert page == plain
        assert b"2:a\xff," in page[3]
    finally:
        execute(
            kept, f"UPDATE rescind.change SET {column} = (SELECT was FROM kept) WHERE revision = 3"
        )
        execute(kept, "DROP TABLE kept")


class Watched:
    """A store whose look-ups of single changes are counted, and may find a later change instead."""

    def __init__(self, authority: Authority) -> None:
        self._store = authority.store
        self.capabilities = authority.store.capabilities
        self.alone: list[int] = []
        self.pruned: set[int] = set()

    def fetch(self, query: Any, asked: Any, **options: Any) -> Any:
        if query is READ_CHAIN:
            self.alone.append(asked["after"] + 1)
            if self.alone[-1] in self.pruned:
                asked = {**asked, "after": asked["after"] + 1}
        return self._store.fetch(query, asked, **options)


def test_long_changes_are_in_memory_one_at_a_time(
    kept: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is read when its turn comes, however many of a page there are."""
    monkeypatch.setattr(chain_pages, "LONG", 2_000)
    watched: Any = Watched(kept)
    found: list[list[int]] = []
    for rows in chain_pages.chain_pages(watched, number(kept), 0):
        found.append([revision for revision, _, _ in rows])
        assert watched.alone == [at for at in LONG_ONES if at <= found[-1][-1]]
    assert found == [[1], [2], [3], [4], [5], [6], [7]]


def test_a_long_change_that_is_pruned_meanwhile(
    kept: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is left out, as if it had been pruned before; nothing is taken twice."""
    monkeypatch.setattr(chain_pages, "LONG", 0)
    watched: Any = Watched(kept)
    watched.pruned = {4}
    pages = chain_pages.chain_pages(watched, number(kept), 0)
    assert [row[0] for page in pages for row in page] == [1, 2, 3, 5, 6, 7]
