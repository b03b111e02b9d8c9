"""Lists, page by page: everything once, in order, while facts change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import pytest

from rescind import Authority, changes
from rescind.errors import InvalidArgument, InvalidCursor

Ask = Callable[[Authority], Any]


class Kind(str, Enum):  # noqa: UP042
    """What users of the library like to write."""

    AGENT = "agent"


def pages(ask: Callable[..., Any], limit: int) -> Iterator[tuple[str, ...]]:
    """All pages of a list, one after the other."""
    cursor = None
    while True:
        page = ask(limit=limit, cursor=cursor)
        yield page.items
        cursor = page.next_cursor
        if cursor is None:
            return


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_cover_everything_once(acme: Authority, limit: int) -> None:
    """Whatever the size of the pages, each in byte order; of few items only the last page may be smaller."""
    subjects = [f"user:{name}" for name in ("a", "B", "b", "é", "z", "Ω", "日")]
    acme.apply(
        [
            *(changes.AddMembership(subject=subject) for subject in subjects),
            changes.AddMembers(group="staff", members=tuple(subjects)),
        ]
    )
    found = list(pages(lambda **options: acme.who_can("read", **options), limit))
    everybody = [subject for page in found for subject in page]
    assert sorted(everybody) == sorted([*subjects, "user:ada", "user:bob"])
    assert len(everybody) == len(set(everybody))
    assert all(list(page) == sorted(page, key=str.encode) for page in found)
    assert all(len(page) == limit for page in found[:-1])
    for ask, whole in (
        (acme.resources_of, ("user:ada", "read")),
        (acme.permissions_of, ("agent:bot", "folder:b")),
    ):
        in_pages = [i for page in pages(lambda **o: ask(*whole, **o), limit) for i in page]  # noqa: B023
        assert tuple(sorted(in_pages)) == ask(*whole).items


def test_a_cursor_stays_good_while_facts_change(acme: Authority) -> None:
    """Later pages hold whoever was made later and is there by then; nothing that stayed is passed over
    or repeated.
    """
    names = [f"user:m{n}" for n in range(6)]
    made = (
        "user:m0",
        "user:m05",
        "user:m1",
        "user:m2",
        "user:m25",
        "user:m3",
        "user:m4",
        "user:m5",
    )
    acme.apply([changes.AddMembership(subject=name) for name in made])
    acme.apply([changes.AddMembers(group="idle", members=tuple(names))])
    acme.apply([changes.Assign(role="owner", to="group:idle")])
    first = acme.who_can("purge", limit=2)
    second = acme.who_can("purge", limit=1, cursor=first.next_cursor)
    assert (*first.items, *second.items) == ("user:m0", "user:m1", "user:m2")
    acme.apply(
        [
            changes.RemoveMembers(group="idle", members=("user:m0", "user:m2", "user:m4")),
            changes.AddMembers(group="idle", members=("user:m25", "user:m05")),
        ]
    )
    rest = acme.who_can("purge", cursor=second.next_cursor)
    assert rest.items == ("user:m25", "user:m3", "user:m5")
    assert rest.next_cursor is None
    assert rest.revision.organization > first.revision.organization


def test_a_cursor_belongs_to_one_question(settled: Authority) -> None:
    """For another it is an error, as is one that nobody issued."""
    cursor = settled.resources_of("user:ada", "read", limit=1).next_cursor
    asks: list[Ask] = [
        lambda a: a.resources_of("user:bob", "read", cursor=cursor),
        lambda a: a.resources_of("user:ada", "write", cursor=cursor),
        lambda a: a.resources_of("user:ada", "read", cursor=cursor, resource_type="doc"),
        lambda a: a.who_can("read", cursor=cursor),
        lambda a: a.resources_of("user:ada", "read", cursor="AAAA"),
        lambda a: a.resources_of("user:ada", "read", cursor="☃"),
        lambda a: a.resources_of("user:ada", "read", cursor=""),
    ]
    for ask in asks:
        with pytest.raises(InvalidCursor):
            ask(settled)


def test_lists_of_one_kind(settled: Authority) -> None:
    """Resources of one type, subjects of one kind; a type that begins alike is another."""
    assert settled.resources_of("user:ada", "read", resource_type="doc").items == ("doc:1", "doc:2")
    assert settled.resources_of("user:ada", "read", resource_type="do").items == ()
    assert settled.who_can("read", "folder:b", subject_kind="agent").items == ("agent:bot",)
    assert settled.who_can("read", "folder:b", subject_kind="user").items == (
        "user:ada",
        "user:bob",
    )
    of_agents = settled.who_can("read", "folder:b", subject_kind=Kind.AGENT)
    assert of_agents.items == ("agent:bot",)
    with pytest.raises(InvalidArgument, match="subject kind"):
        settled.who_can("read", subject_kind="robot")


@pytest.mark.parametrize("limit", [0, -1, 10_001])
def test_a_limit_out_of_range_is_an_error(settled: Authority, limit: int) -> None:
    """It is not silently another."""
    with pytest.raises(InvalidArgument, match="limit"):
        settled.who_can("read", limit=limit)
