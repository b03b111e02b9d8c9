"""The view of `rescind pending --watch`: how much work is pending, and how fast it is done."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.live import Live
from rich.table import Table

from rescind.cli import output
from rescind.model import PendingWork

WATCH_SECONDS = 0.5
LOOKS = 10
"""Looks over which the rate is averaged, so that it is readable."""

Find = Callable[[], list[PendingWork]]


class Meter:
    """Pairs reconciled a second, over the last looks. Work that is gone counts as done."""

    def __init__(self) -> None:
        self._before: dict[tuple[object, ...], PendingWork] = {}
        self._looks: deque[tuple[float, int]] = deque(maxlen=LOOKS)

    def rate(self, found: list[PendingWork], now: float) -> float:
        """The rate at this look; nothing at the first."""
        here = {_key(work): work for work in found}
        done = 0
        for key, before in self._before.items():
            after = here[key].done if key in here else before.total or 0
            done += max(after - before.done, 0)
        self._before = here
        self._looks.append((now, done))
        seconds = now - self._looks[0][0]
        return sum(done for _, done in list(self._looks)[1:]) / seconds if seconds else 0.0


def watch(find: Find) -> None:
    """Redraw until nothing is due, or the user ends it."""
    screen = output.console()
    with Live(console=screen, auto_refresh=False, transient=False) as live, _until_interrupted():
        for drawn in _frames(find):
            live.update(drawn, refresh=True)
            time.sleep(WATCH_SECONDS)


@contextmanager
def _until_interrupted() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        return


def _frames(find: Find) -> Iterator[Table]:
    meter = Meter()
    while True:
        found = find()
        yield frame(found, meter.rate(found, time.monotonic()))
        if all(work.is_parked for work in found):
            return


def frame(found: list[PendingWork], rate: float) -> Table:
    """How much there is, in a view."""
    due = [work for work in found if not work.is_parked]
    counted = [work for work in due if work.total is not None]
    total = sum(work.total or 0 for work in counted)
    done = sum(min(work.done, work.total or 0) for work in counted)
    uncounted = len(due) - len(counted)
    pairs = f"{done:,} of {total:,} looked at"
    left = f"{(total - done) / rate:,.0f} s" if rate and total > done else "–"
    if uncounted:
        pairs += f"; {output.counted(uncounted, 'job')} not counted yet"
        left += " and more" if left != "–" else ""
    groups = len({(work.organization_number, work.group_number) for work in found})
    drawn = Table.grid(padding=(0, 2))
    drawn.add_row("groups", f"{groups:,}")
    drawn.add_row("pending", f"{output.counted(len(due), 'job')}, {len(found) - len(due):,} parked")
    drawn.add_row("pairs", pairs)
    drawn.add_row("rate", f"{rate:,.0f} pairs/s")
    drawn.add_row("time left", left)
    for direction in ("revokes", "grants"):
        lags = [work.lag_seconds for work in found if work.direction == direction]
        drawn.add_row(f"oldest that {direction}", f"{max(lags):.1f} s" if lags else "none")
    return drawn


def _key(work: PendingWork) -> tuple[object, ...]:
    of = (work.organization_number, work.group_number)
    return (*of, work.kind, work.subject, work.since)
