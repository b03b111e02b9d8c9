"""Casbin with a watcher that polls: one enforcer removes and saves, another loads the policy every so often.

The policy is a file that both have, `SyncedEnforcer.start_auto_load_policy` is the watcher.
"""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lab.window.windows import Tracker, Windows

POLL_SECONDS = 5
REMOVALS_PER_S = 2.0
LIMIT_SECONDS = 60.0
MODEL = """
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
"""

MAIN = "from lab.window import polled; polled.main()"


class Missing(Exception):
    """It is not installed, or does not run."""


def measured(rounds: int, seed: int) -> Windows:
    """So many removals at random times, in a process of its own. Raises Missing."""
    if find_spec("casbin") is None:
        raise Missing("casbin is not installed: run `make lab` once")
    command = [sys.executable, "-c", MAIN, str(rounds), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Missing((done.stderr.strip().splitlines() or ["no reason given"])[-1])
    return Windows(
        "casbin.polled",
        f"pycasbin, watcher polls every {POLL_SECONDS} s",
        **json.loads(done.stdout),
    )


def run(rounds: int, seed: int) -> dict[str, Any]:
    """Windows, checks and how many of them were allowed."""
    import casbin

    rng = random.Random(seed)
    users = [str(number) for number in range(rounds)]
    with tempfile.TemporaryDirectory(prefix="rescind-lab-") as folder:
        model, policy = Path(folder) / "model.conf", Path(folder) / "policy.csv"
        model.write_text(MODEL)
        lines = ["p, readers, doc, read", *(f"g, {user}, readers" for user in users)]
        policy.write_text("\n".join(lines))
        writer = casbin.Enforcer(str(model), str(policy))
        reader = casbin.SyncedEnforcer(str(model), str(policy))
        reader.start_auto_load_policy(POLL_SECONDS)

        def remove(user: str) -> float:
            assert writer.remove_grouping_policy(user, "readers")
            writer.save_policy()
            return time.monotonic()

        tracker = Tracker(lambda user: bool(reader.enforce(user, "doc", "read")))
        pauses = (rng.expovariate(REMOVALS_PER_S) for _ in itertools.count())
        try:
            tracker.follow(remove, users, pauses, LIMIT_SECONDS)
        finally:
            reader.stop_auto_load_policy()
    return {"seconds": tracker.seconds, "checks": tracker.checks, "allowed": tracker.allowed}


def main() -> None:
    """In a process of its own; prints what it saw."""
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]))))
