"""Large sets of numbers in order, so that reading a page does not walk the whole set.

An order is made when it is first needed, and kept current from then on. Small sets are sorted each time.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator
from operator import itemgetter
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

SMALL: Final = 1_024
"""Sets up to this size are sorted each time."""
PART: Final = 512
"""Numbers in a new part of an order. A part of twice this size is split."""
ORDERED_BYTES: Final = 5
"""Bytes of a number in an order, rounded up."""
NUMBER: Final = "i"
"""Numbers of one organization fit in 32 bits, as they do in the database."""

_last = itemgetter(-1)


Number = TypeVar("Number", bound=int)


class Name(NamedTuple):
    """Which set an order is of: a field of the facts, and the holder or resource that it is kept for."""

    of: str
    key: int = 0
    role: int = 0


class Order(Generic[Number]):
    """Distinct numbers in order, in parts of packed integers. Each operation walks one part."""

    __slots__ = ("_parts", "count")

    def __init__(self, numbers: Iterable[Number] = ()) -> None:
        self._put(array(NUMBER, sorted(numbers)))

    @classmethod
    def of(cls, ordered: array[int]) -> Order[Number]:
        """Of numbers that are in order already."""
        made = cls.__new__(cls)
        made._put(ordered)
        return made

    def _put(self, ordered: array[int]) -> None:
        self._parts = [ordered[at : at + PART] for at in range(0, len(ordered), PART)]
        self.count = len(ordered)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Number]:
        for part in self._parts:
            yield from cast("Iterable[Number]", part)

    def __contains__(self, number: int) -> bool:
        at = bisect_left(self._parts, number, key=_last)
        if at == len(self._parts):
            return False
        part = self._parts[at]
        return part[bisect_left(part, number)] == number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Order) and self.count == other.count and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]

    def add(self, number: Number) -> None:
        """Add a number."""
        if not self._parts:
            self._parts, self.count = [array(NUMBER, (number,))], 1
            return
        at = min(bisect_left(self._parts, number, key=_last), len(self._parts) - 1)
        part = self._parts[at]
        place = bisect_left(part, number)
        if place < len(part) and part[place] == number:
            return
        part.insert(place, number)
        self.count += 1
        if len(part) >= 2 * PART:
            self._parts[at : at + 1] = [part[:PART], part[PART:]]

    def drop(self, number: int) -> None:
        """Remove a number."""
        at = bisect_left(self._parts, number, key=_last)
        if at == len(self._parts):
            return
        part = self._parts[at]
        place = bisect_left(part, number)
        if part[place] != number:
            return
        del part[place]
        self.count -= 1
        if not part:
            del self._parts[at]

    def after(self, number: int, most: int) -> list[Number]:
        """The next `most` numbers after one, or fewer at the end."""
        at = bisect_right(self._parts, number, key=_last)
        found: list[int] = []
        while at < len(self._parts) and len(found) < most:
            part = self._parts[at]
            start = 0 if found else bisect_right(part, number)
            found += part[start : start + most - len(found)]
            at += 1
        return cast("list[Number]", found)


class Orders:
    """The orders of an index's large sets, by name."""

    def __init__(self) -> None:
        self.kept: dict[Name, Order[Any]] = {}

    def after(self, name: Name, numbers: Collection[Number], after: int, most: int) -> list[Number]:
        """The next `most` numbers of a set after one, or fewer at the end."""
        if len(numbers) <= SMALL:
            self.kept.pop(name, None)
            return sorted(number for number in numbers if number > after)[:most]
        kept = self.kept.get(name)
        if kept is None or kept.count != len(numbers):
            kept = self.kept[name] = Order(numbers)
        return kept.after(after, most)

    def put(self, name: Name, number: int, *, holds: bool) -> None:
        """Tell an order that a number was added to its set, or removed."""
        kept = self.kept.get(name) if self.kept else None
        if kept is not None:
            (kept.add if holds else kept.drop)(number)

    def size(self) -> int:
        """About how many bytes the orders take."""
        return ORDERED_BYTES * sum(kept.count for kept in self.kept.values())
