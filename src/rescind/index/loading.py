"""The many facts of a new index, put in all at once: the result equals that of putting each by itself.

Most come as JSON arrays, one for each column: no object is made for a row, which would cost time and memory.
No check was made yet, so no derived result is affected, and no set is kept in order.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable
from sys import getsizeof

from rescind.index.assignments import Held
from rescind.index.derived import Groups
from rescind.index.facts import Facts
from rescind.index.orders import NUMBER, Order
from rescind.model import GroupNumber, MembershipNumber
from rescind.store.rows.index import (
    AssignmentTuple,
    IndexedAssignments,
    IndexedInactive,
    IndexedMemberships,
    IndexedResources,
    IndexedRoster,
    PlaceTuple,
)


def load_memberships(
    facts: Facts, rows: Iterable[IndexedMemberships], inactive: Iterable[IndexedInactive]
) -> None:
    """Put all memberships."""
    for numbers, subjects in rows:
        facts.memberships.update(zip(json.loads(subjects), json.loads(numbers), strict=True))
    facts.subjects.update(zip(facts.memberships.values(), facts.memberships, strict=True))
    facts.inactive.update(row.number for row in inactive)
    facts.text_bytes += sum(map(getsizeof, facts.memberships))
    facts.subject_kinds.put_all(facts.memberships)


def load_places(facts: Facts, rows: Iterable[IndexedRoster], late: Iterable[PlaceTuple]) -> None:
    """Put all members of groups; `late` are those that expire. Places in ended groups are skipped.

    The groups of each membership are collected group by group. Memberships in the same ones have one list.
    """
    lists = _Lists()
    list_of: dict[MembershipNumber, int] = {}
    for number, memberships in sorted(rows):
        group = facts.group_numbers.get(number)
        if group is not None:
            roster = array(NUMBER, sorted(json.loads(memberships)))
            longer = lists.with_next(group)
            lengthened = map(longer.__getitem__, map(list_of.get, roster))
            list_of.update(zip(roster, lengthened, strict=True))
            facts.members_of[group] = Order(roster)
            facts.places += len(roster)
    tuples = lists.tuples(set(list_of.values()))
    facts.groups_of.update((m, tuples[list_of[m]]) for m in facts.subjects if m in list_of)
    for m, number, until in late:
        group = facts.group_numbers.get(number)
        if group is not None and until is not None:
            facts.expiring_places.setdefault(m, {})[group] = until
            facts.members_of.setdefault(group, Order()).add(m)
            facts.places += 1


class _Lists:
    """Lists of groups, numbered. Each is another one with a group after it; 0 is the empty list."""

    def __init__(self) -> None:
        self._before, self._groups = [0], [GroupNumber(0)]

    def with_next(self, group: GroupNumber) -> _Longer:
        """The numbers of lists with this group after them, by their numbers; of none, the empty list."""
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


class _Longer(dict[int | None, int]):
    def __init__(self, lists: _Lists, group: GroupNumber) -> None:
        self._lists, self._group = lists, group

    def __missing__(self, before: int | None) -> int:
        number = self[before] = self._lists.add(before or 0, self._group)
        return number


def load_resources(facts: Facts, rows: Iterable[IndexedResources]) -> None:
    """Put all resources."""
    children = facts.resource_children
    for row in rows:
        numbers, slugs, parents = map(json.loads, row)
        facts.resources.update(zip(slugs, numbers, strict=True))
        facts.resource_names.update(zip(numbers, slugs, strict=True))
        facts.resource_parent.update(zip(numbers, parents, strict=True))
        for r, parent in zip(numbers, parents, strict=True):
            if parent is not None:
                children.setdefault(parent, set()).add(r)
    facts.text_bytes += sum(map(getsizeof, facts.resources))
    facts.resource_kinds.put_all(facts.resources)


def load_assignments(
    facts: Facts, rows: Iterable[IndexedAssignments], late: Iterable[AssignmentTuple]
) -> None:
    """Put all assignments; `late` are those that expire."""
    number_of = facts.group_numbers
    facts.assignments.put_all(
        (number_of.get(holder, holder), role, resource)
        for row in rows
        for holder, role, resource in zip(*map(json.loads, row), strict=True)
    )
    for holder, role, resource, until in late:
        held = Held(number_of.get(holder, holder), role, resource)
        facts.assignments.put(held, until)
