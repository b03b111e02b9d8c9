"""How long after a removal has returned a check that starts then still allows: one distribution per system.

Rescind is asked at the database and at every replica, without pause, before, during and after each removal;
a window is the time from the return to the start of the last check that was allowed. The textbook is
asynchronous as it is often built: the membership is gone at once, a worker follows, a check is a plain read.
SpiceDB runs embedded, in memory; there the first write after a quiet time is the newest revision at once, so
a quiet server looks fresher than one on a database. Casbin has a second enforcer that loads the policy
every 5 s. The token is computed: it lives for 5 minutes, and removals come at any time.

"Documented" are the windows that others state for themselves. They were not measured, and not all mean the
same thing.
"""

from __future__ import annotations

import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from lab.databases import servers
from lab.report import Goal, Measured
from lab.tables import Table, shown
from lab.window import documented, polled, rescind, spicedb, textbook_async
from lab.window.windows import Windows, evenly

TITLE = "Window: how long removed access goes on"
GOALS = {"window.rescind.allowed": Goal(0)}
TOKEN_SECONDS = 300.0
FULL = {
    "rescind": {"inline": 400, "background": 300, "fleet": 300, "stopped": 20},
    "spicedb": {"quiet": 40, "loaded": 200, "at_least": 500, "fully": 500},
    "textbook": {"idle": 60, "busy": 60},
    "casbin": {"polled": 150},
}
QUICK = {
    "rescind": {"inline": 20, "background": 20, "fleet": 20, "stopped": 2},
    "spicedb": {"quiet": 4, "loaded": 20, "at_least": 20, "fully": 20},
    "textbook": {"idle": 6, "busy": 5},
    "casbin": {"polled": 16},
}
Parts = dict[str, dict[str, int]]


def run(*, quick: bool, seed: int) -> Measured:
    """Every system that this machine has. Those that mostly wait are measured at once, Rescind alone."""
    parts = QUICK if quick else FULL
    measured = Measured()
    found: list[Windows] = []
    with servers(with_log_files=False) as make:
        url = make("postgres")
        rescind.make(url)
        print("lab: the others …", file=sys.stderr)
        found += _others(make("postgres"), parts, seed, measured)
        print("lab: Rescind …", file=sys.stderr)
        found = rescind.measured(url, parts["rescind"]) + found
    found.append(
        Windows("token", "Token of 5 minutes (computed)", evenly(TOKEN_SECONDS), computed=True)
    )
    measured.figures = figures(found)
    measured.data = {
        "systems": [windows.data() for windows in found],
        "documented": [asdict(one) for one in documented.DOCUMENTED],
    }
    return measured


def figures(found: list[Windows]) -> dict[str, float]:
    """All by name; `window.rescind.allowed` is all of Rescind's checks that should have been denied."""
    ours = [windows for windows in found if windows.name.startswith("rescind.")]
    headlines = {
        "window.rescind.allowed": float(sum(windows.allowed for windows in ours)),
        "window.rescind.checks": float(sum(windows.checks for windows in ours)),
    }
    for windows in found:
        headlines |= windows.figures()
    return headlines


def _others(url: str, parts: Parts, seed: int, measured: Measured) -> list[Windows]:
    """The systems whose windows are seconds; what is missing is noted."""
    textbook_async.make(url)
    with ThreadPoolExecutor() as pool:
        waiting: list[tuple[str, Future[list[Windows]]]] = [
            ("spicedb", pool.submit(spicedb.measured, parts["spicedb"], seed)),
            ("casbin", pool.submit(_casbin, parts["casbin"]["polled"], seed)),
            ("textbook", pool.submit(_textbook, url, parts["textbook"], seed)),
        ]
    found: dict[str, list[Windows]] = {}
    for name, future in waiting:
        try:
            found[name] = future.result()
            measured.versions |= _version(name)
        except (spicedb.Missing, polled.Missing) as missing:
            measured.left_out[name] = str(missing)
    return [
        windows for name in ("textbook", "spicedb", "casbin") for windows in found.get(name, [])
    ]


def _casbin(rounds: int, seed: int) -> list[Windows]:
    return [polled.measured(rounds, seed)]


def _textbook(url: str, rounds: dict[str, int], seed: int) -> list[Windows]:
    return [
        textbook_async.measured(url, busy=name == "busy", rounds=count, seed=seed)
        for name, count in rounds.items()
    ]


def _version(name: str) -> dict[str, str]:
    packages = {"spicedb": "spicedb-embedded", "casbin": "pycasbin"}
    if name not in packages:
        return {}
    try:
        return {packages[name]: version(packages[name])}
    except PackageNotFoundError:
        return {}


def shape(found: dict[str, float], goals: dict[str, Goal]) -> Table:
    """A line for each system, after the goals."""
    columns = ("rounds", "checks", "allowed", "p50_ms", "p90_ms", "p99_ms", "max_ms")
    lines = []
    for name, goal in goals.items():
        verdict = ""
        if name in found:
            verdict = f": {'met' if goal.is_met(found[name]) else '**missed**'}"
        text = f"{goal.sign} {shown(goal.bound)}{verdict}"
        lines.append([f"`{name}`", "", "", shown(found.get(name)), *[""] * 3, text])
    names = [name.removesuffix(".rounds") for name in found if name.endswith(".rounds")]
    lines += [
        [f"`{name}`", *(shown(found.get(f"{name}.{column}")) for column in columns)]
        for name in names
    ]
    return Table(["system", *columns], lines)


def more(_: dict[str, Any]) -> str:
    """What the page has below the figures."""
    return f"## Documented, not measured\n\n{documented.table()}"


def plot(result: dict[str, Any]) -> list[Any]:
    """Pictures of a saved result."""
    from lab.plots import window

    return window.plots(result)
