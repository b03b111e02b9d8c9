"""Rescind: decision points in processes of their own are asked without pause while members are removed.

They are asked before, during and for a while after each removal, and each writes down when its checks
started and what they said. All of them, and the database itself, are asked by everybody's default.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from lab.replicas import Remote, replicas
from lab.window.windows import Windows
from lab.worlds import apply_all, everything_to, one_group, settle
from rescind import Authority, Route, changes
from rescind.propagation.worker import Workers

MEMBERS, ASSIGNMENTS = 1_000, 100
QUESTION = ("user:7", "read", "doc:0")
MEMBER = ("user:7",)
BEFORE_SECONDS, AFTER_SECONDS = 0.02, 0.06
"""How long decision points are asked before a removal is begun, and after it returned."""
TITLES = {
    "inline": "Rescind, inline",
    "background": "Rescind, background",
    "fleet": "Rescind, fleet of 4",
    "stopped": "Rescind, fleet of 4, one stopped",
}


def make(url: str) -> None:
    """The world, settled."""
    with Authority.open(url, organization="lab") as authority:
        apply_all(authority, one_group(MEMBERS, ASSIGNMENTS))
        authority.apply([everything_to("all", ASSIGNMENTS)])
        settle(authority)


def measured(url: str, rounds: dict[str, int]) -> list[Windows]:
    """The windows of each part that is named, so many rounds of each."""
    found = []
    with replicas([url], index=False) as database:
        with replicas([url]) as one:
            points = [*database, *one]
            found.append(_rounds(url, "inline", points, rounds["inline"], Route.INLINE))
            with _working(url):
                found.append(
                    _rounds(url, "background", points, rounds["background"], Route.BACKGROUND)
                )
        with replicas([url] * 4) as fleet:
            points = [*database, *fleet]
            found.append(_rounds(url, "fleet", points, rounds["fleet"], None))
            stopped = fleet[0]
            found.append(_rounds(url, "stopped", points, rounds["stopped"], None, stopped))
    return found


def _rounds(
    url: str,
    name: str,
    points: list[Remote],
    rounds: int,
    route: Route | None,
    stopped: Remote | None = None,
) -> Windows:
    windows = Windows(name=f"rescind.{name}", title=TITLES[name])
    with Authority.open(url, organization="lab") as authority:
        for _ in range(rounds):
            for point in points:
                point.poll(QUESTION)
            time.sleep(BEFORE_SECONDS)
            if stopped is not None:
                stopped.stop()
            try:
                authority.apply([changes.RemoveMembers(group="all", members=MEMBER)], route=route)
                returned = time.monotonic()
            finally:
                if stopped is not None:
                    stopped.go_on()
            time.sleep(AFTER_SECONDS)
            polled = [point.polled(since=returned) for point in points]
            windows.checks += sum(one.checks for one in polled)
            windows.allowed += sum(one.allowed for one in polled)
            windows.seconds.append(max(one.seconds for one in polled))
            authority.apply([changes.AddMembers(group="all", members=MEMBER)], route=route)
            for point in points:
                point.watch(QUESTION)
            for point in points:
                point.seen()
    return windows


@contextmanager
def _working(url: str) -> Iterator[None]:
    """A worker settles what the background route leaves."""
    with Authority.open(url, organization="lab") as authority, Workers(authority.store):
        yield
