"""Rescind beside SpiceDB, Casbin and pemba: the same facts, the same questions, on one machine in one run.

Four worlds: small (1,000 users in 100 groups), seed (one group of 5,000 members with a role on 5,000
resources), roles (5,000 roles) and wide (100,000 users, 2,000 groups nested three deep, resources five deep).
Each system runs in a process of its own, by its fastest configuration that gives the same answers: every
answer is compared, and where two differ there are no figures.

Rescind answers from memory; its facts and effective roles are in SQLite or in PostgreSQL, and a change is
durable when it returns. pemba is measured in memory and on SQLite, where a power loss may undo a commit.
Casbin is its FastEnforcer, rules by resource and action, in memory; threads take turns, since without a lock
it gives wrong answers. SpiceDB is embedded, with its memory store and without its dispatch cache: in large
worlds that store looks through whole relations, and a server on PostgreSQL would answer much faster.

`load` is from no facts to the first answer; `open` is until a new process answers from what is kept. `memory`
is what the answering process grows by, libraries of its own included. `check` is one check; `per_s_8` is
with 8 threads in one process. `unassign_ask_all` takes one role off and asks all members in one call.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lab.check_worlds import CheckWorld
from lab.databases import servers
from lab.peers.systems import SYSTEMS, System, missing, versions, worlds
from lab.peers.table import shape as shape
from lab.report import Goal, Measured

TITLE = "Rescind and its peers"
GOALS = {"peers.disagreements": Goal(0)}
MOST_SECONDS = 300.0
"""In which one system must have loaded one world, and in which it must have done with the rest."""
FAILURE = 200
"""Characters of an error, at most."""
Make = Callable[[str], str]
Answers = Mapping[str, str]


class Failed(Exception):
    """A system's process ended with an error."""


def run(*, quick: bool, seed: int) -> Measured:
    """Figures as `peers.world.system.what`; about eight minutes in full. Raises RuntimeError if two systems
    answer a question differently. A world in which a system fails or takes too long is left out for it, with
    the reason.
    """
    measured = Measured(versions=versions())
    measured.data["systems"] = {name: system.configuration for name, system in SYSTEMS.items()}
    runs = {name: system for name, system in SYSTEMS.items() if not (why := missing(system))}
    measured.left_out |= {s.title: why for s in SYSTEMS.values() if (why := missing(s))}
    compared = 0
    with servers() as make, tempfile.TemporaryDirectory(prefix="rescind-lab-") as folder:
        for world in worlds(quick=quick).values():
            answers: dict[str, Answers] = {}
            for name, system in runs.items():
                print(f"lab: {world.name}, {system.title} …", file=sys.stderr)
                place = _place(system, f"{world.name}-{name}", make, Path(folder))
                try:
                    figures, answers[name] = one(name, place, world, seed, 0.3 if quick else 2.0)
                except (subprocess.TimeoutExpired, Failed) as error:
                    is_late = isinstance(error, subprocess.TimeoutExpired)
                    why = f"it had not done after {MOST_SECONDS:.0f} s" if is_late else str(error)
                    measured.left_out[f"{system.title}, {world.name}"] = why
                    continue
                measured.figures |= {
                    f"peers.{world.name}.{name}.{w}": v for w, v in figures.items()
                }
                if why := system.not_listed.get(world.name):
                    measured.left_out[f"Lists of {system.title} in {world.name}"] = why
            compared += compare(world.name, answers)
    measured.figures["peers.compared"] = compared
    measured.figures["peers.disagreements"] = 0
    return measured


def plot(result: dict[str, Any]) -> list[Any]:
    """Plots of a result; Matplotlib is needed for them alone."""
    from lab.plots import peers

    return peers.plot(result)


def _place(system: System, name: str, make: Make, folder: Path) -> str:
    if system.engine in ("postgres", "sqlite"):
        return make(system.engine)
    return str(folder / f"{name}.db")


def one(
    name: str, place: str, world: CheckWorld, seed: int, seconds: float
) -> tuple[dict[str, float], Answers]:
    """What one system answers in one world and how fast, by processes of its own."""
    asked = {
        "system": name,
        "place": place,
        "world": asdict(world),
        "seed": seed,
        "seconds": seconds,
    }
    figures: dict[str, float] = {}
    if SYSTEMS[name].keeps:
        figures |= _child({**asked, "writes": True})["figures"]
    found = _child({**asked, "writes": False})
    return figures | found["figures"], found["answers"]


def _child(asked: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", "lab.peers.measure"]
    done = subprocess.run(
        command,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=MOST_SECONDS,
    )
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Failed(f"it failed with status {done.returncode}: {last[:FAILURE]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def compare(world: str, answers: Mapping[str, Answers]) -> int:
    """How many answers two systems or more gave; raises RuntimeError where they differ. Verdicts are compared
    as far as both have them: slow systems are asked fewer questions.
    """
    if not answers:
        return 0
    first, *others = answers
    compared = 0
    for other in others:
        for what in answers[first].keys() & answers[other].keys():
            mine, theirs = answers[first][what], answers[other][what]
            common = min(len(mine), len(theirs)) if what == "verdicts" else None
            if mine[:common] != theirs[:common]:
                raise RuntimeError(
                    f"{world}: {first} and {other} differ in {what}:\n{mine[:80]}\n{theirs[:80]}"
                )
            compared += len(mine[:common]) if set(mine) <= {"0", "1"} else 1
    return compared
