"""The probe as a service: rounds again and again, in one of several processes at a time.

A violation is an incident: it is counted, told in the log at ERROR, and kept in an evidence file.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rescind.authority import Authority
from rescind.errors import InvalidArgument, RescindError
from rescind.insight.probe.evidence import unanswered, write_evidence
from rescind.insight.probe.measurement import Limits, Measurement
from rescind.insight.probe.points import Point, points_of
from rescind.insight.probe.rounds import Probe
from rescind.insight.probe.summary import Summary
from rescind.insight.probe.tidying import forget_log, remove_left
from rescind.insight.probe.ways import ORGANIZATION, Way, ways
from rescind.instruments import Instruments
from rescind.propagation.task_lease import TaskLease
from rescind.propagation.worker import Stop

TASK: Final = "probe"
LEASE_SECONDS: Final = 60.0
"""How long a process that died keeps others from probing; each way of a round renews it."""
LOOK_SECONDS: Final = 15.0
"""How often a process looks whether it is its turn."""
EVIDENCE_KEPT: Final = 1_000
"""Measurements with violations that the evidence file has: the first, and the newest."""
GENTLE: Final = Limits(pause_seconds=0.01)
"""Beside requests a point is asked a hundred times a second at most."""

log = logging.getLogger(__name__)


class ProbeService:
    """Probes while its process has the turn. Run it in a thread of its own."""

    def __init__(
        self,
        authority: Authority,
        replica: Authority,
        *,
        remote: Sequence[Point] = (),
        instruments: Instruments,
        every_seconds: float,
        evidence_folder: Path,
        limits: Limits = GENTLE,
        make_ways: Callable[[str], Sequence[Way]] = ways,
    ) -> None:
        """`authority` makes the changes. It is asked, as are a replica, which answers from memory, and
        services. The caller closes them.
        """
        points = [*points_of(replica, authority), *remote]
        self._probe = Probe(authority, points, limits=limits, make_ways=make_ways)
        self._authority, self._replica, self._instruments = authority, replica, instruments
        self._kinds = {point.name: point.kind for point in points}
        self._every_seconds = every_seconds
        self._lease = TaskLease(authority.store, TASK)
        self._late = Summary()
        started = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        self.evidence = evidence_folder / f"rescind-probe-evidence-{started}.json"
        self._is_prepared = False

    def run(self, stop: Stop) -> None:
        """Probe until told to stop, whatever goes wrong. The way under way ends first."""
        seconds = random.uniform(1, 3)  # noqa: S311
        while not stop.wait(seconds):
            start = time.monotonic()
            try:
                had_turn = self.turn(stop)
            except Exception as error:
                is_known = isinstance(error, RescindError)
                log.warning("the probe waits: %s", error, exc_info=not is_known)
                self._is_prepared = False  # its organization may be gone
                had_turn = True
            rest = self._every_seconds - (time.monotonic() - start)
            seconds = max(rest, 1.0) if had_turn else LOOK_SECONDS
        self.leave()

    def turn(self, stop: Stop | None = None) -> bool:
        """One round, if no other process has the turn. Says whether this one had it.

        Told to stop, it leaves out the ways that it has not begun. Raises a RescindError.
        """
        held = max(LEASE_SECONDS, 2 * self._every_seconds)
        if not self._lease.claim(held):
            return False
        if not self._is_prepared:
            self._probe.prepare()
            self._replica.load(ORGANIZATION)
            self._is_prepared = True
        remove_left(self._authority)
        measured = []
        for measurement in self._probe.measurements(lambda _: self._renew(held)):
            measured.append(measurement)
            if stop is not None and stop.is_set():
                break
        self._note(measured)
        forget_log(self._authority)
        return True

    def leave(self) -> None:
        """Let another process have the turn at once."""
        try:
            self._lease.release()
        except RescindError as error:
            log.warning("the probe did not give up its turn: %s", error)

    # --- within -----------------------------------------------------------------------------------

    def _renew(self, seconds: float) -> None:
        """Keep the turn. One that was lost is not: two probes at once do not meet."""
        self._lease.claim(seconds)

    def _note(self, measured: Sequence[Measurement]) -> None:
        """Count what was measured; tell of what broke the promise, and keep it."""
        observe(self._instruments, self._kinds, measured)
        if missing := unanswered(measured):
            log.warning("the probe learned nothing of: %s", "; ".join(missing))
        late = [each for each in measured if each.violations]
        if not late:
            log.debug("the probe saw no check that was allowed too late")
            return
        self._late.add(late)
        self._late.forget_all_but(EVIDENCE_KEPT)
        try:
            write_evidence(self.evidence, self._late.measurements)
            where = str(self.evidence)
        except InvalidArgument as error:
            where = f"nowhere: {error}"
        for violation in (violation for each in late for violation in each.violations):
            log.error(
                "INCIDENT: %d checks at %r were allowed after access was taken away by %r, the last %.3f s "
                "after the call had returned; what was seen is in %s",
                violation.checks,
                violation.point,
                violation.way,
                violation.last_seconds,
                where,
            )


def observe(
    instruments: Instruments, kinds: dict[str, str], measured: Sequence[Measurement]
) -> None:
    """Add measurements to the metrics of the probe. `kinds` says what each point is, by its name."""
    if not instruments.is_on:
        return
    for each in measured:
        for times in each.times:
            kind = kinds.get(times.point, "other")
            if times.appearance is not None:
                instruments.probe_appearance_seconds.of(kind).observe(times.appearance)
            if times.disappearance is not None:
                instruments.probe_disappearance_seconds.of(kind).observe(times.disappearance)
            if times.stale_checks:
                instruments.probe_violations.of(kind).add(times.stale_checks)
