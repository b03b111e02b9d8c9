"""Single revocations and checks while a directory sync and a role edit for everybody are under way.

Three processes, as users have them. One is a server: one of its threads takes a member out of a small group,
puts it back, and so on, with a short pause; another checks from memory. The second is `rescind import`: a
directory sync of many changes, and then a role is edited that everybody has. The third is a worker, which
runs all the time. On two processors they take time from each other, too.

`revocation` and `check` are the times of those calls, `idle` before the storm and `storm` during it.
"""

from __future__ import annotations

import itertools
import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lab.crew import Crew
from lab.databases import called, servers
from lab.report import Goal, percentile
from lab.worlds import apply_all, definitions, settle, subjects
from rescind import Authority, changes
from rescind.changes import Change
from rescind.transfer import loading
from rescind.transfer.formats import Format, parse
from rescind.transfer.readers import read

TITLE = "Storm: a directory sync beside single revocations"
ON_SQLITE = (
    "on SQLite: a check never answers from behind the file, so the first one after a part of the sync"
    " reads what its twenty changes concern; a revocation waits for the part that is being written; and"
    " three processes share two processors"
)
GOALS = {
    "storm.revocation.p99_ratio": Goal(3, why=ON_SQLITE),
    "storm.check.p99_ratio": Goal(2, why=ON_SQLITE),
}
ENGINES = ("sqlite", "postgres")
PEOPLE, SYNCED, IDLE_SECONDS = 100_000, 50_000, 10.0
QUICK_PEOPLE, QUICK_SYNCED, QUICK_IDLE_SECONDS = 2_000, 2_000, 2.0
TEAM = 100
"""People of one group of the directory."""
SMALL = 10
"""Members of the group that single people leave."""
EDITS = 4
PAUSE_SECONDS = 0.005
CHECK_PAUSE_SECONDS = 0.001
READY_SECONDS = 60.0
Figures = dict[str, float]


def run(*, quick: bool, seed: int) -> Figures:  # noqa: ARG001
    """Figures of both engines in ms, and the worse ratio of both."""
    people, synced, idle_seconds = (
        (QUICK_PEOPLE, QUICK_SYNCED, QUICK_IDLE_SECONDS)
        if quick
        else (PEOPLE, SYNCED, IDLE_SECONDS)
    )
    figures: Figures = {"storm.people": people, "storm.changes": synced}
    with servers() as make:
        for engine in ENGINES:
            print(f"lab: {engine}, {people:,} people …", file=sys.stderr)
            figures |= _storm(engine, make(engine), people, synced, idle_seconds)
    for what in ("revocation", "check"):
        ratios = [figures[f"storm.{engine}.{what}.p99_ratio"] for engine in ENGINES]
        figures[f"storm.{what}.p99_ratio"] = max(ratios)
    return figures


def _storm(engine: str, url: str, people: int, synced: int, idle_seconds: float) -> Figures:
    with Authority.open(url, organization="lab") as authority:
        _fill(authority, people, synced)
    with (
        Authority.open(called(engine, url, "rescind-lab-foreground"), index=True) as authority,
        Crew(engine, url, 1) as crew,
        _other_process(url, people, synced) as (go, pipe),
    ):
        crew.go()
        service = Service(authority)
        service.serve("idle", until=lambda seconds: seconds >= idle_seconds)
        go.set()
        service.serve("storm", until=lambda _: pipe.poll(0))
        seconds = pipe.recv()
    prefix = f"storm.{engine}"
    figures = {
        f"{prefix}.sync_s": seconds["sync"],
        f"{prefix}.sync_per_s": synced / seconds["sync"],
        f"{prefix}.role_edit_ms": seconds["edit"] * 1e3,
    }
    for what in ("revocation", "check"):
        for phase in ("idle", "storm"):
            for share in (0.5, 0.99):
                taken = percentile(service.taken[what, phase], share)
                figures[f"{prefix}.{what}.{phase}.p{int(share * 100)}_ms"] = taken * 1e3
        calm, busy = (figures[f"{prefix}.{what}.{phase}.p99_ms"] for phase in ("idle", "storm"))
        figures[f"{prefix}.{what}.p99_ratio"] = busy / calm
    return figures


