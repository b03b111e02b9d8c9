"""The fleet: replicas, writers and workers as processes, one PostgreSQL, and a nemesis.

    python -m tests.faults.fleet MINUTES [SEED]

Exits 1 and says which, if anybody was allowed what was revoked.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rescind import Authority
from tests.faults.gate import Gate
from tests.faults.history import Event, read, violations
from tests.faults.member import world
from tests.faults.server import Server, running
from tests.forked import Forked

LEASE_SECONDS = 0.5
STOP_SECONDS = 30


@dataclass
class Plan:
    """Who takes part, and what is done to them. `off` are guards that replicas and writers do without."""

    seconds: float
    replicas: int = 4
    writers: int = 2
    workers: int = 2
    seed: int = 1
    off: tuple[str, ...] = ()
    faults: tuple[str, ...] = ("pause", "kill", "stall", "shut", "crash")


@dataclass
class Member:
    """A process, and its way to the database."""

    role: str
    number: int
    gate: Gate
    arguments: list[str]
    said: Path
    """What it prints goes there."""
    process: Forked = field(init=False)

    def start(self) -> None:
        """Start it, or another in its place."""
        self.process = Forked("tests.faults.member", *self.arguments, said=self.said)

    def stop(self) -> None:
        """Let it end by itself."""
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()

    def join(self) -> None:
        """Wait until it has ended; it is killed where it does not."""
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Fleet:
    """Runs a plan. `done` counts what the nemesis did."""

    def __init__(self, plan: Plan, server: Server, folder: Path) -> None:
        self.plan, self._server, self._folder = plan, server, folder
        self._choose = random.Random(plan.seed)
        self.done: Counter[str] = Counter()

    def run(self) -> list[Event]:
        """All that happened."""
        url = self._server.new_database()
        database = url.split("/")[3].split("?")[0]
        with Authority.open(url, organization="acme") as authority:
            authority.apply(world())
        with self._members(database) as members:
            replicas = [member for member in members if member.role == "replica"]
            deadline = time.monotonic() + self.plan.seconds
            while time.monotonic() < deadline:
                time.sleep(self._choose.uniform(0.2, 0.8))
                if self.plan.faults:
                    fault = self._choose.choice(self.plan.faults)
                    self.done[fault] += 1
                    _FAULTS[fault](self, self._choose.choice(replicas))
        return read(self._folder)

    @contextmanager
    def _members(self, database: str) -> Iterator[list[Member]]:
        with ExitStack() as stack:
            members = []
            for role, count in (
                ("replica", self.plan.replicas),
                ("writer", self.plan.writers),
                ("worker", self.plan.workers),
            ):
                for number in range(count):
                    gate = Gate(self._server.socket)
                    stack.callback(gate.close)
                    members.append(self._member(role, number, gate, database))
            for member in members:
                member.start()
                stack.callback(member.join)
            try:
                yield members
            finally:
                for member in members:
                    member.gate.open()
                    member.stop()

    def _member(self, role: str, number: int, gate: Gate, database: str) -> Member:
        options = {
            "off": self.plan.off,
            "deaf": 0.5 if (role, number) == ("replica", 1) else 0.0,
            "writers": self.plan.writers,
            "settings": {"lease_seconds": LEASE_SECONDS},
        }
        arguments = [role, str(number), gate.url(database), str(self._folder), json.dumps(options)]
        return Member(role, number, gate, arguments, self._folder / f"{role}-{number}.log")

    # --- the nemesis ------------------------------------------------------------------------------

    def pause(self, member: Member) -> None:
        """Stop a replica, perhaps past its lease, and let it go on."""
        member.process.send_signal(signal.SIGSTOP)
        self._for_a_while()
        member.process.send_signal(signal.SIGCONT)

    def kill(self, member: Member) -> None:
        """End a replica without a word, and start another."""
        os.kill(member.process.pid, signal.SIGKILL)
        member.process.wait()
        member.process.stdin.close()
        member.start()

    def stall(self, member: Member) -> None:
        """Hold up what a replica and the database say to each other; it goes on answering."""
        member.gate.stall()
        self._for_a_while()
        member.gate.open()

    def shut(self, member: Member) -> None:
        """Cut a replica off, and let it come back."""
        member.gate.shut()
        self._for_a_while()
        member.gate.open()

    def crash(self, member: Member) -> None:  # noqa: ARG002
        """Stop the database at once, and start it again."""
        self._server.crash()
        self._server.start()

    def _for_a_while(self) -> None:
        time.sleep(self._choose.uniform(0.1, 3 * LEASE_SECONDS))


_FAULTS: dict[str, Callable[[Fleet, Member], None]] = {
    "pause": Fleet.pause,
    "kill": Fleet.kill,
    "stall": Fleet.stall,
    "shut": Fleet.shut,
    "crash": Fleet.crash,
}


def run(plan: Plan, server: Server) -> tuple[list[Event], list[str], Counter[str]]:
    """What happened, what must not have, and what the nemesis did."""
    with tempfile.TemporaryDirectory(prefix="rescind-fleet-") as folder:
        fleet = Fleet(plan, server, Path(folder))
        events = fleet.run()
    return events, list(violations(events)), fleet.done


def main() -> int:
    """A long run, from the command line."""
    minutes, seed = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns()
    with running() as server:
        events, found, done = run(Plan(minutes * 60, seed=seed), server)
    kinds = Counter(event.kind for event in events)
    print(f"seed {seed}; faults {dict(done)}; events {dict(kinds)}; violations {len(found)}")
    print("\n".join(found[:20]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
