"""A worker is killed at each statement of a job in turn: the next one finishes it.

What is done again is at most the chunk that was under way; what is there then is what an uninterrupted
worker leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import product
from signal import SIGKILL

import pytest

from rescind import changes
from rescind.changes import Change
from tests.faults import tasks
from tests.faults.children import Child, Task
from tests.faults.conftest import Way
from tests.faults.small import (
    FACTS,
    MEMBERS,
    PLACES,
    Steady,
    opened,
    prepare,
    require_settled,
    rows,
    settle,
)
from tests.probe import probe_of

JOBS: dict[str, tuple[int, list[Change]]] = {
    "member": (
        3,
        [
            changes.RemoveMembers(group="team", members=MEMBERS[:1]),
            changes.AddMembers(group="team", members=("user:late",)),
        ],
    ),
    "members": (
        8,
        [
            changes.RemoveMembers(group="team", members=MEMBERS),
            changes.AddMembers(group="team", members=("user:late",)),
        ],
    ),
    "assignment": (
        4,
        [
            changes.Unassign(role="reader", to="group:team", on=PLACES[2]),
            changes.Assign(role="writer", to="group:team", on=PLACES[1]),
        ],
    ),
    "whole": (
        4,
        [
            changes.UnnestGroup(group="team", out_of="all"),
            changes.NestGroup(group="team", into="other"),
        ],
    ),
}
"""For each kind of pending work how many pairs a chunk has, and what leaves such work. With `member` a chunk
has a part of one membership, with `members` several memberships.
"""
EVERYWHERE = [
    *product(("sqlite", "postgres, one by one"), JOBS),
    ("postgres", "whole"),
]
"""Where each kind is tried; of a pipeline, the server has done nothing or all."""


class Jobs:
    """As many alike as are wanted, each of an organization of its own."""

    def __init__(self, database: str, kind: str, *, one_by_one: bool) -> None:
        self.database, self.one_by_one = database, one_by_one
        self.pairs, self.changes = JOBS[kind]
        prepare(database)
        self.authority = opened(database, "none")
        self.made = 0

    def make(self) -> str:
        self.made += 1
        name = f"o{self.made}"
        self.authority.apply(FACTS, organization=name, route="inline")
        receipt = self.authority.apply(self.changes, organization=name, route="background")
        assert receipt.route == "background"
        return name

    def killed(self, name: str, at: int | None, task: Task = tasks.settle) -> Child:
        child = Child(
            task,
            *(self.database, name, "team", self.pairs),
            at=at,
            one_by_one=self.one_by_one,
        )
        assert child.wait() == (0 if at is None else -SIGKILL)
        return child

    def finish(self) -> list[str]:
        """The statements with which other workers do what is left."""
        statements: list[str] = []
        probe_of(self.authority).before = statements.append
        settle(self.authority, Steady(self.pairs))
        probe_of(self.authority).before = None
        return statements


def chunks(statements: list[str]) -> int:
    """How many chunks were committed."""
    found, is_chunk = 0, False
    for statement in statements:
        is_chunk = is_chunk or statement in ("advance_pending", "settle_pending")
        if statement in ("commit", "committed"):
            found += is_chunk and statement == "committed"
            is_chunk = is_chunk and statement == "commit"
    return found


@pytest.fixture
def new_jobs(way: Way) -> Iterator[Callable[[str], Jobs]]:
    """Jobs of a kind, by each way in turn."""
    with ExitStack() as stack:

        def make(kind: str) -> Jobs:
            jobs = Jobs(way.database, kind, one_by_one=way.one_by_one)
            stack.enter_context(jobs.authority)
            return jobs

        yield make


@pytest.mark.parametrize(("way", "kind"), EVERYWHERE, indirect=["way"])
def test_killed_at_any_statement(new_jobs: Callable[[str], Jobs], kind: str) -> None:
    """Whatever chunk it was in, only that one is done again, and in the end all rows are right."""
    jobs = new_jobs(kind)
    whole = jobs.make()
    assert {row[1] for row in rows(jobs.authority, whole)["pending"]} == {
        kind.replace("members", "member")
    }
    statements = jobs.killed(whole, None).statements
    after = rows(jobs.authority, whole)
    assert chunks(statements) >= 2
    require_settled(jobs.authority, whole)
    for at, statement in enumerate(statements):
        name = jobs.make()
        child = jobs.killed(name, at)
        assert child.statements == statements[: at + 1]
        others = jobs.finish()
        assert rows(jobs.authority, name) == after, f"{at}, {statement}"
        require_settled(jobs.authority, name)
        assert chunks(child.statements) + chunks(others) == chunks(statements), f"{at}, {statement}"


WITH_A_CURSOR = [(way, kind) for way, kind in EVERYWHERE[:-1] if kind != "members"]
"""Of several memberships none is done whose row is gone."""


@pytest.mark.parametrize(("way", "kind"), WITH_A_CURSOR, indirect=["way"])
def test_control_taken_off_before_it_is_done(new_jobs: Callable[[str], Jobs], kind: str) -> None:
    """Control: work that is taken off the list when it begins, as queues do, is lost with its worker."""
    jobs = new_jobs(kind)
    whole, name = jobs.make(), jobs.make()
    statements = jobs.killed(whole, None).statements
    jobs.killed(name, statements.index("commit"), tasks.settle_taken_off)
    jobs.finish()
    lost, right = (rows(jobs.authority, one)["effective_role"] for one in (name, whole))
    assert lost != right


def test_control_without_the_checkpoint(new_jobs: Callable[[str], Jobs]) -> None:
    """Control: where the cursor is not kept, the next worker begins from the start."""
    jobs = new_jobs("assignment")
    whole, name = jobs.make(), jobs.make()
    statements = jobs.killed(whole, None).statements
    last = len(statements) - 1 - statements[::-1].index("settle_pending")
    child = jobs.killed(name, last, tasks.settle_without_cursor)
    assert chunks(child.statements) + chunks(jobs.finish()) > chunks(statements)
