"""The facts that a list reads, from an index in memory, under its lock.

Streams carry plain numbers. This module gives each number the type of what its stream lists.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, cast

from rescind.decision.lists.source import MOST_BELOW, MOST_PARENTS, MOST_STREAMS, Named, Scope
from rescind.decision.lists.streams import Items, Kind, Request, Stream
from rescind.index import Index
from rescind.index.assignments import Held, both
from rescind.index.facts import ROOT
from rescind.index.orders import Name
from rescind.index.relations import NOTHING
from rescind.model import (
    GroupNumber,
    HolderNumber,
    MembershipNumber,
    Question,
    ResourceNumber,
    RoleNumber,
)

LEAST: Final = -(1 << 63)
"""Less than the number of any group."""
NOBODY: Final = MembershipNumber(0)


class Indexed:
    """A `Source` that reads an index. All names of the question exist in it."""

    at_once = 256

    def __init__(self, index: Index, question: Question, now: int) -> None:
        self._index, self._facts, self._now = index, index.facts, now
        self._orders = index.facts.orders
        self._membership = index.facts.memberships.get(
            index.facts.spelled(question.subject), NOBODY
        )
        self._resource = index.facts.resources.get(question.resource, ROOT)
        self._roles = index.roles_with(question.permission)
        self._reach: Collection[HolderNumber] | None = None
        self.is_single = index.facts.rules.is_single
        self.default_is_given = index.facts.rules.default_role in self._roles

    def read(self, requests: Sequence[Request], /) -> list[Items]:
        return [self._items(*request) for request in requests]

    def _items(self, stream: Stream, after: int, most: int) -> Items:
        facts, (kind, key, role, _) = self._facts, stream
        if kind is Kind.MEMBERS:
            return self._members(GroupNumber(key), after, most)
        if kind is Kind.HOLDERS:
            place = ResourceNumber(key)
            return self._holders_of(RoleNumber(role), place, max(after, 0), most)
        if kind is Kind.PLACES:
            holder = cast(HolderNumber, key)
            held = facts.assignments.held_by.get(holder, {})
            places = self._orders.after(Name("places", key), held, max(after, ROOT), most)
            return Items([*places], self._not_given(holder, places))
        numbers: Sequence[int]
        if kind is Kind.MEMBERSHIPS:
            numbers = self._orders.after(Name("memberships"), facts.subjects, after, most)
        elif kind is Kind.RESOURCES:
            numbers = self._orders.after(Name("resources"), facts.resource_names, after, most)
        elif kind is Kind.CHILDREN:
            children = facts.resource_children.get(ResourceNumber(key), NOTHING)
            numbers = self._orders.after(Name("children", key), children, after, most)
        else:
            contents = facts.role(RoleNumber(key)).permissions
            numbers = sorted(number for number in contents if number > after)[:most]
        return Items([*numbers])

    def _members(self, group: GroupNumber, after: int, most: int) -> Items:
        expiring, now = self._facts.expiring_places, self._now
        there = self._facts.members_of.get(group)
        numbers: Sequence[MembershipNumber] = there.after(after, most) if there else ()
        if not expiring:
            return Items([*numbers])
        ends = {m: expiring[m].get(group) for m in numbers if m in expiring}
        return Items([*numbers], {m for m, end in ends.items() if end is not None and end <= now})

    def _holders_of(self, role: RoleNumber, place: ResourceNumber, after: int, most: int) -> Items:
        assignments, now = self._facts.assignments, self._now
        grants = assignments.grants.get(place, {}).get(role, NOTHING)
        expiring = assignments.expiring.get(place, {}).get(role, {})
        numbers = self._orders.after(Name("grants", place, role), grants, after, most)
        if not expiring:
            return Items([*numbers])
        ending = self._orders.after(Name("expiring", place, role), expiring, after, most)
        return Items(sorted([*numbers, *ending])[:most], {m for m in ending if expiring[m] <= now})

    def _given(self, holder: HolderNumber, places: Iterable[ResourceNumber]) -> set[ResourceNumber]:
        """The resources, among `places`, on which the holder has a role with the permission."""
        return set(places) - self._not_given(holder, places)

    def _not_given(
        self, holder: HolderNumber, places: Iterable[ResourceNumber]
    ) -> set[ResourceNumber]:
        """The resources, among `places` where the holder has a role, on which none has the permission."""
        assignments, roles = self._facts.assignments, self._roles
        held, are_others = assignments.held_by.get(holder, {}), roles.isdisjoint
        if not assignments.expiring:
            return {place for place in places if are_others(held[place])}
        return {
            place
            for place in places
            if not any(
                assignments.is_in_force(Held(holder, role, place), self._now)
                for role in both(held[place], roles)
            )
        }

    # --- who can ----------------------------------------------------------------------------------

    def line(self) -> list[ResourceNumber]:
        return list(self._facts.line(self._resource))

    def scope(self, places: Collection[int]) -> Scope:
        assignments, found = self._facts.assignments, set[GroupNumber]()
        direct = list[Stream]()
        for place in cast(Collection[ResourceNumber], places):
            for role in both(assignments.roles_on(place), self._roles):
                found |= self._groups_with(role, place)
                direct.append(Stream(Kind.HOLDERS, place, role))
        groups = self._index.below(found)
        return Scope(groups if len(groups) <= MOST_STREAMS else None, direct)

    def _groups_with(self, role: RoleNumber, place: ResourceNumber) -> set[GroupNumber]:
        """The groups that hold a role on a resource. Groups have negative numbers, so they come first."""
        found, after, most = set[GroupNumber](), LEAST, 1
        while after < 0:
            numbers, lapsed = self._holders_of(role, place, after, most)
            found |= {GroupNumber(h) for h in numbers if h < 0 and h not in lapsed}
            after, most = numbers[-1] if len(numbers) == most else 0, 2 * most
        return found

    def subjects(self, numbers: Collection[int]) -> Named:
        named, inactive = _named(self._facts.subjects, numbers), self._facts.inactive
        for number in inactive & named.keys() if inactive else ():
            del named[number]
        return named

    def subjects_of_kind(self, kind: str) -> list[int] | None:
        few = self._facts.subject_kinds.few(kind)
        return None if few is None else [m for m in few if m not in self._facts.inactive]

    def subjects_allowed(self, numbers: Collection[int]) -> set[int]:
        gives, roles, now = self._index.gives, self._roles, self._now
        memberships = cast(Collection[MembershipNumber], numbers)
        return {m for m in memberships if gives(m, roles, self._resource, now)}

    # --- which resources --------------------------------------------------------------------------

    def holders(self) -> Collection[HolderNumber]:
        if self._membership in self._facts.inactive or self._membership not in self._facts.subjects:
            return ()
        if self._reach is None:
            self._reach = self._index.holders(self._membership, self._now)
        return self._reach

    def below(self) -> list[int] | None:
        held_by = [self._facts.assignments.held_by.get(holder, {}) for holder in self.holders()]
        if sum(map(len, held_by)) > MOST_BELOW:
            return None
        given = map(self._given, self.holders(), held_by)
        found, children = set[ResourceNumber]().union(*given), self._facts.resource_children
        found.discard(ROOT)
        fringe = [*(found & children.keys())]
        while fringe and len(found) <= MOST_BELOW:
            more = children[fringe.pop()]
            if len(more) > MOST_BELOW:
                return None
            fringe += (more - found) & children.keys()
            found |= more
        return list(found) if len(found) <= MOST_BELOW else None

    def parents(self) -> list[int] | None:
        found = self._facts.resource_children
        return [p for p in found if p != ROOT] if len(found) <= MOST_PARENTS + 1 else None

    def resources(self, numbers: Collection[int]) -> Named:
        return _named(self._facts.resource_names, numbers)

    def resources_of_kind(self, kind: str) -> list[int] | None:
        few = self._facts.resource_kinds.few(kind)
        return None if few is None else list(few)

    def is_allowed_everywhere(self) -> bool:
        reach = self.holders()
        if not reach:
            return False
        if self.is_single:
            return self._index.winning_role(self._membership, self._now) in self._roles
        assignments = self._facts.assignments
        return assignments.gives(ROOT, frozenset(reach), self._roles, self._now)

    def resources_allowed(self, numbers: Collection[int]) -> set[int]:
        reach = frozenset(self.holders())
        known: dict[ResourceNumber, bool] = {ROOT: False}
        resources = cast(Collection[ResourceNumber], numbers)
        return {number for number in resources if self._reaches(number, reach, known)}

    def _reaches(
        self,
        number: ResourceNumber,
        reach: frozenset[HolderNumber],
        known: dict[ResourceNumber, bool],
    ) -> bool:
        line = []
        while number not in known:
            line.append(number)
            if self._facts.assignments.gives(number, reach, self._roles, self._now):
                known[number] = True
            else:
                number = self._facts.resource_parent[number] or ROOT
        known.update(dict.fromkeys(line, known[number]))
        return known[number]

    # --- which permissions ------------------------------------------------------------------------

    def roles_held(self) -> Iterable[int]:
        reach, found = frozenset(self.holders()), set[RoleNumber]()
        if not reach:
            return ()
        for place in self._facts.line(self._resource):
            if not (place == ROOT and self.is_single):
                held = self._facts.assignments.held_on(place, reach, self._now)
                found |= {role for _, role in held}
        won = self._index.winning_role(self._membership, self._now) if self.is_single else None
        return found if won is None else found | {won}

    def permissions(self, numbers: Collection[int]) -> Named:
        own, environment = self._facts.own.permissions, self._facts.environment.permissions
        named: dict[int, str] = {
            number: slug for slug, (number, _) in (*environment.items(), *own.items())
        }
        return {number: named[number] for number in numbers if number in named}


def _named(names: Mapping[Any, str], numbers: Collection[int]) -> Named:
    """The names of those numbers that have one, in the order of the numbers."""
    try:
        return {number: names[number] for number in numbers}
    except KeyError:
        return {number: names[number] for number in numbers if number in names}
