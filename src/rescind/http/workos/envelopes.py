"""Pages in WorkOS's envelope: `data`, and `list_metadata` with the cursors before and after.

A page is cut by the places of objects (their numbers, which count up), so that a cursor stays good when its
object is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeAlias

from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from msgspec import Struct

LAST: Final = 2**31 - 1
Key: TypeAlias = tuple[int, int]
"""By what a list is ordered: for most of them one number, and zero."""
FIRST_KEY: Final[Key] = (-1, -1)
LAST_KEY: Final[Key] = (2**62, 2**62)

Order: TypeAlias = Literal["asc", "desc", "normal"]
Direction: TypeAlias = Literal["asc", "desc"]


class Window(Struct, frozen=True):
    """Which part of a list is asked for."""

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


class Span(NamedTuple):
    """What to fetch: at most `limit` of what lies between, from one end or the other."""

    low: Key
    high: Key
    direction: Direction
    limit: int

    def params(self) -> dict[str, int]:
        """As a query takes it that is ordered by one number."""
        return {
            "low": max(self.low[0], -1),
            "high": min(self.high[0], LAST),
            "limit": self.limit,
        }


def page(
    asked: Window,
    *,
    key_of: Callable[[str], Key],
    fetch: Callable[[Span], Sequence[Any]],
    cursor_of: Callable[[Any], str],
    show: Callable[[Sequence[Any]], list[dict[str, Any]]],
    fits: Callable[[Sequence[Any]], int] = len,
) -> dict[str, Any]:
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
    fetch: Callable[[Span], Sequence[Any]],
    fits: Callable[[Sequence[Any]], int],
) -> tuple[list[Any], bool]:
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


def listed(rows: Sequence[Any], key: Callable[[Any], Key], span: Span) -> list[Any]:
    """A span of rows that are all at hand already."""
    between = sorted((row for row in rows if span.low < key(row) < span.high), key=key)
    return (between if span.direction == "asc" else between[::-1])[: span.limit]


def envelope(
    data: list[dict[str, Any]], before: str | None = None, after: str | None = None
) -> dict[str, Any]:
    """A list as the SDKs read it."""
    return {"object": "list", "data": data, "list_metadata": {"before": before, "after": after}}
