"""All instruments of an authority."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from rescind import forks
from rescind.instruments import labels
from rescind.instruments.kinds import NO_LABELS, Counter, Family, Gauge, Histogram, Labels, Tick
from rescind.instruments.memory import Memory, SharedMemory
from rescind.settings import Settings
from rescind.tracing import Spans, current_spans

if TYPE_CHECKING:
    from rescind.model import Receipt

FAST_SECONDS: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0),
    math.inf,
)
"""The upper ends of buckets, for what somebody waits for."""
SLOW_SECONDS: Final = (*FAST_SECONDS[:-1], 120.0, 600.0, 3_600.0, math.inf)
"""The same, for what background work does."""
POINT: Final = {"point": labels.PROBE_POINTS}


class Instruments:
    """The instruments of one authority. Safe to use from many threads; at zero after a fork.

    A target of the settings is among the bounds of what it is about, so that the share within it is known.
    """

    def __init__(
        self,
        settings: Settings,
        memory: Memory | None = None,
        *,
        shared: SharedMemory | None = None,
        spans: Spans | None = None,
    ) -> None:
        """`memory` is a row of `shared`, where processes share it. Without `spans` they are the SDK's."""
        self.spans = spans or current_spans()
        self.is_on = settings.metrics
        self._memory = memory = memory or Memory()
        self.shared = shared
        self._sources: list[Callable[[], None]] = []
        revocation, grant = settings.revocation_target_seconds, settings.grant_target_seconds
        directions = {"direction": labels.DIRECTIONS}
        self.change_seconds = self._histograms(
            {"kind": labels.KINDS, **directions, "route": labels.ROUTES}
        )
        self.enforcement_seconds = self._histograms({"outcome": labels.OUTCOMES}, target=revocation)
        self.settlement_seconds = self._histograms(directions, SLOW_SECONDS, target=grant)
        self.lock_wait_seconds = self._histograms({"who": labels.LOCKERS})
        self.chunk_seconds = self._histograms()
        self.chunk_rows = self._counters({"action": labels.ACTIONS})
        self.checks = self._counters({"point": labels.POINTS, "result": labels.RESULTS})
        self.distrusted_checks = self._counters()
        self.lease_expires = Family(memory, Gauge)
        self.index_organizations = Family(memory, Gauge)
        self.index_bytes = Family(memory, Gauge)
        self.index_load_seconds = self._histograms()
        self.probe_disappearance_seconds = self._histograms(POINT, target=revocation)
        self.probe_appearance_seconds = self._histograms(POINT, SLOW_SECONDS, target=grant)
        self.probe_violations = self._counters(POINT)
        self.decision_log_written = self._counters()
        self.decision_log_dropped = self._counters()
        self._ticks = {result: Tick(self.checks.of("index", result)) for result in RESULTS_OF_INDEX}
        self._is_set_up = False
        forks.reinit_after_fork(self)

    def reinit_after_fork(self) -> None:
        """At zero, as in a new process: what was measured before is the parent's."""
        self._refreshing = threading.Lock()
        if self._is_set_up:
            self.shared = None
            self._memory.restart()
            for tick in self._ticks.values():
                tick.forget()
        self._is_set_up = True

    # --- what is measured -------------------------------------------------------------------------

    def ticks(self, results: Iterable[str]) -> tuple[Callable[[], int], ...] | None:
        """What to call to count a check from memory, for each result; None without metrics."""
        return tuple(self._ticks[each].count for each in results) if self.is_on else None

    def note_check(self, point: str, result: str) -> None:
        """A check that the store decided, or was to decide and failed."""
        if self.is_on:
            self.checks.of(point, result).add()

    def note_distrusted(self) -> None:
        """A check was decided from the facts, since rows were not trusted."""
        if self.is_on:
            self.distrusted_checks.of().add()

    def change(self, organization: str, changes: Sequence[Any]) -> MeasuredChange:
        """Around the call of a change: its span, and how long it takes."""
        return MeasuredChange(self, organization, labels.kind_of(changes))

    def note_enforcement(self, outcome: str, seconds: float) -> None:
        """A change that revoked something is enforced."""
        if self.is_on:
            self.enforcement_seconds.of(outcome).observe(seconds)

    def note_settlement(self, direction: str, seconds: float) -> None:
        """Effective roles follow a change, so many seconds after it."""
        if self.is_on:
            self.settlement_seconds.of(direction).observe(seconds)

    def note_lock_wait(self, who: str, seconds: float) -> None:
        """A `change` or a `chunk` had the locks that it waited for."""
        if self.is_on:
            self.lock_wait_seconds.of(who).observe(seconds)

    def note_chunk(self, seconds: float, made: int, unmade: int) -> None:
        """A chunk is committed. It made and unmade so many effective roles."""
        if self.is_on:
            self.chunk_seconds.of().observe(seconds)
            self.chunk_rows.of("made").add(made)
            self.chunk_rows.of("unmade").add(unmade)

    def note_load(self, seconds: float) -> None:
        """An organization was read into memory, which took so long."""
        if self.is_on:
            self.index_load_seconds.of().observe(seconds)

    def note_decisions_written(self, count: int) -> None:
        """So many decisions are in the decision log."""
        if self.is_on:
            self.decision_log_written.of().add(count)

    def note_decisions_dropped(self, count: int) -> None:
        """Count decisions that are missing from the decision log."""
        if self.is_on:
            self.decision_log_dropped.of().add(count)

    def on_refresh(self, source: Callable[[], None]) -> None:
        """Call `source` before each read, to set its gauges."""
        self._sources.append(source)

    # --- what is read -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Put into the numbers what is counted or held elsewhere in this process."""
        with self._refreshing:
            for tick in self._ticks.values():
                tick.fold()
            for source in self._sources:
                source()

    def read(self) -> list[Sequence[float]]:
        """The numbers of each process: of this one as they are now, of others as they last refreshed them."""
        self.refresh()
        rows = [self._memory.values] if self.shared is None else self.shared.rows
        return [tuple(row) for row in rows]

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return self._memory.size

    @property
    def gauges(self) -> list[int]:
        """The places of what a process measures of itself, and is over when that ends."""
        families = (self.lease_expires, self.index_organizations, self.index_bytes)
        return [place for family in families for _, at in family.places() for place in _all(at)]

    # --- within -----------------------------------------------------------------------------------

    def _counters(self, of: Labels = NO_LABELS) -> Family[Counter]:
        return Family(self._memory, Counter, of)

    def _histograms(
        self,
        of: Mapping[str, tuple[str, ...]] = NO_LABELS,
        bounds: tuple[float, ...] = FAST_SECONDS,
        target: float | None = None,
    ) -> Family[Histogram]:
        if target is not None:
            bounds = tuple(sorted({*bounds, target}))
        return Family(self._memory, partial(Histogram, bounds=bounds), of, bounds)


class MeasuredChange:
    """The call of a change, from the beginning of a block until it is noted what came of it."""

    def __init__(self, instruments: Instruments, organization: str, kind: str) -> None:
        self._instruments, self._kind = instruments, kind
        self._span = instruments.spans.span("change", kind=kind, organization=organization)

    def __enter__(self) -> MeasuredChange:
        self._start = time.perf_counter()
        self._shown = self._span.__enter__()
        return self

    def note(self, receipt: Receipt) -> None:
        """The change is done. One that altered nothing is not measured."""
        direction, route = receipt.direction, receipt.route
        seconds = time.perf_counter() - self._start
        self._shown.note(direction=direction, route=route, revision=receipt.revision.organization)
        if self._instruments.is_on and receipt.changed:
            self._instruments.change_seconds.of(self._kind, direction, route).observe(seconds)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._span.__exit__(kind, error, trace)


RESULTS_OF_INDEX: Final = ("denied", "allowed")


def _all(places: slice) -> range:
    return range(places.start, places.stop)
