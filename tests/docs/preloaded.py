"""Pages and their `rescind` commands, without loading the program's modules anew for each.

A process that has loaded them forks for each command, and for each page. The child has the folder, the
environment and the exit code that a new process would have.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import signal
import sys
from collections.abc import Callable
from typing import Final, NoReturn

_PLAIN: Final = re.compile(r"""rescind [\w@.:/=,*+'" -]+""")
"""Commands that a shell would pass on as they are: no variable, pipe, redirection or job."""


def words_of(command: str) -> list[str] | None:
    """The arguments of a command that needs no shell, or None."""
    line = command.replace("\\\n", "").split(" # ")[0].rstrip()
    if _PLAIN.fullmatch(line) is None or "*" in line.replace("'*'", ""):
        return None
    words = shlex.split(line)[1:]
    return None if words[0] in ("serve", "worker", "demo") else words


class Preloaded:
    """The process that forks. Started before its parent has threads."""

    def __init__(self) -> None:
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        self._process = os.fork()
        if self._process == 0:
            os.close(self._requests)
            os.close(self._answers)
            serve(requests, answers, _rescind)
        os.close(requests)
        os.close(answers)
        self._stream = os.fdopen(self._answers, "rb")

    def run(self, words: list[str], folder: str, environment: dict[str, str]) -> tuple[int, str]:
        """The exit code, and what was printed on both streams."""
        request = json.dumps([words, folder, environment]) + "\n"
        data = request.encode()
        while data:
            data = data[os.write(self._requests, data) :]
        code, printed = json.loads(self._stream.readline())
        return code, printed

    def close(self) -> None:
        """End the process."""
        os.close(self._requests)
        self._stream.close()
        os.waitpid(self._process, 0)


def serve(requests: int, answers: int, program: Callable[[list[str]], object]) -> NoReturn:
    """Run the program in a fork for each line of requests: words, folder and environment."""
    with os.fdopen(requests, "rb") as stream:
        for line in stream:
            importlib.import_module("tests.preloaded")
            words, folder, environment = json.loads(line)
            read, write = os.pipe()
            child = os.fork()
            if child == 0:
                for inherited in (read, requests, answers):
                    os.close(inherited)
                _run(program, words, folder, environment, write)
            os.close(write)
            with os.fdopen(read, "rb") as output:
                printed = output.read().decode("utf-8", "replace")
            # A fork leaves without the handlers of `atexit`, so what it started and left is ended here.
            os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
            os.killpg(child, signal.SIGTERM)
            _, status = os.waitpid(child, 0)
            answer = json.dumps([os.waitstatus_to_exitcode(status), printed]) + "\n"
            data = answer.encode()
            while data:
                data = data[os.write(answers, data) :]
    os._exit(0)


def _rescind(words: list[str]) -> None:
    from rescind.cli import main

    sys.argv = ["rescind", *words]
    main()


def _run(
    program: Callable[[list[str]], object],
    words: list[str],
    folder: str,
    environment: dict[str, str],
    output: int,
) -> NoReturn:
    code: object = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        null = os.open(os.devnull, os.O_RDONLY)
        for target, source in ((0, null), (1, output), (2, output)):
            os.dup2(source, target)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        program(words)
        code = 0
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)
