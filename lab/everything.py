"""`python -m lab all`: every benchmark in turn, each in a process of its own, then the pages.

One that fails does not keep the others from being measured, and neither does one that does not end: after
several times as long as it is expected to take, it is interrupted.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

MINUTES: Final = {
    "adopt": 1.0,
    "bulk": 4.0,
    "capacity": 3.0,
    "checks": 2.5,
    "contention": 0.8,
    "fleet": 2.5,
    "http": 1.0,
    "inline": 1.2,
    "insight": 2.5,
    "lists": 2.5,
    "network": 6.0,
    "partitions": 0.5,
    "past": 3.0,
    "peers": 8.5,
    "probe": 0.8,
    "real": 1.0,
    "scale": 6.5,
    "storm": 3.0,
    "sync": 4.5,
    "window": 4.0,
    "workers": 1.0,
}
"""How long each is expected to take in full on two cores that do nothing else."""
MOST_MINUTES: Final = 60.0
"""What all of them may be expected to take."""
PATIENCE: Final = 4.0
"""After so many times the expected time one is interrupted."""
LEAST_SECONDS: Final = 600.0
"""But not before that: a machine may be slow."""
END_SECONDS: Final = 60.0
"""An interrupted one may take so long to stop its servers."""
INTERRUPTED: Final = 130
Run = Callable[[Sequence[str], float], int]


def run(
    names: Iterable[str], options: Sequence[str], *, save: bool, start: Run | None = None
) -> int:
    """Run them with these options; say how long each should take, and took. With `save` the pages are written
    from what was kept. The number of those that failed.
    """
    start, names = start or _start, list(names)
    failed = 0
    if "--quick" not in options:
        total = sum(MINUTES[name] for name in names)
        print(f"lab: {len(names)} benchmarks, about {total:.0f} minutes", flush=True)
    for name in names:
        expected = MINUTES[name] * 60
        print(f"lab: {name}: in full about {MINUTES[name]:g} min …", flush=True)
        began = time.monotonic()
        arguments = [name, "--json", *options, *(["--save"] if save else [])]
        code = start(arguments, max(PATIENCE * expected, LEAST_SECONDS))
        failed += code != 0
        verdict = {0: "", INTERRUPTED: ", INTERRUPTED"}.get(code, ", FAILED")
        print(f"lab: {name}: {time.monotonic() - began:.0f} s{verdict}", flush=True)
    for page in ("summary", "report") if save else ():
        failed += start([page], LEAST_SECONDS) != 0
    return failed


def _start(arguments: Sequence[str], most_seconds: float) -> int:
    return within([sys.executable, "-m", "lab", *arguments], most_seconds)


def within(command: Sequence[str], most_seconds: float) -> int:
    """Run a command to its end; its status. If that takes too long it is interrupted, as by Ctrl-C, so that
    it stops what it has started; it is killed only if it does not end then.
    """
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            return process.wait(most_seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
    return INTERRUPTED
