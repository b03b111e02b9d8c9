"""One way of gaining and losing access, done while every decision point is asked again and again.

All moments are read from one monotonic clock of this process. A check counts by the moment at which it
*started*: the promise is about checks that start after the revoking call has returned.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the probe looks."""

    timeout_seconds: float = 10.0
    """At most, for access to appear, and for it to disappear."""
    watch_seconds: float = 0.2
    """How long a point is still asked after it has denied: access must not come back."""
    expiry_seconds: float = 1.0
    """How long access that is to expire is given for. The granting call must return within it."""
    remote_clock_seconds: float = 0.1
    """By how much the clock of a remote point may differ. It matters only for what expires."""
    hold_seconds: float = 0.0
    """Access that has appeared is left for a random time, at most this. Else, with a system that refreshes at
    fixed times, it would always be revoked right after a refresh."""
    pause_seconds: float = 0.001
    """Between two checks of one point: polling without a pause would starve what is measured."""


class Asker(NamedTuple):
    """One decision point with the question for it."""

    name: str
    allows: Callable[[], bool]
    """Whether the question is allowed. Raises if there is no answer."""
    is_remote: bool = False
    """Whether it reads another machine's clock."""


class Check(NamedTuple):
    """One answer of a point. An answer that failed allows nothing."""

    started: float
    ended: float
    is_allowed: bool
    is_error: bool


@dataclass(frozen=True, slots=True)
class Violation:
    """Checks of one point that started after the return of a revoking call, and were allowed."""

    way: str
    point: str
    checks: int
    first_seconds: float
    """From the return to the start of the first of them."""
    last_seconds: float
    """From the return to the start of the last of them: the point's stale window."""


@dataclass(frozen=True, slots=True)
class PointTimes:
    """What one point answered while one way was tried. Times are seconds."""

    point: str
    checks: int
    errors: int
    appearance: float | None
    """From the start of the granting call to the end of the first check that allowed; None: it never did."""
    disappearance: float | None
    """From the start of the revoking call to the end of the first denial after which no check allowed; None:
    there was none before the probe gave up. If access expires, from that instant."""
    stale: float
    """From the return of the revoking call to the start of the last check that allowed; 0 if none did."""
    stale_checks: int

    @property
    def is_complete(self) -> bool:
        """Whether access appeared, and then a denial or a late allow: else nothing was learned."""
        return self.appearance is not None and (
            self.disappearance is not None or self.stale_checks > 0
        )


@dataclass(frozen=True, slots=True)
class Measurement:
    """One way, tried once. `violations` is empty if the promise was kept."""

    way: str
    subject: str
    """Whose access it was: the log and the evidence are searched by it."""
    began_at: datetime
    grant_seconds: float
    revoke_seconds: float | None
    """How long the calls took; None if access expires: then nothing is called."""
    times: tuple[PointTimes, ...]
    violations: tuple[Violation, ...]


