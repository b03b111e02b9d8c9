"""Workers: what they do about whatever goes wrong."""

from __future__ import annotations

import threading

import pytest

from rescind import Authority, changes
from rescind.errors import StoreBusy, StoreConflict, StoreReadOnly, StoreUnavailable
from rescind.propagation import worker as module
from rescind.propagation.jobs import Job, Progress
from rescind.propagation.worker import Workers
from rescind.settings import Settings
from tests.probe import Probe
from tests.unit.jobs import FACTS, WAIT_SECONDS, Seen, grant, pend, revoke, settling

HOUR = 3_600.0


@pytest.fixture
def acme(authority: Authority) -> Authority:
    """Three groups of six, on each engine in turn."""
    authority.apply(FACTS, route="inline")
    return authority


def test_backing_off() -> None:
    """Waits double with each failure, are spread over half of their length, and end at the longest."""
    settings = Settings(backoff_seconds=0.5, most_backoff_seconds=8.0)
    for failures, longest in enumerate((0.5, 1.0, 2.0, 4.0, 8.0, 8.0), start=1):
        waits = {module.backoff_seconds(failures, settings) for _ in range(100)}
        assert len(waits) > 50
        assert min(waits) >= longest / 2
        assert max(waits) <= longest
    assert module.backoff_seconds(10_000, settings) <= 8.0


@pytest.mark.parametrize("error", [RuntimeError("broken"), StoreConflict(why="a bad row")])
def test_a_failing_job_does_not_stop_others(
    acme: Authority, probe: Probe, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever one group's work fails with, that of others is done, and it is parked in the end."""
    pend(acme, changes.RemoveMembers(group="a", members=("user:0",)), grant("b"))

    def fail(name: str) -> None:
        if name == "unmake_members":
            raise error

    probe.before = fail
    settings = Settings(backoff_seconds=0.001, most_backoff_seconds=0.001, poll_seconds=0.001)
    is_settled = threading.Event()
    with Workers(acme.store, settings, on_progress=lambda *_: is_settled.set()):
        assert is_settled.wait(WAIT_SECONDS)
        while not all(work.is_parked for work in acme.pending()):
            assert threading.active_count() > 1
    (work,) = acme.pending()
    assert (work.group, work.attempts) == ("a", settings.attempts_before_parking)
    assert caplog.records


@pytest.mark.parametrize("error", [StoreUnavailable(why="gone"), StoreReadOnly(why="a standby")])
def test_a_store_that_cannot_be_reached_or_written(
    acme: Authority, probe: Probe, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker waits for its database, counts that against no job, and goes on."""
    pend(acme, revoke("a"))
    failures = iter([error] * 3)

    def fail(name: str) -> None:
        if name.startswith("refuse") and (error := next(failures, None)):
            raise error

    probe.before = fail
    settings = Settings(backoff_seconds=0.001, most_backoff_seconds=0.001)
    with settling(acme, settings):
        pass
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3


def test_whatever_goes_wrong(acme: Authority, caplog: pytest.LogCaptureFixture) -> None:
    """A worker outlives errors that nobody thought of, and tells of them."""
    pend(acme, revoke("a"), revoke("b"))
    settled = threading.Semaphore(0)

    def fail_once(_: Job, done: Progress) -> None:
        if done.is_settled:
            settled.release()
        if not caplog.records:
            raise ValueError("nobody thought of it")

    with Workers(acme.store, Settings(backoff_seconds=0.001), on_progress=fail_once):
        for _ in range(2):
            assert settled.acquire(timeout=WAIT_SECONDS)
    assert acme.pending() == []
    (record,) = caplog.records
    assert record.exc_info


def test_a_lock_that_is_kept(
    acme: Authority,
    probe: Probe,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Work whose rows somebody keeps locked is left alone for a while, and that is not counted against it."""
    monkeypatch.setattr(module, "LOCKED_SECONDS", HOUR)
    pend(acme, changes.RemoveMembers(group="a", members=("user:0",)), grant("b"))

    def fail(name: str) -> None:
        if name == "unmake_members":
            raise StoreBusy(why="locked")

    probe.before = fail
    Seen(acme).finish()
    (work,) = acme.pending()
    assert (work.group, work.attempts, work.is_parked) == ("a", 0, False)
    assert len(caplog.records) == 1
    probe.before = None
    Seen(acme).finish()
    assert acme.pending() == []