class Service:
    """Somebody who revokes, and somebody who checks, in one process."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._toggles = itertools.cycle(_toggles())
        self.taken: dict[tuple[str, str], list[float]] = {}
        authority.load("lab")

    def serve(self, phase: str, *, until: Any) -> None:
        """Revoke and check until it is over; `until` is told how many seconds this has taken."""
        stop = threading.Event()
        checking = threading.Thread(target=self._check, args=(phase, stop))
        checking.start()
        try:
            self._revoke(phase, until)
        finally:
            stop.set()
            checking.join()

    def _revoke(self, phase: str, until: Any) -> None:
        taken = self.taken.setdefault(("revocation", phase), [])
        start, pause = time.perf_counter(), threading.Event()
        while not (until(time.perf_counter() - start) and taken):
            for change in (next(self._toggles), next(self._toggles)):
                begin = time.perf_counter()
                self._authority.apply([change], organization="lab")
                if isinstance(change, changes.RemoveMembers):
                    taken.append(time.perf_counter() - begin)
                pause.wait(PAUSE_SECONDS)

    def _check(self, phase: str, stop: threading.Event) -> None:
        taken = self.taken.setdefault(("check", phase), [])
        people = itertools.cycle(subjects(1_000))
        while not stop.wait(CHECK_PAUSE_SECONDS):
            begin = time.perf_counter()
            self._authority.check(next(people), "read", "doc:0", organization="lab")
            taken.append(time.perf_counter() - begin)


def _toggles() -> Iterator[Change]:
    for member in subjects(SMALL):
        yield changes.RemoveMembers(group="small", members=(member,))
        yield changes.AddMembers(group="small", members=(member,))


# --- the world and the storm --------------------------------------------------------------------------


def _fill(authority: Authority, people: int, synced: int) -> None:
    """Everybody in one group that reads a document; teams that read it, too, and have no members yet."""
    apply_all(authority, definitions())
    write = changes.DefinePermission(permission="write")
    documents = [changes.CreateResource(resource=f"doc:{number}") for number in range(2)]
    apply_all(authority, [write, *documents])
    _import(authority, "everybody", people, people)
    everybody = changes.Assign(role="reader", to="group:everybody", on="doc:0")
    small = changes.CreateGroup(group="small")
    members = changes.AddMembers(group="small", members=tuple(subjects(SMALL)))
    gives = changes.Assign(role="reader", to="group:small", on="doc:1")
    authority.apply([everybody, small, members, gives])
    for number in range(-(-synced // TEAM)):
        group = f"team-{number}"
        given = changes.Assign(role="reader", to=f"group:{group}", on="doc:1")
        authority.apply([changes.CreateGroup(group=group), given])
    settle(authority)


def _import(authority: Authority, group: str, count: int, people: int) -> None:
    """Import so many memberships of groups as a CSV file; a group named `team` is one for each TEAM."""
    with tempfile.TemporaryDirectory(prefix="rescind-lab-") as folder:
        file = Path(folder) / "members.csv"
        with file.open("w") as lines:
            lines.write("group,subject\n")
            for number in range(count):
                name = f"team-{number // TEAM}" if group == "team" else group
                lines.write(f"{name},user:{number % people}\n")
        source = read(str(file))
        items = parse(source, Format.MEMBERS)
        loading.load(authority, items, digest=source.digest, organization="lab")


def _be_stormy(url: str, people: int, synced: int, go: Any, pipe: Connection) -> None:
    """The life of the process that syncs."""
    with Authority.open(url, organization="lab") as authority:
        pipe.send("ready")
        go.wait()
        begin = time.perf_counter()
        _import(authority, "team", synced, people)
        sync = time.perf_counter() - begin
        begin = time.perf_counter()
        for number in range(EDITS):
            permissions = ("read", "write") if number % 2 else ("read",)
            authority.apply([changes.EditRole(role="reader", set=permissions)])
        pipe.send({"sync": sync, "edit": (time.perf_counter() - begin) / EDITS})


@contextmanager
def _other_process(url: str, people: int, synced: int) -> Iterator[tuple[Any, Connection]]:
    context = multiprocessing.get_context("spawn")
    go, (here, there) = context.Event(), context.Pipe()
    arguments = (url, people, synced, go, there)
    process = context.Process(target=_be_stormy, args=arguments, daemon=True)
    process.start()
    there.close()  # so that the end of the process is the end of its pipe
    try:
        if not here.poll(READY_SECONDS):
            raise TimeoutError("the process that syncs did not start")
        here.recv()
        yield go, here
        process.join()
    finally:
        process.terminate()


def plot(result: dict[str, Any]) -> list[Any]:
    """Plots of a result; Matplotlib is needed for them alone."""
    from lab.plots import storm

    return storm.plot(result)
