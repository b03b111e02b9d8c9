"""`python -m lab all`: every benchmark in turn, each in a process of its own, then the pages.

One that fails does not keep the others from being measured.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence

Run = Callable[[Sequence[str]], int]


def run(
    names: Iterable[str], options: Sequence[str], *, save: bool, start: Run | None = None
) -> int:
    """Run them with these options, and say how long each took. With `save` the pages are written from what
    was kept. The number of those that failed.
    """
    start = start or _start
    failed = 0
    for name in names:
        began = time.monotonic()
        code = start([name, "--json", *options, *(["--save"] if save else [])])
        failed += code != 0
        verdict = "" if code == 0 else ", FAILED"
        print(f"lab: {name}: {time.monotonic() - began:.0f} s{verdict}", flush=True)
    for page in ("summary", "report") if save else ():
        failed += start([page]) != 0
    return failed


def _start(arguments: Sequence[str]) -> int:
    command = [sys.executable, "-m", "lab", *arguments]
    return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
