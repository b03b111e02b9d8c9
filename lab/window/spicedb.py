"""SpiceDB embedded, in memory: each way to ask for consistency, in processes of its own.

`minimize_latency` is what a request without a consistency gets; somebody else is checked all the time, as
in a system in use. Quiet means that nothing but the removal is written; several servers at once, each
quiet, take less time. With load, 20 unrelated writes a second.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

from lab.spicedb import LIBRARY, SCHEMA, relationship, subject, thing
from lab.window.windows import PAUSE_SECONDS, Tracker, Windows

TITLES = {
    "quiet": "SpiceDB, minimize_latency, quiet",
    "loaded": "SpiceDB, minimize_latency, 20 writes/s",
    "at_least": "SpiceDB, at_least_as_fresh",
    "fully": "SpiceDB, fully_consistent",
}
WRITES_PER_S = 20.0
QUIET_SERVERS = 4
BYSTANDER = "bystander"
MINIMIZED = ("quiet", "loaded")
PAUSES = {"quiet": 0.01}
"""Between asking and asking again, in seconds, where it is not the usual."""
LIMIT_SECONDS = 60.0
ALLOWED = 2

MAIN = "from lab.window import spicedb; spicedb.main()"


class Missing(Exception):
    """It is not installed, or does not run."""


def measured(rounds: dict[str, int], seed: int) -> list[Windows]:
    """The windows of each way that is named, so many rounds of each. Raises Missing."""
    if find_spec("spicedb_embedded") is None:
        raise Missing("spicedb-embedded is not installed: run `make lab` once")
    parts = [(mode, count) for mode, count in rounds.items() if mode != "quiet"]
    parts += [("quiet", rounds.get("quiet", 0) // QUIET_SERVERS)] * QUIET_SERVERS
    environment = {"SPICEDB_LIBRARY_PATH": str(LIBRARY), **os.environ}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", MAIN, mode, str(count), str(seed + number)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for number, (mode, count) in enumerate(parts)
        if count
    ]
    found = {mode: Windows(f"spicedb.{mode}", TITLES[mode]) for mode in TITLES if rounds.get(mode)}
    for process in running:
        said, complaint = process.communicate()
        if process.returncode != 0:
            raise Missing((complaint.strip().splitlines() or ["no reason given"])[-1])
        one = json.loads(said)
        windows = found[one["mode"]]
        windows.seconds += one["seconds"]
        windows.checks += one["checks"]
        windows.allowed += one["allowed"]
    return list(found.values())


def run(mode: str, rounds: int, seed: int) -> dict[str, Any]:
    """One way, on a server of its own."""
    from spicedb_embedded import EmbeddedSpiceDB

    rng = random.Random(seed)
    users = [str(number) for number in range(rounds)]
    everybody = [*users, BYSTANDER]
    facts = [relationship("doc", "1", "reader", "team", "all", "member")]
    facts += [relationship("team", "all", "member", "user", user) for user in everybody]
    with EmbeddedSpiceDB.start(SCHEMA, facts) as server:
        client = _Client(server.permissions(), mode)
        options = {"bystander": BYSTANDER} if mode in MINIMIZED else {}
        tracker = Tracker(client.check, pause_seconds=PAUSES.get(mode, PAUSE_SECONDS), **options)
        if mode in MINIMIZED:
            _wait_until_seen(client)
        stop = threading.Event()
        if mode == "loaded":
            threading.Thread(target=client.write_others, args=(stop,), daemon=True).start()
        tracker.follow(client.remove, users, _pauses(mode, rng), LIMIT_SECONDS)
        stop.set()
    return {
        "mode": mode,
        "seconds": tracker.seconds,
        "checks": tracker.checks,
        "allowed": tracker.allowed,
    }


def _wait_until_seen(client: _Client) -> None:
    """What was just written is not seen at once."""
    end = time.monotonic() + LIMIT_SECONDS
    while not client.check(BYSTANDER):
        if time.monotonic() > end:
            raise Missing("what was written is not seen")
        time.sleep(0.1)


def _pauses(mode: str, rng: random.Random) -> Iterable[float]:
    """Before each removal: long ones where nothing else may happen, so that it meets any phase of a server
    that refreshes at fixed times.
    """
    if mode == "quiet":
        return (rng.uniform(5.6, 9.0) for _ in itertools.count())
    if mode == "loaded":
        return (rng.expovariate(4.0) for _ in itertools.count())
    return itertools.repeat(0.002)


class _Client:
    def __init__(self, permissions: Any, mode: str) -> None:
        self._permissions, self._mode = permissions, mode
        self._tokens: dict[str, Any] = {}

    def remove(self, user: str) -> float:
        """Out of the team; when that returned."""
        written = self._write(user, delete=True)
        at = time.monotonic()
        self._tokens[user] = written.written_at
        return at

    def check(self, user: str) -> bool:
        """Whether the user reads the document, with the mode's consistency."""
        from authzed.api.v1 import CheckPermissionRequest

        request = CheckPermissionRequest(
            resource=thing("doc", "1"),
            permission="read",
            subject=subject("user", user),
            consistency=self._consistency(user),
        )
        return bool(self._permissions.CheckPermission(request).permissionship == ALLOWED)

    def _consistency(self, user: str) -> Any:
        from authzed.api.v1 import Consistency

        if self._mode == "fully":
            return Consistency(fully_consistent=True)
        if self._mode == "at_least":
            return Consistency(at_least_as_fresh=self._tokens[user])
        return Consistency(minimize_latency=True)

    def write_others(self, stop: threading.Event) -> None:
        """Until it is stopped, somebody unknown joins another team, again and again."""
        for number in itertools.count():
            if stop.wait(1 / WRITES_PER_S):
                return
            self._write(f"other-{number}", team="another")

    def _write(self, user: str, *, team: str = "all", delete: bool = False) -> Any:
        from authzed.api.v1 import RelationshipUpdate, WriteRelationshipsRequest

        operation = RelationshipUpdate.Operation
        kind = operation.OPERATION_DELETE if delete else operation.OPERATION_TOUCH
        fact = relationship("team", team, "member", "user", user)
        update = RelationshipUpdate(operation=kind, relationship=fact)
        return self._permissions.WriteRelationships(WriteRelationshipsRequest(updates=[update]))


def main() -> None:
    """In a process of its own; prints what it saw."""
    print(json.dumps(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
