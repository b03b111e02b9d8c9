"""`rescind serve` as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import httpx

from tests.forked import Forked


class Process:
    """A server: its address, what it printed, and its log."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        command: Sequence[str] = ("serve", "--port", "0"),
        announced: str = "serving on",
        **environment: str,
    ) -> None:
        self.process = Forked(
            "rescind.cli",
            *command,
            *arguments,
            folder=folder,
            environment={**os.environ, **environment},
        )
        self.printed: list[str] = []
        self.log: list[str] = []
        self._reader = threading.Thread(target=self.log.extend, args=(self.process.stderr,))
        self._reader.start()
        self.url = self._read_url(self.process.stdout, announced)

    def _read_url(self, stream: IO[str], announced: str) -> str:
        for line in stream:
            self.printed.append(line.strip())
            if found := re.match(rf"{announced} (http://\S+)", line):
                return found[1]
        self.process.wait()
        self._reader.join()
        raise AssertionError(f"it did not start: {''.join(self.log)}")

    def read_line(self) -> str:
        """The next line that it prints."""
        return self.process.stdout.readline()

    @property
    def key(self) -> str:
        """The first admin key, which was printed."""
        place = self.printed.index("admin key, shown this once:")
        return self.printed[place + 1]

    def client(self, key: str | None = None) -> httpx.Client:
        """A client with the first admin key, or another."""
        headers = {"Authorization": f"Bearer {key or self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def end(self, number: int = signal.SIGTERM) -> int:
        """The exit code after a signal."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait()
        self._reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()
        return code


@contextmanager
def started(folder: Path, *arguments: str, **options: Any) -> Iterator[Process]:
    """A server for the length of the block."""
    server = Process(folder, *arguments, **options)
    try:
        yield server
    finally:
        server.end()
