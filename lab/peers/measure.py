"""One system in one world, in a process of its own: what it answers, and how long that takes.

`python -m lab.peers.measure` reads what is asked of it as JSON, and prints figures and answers as JSON.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import importlib
import json
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from lab.check_worlds import CheckWorld
from lab.peers.contract import Peer
from lab.peers.systems import SYSTEMS
from lab.report import held_mb, percentile
from lab.spicedb import LIBRARY

CALLERS = 8
QUESTIONS = 2_000
LISTED = "user:7"
MOST_ROUNDS = 200


@dataclass
class Found:
    """Figures, and answers in a form that can be compared with those of another system."""

    figures: dict[str, float] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)


def written(system: str, place: str, world: CheckWorld) -> Found:
    """Write the facts of the world."""
    with closing(SYSTEMS[system].make(place)) as peer:
        return Found({"load_s": _seconds(lambda: peer.load(world))})


def measured(system: str, place: str, world: CheckWorld, seed: int, seconds: float) -> Found:
    """Everything else, and writing the facts too where they are not kept. Each part takes about so long, or
    as long as it takes once.
    """
    found, kind = Found(), SYSTEMS[system]
    if kind.module:
        importlib.import_module(kind.module)
    before, start = held_mb(), time.perf_counter()
    with closing(kind.make(place)) as peer:
        if kind.keeps:
            peer.open(world)
            peer.ask(peer.prepared(world.questions(random.Random(seed), 1)[0]))
            found.figures["open_s"] = time.perf_counter() - start
        else:
            found.figures["load_s"] = _seconds(lambda: peer.load(world))
        gc.collect()
        found.figures["memory_mb"] = held_mb() - before
        _checks(peer, world, seed, seconds, found)
        if world.name not in kind.not_listed:
            _lists(peer, world, seconds, found)
        _members(peer, world, seconds, found)
        if world.name == "seed":
            _unassigned(peer, world, seconds, found)
    return found


def _checks(peer: Peer, world: CheckWorld, seed: int, seconds: float, found: Found) -> None:
    questions = world.questions(random.Random(seed), QUESTIONS)
    prepared = [peer.prepared(question) for question in questions]
    verdicts: list[bool] = []
    times: list[float] = []
    clock, ask = time.perf_counter, peer.ask
    overhead = min(-clock() + clock() for _ in range(1_000))
    end = clock() + max(seconds, 1.0)
    for number, one in enumerate(prepared):
        start = clock()
        verdict = ask(one)
        times.append(max(clock() - start - overhead, 0.0))
        verdicts.append(verdict)
        if number >= 19 and start > end:
            break
    found.answers["verdicts"] = "".join("01"[verdict] for verdict in verdicts)
    found.figures |= _percentiles("check", times)
    for name, kind in (("allowed", True), ("denied", False)):
        mine = [t for t, verdict in zip(times, verdicts, strict=True) if verdict is kind]
        if mine:
            found.figures[f"{name}_us"] = percentile(mine, 0.5) * 1e6
    known = list(zip(prepared, verdicts, strict=False))
    found.figures["per_s_1"] = _rate(peer, known, 1, seconds)
    found.figures["per_s_8"] = _rate(peer, known, CALLERS, seconds)


def _percentiles(name: str, times: Sequence[float]) -> dict[str, float]:
    return {
        f"{name}_us": percentile(times, 0.5) * 1e6,
        f"{name}_p99_us": percentile(times, 0.99) * 1e6,
    }


def _rate(peer: Peer, known: list[tuple[Any, bool]], callers: int, seconds: float) -> float:
    """Checks a second of so many callers; raises RuntimeError for an answer that is another than before."""
    turns: Any = threading.Lock() if peer.needs_lock and callers > 1 else contextlib.nullcontext()
    counts, wrong = [0] * callers, [0] * callers
    ask, end = peer.ask, time.perf_counter() + seconds

    def call(number: int) -> None:
        place = number * len(known) // callers
        while time.perf_counter() < end:
            question, verdict = known[place]
            with turns:
                answer = ask(question)
            wrong[number] += answer is not verdict
            counts[number] += 1
            place = (place + 1) % len(known)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(callers)]
    taken = _seconds(lambda: ([t.start() for t in threads], [t.join() for t in threads]))
    if sum(wrong):
        raise RuntimeError(
            f"{sum(wrong)} of {sum(counts)} answers were wrong with {callers} callers"
        )
    return sum(counts) / taken


def _lists(peer: Peer, world: CheckWorld, seconds: float, found: Found) -> None:
    role, resource = world.assigned(world.groups_of(7)[0])[0]
    permission, on = world.permission_of(role), f"doc:{resource}"
    lists: dict[str, Callable[[], set[str]]] = {
        "what_can": lambda: peer.what_can(LISTED, "read"),
        "who_can": lambda: peer.who_can(permission, on),
    }
    for name, ask in lists.items():
        found.answers[name] = _digest(ask())
        found.figures[f"{name}_ms"] = percentile(_timed(ask, seconds, most=21), 0.5) * 1e3


def _members(peer: Peer, world: CheckWorld, seconds: float, found: Found) -> None:
    """The change alone; when it has returned, checks must know it."""
    group = world.groups_of(7)[0]
    questions = [
        (LISTED, world.permission_of(role), f"doc:{resource}")
        for role, resource in world.assigned(group)[:10]
    ]

    def asked() -> str:
        return "".join("01"[peer.ask(peer.prepared(question))] for question in questions)

    taken: dict[bool, list[float]] = {False: [], True: []}
    end = time.perf_counter() + seconds
    for number in range(MOST_ROUNDS):
        for is_member in (False, True):
            taken[is_member].append(
                _seconds(lambda there=is_member: peer.set_member(7, group, there))  # type: ignore[misc]
            )
            if number == 0:
                found.answers["member" if is_member else "removed"] = asked()
        if time.perf_counter() > end:
            break
    found.figures["remove_ms"] = percentile(taken[False], 0.5) * 1e3
    found.figures["add_ms"] = percentile(taken[True], 0.5) * 1e3


def _unassigned(peer: Peer, world: CheckWorld, seconds: float, found: Found) -> None:
    """The role is taken off one of the resources, and then everybody is asked about it."""
    role, resource = world.assigned(0)[7]
    questions = [(f"user:{n}", "read", f"doc:{resource}") for n in range(world.users)]
    prepared = [peer.prepared(question) for question in questions]
    found.figures["ask_all_ms"] = _seconds(lambda: peer.ask_all(prepared)) * 1e3
    times, unassign = [], []
    end = time.perf_counter() + seconds
    while not times or (time.perf_counter() < end and len(times) < 11):
        start = time.perf_counter()
        peer.set_assigned(0, role, resource, is_assigned=False)
        unassign.append(time.perf_counter() - start)
        prepared = [peer.prepared(question) for question in questions]
        start = time.perf_counter()
        answers = peer.ask_all(prepared)
        times.append(unassign[-1] + time.perf_counter() - start)
        if any(answers):
            raise RuntimeError(f"{sum(answers)} are still allowed after the role was taken")
        peer.set_assigned(0, role, resource, is_assigned=True)
    found.answers["again"] = "01"[all(peer.ask_all([peer.prepared(q) for q in questions]))]
    found.figures["unassign_ms"] = percentile(unassign, 0.5) * 1e3
    found.figures["unassign_ask_all_ms"] = percentile(times, 0.5) * 1e3


def _timed(action: Callable[[], object], seconds: float, most: int) -> list[float]:
    end, times = time.perf_counter() + seconds, []
    while not times or (time.perf_counter() < end and len(times) < most):
        times.append(_seconds(action))
    return times


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _digest(names: Iterable[str]) -> str:
    """The number of names, and what tells two sets apart."""
    ordered = sorted(names)
    return f"{len(ordered)}:{hashlib.sha256(chr(10).join(ordered).encode()).hexdigest()[:16]}"


def main() -> None:
    """From standard input to standard output."""
    os.environ.setdefault("SPICEDB_LIBRARY_PATH", str(LIBRARY))
    asked: dict[str, Any] = json.load(sys.stdin)
    shape = asked["world"]
    world = CheckWorld(**{**shape, "groups": tuple(shape["groups"])})
    system, place = asked["system"], asked["place"]
    if asked["writes"]:
        found = written(system, place, world)
    else:
        found = measured(system, place, world, asked["seed"], asked["seconds"])
    print(json.dumps({"figures": found.figures, "answers": found.answers}))


if __name__ == "__main__":
    main()
