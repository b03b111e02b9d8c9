"""Workers: what they choose, what they do about failures, how they stop and wake up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rescind import Authority, changes
from rescind.changes import Change
from rescind.errors import StoreConflict, StoreUnavailable
from rescind.propagation import worker as module
from rescind.propagation.pace import Pace
from rescind.propagation.reconcile import Job, Progress
from rescind.propagation.worker import Worker, Workers
from rescind.settings import Settings

WAIT_SECONDS = 60
HOUR = 3_600.0
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


@pytest.fixture
def acme(authority: Authority) -> Authority:
    """Three groups of six, on each engine in turn."""
    authority.apply(FACTS, route="inline")
    return authority


def grant(group: str, number: int = 0) -> Change:
    return changes.Assign(role="reader", to=f"group:{group}", on=f"doc:{number}")


def revoke(group: str, role: str = "reader") -> Change:
    return changes.Unassign(role=role, to=f"group:{group}")


def pend(authority: Authority, *batch: Change) -> None:
    """Each as a change of its own, for a worker to do."""
    for change in batch:
        authority.apply([change], route="background")


class Slow(Pace):
    """One pair a chunk."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs = 1

    def learn(self, seconds: float, waiting: int) -> None:
        """Nothing."""


class Seen:
    """A worker that notes the group of each chunk."""

    def __init__(self, authority: Authority, **settings: float) -> None:
        self.chunks: list[str] = []
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
            on_progress=self._note,
        )

    def _note(self, job: Job, _: Progress) -> None:
        self.chunks.append(self._names[job.group])

    def finish(self) -> list[str]:
        """Do all there is; the groups in the order in which they were worked on."""
        while self.worker.work_once():
            pass
        return self.chunks


# --- what is chosen -------------------------------------------------------------------------------


def test_the_most_urgent_first(acme: Authority) -> None:
    """What revokes critical roles, what revokes, what grants; the order of arrival does not matter."""
    pend(acme, grant("a"), revoke("b"), revoke("c", "owner"))
    assert Seen(acme).finish() == ["c", "b", "a"]


def test_the_oldest_of_the_equally_urgent(acme: Authority) -> None:
    """Who has waited longest comes first."""
    pend(acme, revoke("b"), revoke("c"), revoke("a"))
    assert Seen(acme).finish() == ["b", "c", "a"]


def test_more_urgent_work_comes_between(acme: Authority) -> None:
    """A revocation does not wait until a large grant is done, only until its chunk is."""
    pend(acme, grant("a"))
    seen = Seen(acme)
    seen.worker._pace = Slow()

    def arrive(job: Job, done: Progress) -> None:
        if not seen.chunks:
            pend(acme, revoke("b"))
        seen._note(job, done)

    seen.worker._on_progress = arrive
    assert seen.finish()[:2] == ["a", "b"]


def test_groups_take_turns(acme: Authority) -> None:
    """With its slice over, a worker goes on to who has waited longer."""
    pend(acme, grant("a"), grant("b"), grant("c"))
    seen = Seen(acme, slice_seconds=0.0)
    seen.worker._pace = Slow()
    assert seen.finish()[:6] == ["a", "b", "c"] * 2


@pytest.mark.parametrize("is_fair", [True, False])
def test_none_starves(acme: Authority, monkeypatch: pytest.MonkeyPatch, is_fair: bool) -> None:
    """However much urgent work arrives, what is less urgent is chosen every so often; else it never is."""
    if not is_fair:
        monkeypatch.setattr(module, "FAIR_CHOICE_EVERY", 10**9)
    pend(acme, grant("c"))
    seen = Seen(acme)
    for number in range(3 * 8):
        group = "ab"[number % 2]
        acme.apply([grant(group)], route="inline")
        pend(acme, changes.Unassign(role="reader", to=f"group:{group}", on="doc:0"))
        seen.worker.work_once()
    assert ("c" in seen.chunks) == is_fair
    assert len(seen.chunks) == 3 * 8


# --- failures -------------------------------------------------------------------------------------


