"""A page of a list costs in proportion to the page, not to the organization; all pages are linear.

Work is counted, never timed: SQLite's virtual machine steps, PostgreSQL's buffers on a stock connection (JIT
on, no setting of ours), and bytecode instructions in memory. Two organizations of one shape are asked, of
which one has eight times as many of everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import psycopg
import pytest

from rescind import Authority, changes
from rescind.changes import Change
from rescind.decision.lists import streams
from rescind.index import orders
from rescind.model import Page
from rescind.store.postgres.transaction import PostgresSnapshot
from rescind.store.queries import queries
from tests.conftest import ENGINES
from tests.contract.world import FUTURE
from tests.steps import steps

FEW, MANY = 150, 1_200
LIMIT: Final = 10
MARGIN: Final = 1.6
"""How much more a page may cost in the larger organization: another level of an index."""
Ask = Callable[..., Page]
PER_FOLDER: Final = 30
NESTED: Final = 25


def _people(count: int) -> list[Change]:
    subjects = [f"user:{n}" for n in range(count)]
    return [
        *(changes.AddMembership(subject=subject) for subject in subjects),
        *(changes.AddMembership(subject=f"agent:{n}") for n in range(3)),
        changes.AddMembers(group="everybody", members=(*subjects, "agent:1")),
        changes.AddMembers(group="few", members=tuple(subjects[-5:])),
        changes.AddMembers(group="ending", members=tuple(subjects[1:]), expires_at=FUTURE),
        changes.AddMembers(group="level-0", members=tuple(subjects[::2])),
        *(changes.Assign(role="bystander", to=subject) for subject in subjects[::3]),
        *(changes.Assign(role="direct", to=subject) for subject in subjects[::4]),
    ]


def _places(count: int) -> list[Change]:
    return [
        *(changes.CreateResource(resource=f"folder:{n}") for n in range(count // PER_FOLDER)),
        *(
            changes.CreateResource(resource=f"doc:{n}", parent=f"folder:{n // PER_FOLDER}")
            for n in range(count)
        ),
        *(changes.Assign(role="deep", to="user:1", on=f"doc:{n}") for n in range(0, count, 7)),
        changes.Assign(role="deep", to="user:2", on=f"folder:{count // PER_FOLDER - 1}"),
        *(
            changes.Assign(role="deep", to="user:3", on=f"folder:{n}")
            for n in range(count // PER_FOLDER)
        ),
    ]


def _world(count: int) -> list[Change]:
    roles = ("everybody", "few", "ending", "nested", "bystander", "direct", "deep")
    groups = ("everybody", "few", "ending", *(f"level-{n}" for n in range(NESTED)))
    return [
        changes.CreateOrganization(name="Acme"),
        changes.DefineResourceType(type="folder"),
        changes.DefineResourceType(type="doc"),
        *(changes.DefinePermission(permission=f"be:{role}") for role in roles),
        *(changes.DefineRole(role=role, permissions=(f"be:{role}",)) for role in roles),
        *(changes.CreateGroup(group=group) for group in groups),
        *(changes.NestGroup(group=f"level-{n}", into=f"level-{n + 1}") for n in range(NESTED - 1)),
        *_people(count),
        *_places(count),
        *(changes.Assign(role=role, to=f"group:{role}") for role in ("everybody", "few", "ending")),
        changes.Assign(role="nested", to=f"group:level-{NESTED - 1}"),
    ]


LISTS: dict[str, Callable[[Authority], Ask]] = {
    "who can: everybody": lambda a: lambda **o: a.who_can("be:everybody", **o),
    "who can: the last five": lambda a: lambda **o: a.who_can("be:few", **o),
    "who can: each until a time": lambda a: lambda **o: a.who_can("be:ending", **o),
    "who can: by groups nested deep": lambda a: lambda **o: a.who_can("be:nested", **o),
    "who can: themselves, beside others": lambda a: lambda **o: a.who_can("be:direct", **o),
    "who can: on a document": lambda a: lambda **o: a.who_can("be:everybody", "doc:1", **o),
    "who can: agents": lambda a: lambda **o: a.who_can("be:everybody", subject_kind="agent", **o),
    "resources: all": lambda a: lambda **o: a.resources_of("user:5", "be:everybody", **o),
    "resources: none": lambda a: lambda **o: a.resources_of("user:5", "be:few", **o),
    "resources: the last folder": lambda a: lambda **o: a.resources_of("user:2", "be:deep", **o),
    "permissions": lambda a: lambda **o: a.permissions_of("user:5", **o),
}
SLOWLY: dict[str, Callable[[Authority], Ask]] = {
    "resources: each seventh": lambda a: lambda **o: a.resources_of("user:1", "be:deep", **o),
    "resources: in all folders": lambda a: lambda **o: a.resources_of("user:3", "be:deep", **o),
}
"""Up to MOST_BELOW resources are looked through for each page."""
OF_SINGLE = [name for name in LISTS if name not in ("who can: the last five",)]


class Counting:
    """Two organizations on one engine, and the work of asking them."""

    def __init__(self, engine: str, url: str) -> None:
        self.engine, self.url = engine, url
        self.few = Authority.open(url, organization="few")
        self.many = Authority.open(url, organization="many")
        for authority, count in ((self.few, FEW), (self.many, MANY)):
            authority.apply(_world(count), route="inline")

    def cost(self, ask: Callable[[], Page], authority: Authority) -> tuple[Page, int]:
        """A page, and what it took."""
        if self.engine == "sqlite":
            return _steps_of_sqlite(ask, authority)
        return _buffers(ask, self.url)

    def close(self) -> None:
        self.few.close()
        self.many.close()


def _steps_of_sqlite(ask: Callable[[], Page], authority: Authority) -> tuple[Page, int]:
    ask()
    count = 0

    def more() -> int:
        nonlocal count
        count += 1
        return 0

    lines = list(authority.store.readers.connections())  # type: ignore[attr-defined]
    for line in lines:
        line.connection.set_progress_handler(more, 1)
    try:
        return ask(), count
    finally:
        for line in lines:
            line.connection.set_progress_handler(None, 1)


def _buffers(ask: Callable[[], Page], url: str) -> tuple[Page, int]:
    asked: list[tuple[str, Any]] = []
    original = PostgresSnapshot.fetch_many

    def recorded(self: Any, questions: Any, *, is_last: bool = False) -> Any:
        asked.extend((queries("postgres")[str(name)], params) for name, params in questions)
        return original(self, questions, is_last=is_last)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PostgresSnapshot, "fetch_many", recorded)
        page = ask()
    with psycopg.connect(url, autocommit=True) as stock:
        return page, sum(_buffers_of(stock, sql, params) for sql, params in asked)


def _buffers_of(stock: psycopg.Connection[Any], sql: str, params: Any) -> int:
    explain = f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {sql}"
    ((plan,),) = stock.execute(explain.encode(), params, prepare=True).fetchall()
    top = plan[0]["Plan"]
    assert "JIT" not in plan[0], sql
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


@pytest.fixture(scope="module", params=ENGINES)
def counting(
    request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]
) -> Iterator[Counting]:
    """On each engine in turn, never analysed since it was filled."""
    made = Counting(request.param, new_shared_database(request.param))
    yield made
    made.close()


def _second_page(ask: Ask, **options: Any) -> Callable[[], Page]:
    cursor = ask(limit=LIMIT, **options).next_cursor
    return lambda: ask(limit=LIMIT, cursor=cursor, **options)


def _compared(counting: Counting, name: str) -> tuple[Page, int, int]:
    """The second page of the larger organization, and what it and the smaller one's took."""
    found = []
    for authority in (counting.few, counting.many):
        ask = LISTS[name](authority)
        found.append(counting.cost(_second_page(ask), authority))
    (_, small), (page, large) = found
    return page, small, large


