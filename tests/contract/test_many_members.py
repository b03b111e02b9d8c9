"""Many members of one group that a background change concerns: done together, each settled by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from lab.databases import writer

from rescind import Authority, changes
from rescind.propagation.audit import audit
from rescind.propagation.work import Work
from rescind.propagation.worker import Worker
from rescind.settings import Settings
from tests.faults.small import Steady
from tests.jobs import due_jobs
from tests.sql import ours

FEW, MANY = 200, 1_600
NO_WAIT = Settings(backoff_seconds=1e-6, most_backoff_seconds=1e-6)
POISON = {
    "sqlite": [
        "CREATE TRIGGER poison BEFORE INSERT ON rescind_effective_role WHEN NEW.membership = {m}"
        " BEGIN SELECT RAISE(ABORT, 'poison'); END"
    ],
    "postgres": [
        "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'poison'; END $$",
        "CREATE TRIGGER poison BEFORE INSERT ON rescind.effective_role FOR EACH ROW"
        " WHEN (NEW.membership = {m}) EXECUTE FUNCTION poison()",
    ],
}


def _subjects(count: int) -> tuple[str, ...]:
    return tuple(f"user:{n}" for n in range(count))


def _join(authority: Authority, count: int) -> None:
    """An organization in which so many members of a group with two assignments are pending."""
    subjects = _subjects(count)
    authority.apply(
        [
            changes.CreateOrganization(),
            changes.DefinePermission(permission="read"),
            changes.DefineRole(role="reader", permissions=("read",)),
            changes.DefineResourceType(type="doc"),
            changes.CreateResource(resource="doc:1"),
            *(changes.AddMembership(subject=subject) for subject in subjects),
            changes.CreateGroup(group="all"),
            changes.Assign(role="reader", to="group:all"),
            changes.Assign(role="reader", to="group:all", on="doc:1"),
        ]
    )
    authority.apply([changes.AddMembers(group="all", members=subjects)], route="background")


def _settle(authority: Authority, settings: Settings | None = None) -> int:
    """Do what is due; how many chunks that took."""
    chunks: list[object] = []
    worker = Worker(authority.store, settings, on_progress=lambda *done: chunks.append(done))
    while worker.work_once():
        pass
    return len(chunks)


def test_all_are_done_in_few_chunks(authority: Authority) -> None:
    """All who joined have what the group gives, and the change is settled; it took chunks, not one each."""
    _join(authority, FEW)
    assert len(authority.pending()) > 0
    assert _settle(authority) < FEW / 10
    assert authority.pending() == []
    assert all(authority.check_many([(subject, "read", "doc:1") for subject in _subjects(FEW)]))
    assert all(entry.settled_at is not None for entry in authority.log())
    assert audit(authority.store).is_clean


def test_one_job_goes_on_to_the_end_without_starting_again(authority: Authority) -> None:
    """A job of many memberships does all of them, chunk after chunk; none of its chunks starts again."""
    _join(authority, FEW)
    job = due_jobs(authority.store)[0]
    work, done = Work(authority.store, job), []
    while not done or not done[-1].is_settled:
        done.append(work.step(Steady(FEW)))
    assert len(done) == 2  # two assignments each
    assert not any(chunk.is_restart for chunk in done)
    assert authority.pending() == []


def test_those_added_last_may_have_joined_first(authority: Authority) -> None:
    """Whichever of them has waited longest, chunks are as full: here it is always the last by number."""
    _join(authority, FEW)
    assert _settle(authority) > 0
    newest_first = _subjects(FEW)[::-1]
    for start in range(0, FEW, FEW // 10):
        leaving = changes.RemoveMembers(
            group="all", members=newest_first[start : start + FEW // 10]
        )
        authority.apply([leaving], route="background")
    assert _settle(authority) < FEW / 10
    assert authority.pending() == []
    assert not any(authority.check_many([(subject, "read", "doc:1") for subject in newest_first]))
    assert all(entry.settled_at is not None for entry in authority.log())
    assert audit(authority.store).is_clean


@contextmanager
def _steps(authority: Authority) -> Iterator[list[int]]:
    """SQLite's own steps on the connection that writes, in thousands."""
    counted = [0]

    def count() -> int:
        counted[0] += 1
        return 0

    writer(authority).set_progress_handler(count, 1_000)
    yield counted
    writer(authority).set_progress_handler(None, 0)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_work_is_proportional_to_their_number(authority: Authority) -> None:
    """Eight times as many members take about eight times as many steps of the database."""
    taken = {}
    for count in (FEW, MANY):
        other = Authority(authority.store, organization=f"o{count}")
        _join(other, count)
        with _steps(other) as steps:
            _settle(other)
        taken[count] = steps[0]
    assert taken[MANY] < 1.5 * taken[FEW] * MANY / FEW


def test_one_that_fails_is_parked_alone(
    authority: Authority, engine: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever is wrong with one membership's rows, the others get theirs, and it stays pending, parked."""
    _join(authority, FEW)
    (row,) = authority.store.fetch("find_log", {"organization": "acme"})
    (poisoned,) = (work for work in authority.pending() if work.subject == "user:77")
    with authority.store.connection() as connection:
        number = connection.execute(  # type: ignore[attr-defined]
            ours(
                engine,
                f"SELECT id FROM rescind.membership WHERE organization = {row[0]} AND subject = 'user:77'",
            )
        ).fetchone()[0]
        for statement in POISON[engine]:
            connection.execute(statement.format(m=number))  # type: ignore[attr-defined]
    while any(not work.is_parked for work in authority.pending(limit=2 * FEW)):
        _settle(authority, NO_WAIT)
    assert [work.subject for work in authority.pending()] == [poisoned.subject]
    assert all(authority.check_many([(subject, "read", None) for subject in _subjects(FEW)]))
    assert caplog.records


def test_a_revocation_among_grants_is_done_first(authority: Authority) -> None:
    """Chunks hold one urgency: who leaves comes before all who join."""
    _join(authority, FEW)
    leave = changes.RemoveMembers(group="all", members=("user:150",))
    authority.apply([leave], route="background")
    assert Worker(authority.store).work_once()
    left = {work.subject for work in authority.pending(limit=2 * FEW)}
    assert left == {*_subjects(FEW)} - {"user:150"}


def test_a_revocation_among_grants_ends_where_none_follows(authority: Authority) -> None:
    """Its job does not look through all who join: their number is nothing to it."""
    _join(authority, FEW)
    leavers = ("user:50", "user:51", "user:150")
    authority.apply([changes.RemoveMembers(group="all", members=leavers)], route="background")
    left = set(leavers)
    while left:
        work, steps = Work(authority.store, due_jobs(authority.store)[0]), 0
        while not work.step(Steady(20)).is_settled:  # ten members each, with two assignments
            steps += 1
            assert steps <= len(leavers)
        pending = {item.subject for item in authority.pending(limit=2 * FEW)}
        assert left - pending
        left &= pending
    assert _settle(authority) > 0
    assert all(entry.settled_at is not None for entry in authority.log())
    assert audit(authority.store).is_clean