class Watcher:
    """Asks one point again and again until it is stopped, and keeps every answer."""

    def __init__(self, asker: Asker, clock: Clock, pause_seconds: float) -> None:
        self.asker, self._clock, self._pause_seconds = asker, clock, pause_seconds
        self._stopped = threading.Event()
        self._answered = threading.Condition()
        self.checks: list[Check] = []
        self._thread = threading.Thread(target=self._run, name=f"probe {asker.name}", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more. The check under way ends first."""
        self._stopped.set()
        self._thread.join()

    def wait_for(self, is_met: Callable[[Sequence[Check]], bool], seconds: float) -> bool:
        """Wait until the answers meet a condition, for at most this long. Returns whether they do."""
        with self._answered:
            return self._answered.wait_for(lambda: is_met(self.checks), max(0.0, seconds))

    def _run(self) -> None:
        while not self._stopped.is_set():
            check = self._ask()
            with self._answered:
                self.checks.append(check)
                self._answered.notify_all()
            self._stopped.wait(self._pause_seconds)

    def _ask(self) -> Check:
        started = self._clock()
        try:
            is_allowed, is_error = self.asker.allows(), False
        except Exception:
            # A point that fails allows nothing. How often it failed is counted and shown.
            is_allowed, is_error = False, True
        return Check(started, self._clock(), is_allowed, is_error)


def measure(
    way: str,
    subject: str,
    askers: Sequence[Asker],
    grant: Callable[[], object],
    revoke: Callable[[], object] | None,
    *,
    expires_at: Callable[[], float] | None = None,
    limits: Limits,
    clock: Clock = time.monotonic,
) -> Measurement:
    """Grant, wait until all points allow, revoke, wait until all points deny; tell when each did.

    Without `revoke`, access ends by itself at `expires_at()`, a moment of `clock`, read after the grant.
    Raises what the two calls raise. A point that does not follow in time is reported, and is no error.
    """
    began_at = datetime.now(UTC)
    with _watching(askers, clock, limits) as watchers:
        granted = _timed(clock, grant)
        wait_for_all(watchers, _allowed(granted.began), limits.timeout_seconds, clock)
        if revoke is None:
            assert expires_at is not None
            end = expires_at()
            time.sleep(max(0.0, end - clock()))
            revoked = _Call(end, end)
        else:
            if limits.hold_seconds:
                time.sleep(random.uniform(0, limits.hold_seconds))  # noqa: S311
            revoked = _timed(clock, revoke)
        seconds = limits.timeout_seconds + limits.watch_seconds
        wait_for_all(watchers, _denied(revoked.ended, limits), seconds, clock)
    drift = limits.remote_clock_seconds if revoke is None else 0.0
    ends = [revoked.ended + (drift if each.asker.is_remote else 0.0) for each in watchers]
    times = [
        _times(each, granted.began, revoked.began, end)
        for each, end in zip(watchers, ends, strict=True)
    ]
    found = [_violation(way, each, end) for each, end in zip(watchers, ends, strict=True)]
    return Measurement(
        way,
        subject,
        began_at,
        granted.ended - granted.began,
        None if revoke is None else revoked.ended - revoked.began,
        tuple(times),
        tuple(violation for violation in found if violation is not None),
    )


class _Call(NamedTuple):
    """When a call began and when it returned."""

    began: float
    ended: float


def _timed(clock: Clock, call: Callable[[], object]) -> _Call:
    began = clock()
    call()
    return _Call(began, clock())


@contextmanager
def _watching(askers: Sequence[Asker], clock: Clock, limits: Limits) -> Iterator[list[Watcher]]:
    watchers = [Watcher(asker, clock, limits.pause_seconds) for asker in askers]
    for watcher in watchers:
        watcher.start()
    try:
        yield watchers
    finally:
        for watcher in watchers:
            watcher.stop()


def wait_for_all(
    watchers: Sequence[Watcher],
    is_met: Callable[[Sequence[Check]], bool],
    seconds: float,
    clock: Clock,
) -> None:
    """Until each point meets the condition, or the time is over for all of them."""
    deadline = clock() + seconds
    for watcher in watchers:
        watcher.wait_for(is_met, deadline - clock())


def _allowed(since: float) -> Callable[[Sequence[Check]], bool]:
    """A check that started since then was allowed."""
    return lambda checks: bool(checks) and checks[-1].is_allowed and checks[-1].started >= since


def _denied(since: float, limits: Limits) -> Callable[[Sequence[Check]], bool]:
    """No check of the last `watch_seconds` allowed, and it began with a denial since then. An answer that
    failed is no denial: a point that is away has not shown that access is gone.
    """

    def is_met(checks: Sequence[Check]) -> bool:
        end = checks[-1].started if checks else 0.0
        for check in reversed(checks):
            if check.is_allowed or check.started < since:
                return False
            if end - check.started >= limits.watch_seconds and not check.is_error:
                return True
        return False

    return is_met


def _times(watcher: Watcher, granted: float, revoked: float, ended: float) -> PointTimes:
    checks = watcher.checks
    first = next((c.ended for c in checks if c.is_allowed and c.started >= granted), None)
    last = next((n for n in reversed(range(len(checks))) if checks[n].is_allowed), -1)
    after = [c.started for c in checks if c.is_allowed and c.started > ended]
    denial = next((c.ended for c in checks[last + 1 :] if not c.is_error), None)
    return PointTimes(
        watcher.asker.name,
        len(checks),
        sum(c.is_error for c in checks),
        None if first is None else first - granted,
        None if denial is None or first is None else max(0.0, denial - revoked),
        after[-1] - ended if after else 0.0,
        len(after),
    )


def _violation(way: str, watcher: Watcher, ended: float) -> Violation | None:
    after = [c.started for c in watcher.checks if c.is_allowed and c.started > ended]
    if not after:
        return None
    return Violation(way, watcher.asker.name, len(after), after[0] - ended, after[-1] - ended)
