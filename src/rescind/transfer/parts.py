"""The parts of a batch that others come in between, and what they did.

A batch is one transaction, and whoever changes the same organization waits for it. Where somebody does, the
next batches are done in parts, so that a revocation waits for a part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final

from msgspec import structs

from rescind.changes import AddMembers
from rescind.model import Receipt
from rescind.transfer.readers import Item
from rescind.transfer.since import LeftOut

PART_WEIGHT: Final = 20
"""Changes of a part, where each member that a change names counts."""
CONTENDED_BATCHES: Final = 8
"""Batches that are done in parts after others changed the organization."""


class Contention:
    """Whether batches are done in parts, because others changed the organization lately."""

    def __init__(self) -> None:
        self._batches = 0

    def __bool__(self) -> bool:
        return self._batches > 0

    def note(self) -> None:
        """Others changed the organization while a batch was written, or between a look and the lock."""
        self._batches = CONTENDED_BATCHES

    def next_batch(self) -> None:
        """A batch begins."""
        self._batches = max(self._batches - 1, 0)


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch did: its receipt (none where nothing was left of it), and what was left out.

    `is_repeated` says that an earlier import had done it.
    """

    receipt: Receipt | None
    changes: int
    left_out: list[LeftOut] = field(default_factory=list)
    is_repeated: bool = False


def parts_of(items: Sequence[Item]) -> list[Sequence[Item]]:
    """A batch in parts, always the same ones. A larger change that was written as such is a part of its own;
    one that was made from the rows of a list is divided.
    """
    parts: list[list[Item]] = [[]]
    weight = 0
    for item in chain.from_iterable(map(_divided, items)):
        if parts[-1] and weight + item.change.weight > PART_WEIGHT:
            parts.append([])
            weight = 0
        parts[-1].append(item)
        weight += item.change.weight
    return [*parts]


def _divided(item: Item) -> Iterator[Item]:
    """Members of one group that rows of a list name, no more in an item than a part has."""
    change = item.change
    if not (isinstance(change, AddMembers) and item.rows and change.weight > PART_WEIGHT):
        yield item
        return
    for start in range(0, len(change.members), PART_WEIGHT):
        some = slice(start, start + PART_WEIGHT)
        members, rows = change.members[some], item.rows[some]
        yield replace(item, change=structs.replace(change, members=members), rows=rows)


def together(applied: list[Applied], most_changes: int) -> Applied:
    """What the parts of a batch of so many changes did: it is repeated if all of them are."""
    receipts = [each.receipt for each in applied if each.receipt is not None]
    return Applied(
        receipts[-1] if receipts else None,
        min(sum(each.changes for each in applied), most_changes),
        [left for each in applied for left in each.left_out],
        all(each.is_repeated for each in applied),
    )
