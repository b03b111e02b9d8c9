"""Pages of lists: the first page of who can and of what a subject reaches, and all pages.

On both engines, in organizations of 1,000, 100,000 and a million members and as many resources. A page has
100 items. Facts are written by bulk inserts; no effective roles are, which lists do not read. Then pages of
an application's own rows, by SQL.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from lab import list_page
from lab.databases import bare, numbers, servers
from lab.report import Goal
from lab.timing import median_milliseconds
from rescind import Authority, Page, changes
from rescind.store.queries import Engine, named

GOALS = {
    "list.who_can.page_ms": Goal(20),
    "list.page_ms": Goal(
        5,
        why=(
            "whoever may read one of a hundred of a million documents: 2,000 rows are visited for a page"
            " of 20; reading them, their resources by id and the folders by number is already four fifths"
            " of the time, so no plan in the order of the page is quick enough, and reading all 10,000"
            " documents is slower still; every other page takes less than 1.5 ms"
        ),
    ),
    "list.who_can.linear": Goal(1.5),
    "list.resources_of.linear": Goal(1.5),
}
"""Of the slower engine: the first page of 100,000 members; and what a page of 1,000 costs there, the median
of all pages, as a multiple of what it costs in an organization of 1,000.
"""
SIZES: Final = (1_000, 100_000, 1_000_000)
GOAL_SIZE: Final = 100_000
PAGE: Final = 100
WHOLE_PAGE: Final = 1_000
WALKS: Final = 3
ROUNDS: Final = 15
PER_FOLDER: Final = 1_000
Figures = dict[str, float]
Ask = Callable[..., Page]

_FILL: Final = (
    "INSERT INTO rescind.membership (organization, id, subject, active, created_at) {numbers}"
    " SELECT {o}, {first} + n, 'user:' || n, TRUE, 0 FROM n",
    'INSERT INTO rescind.group_member (organization, membership, "group") {numbers}'
    " SELECT {o}, {first} + n, {everybody} FROM n",
    'INSERT INTO rescind.group_member (organization, membership, "group") {numbers}'
    " SELECT {o}, {first} + n, {hundredth} FROM n WHERE n % 100 = 0",
    "INSERT INTO rescind.resource (organization, id, slug, parent) {numbers}"
    " SELECT {o}, {places} + n, 'folder:' || n, 0 FROM n WHERE n <= {folders}",
    "INSERT INTO rescind.resource (organization, id, slug, parent) {numbers}"
    " SELECT {o}, {docs} + n, 'doc:' || n, {places} + 1 + (n - 1) / {per_folder} FROM n",
    "UPDATE rescind.organization SET last_number = {docs} + {count} WHERE id = {o}",
)


def run(*, quick: bool, seed: int) -> Figures:  # noqa: ARG001
    """All figures; times in ms."""
    figures: Figures = {}
    sizes = SIZES[:2] if quick else SIZES
    with servers() as make:
        engines: tuple[Engine, ...] = ("sqlite", "postgres")
        for engine in engines:
            urls: dict[int, str] = {}
            for size in sizes:
                _say(f"{engine}, {size:,} members and resources")
                urls[size] = make(engine)
                _fill(engine, urls[size], size)
                with Authority.open(urls[size], organization="lab") as authority:
                    figures |= _pages(authority, engine, size)
                if size <= GOAL_SIZE:
                    figures |= _memory(urls[size], engine, size)
            for name, times in _linear(urls).items():
                figures[f"list.{name}.{engine}.linear"] = times
            for size, url in urls.items():
                with Authority.open(url, organization="lab") as authority:
                    figures |= _pending(authority, engine, size)
        for name in ("who_can", "resources_of"):
            both = [figures[f"list.{name}.{engine}.linear"] for engine in ("sqlite", "postgres")]
            figures[f"list.{name}.linear"] = max(both)
        figures["list.who_can.page_ms"] = max(
            figures[f"list.who_can.{engine}.{GOAL_SIZE}.page_ms"]
            for engine in ("sqlite", "postgres")
        )
        _say("pages by SQL")
        figures |= list_page.figures(make, quick=quick)
    return figures


def _say(what: str) -> None:
    print(f"lab: {what} …", file=sys.stderr)


def _fill(engine: Engine, url: str, count: int) -> None:
    """An organization where everybody may read, one of a hundred may write, and nobody may purge."""
    with Authority.open(url, organization="lab") as authority:
        permissions, groups = ("read", "write", "purge"), ("everybody", "hundredth")
        authority.apply(
            [
                changes.CreateOrganization(name="Lab"),
                *(changes.DefinePermission(permission=name) for name in permissions),
                *(changes.DefineRole(role=f"may-{p}", permissions=(p,)) for p in permissions),
                *(changes.CreateGroup(group=group) for group in groups),
                *(changes.DefineResourceType(type=name) for name in ("folder", "doc")),
                changes.Assign(role="may-read", to="group:everybody"),
                changes.Assign(role="may-write", to="group:hundredth"),
            ]
        )
    with bare(engine, url) as connection:

        def ask(sql: str) -> Any:
            return connection.execute(named(sql, engine))

        ((o,),) = ask("SELECT id FROM rescind.organization WHERE slug = 'lab'").fetchall()
        groups = dict(ask('SELECT slug, id FROM rescind."group"').fetchall())
        values: dict[str, Any] = {
            "o": o,
            "count": count,
            "numbers": numbers(count),
            "everybody": groups["everybody"],
            "hundredth": groups["hundredth"],
            "first": 100,
            "places": 100 + count,
            "folders": max(count // PER_FOLDER, 1),
            "docs": 100 + 2 * count,
            "per_folder": PER_FOLDER,
        }
        ask("BEGIN")
        for statement in _FILL:
            ask(statement.format(**values))
        ask("COMMIT")
    with Authority.open(url, organization="lab") as authority:
        authority.apply(
            [
                changes.Assign(role="may-write", to="user:1", on="folder:1"),
                *(
                    changes.Assign(role="may-write", to="user:2", on=f"doc:{n}")
                    for n in range(1, count + 1, max(count // 1_000, 1))
                ),
            ]
        )


def _lists(authority: Authority) -> dict[str, Ask]:
    return {
        "who_can": lambda **o: authority.who_can("read", **o),
        "who_can_of_a_hundredth": lambda **o: authority.who_can("write", **o),
        "who_can_of_nobody": lambda **o: authority.who_can("purge", **o),
        "resources_of": lambda **o: authority.resources_of("user:3", "read", **o),
        "resources_of_a_folder": lambda **o: authority.resources_of("user:1", "write", **o),
        "resources_of_a_thousand": lambda **o: authority.resources_of("user:2", "write", **o),
        "resources_of_none": lambda **o: authority.resources_of("user:3", "purge", **o),
    }


def _pages(authority: Authority, engine: str, size: int) -> Figures:
    figures: Figures = {}
    for name, ask in _lists(authority).items():
        figures[f"list.{name}.{engine}.{size}.page_ms"] = _first_page(ask)
    whole = median_milliseconds(lambda: authority.who_can("read", limit=10_000), 3)
    figures[f"list.who_can_10000.{engine}.{size}.page_ms"] = whole
    return figures


def _linear(urls: dict[int, str]) -> Figures:
    """What a page of the large organization takes, as a multiple of as long a page of the small one.

    All pages of the large one are read in turn with the first of the small one: noise hits both alike. Only
    the last walk over them counts; the first reads from the disk.
    """
    small, large = SIZES[0], GOAL_SIZE
    found: Figures = {}
    with (
        Authority.open(urls[small], organization="lab") as few,
        Authority.open(urls[large], organization="lab") as many,
    ):
        for name in ("who_can", "resources_of"):
            for _ in range(WALKS):
                times = _walked(_lists(many)[name], _lists(few)[name], large // WHOLE_PAGE)
            found[name] = statistics.median(times[0]) / statistics.median(times[1])
    return found


def _walked(many: Ask, few: Ask, pages: int) -> tuple[list[float], list[float]]:
    """Seconds of each page of one, and of the first page of another at that time."""
    cursor: str | None = None
    times: tuple[list[float], list[float]] = [], []
    for _ in range(pages):
        start = time.perf_counter()
        page = many(limit=WHOLE_PAGE, cursor=cursor)
        middle = time.perf_counter()
        other = few(limit=WHOLE_PAGE)
        end = time.perf_counter()
        assert len(page.items) == len(other.items) == WHOLE_PAGE
        cursor = page.next_cursor
        times[0].append(middle - start)
        times[1].append(end - middle)
    return times


def _pending(authority: Authority, engine: str, size: int) -> Figures:
    """The first page while grants and revocations are pending."""
    authority.apply(
        [
            changes.RemoveMembers(group="everybody", members=("user:7", "user:9")),
            changes.Assign(role="may-purge", to="group:everybody", on="folder:1"),
        ],
        route="background",
    )
    assert authority.pending()
    ask = _lists(authority)["who_can"]
    return {f"list.who_can_pending.{engine}.{size}.page_ms": _first_page(ask)}


def _memory(url: str, engine: str, size: int) -> Figures:
    with Authority.open(url, organization="lab", index=True) as held:
        assert held.load()
        return {
            f"list.{name}_from_memory.{engine}.{size}.page_ms": _first_page(ask)
            for name, ask in _lists(held).items()
            if name in ("who_can", "who_can_of_a_hundredth", "resources_of")
        }


def _first_page(ask: Ask) -> float:
    return median_milliseconds(lambda: ask(limit=PAGE), ROUNDS)
