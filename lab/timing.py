"""How long an action takes, as the benchmarks of lists say it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def median_milliseconds(action: Callable[[], object], rounds: int) -> float:
    """The median of some rounds, after one that opens connections and prepares statements."""
    action()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3
