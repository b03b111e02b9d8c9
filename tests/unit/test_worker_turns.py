"""A worker's turn, step by step, by a clock that only chunks and waits advance."""

from __future__ import annotations

import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from rescind.errors import GroupBusy, StoreBusy, StoreUnavailable
from rescind.propagation import worker as module
from rescind.propagation.jobs import Job, Progress
from rescind.propagation.worker import BUSY_SECONDS, LOCKED_SECONDS, STOP_SECONDS, Worker
from rescind.settings import Settings
from tests.unit.test_ranges import job

MORE = Progress(2, 1, False, 1.0, held_seconds=0.5, revision=7)
LAST = replace(MORE, is_settled=True)
Outcome = Progress | Exception


class Turn:
    """A worker whose chunks have given outcomes, each after a second; its schedule notes what it hears."""

    engine = "sqlite"

    def __init__(self, patch: pytest.MonkeyPatch, *outcomes: Outcome, **settings: Any) -> None:
        self.now, self.outcomes = 100.0, list(outcomes)
        self.noted: list[tuple[Any, ...]] = []
        self.waits: list[float] = []
        self.outranked_after: float | None = None
        self.stop_after = 10**9
        self.job = job("whole", attempts=3)
        turn = self

        class Work:
            def __init__(self, _: Any, given: Job) -> None:
                self.job = given

            def step(self, _: Any) -> Progress:
                turn.now += 1.0
                turn.stop_after -= 1
                outcome = turn.outcomes.pop(0)
                if isinstance(outcome, Exception):
                    raise outcome
                return outcome

        patch.setattr(module, "Work", Work)
        patch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.now))
        patch.setattr(module, "purge", lambda _: self.purged)
        patch.setattr(module, "chain_some", lambda _: self.chained)
        patch.setattr(module, "note_chunk", lambda _, done: self.noted.append(("chunk", done)))
        self.purged = self.chained = 0
        self.worker = Worker(self, Settings(**settings))  # type: ignore[arg-type]
        self.worker.schedule = self  # type: ignore[assignment]
        self.chosen: list[Job | None] = [self.job]

    # as a schedule

    def choose(self) -> Job | None:
        return self.chosen.pop(0)

    def used(self, of: Job, seconds: float) -> None:
        self.noted.append(("used", of, seconds))

    def leave_alone(self, of: Job, seconds: float) -> None:
        self.noted.append(("left alone", of, seconds))

    def is_outranked(self, of: Job, seconds: float) -> bool:
        assert of == self.job
        return self.outranked_after is not None and seconds >= self.outranked_after

    def seconds_until_free(self) -> list[float]:
        return self.waits

    # as an event to stop by

    def is_set(self) -> bool:
        return self.stop_after <= 0

    def wait(self, timeout: float | None = None) -> bool:
        self.noted.append(("rested", timeout))
        return self.is_set()

    def take(self) -> bool:
        return self.worker.work_once(self)

    def of(self, kind: str) -> list[Any]:
        return [noted[-1] for noted in self.noted if noted[0] == kind]

    # as a store

    def transact(self, body: Any, **how: Any) -> None:
        assert how == {"yields": True}
        body(SimpleNamespace(run=lambda query, **names: self.noted.append((query, names))))


def test_until_the_job_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """All its chunks in one turn, and the schedule is told how long that took."""
    turn = Turn(monkeypatch, MORE, MORE, LAST, MORE, slice_seconds=60.0)
    assert turn.take()
    assert turn.of("used") == [3.0]
    assert turn.of("chunk") == [MORE, MORE, LAST]
    assert turn.of("rested") == []


