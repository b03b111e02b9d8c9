"""What is loaded at once is as what is put one by one, however it comes and whatever its numbers are."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from rescind.index import Index
from rescind.index.assignments import SMALL_SET, Held
from rescind.index.facts import Facts
from rescind.index.loading import SPARSE, load_assignments, load_memberships, load_places
from rescind.store.rows.index import IndexedRoster
from tests.property.following import facts_of

MEMBERS, GROUPS = 60, 12
ENDED = -99
"""A group that is no more."""


def _json(numbers: list[int]) -> str:
    return json.dumps(numbers)


def _bytes(numbers: list[int]) -> bytes:
    return b"".join(number.to_bytes(4, "big", signed=True) for number in numbers)


def _numbers(step: int) -> list[int]:
    return [7 + step * n for n in range(MEMBERS)]


def _groups(facts: Facts) -> None:
    for group in range(1, GROUPS + 1):
        facts.put_group(-group, f"g{group}")  # type: ignore[arg-type]


@pytest.mark.parametrize("step", [1, SPARSE + 1], ids=["dense", "sparse"])
@pytest.mark.parametrize("pack", [_json, _bytes])
def test_places(pack: Callable[[list[int]], Any], step: int) -> None:
    """Members of groups, in any order, with places in a group that has ended and places that expire."""
    choose, numbers = random.Random(step), _numbers(step)
    rosters = {-g: choose.sample(numbers, choose.randrange(MEMBERS)) for g in range(1, GROUPS + 1)}
    rosters[ENDED] = numbers[:3]
    late = [(numbers[0], -1, 1_000), (numbers[-1], ENDED, 1_000), (numbers[5], -2, 2_000)]
    for m, group, _ in late:
        rosters[group] = [one for one in rosters[group] if one != m]
    at_once, one_by_one = Index(1), Index(1)
    subjects: Any = [(f"user:{m}", m) for m in numbers]
    load_memberships(at_once.facts, subjects, [])
    _groups(at_once.facts)
    packed: Any = [IndexedRoster(g, pack(there)) for g, there in rosters.items()]  # type: ignore[arg-type]
    load_places(at_once.facts, packed, late)  # type: ignore[arg-type]
    facts: Any = one_by_one.facts
    for subject, m in subjects:
        facts.put_membership(m, subject, active=True)
    _groups(facts)
    for group, there in rosters.items():
        for m in there if group != ENDED else ():
            facts.set_member(m, group, holds=True)
    for m, group, until in late:
        if group != ENDED:
            facts.set_member(m, group, holds=True, until=until)
    assert facts_of(at_once) == facts_of(one_by_one)


def test_assignments() -> None:
    """Few and many holders of a role on a resource, and few and many roles of a holder."""
    pairs = [(holder, role) for holder in range(1, SMALL_SET + 3) for role in range(1, holder + 1)]
    listed: Any = [(holder, role, holder % 2) for holder, role in pairs]
    listed += [(-1, role, 1) for role in range(1, SMALL_SET + 1)]
    at_once, one_by_one = Index(1), Index(1)
    load_assignments(at_once.facts, listed, [])
    for one in listed:
        one_by_one.facts.assignments.put(Held(*one), None)
    assert facts_of(at_once) == facts_of(one_by_one)
    for by_key in ("grants", "held_by"):
        found, expected = (
            [
                type(items)
                for there in getattr(index.facts.assignments, by_key).values()
                for items in there.values()
            ]
            for index in (at_once, one_by_one)
        )
        assert found == expected
    assert {*found} == {set, frozenset}
