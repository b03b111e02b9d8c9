"""The many facts of a new index, put in all at once: the result equals that of putting each by itself.

Places in groups are by far the most. They come packed, group by group, and no object is made for one of them.
No check was made yet, so no derived result is affected, and no set is kept in order.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterable, Sequence
from sys import getsizeof
from typing import Final

from rescind.index.assignments import Held
from rescind.index.derived import Groups
from rescind.index.facts import Facts
from rescind.index.orders import NUMBER, Order
from rescind.model import GroupNumber, MembershipNumber
from rescind.store.rows.index import (
    AssignmentTuple,
    IndexedInactive,
    IndexedRoster,
    LastingTuple,
    MembershipTuple,
    PlaceTuple,
    ResourceTuple,
)

SPARSE: Final = 16
"""Numbers for each membership up to which a list has a place for each number."""


def load_memberships(
    facts: Facts, rows: Sequence[MembershipTuple], inactive: Iterable[IndexedInactive]
) -> None:
    """Put all memberships."""
    facts.memberships.update({subject: m for subject, m in rows})  # noqa: C416 - pairs take longer
    facts.subjects.update({m: subject for subject, m in rows})
    facts.inactive.update(row.number for row in inactive)
    facts.text_bytes += sum(map(getsizeof, facts.memberships))
    facts.subject_kinds.put_all(facts.memberships)


def load_places(facts: Facts, rows: Iterable[IndexedRoster], late: Iterable[PlaceTuple]) -> None:
    """Put all members of groups; `late` are those that expire. Places in ended groups are skipped.

    The groups of each membership are collected group by group. Memberships in the same ones have one list.
    """
    lists = _Lists()
    list_of = _list_numbers(facts.subjects)
    for number, packed in sorted(rows):
        group = facts.group_numbers.get(number)
        if group is not None:
            roster = _unpacked(packed)
            longer = lists.with_next(group)
            lengthened = list(map(longer.__getitem__, map(list_of.__getitem__, roster)))
            for m, longer_list in zip(roster, lengthened, strict=True):
                list_of[m] = longer_list
            facts.members_of[group] = Order.of(array(NUMBER, roster))
            facts.places += len(roster)
    tuples = lists.tuples({list_of[m] for m in facts.subjects})
    facts.groups_of.update((m, tuples[there]) for m in facts.subjects if (there := list_of[m]))
    for m, number, until in late:
        group = facts.group_numbers.get(number)
        if group is not None and until is not None:
            facts.expiring_places.setdefault(m, {})[group] = until
            facts.members_of.setdefault(group, Order()).add(m)
            facts.places += 1


def _unpacked(packed: bytes | str) -> list[int]:
    """Numbers in order."""
    if isinstance(packed, str):
        return sorted(json.loads(packed))
    numbers = array(NUMBER, packed)
    if sys.byteorder == "little":
        numbers.byteswap()
    return sorted(numbers)


def _list_numbers(memberships: Iterable[MembershipNumber]) -> list[int] | _ZeroByDefault:
    """The number of a list for each membership, 0 at first. Positions are found faster than keys."""
    known = list(memberships)
    most = max(known, default=0)
    return [0] * (most + 1) if most < SPARSE * len(known) else _ZeroByDefault()


class _ZeroByDefault(dict[int, int]):
    def __missing__(self, key: int) -> int:
        return 0


class _Lists:
    """Lists of groups, numbered. Each is another one with a group after it; 0 is the empty list."""

    def __init__(self) -> None:
        self._before, self._groups = [0], [GroupNumber(0)]

    def with_next(self, group: GroupNumber) -> _Longer:
        """The numbers of lists with this group after them, by their numbers."""
        return _Longer(self, group)

    def add(self, before: int, group: GroupNumber) -> int:
        """A new list."""
        self._before.append(before)
        self._groups.append(group)
        return len(self._before) - 1

    def tuples(self, numbers: Iterable[int]) -> dict[int, Groups]:
        """The lists of these numbers."""
        return {number: tuple(self._backwards(number))[::-1] for number in numbers}

    def _backwards(self, number: int) -> Iterable[GroupNumber]:
        while number:
            yield self._groups[number]
            number = self._before[number]


class _Longer(dict[int, int]):
    def __init__(self, lists: _Lists, group: GroupNumber) -> None:
        self._lists, self._group = lists, group

    def __missing__(self, before: int) -> int:
        number = self[before] = self._lists.add(before, self._group)
        return number


def load_resources(facts: Facts, rows: Iterable[ResourceTuple]) -> None:
    """Put all resources."""
    for slug, number, parent in rows:
        facts.resources[slug] = number
        facts.resource_names[number] = slug
        facts.resource_parent[number] = parent
        if parent is not None:
            facts.resource_children.setdefault(parent, set()).add(number)
    facts.text_bytes += sum(map(getsizeof, facts.resources))
    facts.resource_kinds.put_all(facts.resources)


def load_assignments(
    facts: Facts, rows: Iterable[LastingTuple], late: Iterable[AssignmentTuple]
) -> None:
    """Put all assignments; `late` are those that expire."""
    number_of = facts.group_numbers
    facts.assignments.put_all(
        (number_of.get(holder, holder), role, resource) for holder, role, resource in rows
    )
    for holder, role, resource, until in late:
        held = Held(number_of.get(holder, holder), role, resource)
        facts.assignments.put(held, until)
