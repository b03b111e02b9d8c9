"""What changes have cost on this store, read from its log, and what one of another size would cost.

An inline revocation with an enforcement record says how long it took: from its beginning to that of its
enforcement. Work in the background says how many pairs a second it did. What nothing was measured of is None.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from rescind.changes.recorded_names import named_in
from rescind.model import Route, decode_enforcement, microseconds
from rescind.propagation.budget import CHEAPEST, DEAREST, TELLING_PAIRS
from rescind.store.rows.targets import CostRow

LEAST_SAMPLES: Final = 5
"""With fewer of a kind there is no data."""


class Sample(NamedTuple):
    """An inline change: its pairs, how long it took, and when it began."""

    pairs: int
    seconds: float
    recorded_at: int


@dataclass(frozen=True, slots=True)
class CostModel:
    """What a change and a pair cost on this store."""

    changes: int
    """The changes that were looked at."""
    background: int
    """Of those, the ones that left work to the background."""
    samples: tuple[Sample, ...]
    """The inline changes of which it is on record how long they took."""
    per_change: float | None
    """Seconds of an inline change with next to no pairs: the median."""
    per_pair: float | None
    """Seconds for each pair more: the median of changes with at least 200 pairs."""
    pairs_per_second: float | None
    """Of background work, from recording to settling: the median."""
    during: tuple[float, ...]
    """Seconds of the small changes made while background work was under way."""
    at_rest: tuple[float, ...]
    """Seconds of the other small changes."""

    @property
    def has_durations(self) -> bool:
        """Whether enough durations are on record to say how long changes take."""
        return len(self.samples) >= LEAST_SAMPLES

    @property
    def most_pairs(self) -> int:
        """The largest change that was measured."""
        return max((each.pairs for each in self.samples), default=0)

    def inline_seconds(self, pairs: int, *, more_seconds: float = 0.0) -> float | None:
        """What an inline change would take, with a network that is slower by so much; None without data."""
        if self.per_change is None:
            return None
        if pairs >= TELLING_PAIRS and self.per_pair is None:
            return None
        return self.per_change + (self.per_pair or 0.0) * pairs + more_seconds

    def settle_seconds(self, pairs: int) -> float | None:
        """How long background work would take to settle it; None without data."""
        return None if self.pairs_per_second is None else pairs / self.pairs_per_second

    def pairs_within(self, seconds: float) -> int | None:
        """How many pairs fit into a time; None without data."""
        if self.per_change is None or self.per_pair is None:
            return None
        return max(0, int((seconds - self.per_change) / self.per_pair))


def fitted(rows: Sequence[CostRow]) -> CostModel:
    """The model of a store, of changes of its log."""
    inline = [row for row in rows if row.route == Route.INLINE]
    aside = [row for row in rows if row.route == Route.BACKGROUND]
    samples = tuple(found for row in inline if (found := _sample(row)) is not None)
    small = [each for each in samples if each.pairs < TELLING_PAIRS]
    per_change = _median(each.seconds for each in small)
    per_pair = _median(
        min(max((each.seconds - (per_change or 0.0)) / each.pairs, CHEAPEST), DEAREST)
        for each in samples
        if each.pairs >= TELLING_PAIRS
    )
    spans = [(row.recorded_at, row.settled_at) for row in aside if row.settled_at is not None]
    during = [each for each in small if _is_within(each.recorded_at, spans)]
    return CostModel(
        len(rows),
        len(aside),
        samples,
        per_change,
        per_pair,
        _median(
            row.estimated / max((row.settled_at - row.recorded_at) / 1e6, 1e-6)
            for row in aside
            if row.settled_at is not None and row.estimated
        ),
        tuple(each.seconds for each in during),
        tuple(each.seconds for each in small if each not in during),
    )


def costly_groups(rows: Iterable[CostRow]) -> tuple[Counter[tuple[str, str]], int]:
    """The pairs of changes that name a group, by organization and group, and those of all changes.

    A change that names several groups counts for each.
    """
    by_group: Counter[tuple[str, str]] = Counter()
    total = 0
    for row in rows:
        pairs = row.pairs + row.estimated
        total += pairs
        if not pairs or row.body is None:
            continue
        for what, name in named_in(msgspec.json.decode(row.body)):
            if what == "group":
                by_group[row.organization or "", name] += pairs
    return by_group, total


def percentile(values: Sequence[float], part: float) -> float | None:
    """By nearest rank; None without data."""
    if len(values) < LEAST_SAMPLES:
        return None
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def _sample(row: CostRow) -> Sample | None:
    done = decode_enforcement(row.record)
    if done is None or done.began_at is None or done.is_deferred:
        return None
    took = microseconds(done.began_at) - row.recorded_at
    return None if took <= 0 else Sample(row.pairs, took / 1e6, row.recorded_at)


def _is_within(at: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(first < at < last for first, last in spans)


def _median(values: Iterable[float]) -> float | None:
    found = list(values)
    return None if len(found) < LEAST_SAMPLES else statistics.median(found)
