"""What adopting costs: imports, a check on the command line, what is installed, and stalls of an event loop.

Times are of whole processes, each started anew: the middle one and the least. A stall is one step of the
event loop, from where a task goes on to where it waits again, while 200 tasks check, change and list.
`stall` is the longest by the processor's time of the loop's own thread, which is what we cause. By the clock
it also has what other threads and processes take; `idle` is the same with nothing else on the loop.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.metadata
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Coroutine, Iterator
from contextvars import Context
from pathlib import Path
from typing import Any

from lab.report import Goal, percentile
from rescind import Authority, changes
from rescind.aio import AsyncAuthority

GOALS = {
    "adopt.import_ms": Goal(100),
    "adopt.cli_check_ms": Goal(
        250,
        why=(
            "of its processor time a tenth is Python, a quarter its library, a tenth Click, a third our 96"
            " modules (each dataclass and row type takes 0.3 to 1 ms to make), the rest opening and asking"
        ),
    ),
    "adopt.loop_stall_ms": Goal(1),
}
Figures = dict[str, float]
ROOT = Path(__file__).parents[1]
ORGANIZATION = "acme"
TASKS = 200
INSTALLS = ("", "postgres", "cli", "client", "server", "all")
COUNT = "import sys; from rescind import Authority; print(sum(n.startswith('rescind') for n in sys.modules))"


def run(*, quick: bool, seed: int) -> Figures:  # noqa: ARG001
    """Milliseconds, modules, packages and MB."""
    rounds, seconds = (5, 1.0) if quick else (25, 5.0)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "acme.db")
        _fill(path)
        figures = {**_processes(path, rounds), **_sizes(), **_stalled(path, seconds)}
    figures["adopt.modules"] = float(subprocess.check_output([sys.executable, "-c", COUNT]))
    return figures


def _fill(path: str) -> None:
    with Authority.open(path, organization=ORGANIZATION, create=True) as authority:
        authority.apply(
            [
                changes.CreateOrganization(),
                changes.DefinePermission(permission="doc:read"),
                changes.DefineRole(role="reader", permissions=("doc:read",)),
                changes.CreateGroup(group="eng"),
                *(changes.AddMembership(subject=f"user:{n}") for n in range(TASKS)),
                changes.Assign(role="reader", to="group:eng"),
            ]
        )


# --- processes ------------------------------------------------------------------------------------


def _processes(path: str, rounds: int) -> Figures:
    """Each with the time that Python alone needs taken off from imports, and the whole of the command."""
    python = [sys.executable, "-c"]
    imported = "from rescind import Authority"
    timed = f"import time; t = time.perf_counter(); {imported}; print(time.perf_counter() - t)"
    command = "import sys, rescind_start; sys.argv[0] = 'rescind'; rescind_start.main()"
    asked = ["-d", path, "-o", ORGANIZATION, "check", "user:1", "doc:read"]
    commands = {
        "python": [*python, "pass"],
        "import_rescind": [*python, "import rescind"],
        "cli_check": [*python, command, *asked],
    }
    taken: dict[str, list[float]] = {name: [] for name in (*commands, "import")}
    for number in range(-1, rounds):  # the first compiles
        for name, words in commands.items():
            begun = time.perf_counter()
            subprocess.run(words, capture_output=True, check=False)
            if number >= 0:
                taken[name].append(time.perf_counter() - begun)
        within = float(subprocess.check_output([*python, timed]))
        if number >= 0:
            taken["import"].append(within)
    figures = {}
    for name, each in taken.items():
        figures[f"adopt.{name}_ms"] = statistics.median(each) * 1_000
        figures[f"adopt.{name}_least_ms"] = min(each) * 1_000
    return figures


# --- installations --------------------------------------------------------------------------------


def _sizes() -> Figures:
    """Packages and MB of each installation, by the metadata of what is installed here."""
    figures = {}
    for extra in INSTALLS:
        found = _installed("rescind", extra)
        size = sum(_bytes(name) for name in found)
        figures[f"adopt.install.{extra or 'base'}.packages"] = float(len(found))
        figures[f"adopt.install.{extra or 'base'}.mb"] = size / 2**20
    return figures


def _installed(name: str, extra: str) -> set[str]:
    """The packages that an installation brings, itself included."""
    found: set[tuple[str, str]] = set()
    waiting = [(name, extra), (name, "")]
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        found.add(one)
        waiting += [need for text in _requirements(one[0]) for need in _needed(text, one[1])]
    return {name for name, _ in found}


def _requirements(package: str) -> list[str]:
    """What a package requires; what this one does is read where it is declared."""
    if package == "rescind":
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        extras = project["optional-dependencies"].items()
        return [
            *project["dependencies"],
            *(f'{need}; extra == "{extra}"' for extra, needs in extras for need in needs),
        ]
    try:
        return importlib.metadata.requires(package) or []
    except importlib.metadata.PackageNotFoundError:
        return []


def _needed(text: str, extra: str) -> Iterator[tuple[str, str]]:
    """What a requirement stands for here, if it is of this extra: each package, and each of its extras."""
    requirement, _, marker = text.partition(";")
    of = re.search(r"""extra == ['"]([\w-]+)['"]""", marker)
    if (of.group(1) if of else "") != extra and (of or extra):
        return
    if re.search(
        r"""sys_platform == ['"]win32|platform_system == ['"]Windows|python_version < """, marker
    ):
        return
    found = re.match(r"([\w.-]+)(?:\[([\w,-]+)\])?", requirement.strip())
    assert found is not None, text
    package = re.sub(r"[-_.]+", "-", found.group(1)).lower()
    yield package, ""
    for each in (found.group(2) or "").split(","):
        if each:
            yield package, each


