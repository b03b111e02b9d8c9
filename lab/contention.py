"""Membership changes while one large job is reconciled by a worker in another process, beside the same
changes when nothing is pending.

Somebody takes members out of the large group and out of small ones in turn, and puts them back, with a short
pause between changes.
"""

from __future__ import annotations

import itertools
import sys

from lab.crew import Crew
from lab.databases import servers
from lab.foreground import Figures, Foreground, toggles
from lab.report import Goal, percentile
from lab.worlds import apply_all, everything_to, many_groups, one_group
from rescind import Route

GOALS = {"contention.same.p99_ms": Goal(60), "contention.other.ratio": Goal(2)}
SMALL_GROUPS, THEIR_MEMBERS, THEIR_ASSIGNMENTS = 20, 10, 10
TOGGLED = 50
"""Members of the large group that leave and come back, in turn."""
LOOK_EVERY = 10
"""Rounds between two looks at whether the job is done."""
MOST_ROUNDS = 1_500
"""So many are enough to tell; changes of the large group alone can keep one worker busy for ever."""


def run(*, quick: bool, seed: int) -> Figures:  # noqa: ARG001
    """Figures of both engines, and the worse of both."""
    size, rounds = (1_000, 100) if quick else (5_000, 400)
    figures: Figures = {"contention.size": size}
    with servers() as make:
        for engine in ("sqlite", "postgres"):
            print(f"lab: {engine}, {size} × {size} …", file=sys.stderr)
            figures |= _contention(engine, make(engine), size, rounds)
    for name in ("same.p99_ms", "other.ratio"):
        figures[f"contention.{name}"] = max(
            figures[f"contention.{engine}.{name}"] for engine in ("sqlite", "postgres")
        )
    return figures


def _contention(engine: str, url: str, size: int, rounds: int) -> Figures:
    prefix = f"contention.{engine}"
    others = toggles(*((f"group-{n}", f"user:{n * size // SMALL_GROUPS}") for n in range(20)))
    same = toggles(*(("all", f"user:{n}") for n in range(TOGGLED)))
    with Foreground(engine, url) as foreground, Crew(engine, url, 1) as crew:
        authority = foreground.authority
        apply_all(authority, one_group(size, size))
        apply_all(authority, many_groups(SMALL_GROUPS, THEIR_MEMBERS, size))
        for number in range(SMALL_GROUPS):
            authority.apply([everything_to(f"group-{number}", THEIR_ASSIGNMENTS)])
        for change in itertools.islice(others, rounds):
            foreground.change("idle", change)
        authority.apply([everything_to("all", size)], route=Route.BACKGROUND)
        with foreground.watched("same", "other") as waits:
            crew.go()
            for _ in range(MOST_ROUNDS // LOOK_EVERY):
                if not _is_filling(foreground):
                    break
                for _ in range(LOOK_EVERY):
                    foreground.change("same", next(same))
                    foreground.change("other", next(others))
        (worker,) = crew.stop()
        times = foreground.times(prefix, "same", "other", "idle")
        changes = len(foreground.taken["same"])
        return {
            **times,
            f"{prefix}.other.ratio": times[f"{prefix}.other.p99_ms"]
            / times[f"{prefix}.idle.p99_ms"],
            f"{prefix}.changes": 2 * changes,
            f"{prefix}.same.background_share": foreground.left_behind["same"] / changes,
            **{f"{prefix}.{name}": share for name, share in waits.items()},
            f"{prefix}.chunks": len(worker.chunks),
            f"{prefix}.chunk.p50_ms": percentile(worker.chunks, 0.5) * 1e3,
            f"{prefix}.chunk.p99_ms": percentile(worker.chunks, 0.99) * 1e3,
            f"{prefix}.retries": worker.retries,
        }


def _is_filling(foreground: Foreground) -> bool:
    return any(work.kind == "assignment" for work in foreground.authority.pending())
