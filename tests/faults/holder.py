"""A process that holds an organization in memory: `python -m tests.faults.holder DATABASE LEASE_SECONDS`.

For each line that it is sent it says whether Ada may read, as memory or the database has it.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

from rescind import Authority
from rescind.settings import Settings
from tests.forked import Forked


class Holder:
    """The process, from the side of the test."""

    def __init__(self, process: Forked) -> None:
        self._process = process
        self._next()

    def send(self, number: signal.Signals) -> None:
        """Stop it, have it go on, or kill it."""
        self._process.send_signal(number)
        if number == signal.SIGKILL:
            self._process.wait()

    def allows(self) -> bool:
        """What it answers now."""
        self._process.stdin.write("ask\n")
        self._process.stdin.flush()
        return self._next() == "True"

    def _next(self) -> str:
        line = self._process.stdout.readline()
        assert line, "it has ended"
        return line.strip()


@contextmanager
def holding(database: str, lease_seconds: float) -> Iterator[Holder]:
    """Such a process, which holds the organization when the block begins."""
    with closing(Forked("tests.faults.holder", database, str(lease_seconds))) as process:
        yield Holder(process)


def main() -> None:
    """Hold, and answer until the input ends."""
    database, lease_seconds = sys.argv[1], float(sys.argv[2])
    settings = Settings(lease_seconds=lease_seconds)
    with Authority.open(database, organization="acme", settings=settings, index=True) as authority:
        authority.load()
        print("holding", flush=True)
        for _ in sys.stdin:
            print(bool(authority.check("user:ada", "read")), flush=True)


if __name__ == "__main__":
    main()
