"""Pages in WorkOS's envelope: `data`, and `list_metadata` with the cursors before and after.

A page is cut by the keys of objects, so that a cursor stays valid when its object is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal, NamedTuple, TypeAlias, TypeVar

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


class _Position(NamedTuple):
    """Where a page lies in the order shown: after one cursor, before another, or at the start."""

    shown: Direction
    after: str | None
    before: str | None

    @property
    def is_backward(self) -> bool:
        """Whether the page is the last part of its range rather than the first."""
        return self.before is not None and self.after is None

    def span(self, key_of: Callable[[str], Key], limit: int) -> Span:
        """The range to fetch."""
        start = None if self.after is None else key_of(self.after)
        end = None if self.before is None else key_of(self.before)
        if self.shown == "desc":
            start, end = end, start
        direction = self.shown
        if self.is_backward:
            direction = "desc" if direction == "asc" else "asc"
        return Span(start or FIRST_KEY, end or LAST_KEY, direction, limit)


def page(
    asked: Window,
    *,
    key_of: Callable[[str], Key],
    fetch: Callable[[Span], Sequence[RowT]],
    cursor_of: Callable[[RowT], str],
    show: Callable[[Sequence[RowT]], list[Object]],
    fits: Callable[[Sequence[RowT]], int] = len,
) -> Object:
    """The envelope of one page.

    `fetch` returns a span's rows in its direction. `key_of` returns a cursor's key, or raises. `fits` returns
    how many of the first fetched rows the page has room for. In the order `normal` the cursors change places.
    """
    after, before = asked.after, asked.before
    if asked.order == "normal":
        after, before = before, after
    position = _Position("asc" if asked.order == "asc" else "desc", after, before)
    fetched = list(fetch(position.span(key_of, asked.limit + 1)))
    room = fits(fetched[: asked.limit])
    has_more = len(fetched) > room
    rows = fetched[:room][::-1] if position.is_backward else fetched[:room]
    has_previous = has_more if position.is_backward else after is not None
    has_next = True if position.is_backward else has_more
    previous_cursor = cursor_of(rows[0]) if rows and has_previous else None
    next_cursor = cursor_of(rows[-1]) if rows and has_next else None
    if asked.order == "normal":
        previous_cursor, next_cursor = next_cursor, previous_cursor
    return envelope(show(rows), previous_cursor, next_cursor)


def envelope(data: list[Object], before: str | None = None, after: str | None = None) -> Object:
    """A list as the SDKs read it."""
    return {"object": "list", "data": data, "list_metadata": {"before": before, "after": after}}
