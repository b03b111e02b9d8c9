"""Pages: every order, both ways, whatever is deleted in between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from workos import BadRequestError

from rescind.directory.paging import Span, cut
from rescind.http.workos.envelopes import Window, page
from tests.http.workos.world import acme, fresh

ITEMS = list(range(1, 8))


def shown(window: Window, items: Sequence[int] = ITEMS) -> dict[str, Any]:
    """A page of numbers, the later ones newer."""

    def fetch(span: Span) -> list[int]:
        return cut(items, lambda item: (item, 0), span)

    return page(
        window,
        key_of=lambda cursor: (int(cursor), 0),
        fetch=fetch,
        cursor_of=str,
        show=lambda rows: [{"id": row} for row in rows],
    )


def numbers(found: dict[str, Any]) -> list[int]:
    return [each["id"] for each in found["data"]]


def cursors(found: dict[str, Any]) -> tuple[str | None, str | None]:
    return found["list_metadata"]["before"], found["list_metadata"]["after"]


@pytest.mark.parametrize(
    ("window", "expected", "before", "after"),
    [
        (Window(3), [7, 6, 5], None, "5"),
        (Window(3, after="5"), [4, 3, 2], "4", "2"),
        (Window(3, after="2"), [1], "1", None),
        (Window(3, before="2"), [5, 4, 3], "5", "3"),
        (Window(3, before="5"), [7, 6], None, "6"),
        (Window(3, order="asc"), [1, 2, 3], None, "3"),
        (Window(3, after="3", order="asc"), [4, 5, 6], "4", "6"),
        (Window(3, after="6", order="asc"), [7], "7", None),
        (Window(3, before="6", order="asc"), [3, 4, 5], "3", "5"),
        (Window(3, order="normal"), [7, 6, 5], "5", None),
        (Window(3, before="5", order="normal"), [4, 3, 2], "2", "4"),
        (Window(3, after="2", order="normal"), [5, 4, 3], "3", "5"),
        (Window(3, after="2", before="6"), [], None, None),
        (Window(3, after="6", before="2"), [5, 4, 3], "5", None),
        (Window(9), ITEMS[::-1], None, None),
    ],
)
def test_page(window: Window, expected: list[int], before: str | None, after: str | None) -> None:
    """Which items, in which order, and whether there are more on either side."""
    found = shown(window)
    assert numbers(found) == expected
    assert cursors(found) == (before, after)


@pytest.mark.parametrize("order", ["asc", "desc", "normal"])
@pytest.mark.parametrize("limit", range(1, 9))
def test_pages_make_up_the_list(order: Any, limit: int) -> None:
    """Following the cursors one way gives everything once, and the other way back again."""
    onward, back = ("after", "before") if order != "normal" else ("before", "after")
    pages = [shown(Window(limit, order=order))]
    while cursor := pages[-1]["list_metadata"][onward]:
        pages.append(shown(Window(limit, order=order, **{onward: cursor})))
    found = [number for each in pages for number in numbers(each)]
    assert found == (ITEMS if order == "asc" else ITEMS[::-1])
    returned = [pages[-1]]
    while cursor := returned[-1]["list_metadata"][back]:
        returned.append(shown(Window(limit, order=order, **{back: cursor})))
    seen = [number for each in returned[::-1] for number in numbers(each)]
    assert seen == found


def test_a_list_is_read_on_while_it_is_deleted(sdk: Any) -> None:
    """A cursor stays good when its object is gone."""
    world = acme(sdk)
    made = [
        sdk.groups.create_organization_group(world.id, name=f"Group {each}").id for each in "abcd"
    ]
    found, seen = sdk.groups.list_organization_groups(world.id, limit=2), []
    while True:
        for group in found.data:
            seen.append(group.id)
            sdk.groups.delete_organization_group(world.id, group.id)
        if not found.has_more():
            break
        found = sdk.groups.list_organization_groups(world.id, limit=2, after=found.after)
    assert seen == [*made[::-1], world.eng]


def test_ids_are_cursors_too(sdk: Any) -> None:
    """As WorkOS has it; those of another kind are refused."""
    world = acme(sdk)
    later = sdk.groups.create_organization_group(world.id, name=fresh("later")).id
    groups = sdk.groups.list_organization_groups
    assert [each.id for each in groups(world.id, after=later).data] == [world.eng]
    assert [each.id for each in groups(world.id, before=world.eng).data] == [later]
    for wrong in ({"after": world.ada}, {"limit": 0}, {"limit": 101}, {"order": "up"}):
        with pytest.raises(BadRequestError):
            groups(world.id, **wrong)
