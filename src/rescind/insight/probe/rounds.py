"""A probe of this system: rounds in which every way of gaining and losing access is tried."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from rescind.authority import Authority
from rescind.changes import Change
from rescind.errors import RescindError
from rescind.insight.probe.measurement import Asker, Limits, Measurement, measure
from rescind.insight.probe.points import Point
from rescind.insight.probe.tidying import ACTOR, settle
from rescind.insight.probe.ways import DEFINITIONS, ORGANIZATION, Way, new_round_id, ways
from rescind.model import Route


class Probe:
    """Tries ways through one authority and asks all points, which the caller closes."""

    def __init__(
        self,
        authority: Authority,
        points: Sequence[Point],
        *,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        make_ways: Callable[[str], Sequence[Way]] = ways,
    ) -> None:
        """`make_ways` gives the ways of a round by its id; else they are all there are."""
        self._make_ways = make_ways
        self.authority, self._points = authority, points
        self._limits, self._clock = limits or Limits(), clock

    def prepare(self) -> None:
        """Make the organization and what all rounds share. Repeating it is safe."""
        self._apply(DEFINITIONS)

    def round(self, on_way: Callable[[str], None] | None = None) -> tuple[Measurement, ...]:
        """Try every way once and remove what it made. Raises a RescindError if a change is refused.

        `on_way` is called with the name of each way before it is tried.
        """
        return tuple(self.measurements(on_way))

    def measurements(self, on_way: Callable[[str], None] | None = None) -> Iterator[Measurement]:
        """The same, one after the other; whoever stops in between leaves nothing behind."""
        for way in self._make_ways(new_round_id()):
            if on_way is not None:
                on_way(way.name)
            yield self._measured(way)

    def _measured(self, way: Way) -> Measurement:
        self._apply(way.prepare)
        ends: list[float] = []

        def grant() -> None:
            if way.revoke:
                self._apply(way.grant)
                return
            seconds = self._limits.expiry_seconds
            at = datetime.now(UTC) + timedelta(seconds=seconds)
            ends.append(self._clock() + seconds)
            self._apply(way.expiring(at))

        askers = [
            Asker(point.name, partial(point.allows, way.question), point.is_remote)
            for point in self._points
        ]
        try:
            measurement = measure(
                way.name,
                way.question.subject,
                askers,
                grant,
                (lambda: self._apply(way.revoke, way.route)) if way.revoke else None,
                expires_at=lambda: ends[-1],
                limits=self._limits,
                clock=self._clock,
            )
        except BaseException:
            with contextlib.suppress(RescindError):  # the first failure is the one to report
                self._clean_up(way)
            raise
        self._clean_up(way)
        return measurement

    def _clean_up(self, way: Way) -> None:
        """Remove what the way made, and settle what it left to background work, if no worker is at it."""
        self._apply(way.clean_up)
        if way.route is Route.BACKGROUND:
            settle(self.authority)

    def _apply(self, changes: Sequence[Change], route: Route | None = None) -> None:
        self.authority.apply(changes, organization=ORGANIZATION, actor=ACTOR, route=route)
