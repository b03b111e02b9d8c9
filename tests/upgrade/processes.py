"""`rescind serve`, `rescind worker` and commands of one version."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from pathlib import Path
from typing import Final

START_SECONDS: Final = 60
STOP_SECONDS: Final = 30


def environment(database: str) -> dict[str, str]:
    """Of a process that uses this database, and nothing of this one's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RESCIND_")}
    return {**kept, "RESCIND_DATABASE": database, "PYTHONPATH": "", "RESCIND_DRAIN_SECONDS": "0"}


class Command:
    """A process that goes on until it is ended, and what it prints."""

    def __init__(self, commands: Path, folder: Path, database: str, *arguments: str) -> None:
        self.printed: list[str] = []
        self.process = subprocess.Popen(
            [str(commands / "rescind"), *arguments],
            cwd=folder,
            env=environment(database),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._announced = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed.append(line.rstrip())
            if re.match(r"serving on http://", line):
                self._announced.set()
        self._announced.set()

    def url(self) -> str:
        """Its address, once it serves."""
        assert self._announced.wait(START_SECONDS), self.printed
        for line in self.printed:
            if found := re.match(r"serving on (http://\S+)", line):
                return found[1]
        raise AssertionError(f"it did not start: {self.printed}")

    def key(self) -> str:
        """The first admin key, which it printed."""
        self.url()
        return self.printed[self.printed.index("admin key, shown this once:") + 1]

    def end(self) -> int:
        """The exit code after SIGTERM."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


def called(commands: Path, folder: Path, database: str, *arguments: str) -> tuple[int, str]:
    """The exit code of a command, and what it printed."""
    done = subprocess.run(
        [str(commands / "rescind"), *arguments],
        cwd=folder,
        env=environment(database),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout
