"""Three groups with work for workers, and a worker that notes what it does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rescind import Authority, changes
from rescind.changes import Change
from rescind.propagation.jobs import Job, Progress
from rescind.propagation.worker import OnProgress, Worker, Workers
from rescind.settings import Settings
from tests.faults.small import Steady

WAIT_SECONDS = 60

GROUPS = ("a", "b", "c")
FACTS: list[Change] = [
    changes.CreateOrganization(),
    changes.DefinePermission(permission="read"),
    changes.DefineRole(role="reader", permissions=("read",)),
    changes.DefineRole(role="owner", permissions=("read",), critical=True),
    changes.DefineResourceType(type="doc"),
    *(changes.CreateResource(resource=f"doc:{n}") for n in range(6)),
    *(changes.AddMembership(subject=f"user:{n}") for n in range(6)),
    *(changes.CreateGroup(group=group) for group in GROUPS),
    *(
        changes.AddMembers(group=group, members=tuple(f"user:{n}" for n in range(6)))
        for group in GROUPS
    ),
    *(changes.Assign(role="reader", to=f"group:{group}") for group in GROUPS),
    *(changes.Assign(role="owner", to=f"group:{group}") for group in GROUPS),
]


def grant(group: str, number: int = 0) -> Change:
    return changes.Assign(role="reader", to=f"group:{group}", on=f"doc:{number}")


def revoke(group: str, role: str = "reader") -> Change:
    return changes.Unassign(role=role, to=f"group:{group}")


def pend(authority: Authority, *batch: Change) -> None:
    """Each as a change of its own, for a worker to do."""
    for change in batch:
        authority.apply([change], route="background")


class Seen:
    """A worker that notes the group of each chunk, or does what `on_progress` is set to."""

    def __init__(self, authority: Authority, pace: Steady | None = None, **settings: float) -> None:
        self.chunks: list[str] = []
        self.on_progress: OnProgress = self.note
        self._names = {
            int(number): group
            for group in GROUPS
            for _, number in authority.store.fetch(
                "find_group", {"organization": "acme", "group": group}
            )
        }
        self.worker = Worker(
            authority.store,
            Settings(**settings),  # type: ignore[arg-type]
            on_progress=lambda job, done: self.on_progress(job, done),
            pace=pace,
        )

    def note(self, job: Job, _: Progress) -> None:
        self.chunks.append(self._names[job.group])

    def finish(self) -> list[str]:
        """Do all there is; the groups in the order in which they were worked on."""
        while self.worker.work_once():
            pass
        return self.chunks


@contextmanager
def settling(authority: Authority, settings: Settings, jobs: int = 1) -> Iterator[None]:
    """A worker in a thread, until so many jobs are settled."""
    settled = threading.Semaphore(0)

    def note(_: Job, done: Progress) -> None:
        if done.is_settled:
            settled.release()

    with Workers(authority.store, settings, on_progress=note):
        yield
        for _ in range(jobs):
            assert settled.acquire(timeout=WAIT_SECONDS)
    assert authority.pending() == []