@pytest.mark.parametrize(
    ("slice_seconds", "outranked", "stop", "chunks"),
    [
        (2.5, None, 99, 3),
        (0.0, None, 99, 1),
        (60.0, 4.0, 99, 4),
        (60.0, 0.5, 99, 1),
        (60.0, None, 2, 2),
        (60.0, None, 0, 0),
    ],
)
def test_until_the_turn_is_over(
    monkeypatch: pytest.MonkeyPatch,
    slice_seconds: float,
    outranked: float | None,
    stop: int,
    chunks: int,
) -> None:
    """With its slice, with more urgent work elsewhere, or when it is to stop; always between chunks."""
    turn = Turn(monkeypatch, *[MORE] * 9, slice_seconds=slice_seconds)
    turn.outranked_after, turn.stop_after = outranked, stop
    assert turn.take()
    assert len(turn.of("chunk")) == chunks
    assert turn.of("used") == [float(chunks)]


def test_where_others_change_the_organization(monkeypatch: pytest.MonkeyPatch) -> None:
    """It rests for half of the time that its chunk kept them out, unless it leaves the job anyway."""
    later, last = replace(MORE, revision=8), replace(LAST, revision=9)
    turn = Turn(monkeypatch, MORE, MORE, later, later, last, slice_seconds=60.0)
    assert turn.take()
    assert turn.of("rested") == [0.25]


@pytest.mark.parametrize(
    ("outcome", "seconds"),
    [
        (GroupBusy(group="g"), BUSY_SECONDS),
        (StoreBusy(why="locked"), LOCKED_SECONDS),
        (replace(MORE, is_overtaken=True, is_restart=True), BUSY_SECONDS),
    ],
)
def test_a_group_that_others_have(
    monkeypatch: pytest.MonkeyPatch, outcome: Outcome, seconds: float
) -> None:
    """Is left alone for as long as that may take, and the turn is over."""
    turn = Turn(monkeypatch, outcome, MORE, slice_seconds=60.0)
    assert turn.take()
    assert turn.of("left alone") == [seconds]
    assert turn.of("used") == [1.0]


def test_how_long_a_chunk_waited_for_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first time that others had it until the chunk that was done began; then anew."""
    busy = GroupBusy(group="g")
    waited = replace(LAST, waited_seconds=0.125)
    turn = Turn(monkeypatch, busy, busy, waited, busy, waited, waited)
    turn.chosen = [turn.job] * 6
    for _ in range(3):
        turn.take()
        turn.now += 10.0
    for _ in range(3):
        turn.take()
    # first known to be busy at 101; the chunk began at 122 and took one second
    assert [done.waited_seconds for done in turn.of("chunk")] == [21.125, 0.125, 0.125]


def test_what_is_remembered_of_busy_groups_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the most, all are forgotten but the newest: then a chunk is not known to have waited."""
    monkeypatch.setattr(module, "MOST_REMEMBERED", 2)
    turn = Turn(monkeypatch, *[GroupBusy(group="g")] * 5, *[LAST] * 5)
    work = [replace(turn.job, ref=-number) for number in range(5)]
    turn.chosen = [*work, *work]
    for _ in range(10):
        turn.take()
    # each was busy at its second, and its chunk began four seconds later
    assert [done.waited_seconds for done in turn.of("chunk")] == [0.0, 0.0, 0.0, 4.0, 4.0]


def test_a_failure_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it was, how often it may happen, and how long to wait: longer each time. The turn is over."""
    monkeypatch.setattr(module, "backoff_seconds", lambda failures, _: failures * 1.5)
    turn = Turn(monkeypatch, ValueError("x" * 2_000), MORE, attempts_before_parking=5)
    assert turn.take()
    (names,) = turn.of("note_failure")
    assert names["error"] == "ValueError: " + "x" * 988
    assert (names["most_attempts"], names["delay"]) == (5, 6_000_000)
    assert (names["ref"], names["kind"], names["o"]) == (-5, "whole", 1)
    assert turn.of("used") == [1.0]
    assert turn.of("chunk") == []


def test_a_store_that_fails_ends_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is no failure of the job."""
    turn = Turn(monkeypatch, StoreUnavailable(database="x"))
    with pytest.raises(StoreUnavailable):
        turn.take()
    assert turn.noted == []


