"""Ranges of lists. A list is ordered by its objects' numbers, so a cursor stays valid when its object is
gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar

from rescind.store.rows import Query

LAST: Final = 2**31 - 1
Key: TypeAlias = tuple[int, int]
"""What a list is ordered by: for most lists one number, and zero."""
FIRST_KEY: Final[Key] = (-1, -1)
LAST_KEY: Final[Key] = (2**62, 2**62)
Direction: TypeAlias = Literal["asc", "desc"]
RowT = TypeVar("RowT", bound=tuple[Any, ...])
ItemT = TypeVar("ItemT")


class Span(NamedTuple):
    """A range to fetch: at most `limit` rows strictly between two keys, from one end or the other."""

    low: Key
    high: Key
    direction: Direction
    limit: int

    def params(self) -> dict[str, int]:
        """The parameters of a query that is ordered by one number."""
        return {
            "low": max(self.low[0], -1),
            "high": min(self.high[0], LAST),
            "limit": self.limit,
        }


@dataclass(frozen=True, slots=True)
class PagedQuery(Generic[RowT]):
    """A list's query in both directions."""

    ascending: Query[RowT]
    descending: Query[RowT]

    def of(self, span: Span) -> Query[RowT]:
        """The query for a span's direction."""
        return self.ascending if span.direction == "asc" else self.descending


def cut(items: Sequence[ItemT], key: Callable[[ItemT], Key], span: Span) -> list[ItemT]:
    """The span of items that are all in memory."""
    between = sorted((item for item in items if span.low < key(item) < span.high), key=key)
    return (between if span.direction == "asc" else between[::-1])[: span.limit]
