"""Processes that are forked off one that has loaded the program, instead of loading it anew for each.

Loading the program takes most of what a short process costs. Each fork has the arguments, the folder, the
environment and the streams that a new process would have. What is said of loading itself is tested in
processes that are started anew.
"""

from __future__ import annotations

import importlib
import io
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["psycopg", "pytest", "tests.faults.tasks", "tests.preloaded"])
"""The process that forks has one thread and no connection, so that nothing crosses the fork."""


class Forked:
    """Calls `main` of a module in a process of its own. It has what tests use of `subprocess.Popen`; all
    streams are text. What it prints is added to the file `said`, or can be read from its streams.
    """

    def __init__(
        self,
        module: str,
        *arguments: str,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        said: Path | None = None,
    ) -> None:
        stdin, to_stdin = os.pipe()
        self.stdin: IO[str] = os.fdopen(to_stdin, "w", encoding="utf-8")
        self.stdout, stdout = _output(said)
        self.stderr, stderr = _output(said)
        self.returncode: int | None = None
        streams = (
            Connection(stdin, writable=False),
            Connection(stdout, readable=False),
            Connection(stderr, readable=False),
        )
        place, variables = str(folder or Path.cwd()), dict(environment or os.environ)
        self._process = CONTEXT.Process(
            target=_run, args=(module, arguments, place, variables, streams), daemon=True
        )
        self._process.start()
        for stream in streams:
            stream.close()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """The exit code of a process that has ended."""
        self.returncode = self._process.exitcode
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, when it has ended."""
        self._process.join(timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired([str(self.pid)], timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Nothing is sent to a process that has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def communicate(self, text: str = "") -> tuple[str, str]:
        """What it printed on both streams until it ended, when it was given the text."""
        with ThreadPoolExecutor(1) as pool, self.stdin, self.stdout, self.stderr:
            said = pool.submit(self.stderr.read)
            with suppress(BrokenPipeError):  # it need not read all of it
                self.stdin.write(text)
                self.stdin.flush()
            with suppress(BrokenPipeError):
                self.stdin.close()
            printed = self.stdout.read()
            self.wait()
            return printed, said.result()

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """End it at once, and forget what it has not been told, and what it said that nobody read."""
        self.kill()
        self.wait()
        for stream in (self.stdin, self.stdout, self.stderr):
            with suppress(BrokenPipeError):
                stream.close()


def _output(said: Path | None) -> tuple[IO[str], int]:
    """What a test reads of a stream, and what the process writes to."""
    if said is not None:
        to_file = os.open(said, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return io.StringIO(), to_file
    from_process, to_test = os.pipe()
    return os.fdopen(from_process, encoding="utf-8"), to_test


def _run(
    module: str,
    arguments: tuple[str, ...],
    folder: str,
    variables: dict[str, str],
    streams: tuple[Connection, ...],
) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream.fileno(), number)
        stream.close()
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = [module, *arguments]
    try:
        importlib.import_module(module).main()
    finally:
        sys.stdout.flush()
