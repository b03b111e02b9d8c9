"""Tries many mutants in one pytest process: it imports and collects once, and forks for each.

A forked child puts its mutant in place, runs the tests that concern it until one fails, and ends without
any clean-up of what it shares with its parent.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PutInPlace = Callable[[str, str], bool]
"""Puts a mutant in place, given its name and what it changes, and says whether it is."""
FAILED, PASSED, BROKEN, NOT_IN_PLACE = 1, 0, 3, 4
NO_FORK = "not in a fork"
"""The outcome where a mutant cannot be put in place once its module is imported."""


def run(item: pytest.Item, following: pytest.Item | pytest.Session) -> None:
    """Run a test, and take down what the following does not share. After the last one that is the session:
    what all tests share is the parent's to take down.
    """
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


class Forks:
    """Instead of running the collected tests: those of each mutant in `file`, in a child."""

    def __init__(self, file: str, results: int, ready: Callable[[], PutInPlace]) -> None:
        self.mutants: list[dict[str, Any]] = json.loads(Path(file).read_text())
        self.results, self.ready = results, ready
        self.failed: str | None = None
        self.engine = os.environ["RESCIND_MUTANT_ENGINE"]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Warm up what all tests share, then try one mutant after the other."""
        items = {item.nodeid: item for item in session.items}
        run(next((i for i in session.items if self.engine in i.nodeid), session.items[0]), session)
        assert self.failed is None, self.failed
        self.put_in_place = self.ready()
        for mutant in self.mutants:
            chosen = [items[test] for test in mutant["tests"] if test in items]
            for item in chosen:
                item.add_marker(pytest.mark.timeout(mutant["tests"][item.nodeid]), append=False)
            line = json.dumps({"name": mutant["name"], **self._tried(mutant, chosen)})
            os.write(self.results, f"{line}\n".encode())
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what failed."""
        if report.failed and self.failed is None:
            self.failed = report.nodeid

    def _tried(self, mutant: dict[str, Any], chosen: list[pytest.Item]) -> dict[str, Any]:
        start = time.monotonic()
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.setpgid(0, 0)
            os._exit(self._in_child(mutant, chosen, writing))
        os.close(writing)
        ready, _, _ = select.select([reading], [], [], mutant["most_seconds"])
        if not ready:
            os.killpg(child, signal.SIGKILL)
        by = os.read(reading, 4096).decode() if ready else "time limit"
        os.close(reading)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        outcomes = {PASSED: "survived", BROKEN: "no verdict", NOT_IN_PLACE: NO_FORK}
        return {
            "outcome": outcomes.get(code, "caught"),
            "by": by,
            "tests": len(chosen),
            "seconds": round(time.monotonic() - start, 1),
        }

    def _in_child(self, mutant: dict[str, Any], chosen: list[pytest.Item], writing: int) -> int:
        """The exit code."""
        try:
            if not self.put_in_place(mutant["name"], mutant["place"]):
                return NOT_IN_PLACE
            for item, following in zip(chosen, [*chosen[1:], chosen[0].session], strict=True):
                run(item, following)
                if self.failed is not None:
                    os.write(writing, self.failed.encode()[:4096])
                    return FAILED
        except BaseException as error:  # a child must never go on as the parent
            os.write(writing, repr(error).encode()[:4096])
            return BROKEN
        os.write(writing, b" ")
        return PASSED
