"""Checks out of memory: one at a time, in batches, and as lists, in four worlds.

In process, on one core, by the front door (`Authority.check`) of a replica on PostgreSQL, and on SQLite,
where each check also asks the file whether anybody wrote. Each world is loaded from the store by a process
of its own, whose memory is measured.

`cold` is the first tenth of the questions: nothing was asked before. `first` is all of them for the first
time: most have a permission and a resource that were not asked together before. `p50_us` and `p99_us` are all
of them again. `times_lookup` is `p50_us` divided by what the same loop takes to look the same questions up in
a dictionary of their answers (`lookup_us`): it tells a slow machine from a slow check.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable

from lab.check_worlds import CHECK_WORLDS, CheckWorld, Question
from lab.databases import servers
from lab.memory import peak_megabytes
from lab.report import Goal, held_mb, percentile
from lab.world_facts import write
from rescind import Authority
from rescind.settings import Settings

ON_A_PAGE = (
    "each of the 5,000 names of the page is read in the order of numbers, found by its number and sorted:"
    " together as long as 7 look-ups of a tuple in a dictionary; earlier versions kept the whole list"
)
GOALS = {
    "checks.small.p50_us": Goal(1.5),
    "checks.seed.p50_us": Goal(1.5),
    "checks.wide.p50_us": Goal(2.0),
    "checks.wide.cold.p50_us": Goal(
        6.0,
        why=(
            "names that were not asked before: what reaches the subject, and who has the permission on the"
            " resource and above it, are found first, by 20 to 40 calls of functions where a repeated check"
            " has 3. Their dozen look-ups in dictionaries of 100,000 names and numbers miss the processor's"
            " caches, at 0.3 to 0.5 µs each"
        ),
    ),
    "checks.roles.allowed.p50_us": Goal(3.0),
    "checks.roles.denied.p50_us": Goal(3.0),
    "checks.wide.load_s": Goal(4.0),
    "checks.wide.rss_mb": Goal(600),
    "checks.seed.ask5000_ms": Goal(8.0),
    "checks.seed.what_can_ms": Goal(4.0, why=ON_A_PAGE),
    "checks.seed.who_can_ms": Goal(1.4, why=ON_A_PAGE),
}
Figures = dict[str, float]
MOST_MEGABYTES = 20_000
"""Of an index: no world of a benchmark is dropped for its size."""


def run(*, quick: bool, seed: int) -> Figures:
    """Figures of all worlds; `checks.sqlite.…` on SQLite."""
    figures: Figures = {}
    with servers() as make:
        for engine in ("postgres", "sqlite"):
            for world in CHECK_WORLDS.values():
                if engine == "sqlite" and world.name == "wide":
                    continue
                scaled = world.scaled(0.1) if quick and world.name == "wide" else world
                url = make(engine)
                print(f"lab: {engine}, {world.name} …", file=sys.stderr)
                if world.name == "wide":  # a million changes would take most of the time
                    write("postgres", url, scaled)
                else:
                    with Authority.open(url, organization="lab") as authority:
                        scaled.record(authority)
                prefix = "checks." if engine == "postgres" else "checks.sqlite."
                found = in_own_process(url, scaled, 20_000 if quick else 200_000, seed)
                figures |= {f"{prefix}{world.name}.{name}": v for name, v in found.items()}
    return figures


def in_own_process(url: str, world: CheckWorld, count: int, seed: int) -> Figures:
    """What `measure` gives, in a process that holds nothing else."""
    asked = [url, world.name, str(world.scale), str(count), str(seed)]
    command = [sys.executable, "-m", "lab.checks", *asked]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return {name: float(value) for name, value in json.loads(done.stdout).items()}


def measure(url: str, world: CheckWorld, count: int, seed: int) -> Figures:
    """Load the world and ask it."""
    before, held = peak_megabytes(), held_mb()
    figures: Figures = {}
    settings = Settings(index_megabytes=MOST_MEGABYTES)
    with Authority.open(url, organization="lab", index=True, settings=settings) as authority:
        figures["load_s"] = _seconds(authority.load)
        figures["held_mb"] = held_mb() - held
        questions = world.questions(random.Random(seed), count)
        check = authority.check
        cold = _each(check, questions[: count // 10])
        figures["cold.p50_us"] = percentile(cold, 0.5) * 1e6
        figures["first.p50_us"] = percentile(_each(check, questions), 0.5) * 1e6
        times = _each(check, questions)
        figures["p50_us"] = percentile(times, 0.5) * 1e6
        figures["p99_us"] = percentile(times, 0.99) * 1e6
        figures["lookup_us"] = percentile(_looked_up(questions), 0.5) * 1e6
        figures["times_lookup"] = figures["p50_us"] / figures["lookup_us"]
        figures["per_s"] = count / _seconds(lambda: [check(*question) for question in questions])
        allowed = [bool(decision) for decision in authority.check_many(questions)]
        figures["allowed_share"] = sum(allowed) / count
        if world.name == "roles":
            for name, verdict in (("allowed", True), ("denied", False)):
                there = [t for t, found in zip(times, allowed, strict=True) if found is verdict]
                figures[f"{name}.p50_us"] = percentile(there, 0.5) * 1e6
        if world.name == "seed":
            figures |= _lists(authority, world)
        figures["rss_mb"] = peak_megabytes()
        figures["rss_grown_mb"] = figures["rss_mb"] - before
    return figures


def _each(check: Callable[..., object], questions: list[Question]) -> list[float]:
    """How long each takes, without what it takes to look at the clock."""
    clock = time.perf_counter
    overhead = min(-clock() + clock() for _ in range(1_000))
    times = []
    for subject, permission, place in questions:
        start = clock()
        check(subject, permission, place)
        times.append(max(clock() - start - overhead, 0.0))
    return times


def _looked_up(questions: list[Question]) -> list[float]:
    """How long it takes to look each question up in a dictionary that has them all."""
    known = dict.fromkeys(questions, True)

    def look_up(*question: str) -> bool:
        return known[question]  # type: ignore[index]

    return _each(look_up, questions)


def _lists(authority: Authority, world: CheckWorld) -> Figures:
    """All members asked at once; what one reaches; who reaches one."""
    users, places = world.users, world.resources
    batch = [(f"user:{n}", "read", "doc:7") for n in range(users)]
    pages = {
        "ask5000_ms": lambda: authority.check_many(batch),
        "what_can_ms": lambda: authority.resources_of("user:7", "read", limit=places),
        "who_can_ms": lambda: authority.who_can("read", "doc:7", limit=users),
    }
    figures = {}
    for name, ask in pages.items():
        ask()
        figures[name] = percentile([_seconds(ask) for _ in range(21)], 0.5) * 1e3
    assert len(authority.resources_of("user:7", "read", limit=places).items) == places
    assert len(authority.who_can("read", "doc:7", limit=users).items) == users
    return figures


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


if __name__ == "__main__":
    url, name, scale, count, seed = sys.argv[1:]
    print(json.dumps(measure(url, CHECK_WORLDS[name].scaled(float(scale)), int(count), int(seed))))