def _bytes(package: str) -> int:
    """Of the files that a package installs, as far as it is installed here."""
    if package == "rescind":
        own = [file for file in (ROOT / "src").rglob("*") if file.suffix in (".py", ".sql")]
        return sum(file.stat().st_size for file in own)
    try:
        listed = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        return 0
    paths = [Path(str(file.locate())) for file in listed if file.suffix != ".pyc"]
    return sum(path.stat().st_size for path in paths if path.exists())


# --- the event loop -------------------------------------------------------------------------------

Work = Callable[[int], Coroutine[Any, Any, object]]


def _stalled(path: str, seconds: float) -> Figures:
    with asyncio.Runner(loop_factory=TimedLoop) as runner:
        return runner.run(_stalls(path, seconds))


async def _stalls(path: str, seconds: float) -> Figures:
    """The longest step of the loop: by the processor's time of its thread, and by the clock."""
    figures: Figures = {}
    async with AsyncAuthority.open(path, organization=ORGANIZATION, index=True) as authority:
        await authority.load()

        async def everything(number: int) -> None:
            for _ in range(20):
                await authority.check(f"user:{number}", "doc:read")
                await asyncio.sleep(
                    0
                )  # a check from memory does not wait: each is a step of its own
            member = {"group": "eng", "members": (f"user:{number}",)}
            await authority.apply([changes.AddMembers(**member)], wait="enforced")
            await authority.list_members("eng", limit=20)
            await authority.apply([changes.RemoveMembers(**member)])

        async def nothing(_: int) -> None:
            await asyncio.sleep(0.01)

        works: dict[str, Work] = {"idle": nothing, "loop": everything}
        for name, work in works.items():
            busy, taken = await _steps(work, seconds)
            figures[f"adopt.{name}_stall_ms"] = max(busy) * 1_000
            figures[f"adopt.{name}_stall_p999_ms"] = percentile(busy, 0.999) * 1_000
            figures[f"adopt.{name}_stall_clock_ms"] = max(taken) * 1_000
            figures[f"adopt.{name}_stall_clock_p999_ms"] = percentile(taken, 0.999) * 1_000
            figures[f"adopt.{name}_steps"] = float(len(busy))
    return figures


async def _steps(work: Work, seconds: float) -> tuple[list[float], list[float]]:
    """Seconds that each step of the loop took: of its thread, and by the clock."""
    end = time.monotonic() + seconds

    async def repeat(number: int) -> None:
        while time.monotonic() < end:
            await work(number)

    loop = asyncio.get_running_loop()
    assert isinstance(loop, TimedLoop)
    tasks = [asyncio.create_task(repeat(number)) for number in range(TASKS)]
    await asyncio.sleep(0.05)
    gc.disable()  # it would look through our notes
    loop.busy, loop.taken = [], []
    await asyncio.gather(*tasks)
    gc.enable()
    return loop.busy, loop.taken


class TimedLoop(asyncio.SelectorEventLoop):
    """Notes how long each step takes, in seconds: of its thread, and by the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.busy: list[float] = []
        self.taken: list[float] = []

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """As always, timed."""
        return super().call_soon(self._timed, callback, *args, context=context)

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """As always, timed."""
        return super().call_soon_threadsafe(self._timed, callback, *args, context=context)

    def _timed(self, callback: Callable[..., object], *args: Any) -> None:
        start, spent = time.perf_counter(), time.thread_time()
        callback(*args)
        self.busy.append(time.thread_time() - spent)
        self.taken.append(time.perf_counter() - start)


if __name__ == "__main__":
    print(json.dumps(run(quick=True, seed=0), indent=1))
