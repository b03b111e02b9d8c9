"""Ordered streams of numbers, and their merge. A merge reads in proportion to what is taken from it.

A stream is a range of an index, such as a group's members in the order of their numbers. Does not know where
streams are read from.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

MOST_AT_FIRST: Final = 1_024
"""Items that the first read of a merge takes from all streams together, beyond one from each."""
BEGINNING: Final = -1
"""Less than the first number of any stream."""


class Kind(Enum):
    """What a stream lists, and what its key is."""

    MEMBERS = "memberships in a group"
    HOLDERS = "memberships with a role on a resource"
    HOLDERS_OF_ANY = "memberships with any role on a resource"
    MEMBERSHIPS = "all memberships"
    CHILDREN = "resources directly below another"
    PLACES = "resources on which a holder has any role"
    RESOURCES = "all resources"
    CONTENTS = "permissions of a role"


class Stream(NamedTuple):
    """One stream. If it `is_sure`, everything in force in it belongs to the list."""

    kind: Kind
    key: int = 0
    role: int = 0
    is_sure: bool = True


class Items(NamedTuple):
    """Numbers of a stream in order. `lapsed` are those not in force: expired, or by a role without the
    permission.
    """

    numbers: list[int]
    lapsed: Collection[int] = ()


class Request(NamedTuple):
    """A request for the next items of a stream after a number, `most` at most."""

    stream: Stream
    after: int
    most: int


Read: TypeAlias = Callable[[Sequence[Request]], list[Items]]
"""Returns the items of each request, in order. Fewer than `most` means the end of the stream."""


EXPIRED, DOUBTFUL, SURE = range(3)
"""Grades of a number: in force in no stream, in force in some stream, or in force in a sure one."""
_BITS: Final = 2
"""Numbers are sorted with their grade in the lowest bits: integers take less memory than tuples."""


class Merge:
    """Several streams as one, in the order of numbers, each number once, after a given number.

    To keep steps short, a read takes at most `at_once` items, beyond one from each stream.
    """

    def __init__(
        self, read: Read, streams: Sequence[Stream], after: int, wanted: int, at_once: int
    ) -> None:
        self._read, self._at_once = read, at_once
        self._at = after
        self._ends: dict[Stream, int] = dict.fromkeys(streams, after)
        share = max(2 * wanted, MOST_AT_FIRST) // max(len(streams), 1) + 1
        self._most = dict.fromkeys(streams, min(wanted, share, at_once))
        self._waiting: list[int] = []
        self.rows = 0
        """Items read so far."""
        self.is_sure = all(stream.is_sure for stream in streams)
        """Whether all its streams are sure."""
        self.is_plain = True
        """Whether everything read so far was in force."""

    def block(self) -> Generator[None, None, dict[int, int]]:
        """The next numbers in order, with their grades; empty at the end of all streams."""
        if len(self._ends) == 1 and not self._waiting:
            return (yield from self._only())
        while self._ready() == 0:
            if not self._ends:
                return {}
            yield from self._refill()
        count, waiting = min(self._ready(), self._at_once), self._waiting
        while count < len(waiting) and waiting[count] >> _BITS == waiting[count - 1] >> _BITS:
            count += 1
        self._waiting = waiting[count:]
        self._at = waiting[count - 1] >> _BITS
        grade = (1 << _BITS) - 1
        return {code >> _BITS: code & grade for code in waiting[:count]}  # the highest comes last

    def _only(self) -> Generator[None, None, dict[int, int]]:
        """The next numbers of the only stream that has not ended: they are in order as they were read."""
        ((stream, end),) = self._ends.items()
        request = Request(stream, end, self._most[stream])
        (items,) = self._read((request,))
        yield
        self._note(request, items)
        graded = dict.fromkeys(items.numbers, SURE if stream.is_sure else DOUBTFUL)
        for number in items.lapsed:
            if number in graded:
                graded[number] = EXPIRED
        return graded

    def _ready(self) -> int:
        """How many of the buffered numbers come before everything that was not read yet."""
        if not self._ends:
            return len(self._waiting)
        return bisect_left(self._waiting, (min(self._ends.values()) + 1) << _BITS)

    def _refill(self) -> Generator[None, None, None]:
        """Read on in the streams that have nothing buffered, twice as much as the time before."""
        least = max(min(self._ends.values()), self._at)
        asked = [
            Request(stream, end, self._most[stream])
            for stream, end in self._ends.items()
            if end <= least
        ]
        for requests in _slices(asked, self._at_once):
            for request, items in zip(requests, self._read(requests), strict=True):
                self._take(request, items)
            yield
        self._waiting.sort()

    def _take(self, request: Request, items: Items) -> None:
        self._note(request, items)
        numbers, lapsed = items
        grade = SURE if request.stream.is_sure else DOUBTFUL
        self._waiting += (
            [n << _BITS | (EXPIRED if n in lapsed else grade) for n in numbers]
            if lapsed
            else [n << _BITS | grade for n in numbers]
        )

    def _note(self, request: Request, items: Items) -> None:
        """How far a stream was read, and whether everything in it was in force."""
        stream, (numbers, lapsed) = request.stream, items
        self.is_plain = self.is_plain and not lapsed
        self.rows += len(numbers)
        if len(numbers) < request.most:
            del self._ends[stream]
        else:
            self._ends[stream] = numbers[-1]
            self._most[stream] = min(2 * request.most, self._at_once)


def _slices(requests: list[Request], most: int) -> Iterator[list[Request]]:
    """The requests in order, in slices of at most `most` items together."""
    part: list[Request] = []
    items = 0
    for request in requests:
        if part and items + request.most > most:
            yield part
            part, items = [], 0
        part.append(request)
        items += request.most
    if part:
        yield part
