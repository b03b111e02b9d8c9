"""A probe of this system: rounds in which every way of gaining and losing access is tried."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from rescind.authority import Authority
from rescind.changes import Change
from rescind.errors import RescindError
from rescind.insight.probe.measurement import Limits, Measurement, measure
from rescind.insight.probe.points import Point
from rescind.insight.probe.ways import DEFINITIONS, Way, ways

ORGANIZATION: Final = "rescind-probe"
"""The organization that the probe writes to; the only one."""
ACTOR: Final = "rescind probe"
ON_EXPIRY_SECONDS: Final = 0.5
"""How long what expires is given for."""


@dataclass(frozen=True, slots=True)
class Round:
    """All ways, tried once."""

    id: str
    began_at: datetime
    measurements: tuple[Measurement, ...]


class Probe:
    """Tries ways through one authority and asks all points.

    The points must have `organization` as theirs. Closing what they use is the caller's.
    """

    def __init__(
        self,
        authority: Authority,
        points: Sequence[Point],
        *,
        organization: str = ORGANIZATION,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.authority, self._points = authority, points
        self._organization, self._limits, self._clock = organization, limits or Limits(), clock
        self._is_ready = False

    def round(self, on_way: Callable[[str], None] | None = None) -> Round:
        """Try every way once and remove what it made. Raises a RescindError if a change is refused.

        `on_way` is called with the name of each way before it is tried.
        """
        began_at, round_id = datetime.now(UTC), secrets.token_hex(4)
        if not self._is_ready:
            self._apply(DEFINITIONS)
            self._is_ready = True
        measured = []
        for way in ways(round_id):
            if on_way is not None:
                on_way(way.name)
            measured.append(self._measured(way))
        return Round(round_id, began_at, tuple(measured))

    def _measured(self, way: Way) -> Measurement:
        self._apply(way.prepare)
        ends: list[float] = []

        def grant() -> None:
            if way.revoke:
                self._apply(way.grant)
                return
            at = datetime.now(UTC) + timedelta(seconds=ON_EXPIRY_SECONDS)
            ends.append(self._clock() + ON_EXPIRY_SECONDS)
            self._apply(way.expiring(at))

        try:
            measurement = measure(
                way.name,
                self._points,
                way.question,
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
        self.authority.apply(changes, organization=self._organization, actor=ACTOR)