@pytest.mark.parametrize("name", LISTS)
def test_a_page(counting: Counting, name: str) -> None:
    """Costs the same in an organization of eight times the size."""
    page, small, large = _compared(counting, name)
    assert large <= small * MARGIN, (small, large)
    assert page.items or "none" in name or "five" in name


@pytest.mark.parametrize("name", [*LISTS, *SLOWLY])
def test_all_pages(counting: Counting, name: str) -> None:
    """Are linear, each item comes once, and together they are the list in one page."""
    costs, items = [], 0
    for authority in (counting.few, counting.many):
        ask, total, cursor = (LISTS | SLOWLY)[name](authority), 0, None
        whole, found = ask(limit=10_000), list[str]()
        while True:
            page, cost = counting.cost(
                lambda ask=ask, cursor=cursor: ask(limit=50, cursor=cursor),
                authority,  # type: ignore[misc]
            )
            total, cursor = total + cost, page.next_cursor
            found += page.items
            if cursor is None:
                break
        assert sorted(found) == list(whole.items)
        costs.append(total)
        items = max(items, len(found))
    if name in LISTS:
        assert costs[1] <= costs[0] * (MANY / FEW) * MARGIN, costs


@pytest.mark.parametrize("name", ["who can: everybody", "resources: all"])
def test_control_a_page_that_reads_ahead(
    counting: Counting, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: where a merge reads all of its streams, the larger organization is seen to cost more."""
    merge = streams.Merge.__init__

    def eager(self: Any, read: Any, of: Any, after: int, _: int, at_once: int) -> None:
        merge(self, read, of, after, 100_000, at_once)

    monkeypatch.setattr(streams.Merge, "__init__", eager)
    _, small, large = _compared(counting, name)
    assert large > small * MARGIN


@pytest.mark.parametrize("name", LISTS)
def test_a_page_from_memory(counting: Counting, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Costs the same, too, and is the same page. Sets of more than sixteen count as large."""
    monkeypatch.setattr(orders, "SMALL", 16)
    found = []
    for organization in ("few", "many"):
        with Authority.open(counting.url, organization=organization, index=True) as held:
            assert held.load()
            ask = LISTS[name](held)
            page = _second_page(ask)
            page()
            found.append(steps(page))
            assert found[-1][0].items == _second_page(ask, assurance="live")().items
    (_, small), (_, large) = found
    assert large <= small * MARGIN, (small, large)


@pytest.mark.parametrize("counting", ["postgres"], indirect=True)
def test_statistics_change_nothing(counting: Counting) -> None:
    """On PostgreSQL a page costs as much when the tables are analysed as it did when nothing was known."""
    before = {name: _compared(counting, name)[2] for name in LISTS}
    with psycopg.connect(counting.url, autocommit=True) as stock:
        stock.execute("ANALYZE")
    for name, cost in before.items():
        assert _compared(counting, name)[2] <= cost * MARGIN, name
