"""Workers: what they choose, how they stop and wake up."""

from __future__ import annotations

import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest

from rescind import Authority, changes
from rescind.propagation import schedule
from rescind.propagation import worker as module
from rescind.propagation.jobs import Job, Progress
from rescind.propagation.pace import Pace
from rescind.propagation.work import Work
from rescind.propagation.worker import Worker
from rescind.settings import Settings
from tests.faults.small import Steady
from tests.jobs import due_jobs
from tests.probe import Probe
from tests.unit.jobs import FACTS, WAIT_SECONDS, Seen, grant, pend, revoke, settling

HOUR = 3_600.0


@pytest.fixture
def acme(authority: Authority) -> Authority:
    """Three groups of six, on each engine in turn."""
    authority.apply(FACTS, route="inline")
    return authority


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
    seen = Seen(acme, Steady(1))

    def arrive(job: Job, done: Progress) -> None:
        if not seen.chunks:
            pend(acme, revoke("b"))
        seen.note(job, done)

    seen.on_progress = arrive
    assert seen.finish()[:2] == ["a", "b"]


def test_groups_take_turns(acme: Authority) -> None:
    """With its slice over, a worker goes on to who has waited longer."""
    pend(acme, grant("a"), grant("b"), grant("c"))
    seen = Seen(acme, Steady(1), slice_seconds=0.0)
    assert seen.finish()[:6] == ["a", "b", "c"] * 2


@pytest.mark.parametrize("is_fair", [True, False])
def test_none_starves(acme: Authority, monkeypatch: pytest.MonkeyPatch, is_fair: bool) -> None:
    """However much urgent work arrives, what is less urgent is chosen every so often; else it never is."""
    if not is_fair:
        monkeypatch.setattr(schedule, "FAIR_CHOICE_EVERY", 10**9)
    pend(acme, grant("c"))
    seen = Seen(acme)
    for number in range(3 * 8):
        group = "ab"[number % 2]
        acme.apply([grant(group)], route="inline")
        pend(acme, changes.Unassign(role="reader", to=f"group:{group}", on="doc:0"))
        seen.worker.work_once()
    assert ("c" in seen.chunks) == is_fair
    assert len(seen.chunks) == 3 * 8


def test_the_pace_is_told_which_chunks_were_whole(acme: Authority) -> None:
    """All but the last of a job, which took what was left."""

    class Told(Steady):
        def learn(self, seconds: float, waiting: int, *, is_full: bool) -> None:  # noqa: ARG002
            told.append(is_full)

    told: list[bool] = []
    pend(acme, grant("a"))
    seen = Seen(acme, Told(2))
    seen.finish()
    assert len(told) > 1
    assert told == [True] * (len(told) - 1) + [False]


@pytest.mark.parametrize("is_changing", [True, False])
def test_others_are_left_room_while_they_change_things(acme: Authority, is_changing: bool) -> None:
    """After each chunk but a job's last one a worker rests for a part of what it took, where somebody changed
    the organization since it was there before, if at another job. Control: where nobody does, it goes on.
    """
    pend(acme, grant("a"), grant("b"))
    seen = Seen(acme, Steady(1), slice_seconds=0.0)
    taken: list[float] = []
    rests: list[float | None] = []

    def change(_: Job, done: Progress) -> None:
        if not done.is_settled:
            taken.append(done.held_seconds)
        if is_changing:
            acme.apply([changes.CreateGroup(group=f"new-{len(taken)}")])

    seen.on_progress = change
    while acme.has_due_work():
        seen.worker.work_once(SimpleNamespace(is_set=lambda: False, wait=rests.append))
    assert len(taken) > 4
    assert rests == ([module.REST_SHARE * seconds for seconds in taken[1:]] if is_changing else [])


@pytest.mark.parametrize("is_told", [True, False])
def test_an_overtaken_job_is_left_to_who_overtook(
    acme: Authority, monkeypatch: pytest.MonkeyPatch, is_told: bool
) -> None:
    """Where another worker went on with a job, this one goes to others; not told of it, it stays."""
    step = Work.step

    def untold(work: Work, pace: Pace) -> Progress:
        return replace(step(work, pace), is_overtaken=False)

    if not is_told:
        monkeypatch.setattr(Work, "step", untold)
    pend(acme, grant("a"), grant("b"))
    seen = Seen(acme, Steady(1), slice_seconds=HOUR)
    overtaken: list[Job] = []

    def overtake(job: Job, done: Progress) -> None:
        seen.note(job, done)
        if not overtaken:
            overtaken.append(job)
            other = Work(acme.store, due_jobs(acme.store)[0])
            step(other, Steady(1))

    seen.on_progress = overtake
    chunks = seen.finish()
    assert chunks[:2] == ["a", "a"]  # the second did nothing
    assert (chunks[2] == "b") == is_told
    assert set(chunks) == {"a", "b"}


# --- stopping and waking --------------------------------------------------------------------------


def test_a_stop_finishes_the_chunk(acme: Authority, probe: Probe) -> None:
    """Told to stop inside a chunk, a worker commits that chunk and begins no other."""
    pend(acme, grant("a"))
    stop = threading.Event()
    probe.before = lambda name: stop.set() if name.startswith("make_") else None
    seen = Seen(acme, Steady(1))
    seen.worker.run(stop)
    assert seen.chunks == ["a"]
    (work,) = acme.pending()
    assert work.done == 1
    probe.before = None
    seen.finish()
    assert acme.pending() == []


@pytest.mark.parametrize("is_at_work", [False, True])
def test_woken_up(acme: Authority, database: str, is_at_work: bool) -> None:
    """Work that another process leaves wakes a worker up, long before it would look by itself."""
    settings = Settings(poll_seconds=HOUR)
    other = Authority.open(database, organization="acme")
    with other, settling(acme, settings, jobs=1 + is_at_work):
        if is_at_work:
            pend(acme, revoke("b"))
        pend(other, revoke("a"))


def test_who_waits_for_work_stops_soon(acme: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """However rarely it would look for work by itself, it looks often whether it is to stop."""
    waits: list[float] = []
    stop = threading.Event()

    def wait(seconds: float) -> list[str]:
        waits.append(seconds)
        if len(waits) == 3:
            stop.set()
        return []

    listener = SimpleNamespace(wait=wait, close=lambda: None)
    monkeypatch.setattr(acme.store, "listen", lambda _: listener)
    Worker(acme.store, Settings(poll_seconds=HOUR)).run(stop)
    assert waits == [module.STOP_SECONDS] * 3


def test_a_busy_group_is_not_left_for_the_next_poll(
    acme: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was busy when the worker chose, and is free when the worker asks how long to wait."""
    now = [1.0]
    monkeypatch.setattr(schedule, "time", SimpleNamespace(monotonic=lambda: now[0]))
    pend(acme, revoke("a"))
    worker = Worker(acme.store, Settings(poll_seconds=HOUR))
    (job,) = due_jobs(acme.store)
    worker.schedule.leave_alone(job, 1.0)
    assert worker.schedule.choose() is None
    now[0] += 10.0
    assert worker.wait_seconds() < 1.0
    assert worker.schedule.choose() == job


def test_polling_is_enough(acme: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that hears nothing finds work by looking."""

    class Deaf:
        def __init__(self, _: str) -> None:
            """Whatever the channel."""

        def wait(self, seconds: float) -> None:
            threading.Event().wait(seconds)

        def close(self) -> None:
            """Nothing."""

    monkeypatch.setattr(acme.store, "listen", Deaf)
    with settling(acme, Settings(poll_seconds=0.001)):
        pend(acme, revoke("a"))


def test_a_listener_returns_for_news(acme: Authority, database: str) -> None:
    """It returns when another connection has left work, however long it may wait."""
    listener = acme.store.listen("rescind_pending")
    listener.wait(0.0)  # what came before it listened is no news
    thread = threading.Thread(target=listener.wait, args=(HOUR,))
    thread.start()
    with Authority.open(database, organization="acme") as other:
        pend(other, revoke("a"))
    thread.join(WAIT_SECONDS)
    assert not thread.is_alive()
    listener.close()
