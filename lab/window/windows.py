"""Windows: how long after the return of a removal a check that starts then still allows.

A window is the start of the last check that was allowed, counted from the return; 0 if no check that
started after it was allowed. A check that started before the return does not count, whenever it ends.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from lab.report import percentile

PER_DECADE = 6
LEAST, MOST = 1e-5, 1e6
"""Seconds of the first and the last bin's bounds."""
CONFIRM = 3
"""So many denied checks end a window: a stale replica may answer in turn with a fresh one."""

PAUSE_SECONDS = 0.000_5
"""Between asking about all and asking again: others use the processors too."""


@dataclass
class Windows:
    """What was seen of one system. Times in seconds; `computed` if nothing was measured."""

    name: str
    title: str
    seconds: list[float] = field(default_factory=list)
    checks: int = 0
    """Checks that started after the return."""
    allowed: int = 0
    """Those of them that were allowed."""
    computed: bool = False
    note: str = ""

    def figures(self) -> dict[str, float]:
        """By name, in ms."""
        prefix = f"window.{self.name}"
        found = {f"{prefix}.rounds": float(len(self.seconds))}
        if not self.seconds:
            return found
        found |= {
            f"{prefix}.p{int(share * 100)}_ms": percentile(self.seconds, share) * 1e3
            for share in (0.5, 0.9, 0.99)
        }
        found[f"{prefix}.max_ms"] = max(self.seconds) * 1e3
        if not self.computed:
            found |= {f"{prefix}.checks": self.checks, f"{prefix}.allowed": self.allowed}
        return found

    def data(self) -> dict[str, Any]:
        """What a plot needs: bins, not samples."""
        kept = asdict(self)
        del kept["seconds"]
        return {**kept, "rounds": len(self.seconds), **histogram(self.seconds)}


def histogram(seconds: Iterable[float]) -> dict[str, Any]:
    """Counts in bins whose bounds grow evenly on a log axis; zeros have a bin of their own, `zero`."""
    zero, counts = 0, {}
    for one in seconds:
        if one <= 0:
            zero += 1
            continue
        place = math.floor(math.log10(min(max(one, LEAST), MOST)) * PER_DECADE)
        counts[place] = counts.get(place, 0) + 1
    bins = [
        [10 ** (place / PER_DECADE), 10 ** ((place + 1) / PER_DECADE), count]
        for place, count in sorted(counts.items())
    ]
    return {"zero": zero, "bins": bins}


def evenly(longest_seconds: float, count: int = 600) -> list[float]:
    """The windows of a token that is refreshed every so often, if removals come at any time."""
    return [longest_seconds * (number + 0.5) / count for number in range(count)]


class Tracker:
    """Asks about all whose removal has returned, in turn, until each is denied some times in a row."""

    def __init__(
        self,
        check: Callable[[str], bool],
        clock: Callable[[], float] = time.monotonic,
        *,
        bystander: str | None = None,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        """A `bystander`, who stays, is asked about all the time: a system in use answers others as well."""
        self._check, self._clock = check, clock
        self._bystander, self._pause_seconds = bystander, pause_seconds
        self._open: dict[str, _Open] = {}
        self.seconds: list[float] = []
        self.checks = self.allowed = 0

    def returned(self, subject: str, at: float) -> None:
        """The removal of this subject returned then."""
        self._open[subject] = _Open(at)

    def look(self) -> int:
        """Ask once about each; how many are still open."""
        if self._bystander is not None:
            assert self._check(self._bystander)
        for subject, one in list(self._open.items()):
            start = self._clock()
            allowed = self._check(subject)
            self.checks += 1
            self.allowed += allowed
            if allowed:
                one.last, one.denied = start, 0
                continue
            one.denied += 1
            if one.denied >= CONFIRM:
                self.seconds.append(max(0.0, one.last - one.returned) if one.last else 0.0)
                del self._open[subject]
        return len(self._open)

    def follow(
        self,
        remove: Callable[[str], float],
        subjects: Sequence[str],
        pauses: Iterable[float],
        limit_seconds: float,
    ) -> None:
        """Remove subjects with pauses in between, of which `remove` says when each returned; then look until
        all are denied. Raises TimeoutError if some are not after the limit.
        """
        for subject, pause in zip(subjects, pauses, strict=False):
            due = self._clock() + pause
            while self._clock() < due:
                self.look()
                time.sleep(self._pause_seconds)
            self.returned(subject, remove(subject))
        end = self._clock() + limit_seconds
        while self.look():
            if self._clock() > end:
                raise TimeoutError(f"still allowed after {limit_seconds} s")
            time.sleep(self._pause_seconds)


@dataclass
class _Open:
    returned: float
    last: float = 0.0
    denied: int = 0
