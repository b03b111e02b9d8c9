"""The kinds of instruments: counters, gauges, histograms, and ticks for what is too fast for a lock."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Final, Generic, TypeVar

from rescind.instruments.memory import Memory


class Counter:
    """Counts up."""

    __slots__ = ("_memory", "_place")

    def __init__(self, memory: Memory, place: int) -> None:
        self._memory, self._place = memory, place

    def add(self, amount: float = 1.0) -> None:
        """Add `amount`, which is not negative."""
        memory = self._memory
        with memory.lock:
            memory.values[self._place] += amount


class Gauge:
    """A figure that goes up and down."""

    __slots__ = ("_memory", "_place")

    def __init__(self, memory: Memory, place: int) -> None:
        self._memory, self._place = memory, place

    def set(self, value: float) -> None:
        """Replace the value."""
        self._memory.values[self._place] = value


class Histogram:
    """Counts durations by bucket: the number in each, then the sum of all."""

    __slots__ = ("_bounds", "_memory", "_place", "_sum")

    def __init__(self, memory: Memory, place: int, bounds: tuple[float, ...]) -> None:
        """`bounds` are the upper ends of the buckets, in order; the last is infinite."""
        self._memory, self._place, self._bounds = memory, place, bounds
        self._sum = place + len(bounds)

    def observe(self, seconds: float) -> None:
        """Count a duration. A negative one, which clocks that differ may give, counts as 0."""
        memory, seconds = self._memory, max(seconds, 0.0)
        place = self._place + bisect_left(self._bounds, seconds)
        with memory.lock:
            memory.values[place] += 1.0
            memory.values[self._sum] += seconds


InstrumentT = TypeVar("InstrumentT", bound=Counter | Gauge | Histogram)
Labels = Mapping[str, tuple[str, ...]]
NO_LABELS: Final[Labels] = {}


class Family(Generic[InstrumentT]):
    """The instruments of one metric, one for each combination of its labels' values."""

    def __init__(
        self,
        memory: Memory,
        make: Callable[[Memory, int], InstrumentT],
        labels: Labels = NO_LABELS,
        bounds: tuple[float, ...] = (),
    ) -> None:
        self.labels, self.bounds = labels, bounds
        self.width = len(bounds) + 1
        keys = tuple(product(*labels.values()))
        self.first = memory.take(self.width * len(keys))
        self._places = {key: self.first + at * self.width for at, key in enumerate(keys)}
        self._instruments = {key: make(memory, place) for key, place in self._places.items()}

    def of(self, *values: str) -> InstrumentT:
        """The instrument with these values of its labels, in their order."""
        return self._instruments[values]

    def places(self) -> Iterator[tuple[tuple[str, ...], slice]]:
        """For each combination of values, where its numbers are."""
        for key, place in self._places.items():
            yield key, slice(place, place + self.width)


class Tick:
    """Counts calls of `count`, which takes no lock: under CPython's lock a call of it is one step.

    What was counted is put into a counter by `fold`.
    """

    def __init__(self, counter: Counter) -> None:
        ticks = itertools.count()
        self.count: Final = ticks.__next__
        self._counter, self._reads, self._folded = counter, 0, 0

    def fold(self) -> None:
        """Add what was counted since. One thread at a time."""
        total = self._read()
        self._counter.add(total - self._folded)
        self._folded = total

    def forget(self) -> None:
        """Leave out what was counted since: it is another process's."""
        self._folded = self._read()

    def _read(self) -> int:
        """Reading counts too."""
        total = self.count() - self._reads
        self._reads += 1
        return total