def test_backing_off() -> None:
    """Waits double with each failure, are spread over half of their length, and end at the longest."""
    worker = Worker.__new__(Worker)
    worker._settings = Settings(backoff_seconds=0.5, most_backoff_seconds=8.0)
    for failures, longest in enumerate((0.5, 1.0, 2.0, 4.0, 8.0, 8.0), start=1):
        waits = {worker._backoff(failures) for _ in range(100)}
        assert len(waits) > 50
        assert min(waits) >= longest / 2
        assert max(waits) <= longest
    assert worker._backoff(10_000) <= 8.0


@pytest.mark.parametrize("error", [RuntimeError("broken"), StoreConflict(why="a bad row")])
def test_a_failing_job_does_not_stop_others(
    acme: Authority, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever one group's work fails with, that of others is done, and it is parked in the end."""
    pend(acme, changes.RemoveMembers(group="a", members=("user:0",)), grant("b"))

    def fail(name: str) -> None:
        if name == "unmake_member":
            raise error

    acme.store.on_statement = fail  # type: ignore[attr-defined]
    settings = Settings(backoff_seconds=0.001, most_backoff_seconds=0.001, poll_seconds=0.001)
    is_settled = threading.Event()
    with Workers(acme.store, settings, on_progress=lambda *_: is_settled.set()):
        assert is_settled.wait(WAIT_SECONDS)
        while not all(work.is_parked for work in acme.pending()):
            assert threading.active_count() > 1
    (work,) = acme.pending()
    assert (work.group, work.attempts) == ("a", settings.attempts_before_parking)
    assert caplog.records


def test_a_store_that_cannot_be_reached(acme: Authority, caplog: pytest.LogCaptureFixture) -> None:
    """A worker waits for its database, counts that against no job, and goes on."""
    pend(acme, revoke("a"))
    failures = iter([StoreUnavailable(why="gone")] * 3)

    def fail(name: str) -> None:
        if name.startswith("refuse") and (error := next(failures, None)):
            raise error

    acme.store.on_statement = fail  # type: ignore[attr-defined]
    settings = Settings(backoff_seconds=0.001, most_backoff_seconds=0.001)
    with _settling(acme, settings):
        pass
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3


@contextmanager
def _settling(authority: Authority, settings: Settings, jobs: int = 1) -> Iterator[None]:
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


# --- stopping and waking --------------------------------------------------------------------------


def test_a_stop_finishes_the_chunk(acme: Authority) -> None:
    """Told to stop inside a chunk, a worker commits that chunk and begins no other."""
    pend(acme, grant("a"))
    stop = threading.Event()
    acme.store.on_statement = lambda name: (  # type: ignore[attr-defined]
        stop.set() if name.startswith("make_") else None
    )
    seen = Seen(acme)
    seen.worker._pace = Slow()
    seen.worker.run(stop)
    assert seen.chunks == ["a"]
    (work,) = acme.pending()
    assert work.done == 1
    acme.store.on_statement = None  # type: ignore[attr-defined]
    seen.finish()
    assert acme.pending() == []


@pytest.mark.parametrize("is_at_work", [False, True])
def test_woken_up(acme: Authority, database: str, is_at_work: bool) -> None:
    """Work that another process leaves wakes a worker up, long before it would look by itself."""
    settings = Settings(poll_seconds=HOUR)
    other = Authority.open(database, organization="acme")
    with other, _settling(acme, settings, jobs=1 + is_at_work):
        if is_at_work:
            pend(acme, revoke("b"))
        pend(other, revoke("a"))


def test_polling_is_enough(acme: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that hears nothing finds work by looking."""

    class Deaf:
        def wait(self, seconds: float) -> None:
            threading.Event().wait(seconds)

        def close(self) -> None:
            """Nothing."""

    monkeypatch.setattr(acme.store, "listen", Deaf)
    with _settling(acme, Settings(poll_seconds=0.001)):
        pend(acme, revoke("a"))


def test_a_listener_returns_for_news(acme: Authority, database: str) -> None:
    """It returns when another connection has left work, however long it may wait."""
    listener = acme.store.listen()
    listener.wait(0.0)  # what came before it listened is no news
    thread = threading.Thread(target=listener.wait, args=(HOUR,))
    thread.start()
    with Authority.open(database, organization="acme") as other:
        pend(other, revoke("a"))
    thread.join(WAIT_SECONDS)
    assert not thread.is_alive()
    listener.close()
