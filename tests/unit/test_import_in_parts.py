"""An import gives way: where others change the organization, its batches are done in short parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from rescind import Authority
from rescind.changes import (
    AddMembers,
    AddMembership,
    Change,
    CreateGroup,
    DeleteGroup,
    RemoveMembership,
    list_from_json,
)
from rescind.errors import StoreConflict
from rescind.transfer import Item, Summary, load, parts
from rescind.transfer import batches as applying
from tests.unit.test_exchange_resuming import PEOPLE, Killed, facts, members_file, ready

__all__ = ["ready"]
PART = 3
PLACES = {f"user:{who} in g{n % 3}" for n, who in enumerate(PEOPLE)}


OTHERS = {f"group:other{n}" for n in range(100)}


def taking(fact: str) -> Change | None:
    """What takes away a membership or a group that the import made."""
    kind, _, name = fact.partition(":")
    if kind == "group":
        return DeleteGroup(group=name, cascade=True)
    return RemoveMembership(subject=fact) if " " not in fact else None


def named(take: Change) -> str:
    """What it takes, as facts and summaries name it."""
    if isinstance(take, DeleteGroup):
        return take.group
    assert isinstance(take, RemoveMembership)
    return take.subject


class Others:
    """Somebody who comes in between look and lock of what is longer than a part."""

    def __init__(self, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
        self.authority, self.kill_at = authority, 0
        self.looks = list[int]()
        look, others = applying.Batches.look, self

        def overtaken(batches: applying.Batches, items: Sequence[Item]) -> applying.View:
            view = look(batches, items)
            others.looks.append(len(items))
            if len(others.looks) == others.kill_at:
                raise Killed
            if len(items) > PART:
                others.authority.apply([CreateGroup(group=f"other{len(others.looks)}")])
            return view

        monkeypatch.setattr(parts, "PART_WEIGHT", PART)
        monkeypatch.setattr(applying.Batches, "look", overtaken)


@pytest.fixture
def others(ready: Authority, monkeypatch: pytest.MonkeyPatch) -> Others:
    return Others(ready, monkeypatch)


def imported(others: Others) -> Summary:
    return load(others.authority, members_file(), digest="d", organization="acme")


def test_a_batch_that_others_overtake_is_done_in_parts(others: Others) -> None:
    """They wait for a part at most, and the import ends."""
    imported(others)
    assert facts(others.authority) >= PLACES
    assert max(others.looks[1:]) <= PART


def test_control_a_whole_batch_would_be_overtaken_for_ever(
    others: Others, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_WEIGHT", 1_000_000)
    with pytest.raises(StoreConflict):
        imported(others)


def test_without_others_a_batch_is_one_transaction(
    ready: Authority,
) -> None:
    before = sum(1 for _ in ready.log())
    load(ready, members_file(), digest="d", organization="acme")
    assert sum(1 for _ in ready.log()) == before + 1


@pytest.mark.parametrize("kill_at", [3, 5, 7])
def test_parts_of_a_killed_import_give_nothing_back(others: Others, kill_at: int) -> None:
    """Not even of the first batch: an import begins with its first part."""
    before = facts(others.authority)
    others.kill_at = kill_at
    with pytest.raises(Killed):
        imported(others)
    made = sorted(facts(others.authority) - before - OTHERS)
    take = next(filter(None, map(taking, made)))
    others.authority.apply([take])
    summary = imported(others)
    left = facts(others.authority)
    assert not left & {named(take), f"group:{named(take)}"}
    assert any(named(take) in each.what for each in summary.left_out)
    assert all(place in left for place in PLACES if named(take) not in place)


def test_parts_that_were_done_are_not_done_again(others: Others) -> None:
    """The same import once more alters nothing, and says that it was done before."""
    imported(others)
    before = sum(1 for _ in others.authority.log())
    assert imported(others).repeated == 1
    assert sum(1 for _ in others.authority.log()) == before


def test_whoever_waited_for_a_batch_waits_for_parts_from_then_on(
    ready: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes while a batch is written waits for its end: the next batches are done in parts, though
    nobody came in between their look and their lock.
    """
    first, *later = written_beside_others(ready, monkeypatch)
    assert first > PART
    assert len(later) > 1
    assert max(later) <= PART


def test_control_only_those_between_look_and_lock_would_be_noticed(
    ready: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If nothing is made of what others wrote between two batches, every batch is whole."""
    monkeypatch.setattr(parts.Contention, "note", lambda _: None)
    assert min(written_beside_others(ready, monkeypatch)[:-1]) > PART


def test_members_of_a_large_group_are_divided(
    ready: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of a list that became one change are several parts, and all of them are there in the end."""
    items = members_file()
    assert max(len(item.rows) for item in items) > PART
    _, *later = written_beside_others(ready, monkeypatch, items)
    assert max(later) <= PART
    assert facts(ready) >= PLACES


def test_a_change_that_was_written_as_one_stays_one() -> None:
    """Only rows of a list are divided, and each part names its own lines."""
    members = tuple(f"user:{n}" for n in range(parts.PART_WEIGHT + 5))
    change = AddMembers(group="g", members=members)
    assert [list(part) for part in parts.parts_of([Item(change, "f:1")])] == [[Item(change, "f:1")]]
    rows = tuple(range(1, len(members) + 1))
    whole, rest = parts.parts_of([Item(change, "f:1", rows=rows)])
    assert (len(whole), len(rest)) == (1, 1)
    assert whole[0].rows + rest[0].rows == rows
    assert whole[0].change.weight == parts.PART_WEIGHT
    assert rest[0].change == AddMembers(group="g", members=members[parts.PART_WEIGHT :])


def written_beside_others(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, items: list[Item] | None = None
) -> list[int]:
    """The weight of each transaction of an import if somebody changes the organization after each batch."""
    apply, others = applying.Batches.apply, set[str]()

    def between(batches: applying.Batches, *asked: Any) -> Any:
        applied = apply(batches, *asked)
        others.add(f"other{len(others)}")
        authority.apply([CreateGroup(group=f"other{len(others) - 1}")])
        return applied

    monkeypatch.setattr(parts, "PART_WEIGHT", PART)
    monkeypatch.setattr(applying.Batches, "apply", between)
    before = sum(1 for _ in authority.log())
    people = [Item(AddMembership(subject=f"user:new{n}"), f"f:{n}") for n in range(8 * PART)]
    load(authority, items or people, digest="d", organization="acme", batch_size=2 * PART)
    written = [list_from_json(entry.changes) for entry in list(authority.log())[before:]]
    own = [
        changes
        for changes in written
        if not (isinstance(changes[0], CreateGroup) and changes[0].group in others)
    ]
    return [sum(change.weight for change in changes) for changes in own]
