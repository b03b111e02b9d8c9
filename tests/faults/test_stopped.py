"""A worker is stopped (SIGSTOP) inside a chunk: others go on, and whatever becomes of it, no row is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals

import pytest

from rescind import Authority, changes
from rescind.errors import GroupBusy, StoreBusy
from rescind.propagation.worker import Worker
from rescind.store.postgres import connection
from rescind.store.sqlite import write_queue
from tests.faults import tasks
from tests.faults.children import Child
from tests.faults.small import (
    FACTS,
    MEMBERS,
    PLACES,
    opened,
    prepare,
    require_settled,
    settle,
)
from tests.state import may

NAME = "acme"
PAIRS = 2
JOB = [
    changes.Unassign(role="reader", to="group:team", on=PLACES[2]),
    changes.Assign(role="writer", to="group:team", on=PLACES[1]),
]
ELSEWHERE = changes.AddMembers(group="other", members=("user:late",))
LEAVE = changes.RemoveMembers(group="team", members=MEMBERS[:1])
STOPS = ("refuse_pending_moved", "read_held", "commit")
"""The statements of a chunk before which it is stopped: its group is locked, its rows are made, the cursor
has moved.
"""
ENDINGS = [SIGCONT, SIGKILL]


@pytest.fixture
def on_sqlite(new_database: Callable[[str], str]) -> Iterator[Authority]:
    """An authority with a job for `team`."""
    yield from _with_job(new_database("sqlite"))


@pytest.fixture
def on_postgres(new_database: Callable[[str], str]) -> Iterator[Authority]:
    """The same on the other engine."""
    yield from _with_job(new_database("postgres"))


def _with_job(database: str) -> Iterator[Authority]:
    prepare(database)
    with opened(database, NAME) as authority:
        authority.apply(FACTS, route="inline")
        authority.apply(JOB, route="background")
        yield authority


def _stopped(authority: Authority, statement: str, *, one_by_one: bool = True) -> Child:
    """A worker on the job that has stopped before that statement."""
    store = authority.store
    database = f"sqlite:///{store.path}" if store.engine == "sqlite" else store.url  # type: ignore[attr-defined]
    args = (tasks.settle, database, NAME, "team", PAIRS)
    child = Child(*args, at=statement, by=SIGSTOP, one_by_one=one_by_one)
    child.wait_until_at(statement)
    return child


def _end(child: Child, ending: Signals) -> None:
    child.send(ending)
    assert child.wait() == (0 if ending == SIGCONT else -SIGKILL)


@pytest.mark.parametrize("statement", STOPS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_others_go_on(on_postgres: Authority, statement: str, ending: Signals) -> None:
    """While a worker stands still in a chunk, others do the jobs of other groups, and nobody waits.

    Changes to its own group are done, and enforced, at once; when it goes on or dies, all settles.
    """
    child = _stopped(on_postgres, statement)
    on_postgres.apply([ELSEWHERE], route="background")
    worker = Worker(on_postgres.store)
    while {work.group for work in on_postgres.pending()} != {"team"}:
        worker.work_once()
    with pytest.raises(GroupBusy):
        on_postgres.reconcile("team")
    receipt = on_postgres.apply([LEAVE])
    assert (receipt.route, receipt.route_reason) == ("background", "a job had the group")
    assert not may(on_postgres, MEMBERS[0], "read", PLACES[0])
    assert not may(on_postgres, MEMBERS[1], "read", PLACES[2])
    assert may(on_postgres, MEMBERS[1], "write", PLACES[1])
    _end(child, ending)
    settle(on_postgres)
    require_settled(on_postgres, NAME)


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_same_thing_again(on_postgres: Authority, ending: Signals) -> None:
    """A change to what the stopped chunk is about to settle waits for it, and is not lost."""
    on_postgres.reconcile("team")
    on_postgres.apply([LEAVE], route="background")
    come_back = changes.AddMembers(group="team", members=MEMBERS[:1])
    child = _stopped(on_postgres, "commit")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(on_postgres.apply, [come_back], route="background")
        while not on_postgres.store.waiting():
            assert not waiting.done()
        _end(child, ending)
        assert waiting.result().changed
    settle(on_postgres)
    require_settled(on_postgres, NAME)
    assert may(on_postgres, MEMBERS[0], "read", PLACES[0])


@pytest.mark.parametrize("statement", STOPS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_in_a_pipeline(on_postgres: Authority, statement: str, ending: Signals) -> None:
    """As much of the chunk is under way as the driver has sent; others may have overtaken it or not."""
    child = _stopped(on_postgres, statement, one_by_one=False)
    worker = Worker(on_postgres.store)
    for _ in range(10):
        worker.work_once()
    on_postgres.apply([LEAVE])
    assert not may(on_postgres, MEMBERS[0], "read", PLACES[0])
    assert not may(on_postgres, MEMBERS[1], "read", PLACES[2])
    _end(child, ending)
    settle(on_postgres)
    require_settled(on_postgres, NAME)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_stopped_change(
    on_postgres: Authority,
    monkeypatch: pytest.MonkeyPatch,
    ending: Signals,
) -> None:
    """While a change stands still, its organization's changes are refused; workers do what they can."""
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.05)
    on_postgres.reconcile("team")
    on_postgres.apply([LEAVE], route="background")
    again = changes.AddMembers(group="team", members=MEMBERS[:1])
    args = (tasks.apply, on_postgres.store.url, NAME, [again], "once", "background")  # type: ignore[attr-defined]
    child = Child(*args, at="commit", by=SIGSTOP, one_by_one=True)
    child.wait_until_at("commit")
    with opened(on_postgres.store.url, "other") as other:  # type: ignore[attr-defined]
        other.apply(FACTS, route="inline")
        other.apply([LEAVE], route="background")
        with pytest.raises(StoreBusy):
            other.apply([ELSEWHERE], organization=NAME)
        worker = Worker(other.store)
        while other.pending(organization="other"):
            worker.work_once()
        assert other.pending(organization=NAME)
        assert not may(other, MEMBERS[0], "read", PLACES[0], organization=NAME)
        _end(child, ending)
        settle(other)
        require_settled(other, NAME)
        is_back = ending == SIGCONT
        assert may(other, MEMBERS[0], "read", PLACES[0], organization=NAME) == is_back


