"""What both kinds of real organizations are asked, and how it is timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from lab.report import percentile
from rescind import Authority

Figures = dict[str, float]
Question = tuple[str, str, str]
"""A subject, a permission, a resource; no resource is the organization itself."""


def answers(
    authority: Authority, name: str, expected: Sequence[tuple[Question, bool]]
) -> tuple[Figures, int]:
    """Times of checks one after the other, and how many are not as expected."""
    wrong, times = 0, []
    check = authority.check
    for (subject, permission, resource), allowed in expected:
        on = () if not resource else (resource,)
        start = time.perf_counter()
        decision = check(subject, permission, *on)
        times.append(time.perf_counter() - start)
        wrong += bool(decision) is not allowed
    return percentiles(name, times, 1e6, "us"), wrong


def percentiles(name: str, times: Sequence[float], unit: float, called: str) -> Figures:
    """The middle, and the worst of a hundred."""
    return {
        f"{name}_{called}": percentile(times, 0.5) * unit,
        f"{name}_p99_{called}": percentile(times, 0.99) * unit,
    }


def timed(actions: Iterable[Callable[[], object]]) -> list[float]:
    """Seconds of each."""
    times = []
    for action in actions:
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return times
