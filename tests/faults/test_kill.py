"""A process is killed at each statement of a change in turn: nothing of it is there, or all of it is.

Whoever repeats the change with its key gets the receipt that the killed one would have had.
"""

from __future__ import annotations

from collections.abc import Iterator
from signal import SIGKILL

import pytest

from tests.faults import tasks
from tests.faults.children import Child, Task
from tests.faults.conftest import Way
from tests.faults.small import CHANGE, FACTS, State, opened, prepare, require_settled, rows, settle
from tests.probe import probe_of

KEY = "once"


class Organizations:
    """As many alike as are wanted, in one database."""

    def __init__(self, database: str, *, one_by_one: bool) -> None:
        self.database, self.one_by_one = database, one_by_one
        prepare(database)
        self.authority = opened(database, "none")
        self.made = 0

    def make(self) -> str:
        self.made += 1
        name = f"o{self.made}"
        self.authority.apply(FACTS, organization=name, route="inline")
        return name

    def killed(self, name: str, route: str, at: int | None, task: Task = tasks.apply) -> Child:
        """A child that has ended at that failpoint of the change."""
        args = (task, self.database, name, CHANGE, KEY, route)
        child = Child(*args, at=at, one_by_one=self.one_by_one)
        assert child.wait() == (0 if at is None else -SIGKILL)
        return child

    def state(self, name: str) -> State:
        return rows(self.authority, name)

    def again(self, name: str, route: str) -> tasks.Told:
        return tasks.told(
            self.authority.apply(CHANGE, idempotency_key=KEY, organization=name, route=route)
        )


@pytest.fixture
def organizations(way: Way) -> Iterator[Organizations]:
    """By each way in turn."""
    made = Organizations(way.database, one_by_one=way.one_by_one)
    with made.authority:
        yield made


@pytest.mark.parametrize("route", ["inline", "background"])
def test_killed_at_any_statement(organizations: Organizations, route: str) -> None:
    """Before the commit nothing is there, afterwards all is; the same key gives the same receipt."""
    whole = organizations.make()
    before = organizations.state(whole)
    statements = organizations.killed(whole, route, None).statements
    after, receipt = organizations.state(whole), organizations.again(whole, route)
    assert statements[-2:] == ["commit", "committed"]
    assert before != after
    for at, statement in enumerate(statements):
        name = organizations.make()
        child = organizations.killed(name, route, at)
        assert child.statements == statements[: at + 1]
        is_there = statement == "committed"
        assert organizations.state(name) == (after if is_there else before), statement
        assert _but_number(organizations.again(name, route)) == _but_number(receipt), statement
        assert organizations.state(name) == after, statement
    settle(organizations.authority)
    settled = organizations.state(whole)
    for number in range(1, organizations.made + 1):
        require_settled(organizations.authority, f"o{number}")
        assert organizations.state(f"o{number}")["effective_role"] == settled["effective_role"]


def test_control_without_a_transaction(organizations: Organizations) -> None:
    """Control: where each statement is kept at once, a kill leaves half of the change."""
    organizations.one_by_one = True
    whole = organizations.make()
    before = organizations.state(whole)
    statements = organizations.killed(whole, "inline", None).statements
    after = organizations.state(whole)
    name = organizations.make()
    at = len(statements) // 2
    organizations.killed(name, "inline", at, tasks.apply_without_transaction)
    assert organizations.state(name) not in (before, after)


def test_control_without_the_key(organizations: Organizations) -> None:
    """Control: where the key is not claimed, the repeated change is another one."""
    name = organizations.make()
    first = organizations.killed(name, "inline", None).result
    assert organizations.again(name, "inline") == first
    probe_of(organizations.authority).omitted.add("claim_key")
    assert organizations.again(name, "inline") != first


def _but_number(receipt: tasks.Told) -> tasks.Told:
    """Two organizations' receipts differ by their numbers only."""
    _, revision, *rest = receipt
    return (revision.organization, revision.environment, *rest)