@pytest.mark.parametrize("purged", [0, 2])
@pytest.mark.parametrize("chained", [0, 3])
def test_nothing_is_due(monkeypatch: pytest.MonkeyPatch, purged: int, chained: int) -> None:
    """Then left-over rows are deleted and digests given; it says whether there were any."""
    turn = Turn(monkeypatch)
    turn.chosen, turn.purged, turn.chained = [None], purged, chained
    assert turn.take() == bool(purged or chained)
    assert turn.noted == []


@pytest.mark.parametrize(
    ("waits", "seconds"), [([], 3.0), ([5.0], 3.0), ([2.0, 1.5, 9.0], 1.5), ([-1.0, 2.0], 0.001)]
)
def test_how_long_to_wait(
    monkeypatch: pytest.MonkeyPatch, waits: list[float], seconds: float
) -> None:
    """Until the next look, or until a busy group may be free; never no time at all."""
    turn = Turn(monkeypatch, poll_seconds=3.0)
    turn.waits = waits
    assert turn.worker.wait_seconds() == seconds


@pytest.mark.parametrize("organizations", [2, 3])
def test_what_is_remembered_of_organizations_is_bounded(
    monkeypatch: pytest.MonkeyPatch, organizations: int
) -> None:
    """Beyond the most, all are forgotten: then it does not know whether others changed one, and goes on."""
    monkeypatch.setattr(module, "MOST_REMEMBERED", 2)
    later = replace(MORE, revision=8)
    turn = Turn(monkeypatch, *[LAST] * organizations, later, slice_seconds=0.0)
    work = [replace(turn.job, organization=number) for number in range(organizations)]  # type: ignore[arg-type]
    turn.chosen = [*work, work[0]]
    for _ in work:
        turn.take()
        turn.worker.wait_seconds()
    turn.job = work[0]
    turn.take()
    assert turn.of("rested") == ([0.25] if organizations == 2 else [])


def test_failures_in_a_row(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each wait is of one more failure, until something works; an error that is known has no trace."""
    known, unknown = StoreUnavailable(database="x"), ValueError("a bug")
    outcomes: list[Any] = [known, unknown, True, False, unknown]
    counted: list[int] = []
    stop, closed = threading.Event(), []

    def once(_: Any) -> bool:
        outcome = outcomes.pop(0)
        if not outcomes:
            stop.set()
        if isinstance(outcome, Exception):
            raise outcome
        return bool(outcome)

    def backoff(failures: int, _: Settings) -> float:
        counted.append(failures)
        return 0.0

    turn = Turn(monkeypatch)
    listener = SimpleNamespace(wait=lambda _: None, close=lambda: closed.append(True))
    turn.listen = lambda channel: listener if channel == "rescind_pending" else None  # type: ignore[attr-defined]
    monkeypatch.setattr(turn.worker, "work_once", once)
    monkeypatch.setattr(module, "backoff_seconds", backoff)
    turn.worker.run(stop)
    assert counted == [1, 2, 1]
    assert [bool(record.exc_info) for record in caplog.records] == [False, True, True]
    assert closed == [True]


@pytest.mark.parametrize(("news", "heard"), [(["x"], 2), (None, 2), (["x"], 99)])
def test_waiting_ends_with_news(
    monkeypatch: pytest.MonkeyPatch, news: list[str] | None, heard: int
) -> None:
    """Or when a listener cannot tell; else it looks again and again whether to stop, until the next look."""
    turn = Turn(monkeypatch, poll_seconds=1.75)
    stop, asked, looks = threading.Event(), list[float](), list[bool]()

    def wait(seconds: float) -> list[str] | None:
        asked.append(seconds)
        turn.now += seconds
        return [] if len(asked) != heard else news

    def once(_: Any) -> bool:
        looks.append(True)
        if len(looks) == 2:
            stop.set()
        return len(looks) == 2

    listener = SimpleNamespace(wait=wait, close=lambda: None)
    turn.listen = lambda _: listener  # type: ignore[attr-defined]
    monkeypatch.setattr(turn.worker, "work_once", once)
    turn.worker.run(stop)
    assert asked == ([STOP_SECONDS] * 2 if heard == 2 else [*[STOP_SECONDS] * 3, 0.25])
