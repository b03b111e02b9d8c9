"""What the tests of the command line share: how it is called, and what an error looks like."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.forked import Forked

CommandLine = Callable[..., tuple[int, str, str]]


def one_error(result: tuple[int, str, str]) -> str:
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith("rescind: ")
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    return err


def spawned(folder: Path, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "import rescind.cli; rescind.cli.main()", *arguments]
    environment = {**os.environ, "RESCIND_ORGANIZATION": "acme"}
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, **options
    )


def forked(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The same, without loading the program anew."""
    environment = {**os.environ, "RESCIND_ORGANIZATION": "acme"}
    process = Forked("rescind.cli", *arguments, folder=folder, environment=environment)
    printed, said = process.communicate()
    return subprocess.CompletedProcess(arguments, process.wait(), printed, said)


def spawned_shell(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RESCIND_ORGANIZATION": "acme"}
    return subprocess.run(
        ["sh", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
