"""A long list is made in turns: between them others have the index, and no change of it is kept waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rescind import Authority, changes
from rescind.decision.lists.indexed import Indexed
from rescind.replicas import cached_answers as recall
from tests.contract.world import FUTURE, WORLD

MANY = 40
SUBJECTS = tuple(f"user:n{n:02}" for n in range(MANY))
GROUP = [
    *(changes.AddMembership(subject=subject) for subject in SUBJECTS),
    changes.AddMembers(group="eng", members=SUBJECTS[::2]),
]
WORLDS: dict[str, list[changes.Change]] = {
    "for good": GROUP,
    "until a time": [
        *GROUP,
        changes.AddMembers(group="staff", members=SUBJECTS[1::2], expires_at=FUTURE),
    ],
    "one role each": [*GROUP, changes.SetRoleMode(mode="single")],
}
LISTS: dict[str, Callable[[Authority, str], tuple[str, ...]]] = {
    "who can": lambda of, how: of.who_can("read", limit=1_000, assurance=how).items,
    "resources": lambda of, how: (
        of.resources_of("user:ada", "read", limit=1_000, assurance=how).items
    ),
    "permissions": lambda of, how: of.permissions_of("user:ada", assurance=how).items,
}
EXPELLED = SUBJECTS[0]
EXPEL = changes.RemoveMembers(group="eng", members=(EXPELLED,))


class Turns:
    """What happens between two turns of a list."""

    def __init__(self, held: Authority) -> None:
        assert held.cache is not None
        self._lock = held.cache.indexes["acme"].index.mutex
        self.count = 0
        self.between: Callable[[], object] = lambda: None

    def pause(self, _: float) -> None:
        """The index is free."""
        assert self._lock.acquire(blocking=False)
        self._lock.release()
        self.count += 1
        self.between()


@pytest.fixture(params=WORLDS)
def held(request: pytest.FixtureRequest, database: str) -> Iterator[Authority]:
    """An authority that holds `acme` in memory, on each engine and in each world in turn."""
    with Authority.open(database, organization="acme", index=True) as opened:
        opened.apply([*WORLD, *WORLDS[request.param]])
        assert opened.load()
        yield opened


@pytest.fixture
def turns(held: Authority, monkeypatch: pytest.MonkeyPatch) -> Turns:
    """Each step is a turn, and a step is short."""
    made = Turns(held)
    monkeypatch.setattr(recall, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(recall, "pause", made.pause)
    monkeypatch.setattr(Indexed, "at_once", 4)
    return made


@pytest.mark.parametrize("asked", LISTS)
def test_a_list_in_turns(held: Authority, turns: Turns, asked: str) -> None:
    """Is the same as from the facts, and leaves the index to others between two steps."""
    found = LISTS[asked](held, "standard")
    assert found == LISTS[asked](held, "live")
    assert turns.count > (MANY // 4 if asked == "who can" else 0)


def test_a_change_between_two_turns(held: Authority, turns: Turns) -> None:
    """Is not kept waiting: the list begins again, and is of the facts after it."""
    assert EXPELLED in LISTS["who can"](held, "live")

    def change_once() -> None:
        turns.between = lambda: None
        held.apply([EXPEL])
        held.check("user:ada", "read")  # on SQLite, a look brings memory up to date

    turns.between = change_once
    assert LISTS["who can"](held, "standard") == LISTS["who can"](held, "live")
    assert EXPELLED not in LISTS["who can"](held, "standard")


def test_changes_between_all_turns(held: Authority, turns: Turns) -> None:
    """After two attempts the facts say it."""
    names = iter(f"user:late{n}" for n in range(1_000))
    turns.between = lambda: held.apply([changes.AddMembership(subject=next(names))])
    found = LISTS["who can"](held, "standard")
    assert turns.count == recall.ATTEMPTS
    turns.between = lambda: None
    assert found == LISTS["who can"](held, "live")


def test_control_a_list_in_one_go(
    held: Authority, turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: with turns that do not end, nobody else has the index before the list is there."""
    monkeypatch.setattr(recall, "TURN_SECONDS", float("inf"))
    assert LISTS["who can"](held, "standard") == LISTS["who can"](held, "live")
    assert turns.count == 0
