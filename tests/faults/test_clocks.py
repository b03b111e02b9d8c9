"""Workers whose machines' clocks differ by an hour behave alike: time is the database's, or a duration."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rescind import Authority, changes
from tests.faults import tasks
from tests.faults.children import Child
from tests.faults.small import FACTS, MEMBERS, opened, prepare, require_settled, rows

SLOW, FAST = -1_800, 1_800
"""Seconds by which a machine's clock is off."""
LONG_SECONDS, BACKOFF_SECONDS = 600, 60
LEAVE = changes.RemoveMembers(group="team", members=MEMBERS[:1])


@pytest.fixture
def made(database: str) -> Iterator[tuple[str, Authority]]:
    """A database on each engine in turn, and an authority whose clock is right."""
    prepare(database)
    with opened(database, "none") as authority:
        yield database, authority


def _off(database: str, seconds: int, task: tasks.Task, *args: object) -> object:
    """What a machine with such a clock comes to."""
    child = Child(tasks.with_clock, seconds, task, database, *args)
    assert child.wait() == 0
    return child.result


@pytest.mark.parametrize(("changer", "worker"), [(SLOW, FAST), (FAST, SLOW)])
def test_work_of_another_machine(made: tuple[str, Authority], changer: int, worker: int) -> None:
    """Work is due at once whoever left it, and a change settles after as long as it took."""
    database, authority = made
    authority.apply(FACTS, organization="acme")
    _off(database, changer, tasks.change, "acme", LEAVE)
    (work,) = authority.pending()
    assert work.lag_seconds < LONG_SECONDS
    _off(database, worker, tasks.work, "acme")
    require_settled(authority, "acme")
    entry = list(authority.log(organization="acme"))[-1]
    assert entry.settled_at is not None
    assert 0 <= (entry.settled_at - entry.recorded_at).total_seconds() < LONG_SECONDS
    assert rows(authority, "acme")["pending"] == []


@pytest.mark.parametrize(("first", "second"), [(SLOW, FAST), (FAST, SLOW)])
def test_a_failure_of_another_machine(made: tuple[str, Authority], first: int, second: int) -> None:
    """Work that failed is left alone for as long as was said, whoever looks at it."""
    database, authority = made
    authority.apply(FACTS, organization="acme")
    authority.apply([LEAVE], organization="acme", route="background")
    _off(database, first, tasks.fail, "acme", BACKOFF_SECONDS)
    (work,) = authority.pending()
    assert 0 < work.waits_seconds <= BACKOFF_SECONDS
    assert not _off(database, second, tasks.work, "acme")
    assert [work.attempts for work in authority.pending()] == [1]
    authority.retry(work)
    assert _off(database, second, tasks.work, "acme")
    require_settled(authority, "acme")


def test_control_a_machine_that_uses_its_own_clock(
    made: tuple[str, Authority], new_database: Callable[[str], str]
) -> None:
    """Control: by the clock of a slow machine, work that others left is not due yet."""
    database, authority = made
    authority.apply(FACTS, organization="acme")
    _off(database, FAST, tasks.change, "acme", LEAVE)
    assert not _off(database, SLOW, tasks.work_by_own_clock, "acme")
    assert authority.has_due_work()
