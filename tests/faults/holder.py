"""A process that holds an organization in memory: `python -m tests.faults.holder DATABASE LEASE_SECONDS`.

For each line that it is sent it says whether Ada may read, as memory or the database has it.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rescind import Authority
from rescind.settings import Settings


class Holder:
    """The process, from the side of the test."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._next()

    def send(self, number: signal.Signals) -> None:
        """Stop it, have it go on, or kill it."""
        self._process.send_signal(number)
        if number == signal.SIGKILL:
            self._process.wait()

    def allows(self) -> bool:
        """What it answers now."""
        assert self._process.stdin is not None
        self._process.stdin.write("ask\n")
        self._process.stdin.flush()
        return self._next() == "True"

    def _next(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "it has ended"
        return line.strip()


@contextmanager
def holding(database: str, lease_seconds: float) -> Iterator[Holder]:
    """Such a process, which holds the organization when the block begins."""
    command = [sys.executable, "-m", "tests.faults.holder", database, str(lease_seconds)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Holder(process)
        finally:
            process.kill()


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
