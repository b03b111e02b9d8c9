"""The supervisor of several processes tends its own children alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
