"""Pages in WorkOS's envelope: `data`, and `list_metadata` with the cursors before and after.

A page is cut by the keys of objects, so that a cursor stays valid when its object is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal, TypeAlias, TypeVar

from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from msgspec import Struct

from rescind.directory.objects import Object
from rescind.directory.paging import FIRST_KEY, LAST_KEY, Direction, Key, Span

RowT = TypeVar("RowT")
Order: TypeAlias = Literal["asc", "desc", "normal"]


class Window(Struct, frozen=True):
    """The part of a list that is asked for."""

    limit: int = 10
    before: str | None = None
    after: str | None = None
    order: Order = "desc"


Paging: TypeAlias = NamedDependency[Window]
"""The window that a request asks for."""


def window(
    limit: Annotated[int, QueryParameter(ge=1, le=100)] = 10,
    before: FromQuery[str | None] = None,
    after: FromQuery[str | None] = None,
    order: FromQuery[Order] = "desc",
) -> Window:
    """The window of a request's query."""
    return Window(limit, before or None, after or None, order)


def page(
    asked: Window,
    *,
    key_of: Callable[[str], Key],
    fetch: Callable[[Span], Sequence[RowT]],
    cursor_of: Callable[[RowT], str],
    show: Callable[[Sequence[RowT]], list[Object]],
    fits: Callable[[Sequence[RowT]], int] = len,
) -> Object:
    """The envelope of one page. `fits` says how many of the first rows that were fetched it has room for.

    `fetch` gives the rows of a span in its direction, `key_of` the key of a cursor, or raises. Later items
    are those after in the order shown; in the order `normal` the cursors change places.
    """
    shown: Direction = "asc" if asked.order == "asc" else "desc"
    onward, backward = asked.after, asked.before
    if asked.order == "normal":
        onward, backward = backward, onward
    is_backward = backward is not None and onward is None
    rows, more = _cut(asked.limit, shown, onward, backward, key_of, fetch, fits)
    previous = more if is_backward else onward is not None
    following = True if is_backward else more
    before = cursor_of(rows[0]) if rows and previous else None
    after = cursor_of(rows[-1]) if rows and following else None
    if asked.order == "normal":
        before, after = after, before
    return envelope(show(rows), before, after)


def _cut(
    limit: int,
    shown: Direction,
    onward: str | None,
    backward: str | None,
    key_of: Callable[[str], Key],
    fetch: Callable[[Span], Sequence[RowT]],
    fits: Callable[[Sequence[RowT]], int],
) -> tuple[list[RowT], bool]:
    """The rows in the order shown, and whether there are more in the direction they were taken."""
    low, high = FIRST_KEY, LAST_KEY
    start = None if onward is None else key_of(onward)
    end = None if backward is None else key_of(backward)
    if shown == "desc":
        start, end = end, start
    low, high = start or low, end or high
    direction = shown
    is_backward = backward is not None and onward is None
    if is_backward:
        direction = "desc" if shown == "asc" else "asc"
    rows = list(fetch(Span(low, high, direction, limit + 1)))
    room = fits(rows[:limit])
    more = len(rows) > room
    rows = rows[:room]
    return (rows[::-1] if is_backward else rows), more


def envelope(data: list[Object], before: str | None = None, after: str | None = None) -> Object:
    """A list as the SDKs read it."""
    return {"object": "list", "data": data, "list_metadata": {"before": before, "after": after}}
