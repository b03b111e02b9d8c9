"""The service over HTTP: one process on SQLite, 16 connections of a load generator on the same machine.

Checks, AuthZEN evaluations, batches of 100, and writes; beside SpiceDB in the same run, where it is there.
What a request costs the server's processor is told too, since the generator takes its share of the machine.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import spicedb
from lab.load import Load
from lab.report import Goal
from lab.worlds import apply_all, one_group
from rescind import Authority, changes
from rescind.http.keys import Keys
from rescind.store.migrations import migrate

GOALS = {
    "http.check_per_s": Goal(10_000, is_least=True),
    "http.over_spicedb": Goal(5, is_least=True),
    "http.batch_decisions_per_s": Goal(100_000, is_least=True),
    "http.write_per_s": Goal(
        4_000,
        is_least=True,
        why=(
            "16 connections wait for a commit of 8 to 11 changes; what remains is Python, about 11,000"
            " instructions a change"
        ),
    ),
}
CONNECTIONS = 16
BATCH = 100
Figures = dict[str, float]


def run(*, quick: bool, seed: int) -> Figures:  # noqa: ARG001
    """Figures by the second; latencies in ms."""
    users, seconds = (200, 3.0) if quick else (5_000, 10.0)
    figures: Figures = {}
    with tempfile.TemporaryDirectory(prefix="rescind-lab-") as folder:
        database = str(Path(folder) / "lab.db")
        migrate(database)
        with Authority.open(database, organization="acme") as authority:
            apply_all(authority, one_group(users, 1))
            authority.apply([changes.Assign(role="reader", to="group:all", on="doc:0")])
            key = Keys(authority.store).create("lab", ["admin"], organization="acme")[1]
        with served(folder, database) as (port, process):
            for name, path, bodies in _loads(users):
                print(f"lab: {name} …", file=sys.stderr)
                load = Load("127.0.0.1", port, key, path, bodies, CONNECTIONS, seconds)
                before = _processor_seconds(process)
                found = load.run()
                refused = found.pop("refused")
                if refused:
                    raise RuntimeError(f"{path}: {refused:.0f} requests were refused")
                spent = (_processor_seconds(process) - before) / found["requests"]
                found["cpu_us"] = spent * 1e6
                del found["requests"]
                figures |= {f"http.{name}_{what}": value for what, value in found.items()}
    figures["http.batch_decisions_per_s"] = figures.pop("http.batch_per_s") * BATCH
    peer = spicedb.measured(users, seconds)
    if peer:
        figures["http.spicedb_check_per_s"] = peer["check_per_s"]
        figures["http.over_spicedb"] = figures["http.check_per_s"] / peer["check_per_s"]
    return figures


def _loads(users: int) -> Iterator[tuple[str, str, list[str]]]:
    ours = [
        {"subject": f"user:{n}", "permission": "read", "resource": "doc:0"} for n in range(users)
    ]
    authzen = [
        {
            "subject": {"type": "user", "id": str(n)},
            "action": {"name": "read"},
            "resource": {"type": "doc", "id": "0"},
        }
        for n in range(users)
    ]
    turn = itertools.cycle(ours)
    batches = [{"checks": [next(turn) for _ in range(BATCH)]} for _ in range(50)]
    # Each connection takes its own user out and in again, so that every request changes something.
    writes = [
        {"changes": [{"change": f"{verb}_members", "group": "all", "members": [f"user:{n}"]}]}
        for verb in ("remove", "add")
        for n in range(CONNECTIONS)
    ]
    yield "check", "/v1/check", list(map(json.dumps, ours))
    yield "evaluation", "/access/v1/evaluation", list(map(json.dumps, authzen))
    yield "batch", "/v1/check/batch", list(map(json.dumps, batches))
    yield "write", "/v1/changes", list(map(json.dumps, writes))


def _processor_seconds(process: int) -> float:
    """What the process has used of its processor, all threads."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(folder: str, database: str, *options: str) -> Iterator[tuple[int, int]]:
    """Port and process of `rescind serve` on the database, with more options; ended at the end."""
    command = [sys.executable, "-c", "import rescind.cli; rescind.cli.main()"]
    log = Path(folder) / "log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [*command, "serve", "--port", "0", "-d", database, *options],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if found := re.match(r"serving on http://\S+:(\d+)", line):
                    yield int(found[1]), process.pid
                    break
            else:
                raise RuntimeError(log.read_text())
        finally:
            process.terminate()
