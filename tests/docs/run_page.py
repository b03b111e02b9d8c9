"""`python -m tests.docs.run_page`: do what pages say, each in a fork, for the requests on standard input.

Python blocks share one namespace, console blocks one shell, as they do for a reader who follows the
page from top to bottom; SQL goes to `acme.db`. Lines below a command are what it must print, where
`…` stands for anything. A fork exits with 1 and the place of what does not hold.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.docs.pages import Block, blocks
from tests.docs.preloaded import Preloaded, serve, words_of

URL = "postgresql://localhost/acme"
"""The server's URL on every page; the test's own takes its place."""
BEFOREHAND = ("make ", ". .venv/bin/activate", "git clone ", "python3 -m venv ", "pip install ")
"""Commands that set up what the test has already."""
_HERE = re.compile(r"<<'(\w+)'")


def main(page: str, url: str) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with closing(Preloaded()) as rescind, closing(Shell()) as shell:
        for block in blocks(Path(page)):
            if not block.is_run:
                continue
            text = block.text.replace(URL, url)
            if block.language == "python":
                code = "\n" * block.line + text
                exec(compile(code, str(block.page), "exec", dont_inherit=True), namespace)
            elif block.language == "sql":
                with closing(sqlite3.connect("acme.db")) as connection:
                    connection.executescript(text)
            else:
                _console(block, text, shell, rescind)


def _console(block: Block, text: str, shell: Shell, rescind: Preloaded) -> None:
    for command, expected in commands(text):
        if command.startswith(BEFOREHAND):
            continue
        code, printed = _done(command, shell, rescind)
        if code not in _codes(command, expected) or not _matches(expected, printed):
            sys.exit(f"{block}\n$ {command}\nexit code {code}, printed:\n{printed}")


def _done(command: str, shell: Shell, rescind: Preloaded) -> tuple[int, str]:
    """The exit code of a command and what it printed, in the shell's folder and with what it exports."""
    words = words_of(command)
    if words is None:
        return shell.run(command)
    _, state = shell.run("pwd; env -0 | base64 -w0")
    folder, variables = state.split("\n", 1)
    entries = base64.b64decode(variables).decode().split("\0")
    return rescind.run(words, folder, dict(each.split("=", 1) for each in entries if each))


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a console block, with its here-document, and the lines that it must print."""
    lines = text.splitlines()
    while lines:
        line = lines.pop(0)
        if not line.startswith("$ "):
            sys.exit(f"no command before {line!r}")
        parts = [line.removeprefix("$ ")]
        while parts[-1].endswith("\\"):
            parts.append(lines.pop(0))
        if here := _HERE.search(parts[-1]):
            while parts[-1] != here[1]:
                parts.append(lines.pop(0))
        expected = []
        while lines and not lines[0].startswith("$ "):
            expected.append(lines.pop(0))
        yield "\n".join(parts), expected


def _codes(command: str, expected: list[str]) -> tuple[int, ...]:
    if expected and expected[0].startswith("rescind: "):
        return (2,)
    words = shlex.split(command.splitlines()[0].removesuffix("\\"))
    is_check = {"check", "explain"} & set(words[:8])
    if is_check and expected:
        return (0,) if expected[0].startswith("allowed") else (1,)
    return (0, 1) if is_check else (0,)


def _matches(expected: list[str], printed: str) -> bool:
    if not expected:
        return True
    pattern = "\n".join(re.escape(line.rstrip()).replace("…", ".*") for line in expected)
    found = "\n".join(line.rstrip() for line in printed.splitlines())
    return re.fullmatch(pattern, found, re.DOTALL) is not None


class Shell:
    """One shell for a page: what a command exports is there for the next."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command: str) -> tuple[int, str]:
        """The exit code of a command and what it printed."""
        mark = secrets.token_hex(8)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{{ {command}\n}} </dev/null\nprintf '\\n{mark} %s\\n' $?\n")
        self._process.stdin.flush()
        printed = ""
        for line in self._process.stdout:
            if line.startswith(mark):
                return int(line.split()[1]), printed.removesuffix("\n")
            printed += line
        sys.exit(f"the shell ended at:\n{command}\n{printed}")

    def close(self) -> None:
        """End the shell."""
        self._process.communicate()


def _follow(words: list[str]) -> None:
    sys.path.insert(0, str(Path.cwd()))
    main(*words)


if __name__ == "__main__":
    serve(os.dup(0), os.dup(1), _follow)
