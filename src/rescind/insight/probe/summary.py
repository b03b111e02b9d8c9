"""What many measurements say together: how the times are spread, and what broke the promise."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from rescind.insight.probe.measurement import Measurement, PointTimes, Violation


@dataclass(frozen=True, slots=True)
class Spread:
    """How times are spread, in seconds. Percentiles are by nearest rank: each is a time that was measured."""

    count: int
    p50: float
    p95: float
    max: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Spread | None:
        """None where nothing was measured: no figure is made up."""
        ordered = sorted(seconds)
        if not ordered:
            return None
        return cls(len(ordered), _rank(ordered, 0.5), _rank(ordered, 0.95), ordered[-1])


@dataclass(frozen=True, slots=True)
class PointSummary:
    """One point in all measurements."""

    point: str
    checks: int
    errors: int
    appearance: Spread | None
    disappearance: Spread | None
    stale: Spread | None
    """Stale windows: from the return of the revoking call to the last check that allowed."""
    not_appeared: int
    not_disappeared: int
    violations: int
    """Measurements in which a check that started after the return was allowed."""


@dataclass(slots=True)
class Summary:
    """The measurements so far. For one thread."""

    measurements: list[Measurement] = field(default_factory=list)
    violation_count: int = 0
    """Of all that was added, also of what has been forgotten. It must be 0."""

    def add(self, measurements: Iterable[Measurement]) -> None:
        """Add measurements."""
        for measurement in measurements:
            self.measurements.append(measurement)
            self.violation_count += len(measurement.violations)

    def forget_all_but(self, most: int) -> None:
        """Keep the newest measurements, and as many of the first that broke the promise."""
        if (excess := len(self.measurements) - most) > 0:
            kept = [each for each in self.measurements[:excess] if each.violations]
            self.measurements = kept[:most] + self.measurements[excess:]

    @property
    def violations(self) -> list[Violation]:
        """Every point and way that allowed after the return. There must be none."""
        return [violation for m in self.measurements for violation in m.violations]

    @property
    def is_complete(self) -> bool:
        """Whether something was measured, and each point told of each revocation."""
        return bool(self.measurements) and all(
            times.is_complete for each in self.measurements for times in each.times
        )

    def ways(self) -> list[str]:
        """In the order in which they were tried first."""
        return list(dict.fromkeys(m.way for m in self.measurements))

    def by_point(self, way: str | None = None) -> list[PointSummary]:
        """Of each point, for one way or for all."""
        times: dict[str, list[PointTimes]] = {}
        for measurement in self.measurements:
            if way is None or measurement.way == way:
                for each in measurement.times:
                    times.setdefault(each.point, []).append(each)
        return [_summary(point, listed) for point, listed in times.items()]

    def grant_calls(self, way: str) -> Spread | None:
        """How long the granting calls of a way took."""
        return Spread.of(m.grant_seconds for m in self.measurements if m.way == way)

    def revoke_calls(self, way: str) -> Spread | None:
        """How long the revoking calls of a way took; None where access expires."""
        return Spread.of(
            m.revoke_seconds
            for m in self.measurements
            if m.way == way and m.revoke_seconds is not None
        )


def _summary(point: str, times: Sequence[PointTimes]) -> PointSummary:
    seen = [each for each in times if each.appearance is not None]
    return PointSummary(
        point,
        sum(each.checks for each in times),
        sum(each.errors for each in times),
        _spread(seen, lambda each: each.appearance),
        _spread(seen, lambda each: each.disappearance),
        _spread(seen, lambda each: each.stale),
        len(times) - len(seen),
        sum(each.disappearance is None for each in seen),
        sum(each.stale_checks > 0 for each in times),
    )


def _spread(
    times: Sequence[PointTimes], value: Callable[[PointTimes], float | None]
) -> Spread | None:
    return Spread.of(seconds for each in times if (seconds := value(each)) is not None)


def _rank(ordered: Sequence[float], part: float) -> float:
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]