def test_machines_that_vanish_are_noticed(on_postgres: Authority) -> None:
    """Each connection asks the server to probe it, so that the locks of a vanished machine are given up."""
    on_postgres.store.queries["probes"] = (
        "SELECT name FROM pg_settings WHERE name LIKE 'tcp_keepalives%%' AND source = 'session'"
    )
    assert len(on_postgres.store.fetch("probes", {})) == 3


@pytest.mark.parametrize("statement", STOPS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_stopped_writer_of_sqlite(
    on_sqlite: Authority, monkeypatch: pytest.MonkeyPatch, statement: str, ending: Signals
) -> None:
    """SQLite has one writer: while it stands still, checks are answered and changes are refused as busy.

    A change that still waits when it goes on, or dies, is done.
    """
    child = _stopped(on_sqlite, statement)
    assert not may(on_sqlite, MEMBERS[1], "read", PLACES[2])
    monkeypatch.setattr(write_queue, "BUSY_SECONDS", 0.05)
    with pytest.raises(StoreBusy):
        on_sqlite.apply([LEAVE])
    monkeypatch.setattr(write_queue, "BUSY_SECONDS", 60.0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(on_sqlite.apply, [LEAVE])
        _end(child, ending)
        assert waiting.result().changed
    assert not may(on_sqlite, MEMBERS[0], "read", PLACES[0])
    settle(on_sqlite)
    require_settled(on_sqlite, NAME)
