"""The supervisor of several processes tends its own children alone, and keeps their metrics fresh."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rescind.http.server import supervising
from rescind.http.server.supervising import refreshed
from rescind.instruments import Instruments
from rescind.settings import Settings

ORPHAN = """
import os
import signal

from rescind.http.server.supervising import supervise
from rescind.settings import Settings

supervisor, orphan = os.getpid(), os.fork()
if not orphan:
    os._exit(7)
os.waitid(os.P_PID, orphan, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody was told yet


def run(instruments):
    while os.path.exists(f"/proc/{orphan}") and os.getppid() == supervisor:
        pass
    while os.getppid() == supervisor:
        os.kill(supervisor, signal.SIGTERM)


supervise(1, Settings(), run)
print("ended in order")
"""


def test_the_end_of_an_orphan_is_no_end_of_a_process(tmp_path: Path) -> None:
    """The first process of a container adopts orphans, and is told of their end as of its own children's."""
    ran = subprocess.run(
        [sys.executable, "-c", ORPHAN], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert (ran.stdout, ran.stderr, ran.returncode) == ("ended in order\n", "", 0)


def test_figures_are_shown_again_after_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """One refresh that fails does not end those that follow."""
    monkeypatch.setattr(supervising, "REFRESH_SECONDS", 0.001)
    instruments, calls, again = Instruments(Settings()), [0], threading.Event()

    def source() -> None:
        calls[0] += 1
        if calls[0] == 1:
            raise OSError("no room")
        again.set()

    instruments.on_refresh(source)
    with refreshed(instruments):
        assert again.wait(30)
