"""`rescind probe --target` on Rescind and on SpiceDB, over HTTP: how long is revoked access still allowed?

Each system is described by a file, as users describe theirs. SpiceDB, in memory and in one process, is asked
with the consistency of a request that names none, and fully consistent. `make lab` installs it; without it
there are figures of Rescind alone. Access is left for a random time before it is revoked, and rounds begin at
random times, so that nothing falls into step with a system that refreshes at fixed times.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from lab.http import served
from lab.report import Goal
from lab.spicedb import LIBRARY
from lab.tables import Table, shown
from lab.worlds import apply_all, one_group
from rescind import Authority, changes
from rescind.http.keys import Keys
from rescind.insight.probe import Summary
from rescind.insight.probe.measurement import Limits
from rescind.insight.probe.target import TargetProbe, read_target
from rescind.store.migrations import migrate

GOALS = {
    "probe.rescind.late_rounds": Goal(0),
    "probe.rescind.stale_max_ms": Goal(0),
}
LONGEST_REST = 2.0
LIMITS = Limits(timeout_seconds=30.0, hold_seconds=5.0)
Figures = dict[str, float]

SPICEDB = """
name = "SpiceDB, {how}"
[grant]
url = "http://127.0.0.1:{port}/grant"
json = {{ user = "{{round}}" }}
[revoke]
url = "http://127.0.0.1:{port}/revoke"
json = {{ user = "{{round}}" }}
[check]
url = "http://127.0.0.1:{port}/check/{how}"
json = {{ user = "{{round}}" }}
"""
RESCIND = """
name = "Rescind"
[grant]
url = "http://127.0.0.1:{port}/v1/changes"
headers = {{ Authorization = "Bearer ${{LAB_KEY}}" }}
json = {{ changes = [
    {{ change = "add_membership", subject = "user:{{round}}" }},
    {{ change = "add_members", group = "all", members = ["user:{{round}}"] }},
] }}
[revoke]
url = "http://127.0.0.1:{port}/v1/changes"
headers = {{ Authorization = "Bearer ${{LAB_KEY}}" }}
json = {{ changes = [{{ change = "remove_members", group = "all", members = ["user:{{round}}"] }}] }}
[check]
url = "http://127.0.0.1:{port}/v1/check"
headers = {{ Authorization = "Bearer ${{LAB_KEY}}" }}
json = {{ subject = "user:{{round}}", permission = "read", resource = "doc:0" }}
"""


def run(*, quick: bool, seed: int) -> Figures:
    """Times in ms; `late_rounds` are rounds in which a check that started after the return was allowed."""
    random.seed(seed)
    rounds = 3 if quick else 12
    figures: Figures = {"probe.rounds": rounds}
    with tempfile.TemporaryDirectory(prefix="rescind-lab-") as folder:
        with _rescind(folder) as port:
            figures |= _measured(folder, "rescind", RESCIND.format(port=port), rounds)
        if find_spec("spicedb_embedded") is None:
            print("lab: SpiceDB is not installed: run `make lab` once", file=sys.stderr)
            return figures
        with _spicedb() as port:
            for how in ("strict", "default"):
                text = SPICEDB.format(port=port, how=how)
                figures |= _measured(folder, f"spicedb_{how}", text, rounds)
    return figures


def shape(figures: Figures, _: dict[str, Goal]) -> Table:
    """A line for each system."""
    columns = {
        "seen p50": "appearance_p50_ms",
        "gone p50": "disappearance_p50_ms",
        "gone max": "disappearance_max_ms",
        "stale p50": "stale_p50_ms",
        "stale max": "stale_max_ms",
        "late rounds": "late_rounds",
    }
    systems = {
        "rescind": "Rescind",
        "spicedb_strict": "SpiceDB, fully consistent",
        "spicedb_default": "SpiceDB, default",
    }
    return Table(
        ["ms", *columns],
        [
            [title, *(shown(figures.get(f"probe.{name}.{what}")) for what in columns.values())]
            for name, title in systems.items()
            if f"probe.{name}.late_rounds" in figures
        ],
    )


def _measured(folder: str, name: str, text: str, rounds: int) -> Figures:
    print(f"lab: {name} …", file=sys.stderr)
    path = Path(folder) / f"{name}.toml"
    path.write_text(text, "utf-8")
    probe, summary = TargetProbe(read_target(path), limits=LIMITS), Summary()
    try:
        for _ in range(rounds):
            time.sleep(random.uniform(0, LONGEST_REST))
            summary.add([probe.round()])
    finally:
        probe.close()
    (point,) = summary.by_point()
    if not summary.is_complete:
        raise RuntimeError(f"{name}: access did not appear, or did not disappear")
    figures = {"late_rounds": float(point.violations), "checks": float(point.checks)}
    for what in ("appearance", "disappearance", "stale"):
        spread = getattr(point, what)
        figures |= {f"{what}_p50_ms": spread.p50 * 1e3, f"{what}_max_ms": spread.max * 1e3}
    return {f"probe.{name}.{what}": value for what, value in figures.items()}


@contextmanager
def _rescind(folder: str) -> Iterator[int]:
    """The port of a service with a group that reads a document."""
    database = str(Path(folder) / "lab.db")
    migrate(database)
    with Authority.open(database, organization="acme") as authority:
        apply_all(authority, one_group(200, 1))
        authority.apply([changes.Assign(role="reader", to="group:all", on="doc:0")])
        os.environ["LAB_KEY"] = Keys(authority.store).create("lab", ["admin"], organization="acme")[
            1
        ]
    with served(folder, database) as (port, _):
        yield port


@contextmanager
def _spicedb() -> Iterator[int]:
    """The port of SpiceDB behind HTTP, in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "lab.spicedb_http"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"SPICEDB_LIBRARY_PATH": str(LIBRARY), **os.environ},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
