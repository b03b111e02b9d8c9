"""Somebody who changes memberships, one change after the other, while others work in the background."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType

from lab.databases import called
from lab.report import percentile
from lab.waits import KINDS, Samples, sqlite_lock_seconds
from rescind import Authority, Route, changes
from rescind.changes import Change

NAME = "rescind-lab-foreground"
PAUSE_SECONDS = 0.005
"""Between two changes; nobody changes memberships without pausing at all."""
Figures = dict[str, float]


def toggles(*places: tuple[str, str]) -> Iterator[Change]:
    """For each (group, member) in turn, without end: out of the group, and back in."""
    for group, member in itertools.cycle(places):
        yield changes.RemoveMembers(group=group, members=(member,))
        yield changes.AddMembers(group=group, members=(member,))


class Foreground(AbstractContextManager["Foreground"]):
    """An authority whose changes are timed by name."""

    def __init__(self, engine: str, url: str) -> None:
        self.engine, self.url = engine, url
        self.authority = Authority.open(called(engine, url, NAME), organization="lab")
        self.taken: dict[str, list[float]] = {}
        self.left_behind: Counter[str] = Counter()
        self._pause = threading.Event()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.authority.close()

    def change(self, name: str, change: Change) -> None:
        """Apply it, note under that name how long that took and by which route, and pause."""
        start = time.perf_counter()
        receipt = self.authority.apply([change])
        self.taken.setdefault(name, []).append(time.perf_counter() - start)
        self.left_behind[name] += receipt.route is Route.BACKGROUND
        self._pause.wait(PAUSE_SECONDS)

    @contextmanager
    def watched(self, *names: str) -> Iterator[Figures]:
        """At the block's end, gives the share of the time of these changes that they waited for locks."""
        figures: Figures = {}
        if self.engine == "sqlite":
            with sqlite_lock_seconds() as waited:
                yield figures
            seconds = sum(sum(self.taken.get(name, ())) for name in names)
            figures["lock_wait_share"] = sum(waited) / max(seconds, 1e-9)
            return
        with Samples(self.url) as samples:
            yield figures
        figures |= {f"{kind}_wait_share": samples.share(NAME, kind) for kind in KINDS}

    def times(self, prefix: str, *names: str) -> Figures:
        """Percentiles of the changes noted under each name, in ms."""
        return {
            f"{prefix}.{name}.p{int(share * 100)}_ms": percentile(self.taken[name], share) * 1e3
            for name in names
            for share in (0.5, 0.99)
        }
