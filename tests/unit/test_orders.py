"""Sets kept in order, kinds kept while they are few, and the merge of ordered streams: as sets say."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from rescind.decision.lists.source import finished
from rescind.decision.lists.streams import (
    DOUBTFUL,
    EXPIRED,
    SURE,
    Items,
    Kind,
    Merge,
    Request,
    Stream,
)
from rescind.index import kinds, orders
from rescind.index.orders import Name, Order, Orders


@pytest.mark.parametrize("seed", range(5))
def test_an_order_follows_its_set(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is added and dropped, twice or never, at either end and in the middle."""
    monkeypatch.setattr(orders, "PART", 3)
    pick = random.Random(seed)
    numbers = set(pick.sample(range(-50, 50), 20))
    order = Order(numbers)
    for _ in range(400):
        number = pick.randrange(-60, 60)
        if pick.random() < 0.5:
            order.add(number)
            numbers.add(number)
        else:
            order.drop(number)
            numbers.discard(number)
        after, most = pick.randrange(-70, 70), pick.randrange(1, 30)
        assert order.count == len(numbers)
        assert order.after(after, most) == sorted(n for n in numbers if n > after)[:most]


def test_an_order_that_was_not_told() -> None:
    """Is made anew where its set has another size; told of, it is as good."""
    kept, numbers = Orders(), set(range(orders.SMALL + 5))
    name = Name("members", 1)
    assert kept.after(name, numbers, 3, 2) == [4, 5]
    numbers -= {4}
    assert kept.after(name, numbers, 3, 2) == [5, 6]
    numbers -= {5}
    kept.put(name, 5, holds=False)
    assert kept.after(name, numbers, 3, 2) == [6, 7]
    assert kept.size() == orders.ORDERED_BYTES * len(numbers)
    assert kept.after(name, {9, 8}, 3, 5) == [8, 9]
    assert kept.size() == 0


def test_kinds_are_kept_while_they_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many, nothing is said until all of them have gone."""
    monkeypatch.setattr(kinds, "FEW", 2)
    kept = kinds.Kinds()
    for number in range(3):
        kept.put(f"user:{number}", number)
    kept.put("agent:1", 7)
    assert (kept.few("agent:"), kept.few("robot:"), kept.few("user:")) == ({7}, set(), None)
    for number in range(3):
        kept.drop(f"user:{number}", number)
        assert kept.few("user:") == (set() if number == 2 else None)
    kept.put("user:9", 9)
    kept.drop("agent:1", 7)
    assert (kept.few("user:"), kept.few("agent:")) == ({9}, set())


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("at_once", [1, 5, 1_000])
def test_a_merge_is_the_union(seed: int, at_once: int) -> None:
    """In order, each number once and with the best that any stream says; what is read is bounded."""
    pick = random.Random(seed)
    of = {
        Stream(Kind.MEMBERS, key, is_sure=key % 2 == 0): {
            number: pick.random() < 0.7 for number in pick.sample(range(200), pick.randrange(80))
        }
        for key in range(pick.randrange(1, 9))
    }

    def read(requests: Sequence[Request]) -> list[Items]:
        found = []
        for stream, after, most in requests:
            numbers = sorted(n for n in of[stream] if n > after)[:most]
            found.append(Items(numbers, {n for n in numbers if not of[stream][n]}))
        return found

    after, got = pick.randrange(-1, 50), dict[int, int]()
    merge = Merge(read, list(of), after, 3, at_once)
    while block := finished(merge.block()):
        assert not got or min(block) > max(got)
        assert list(block) == sorted(block)
        got |= block
    wanted: dict[int, Any] = {}
    for stream, numbers in of.items():
        for number, in_force in numbers.items():
            if number > after:
                grade = (SURE if stream.is_sure else DOUBTFUL) if in_force else EXPIRED
                wanted[number] = max(grade, wanted.get(number, EXPIRED))
    assert got == wanted
    assert merge.rows == sum(number > after for numbers in of.values() for number in numbers)
