"""A probe of this system: rounds in which every way of gaining and losing access is tried."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from rescind.authority import Authority
from rescind.changes import Change
from rescind.errors import RescindError
from rescind.insight.probe.measurement import Asker, Limits, Measurement, measure
from rescind.insight.probe.points import Point
from rescind.insight.probe.ways import DEFINITIONS, ORGANIZATION, Way, ways

ACTOR: Final = "rescind probe"
"""How the change log names the probe."""


class Probe:
    """Tries ways through one authority and asks all points, which the caller closes."""

    def __init__(
        self,
        authority: Authority,
        points: Sequence[Point],
        *,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.authority, self._points = authority, points
        self._limits, self._clock = limits or Limits(), clock

    def prepare(self) -> None:
        """Make the organization and what all rounds share. Repeating it is safe."""
        self._apply(DEFINITIONS)

    def round(self, on_way: Callable[[str], None] | None = None) -> tuple[Measurement, ...]:
        """Try every way once and remove what it made. Raises a RescindError if a change is refused.

        `on_way` is called with the name of each way before it is tried.
        """
        measured = []
        for way in ways(secrets.token_hex(4)):
            if on_way is not None:
                on_way(way.name)
            measured.append(self._measured(way))
        return tuple(measured)

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
                (lambda: self._apply(way.revoke)) if way.revoke else None,
                expires_at=lambda: ends[-1],
                limits=self._limits,
                clock=self._clock,
            )
        except BaseException:
            with contextlib.suppress(RescindError):  # the first failure is the one to report
                self._apply(way.clean_up)
            raise
        self._apply(way.clean_up)
        return measurement

    def _apply(self, changes: Sequence[Change]) -> None:
        self.authority.apply(changes, organization=ORGANIZATION, actor=ACTOR)
