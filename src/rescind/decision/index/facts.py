"""An organization's facts in memory, by their numbers, and how each of them changes. No I/O.

Whoever changes one sees to it that nobody is answered meanwhile: see `memory`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from rescind.decision.index.catalog import Catalog, Role
from rescind.decision.index.worked import Worked

ROOT: Final = 0

T = TypeVar("T")

Until = int | None
Grants = dict[int, set[int]]  # role → holders


@dataclass(slots=True)
class Rules:
    """How many organization-wide roles count, and what is fallen back to."""

    is_single: bool = False
    takes_next_highest: bool = False
    default_role: int | None = None


class Held(NamedTuple):
    """An assignment without its expiry."""

    holder: int
    role: int
    resource: int


class Facts:
    """One organization's facts. What was worked out of them is forgotten where they change."""

    def __init__(self, o: int, worked: Worked) -> None:
        self._worked = worked
        self.o = o
        self.environment = Catalog()
        self.own = Catalog()
        self.rules = Rules()
        self.memberships: dict[str, int] = {}
        self.subjects: dict[int, str] = {}
        self.inactive: set[int] = set()
        self.groups: dict[str, int] = {}
        self.group_names: dict[int, str] = {}
        self.groups_of: dict[int, dict[int, Until]] = {}
        self.members_of: dict[int, set[int]] = {}
        self.parents_of: dict[int, set[int]] = {}
        self.children_of: dict[int, set[int]] = {}
        self.resources: dict[str, int] = {}
        self.resource_names: dict[int, str] = {}
        self.resource_parent: dict[int, int | None] = {}
        self.resource_children: dict[int, set[int]] = {}
        self.grants: dict[int, Grants] = {}
        self.late: dict[int, dict[int, dict[int, int]]] = {}  # resource → role → holder → until
        self.held_by: dict[int, set[tuple[int, int]]] = {}
        self.resets: dict[int, set[tuple[int, int]]] = {}
        self.places = 0
        self.expiring_members = 0

    # --- read -------------------------------------------------------------------------------------

    def permission(self, slug: str) -> tuple[int, bool] | None:
        """Number, and whether it is critical: the organization's own, before the one of all."""
        return self.own.permissions.get(slug) or self.environment.permissions.get(slug)

    def role(self, number: int) -> Role:
        """A role by its number."""
        return self.own.roles.get(number) or self.environment.roles[number]

    def roles_with(self, permission: int) -> frozenset[int]:
        """The roles that contain a permission."""
        return self.own.containing(permission) | self.environment.containing(permission)

    def line(self, resource: int) -> Iterator[int]:
        """A resource and what is above it, the organization last."""
        step: int | None = resource
        while step is not None:
            yield step
            step = self.resource_parent[step]

    def subtree(self, resource: int) -> set[int]:
        """A resource and all below it."""
        found, fringe = {resource}, [resource]
        while fringe:
            more = self.resource_children.get(fringe.pop(), set())
            found |= more
            fringe += more
        return found

    def holders_at(self, resource: int, role: int, now: int | None) -> set[int]:
        """Who holds a role on a resource itself at a time; without one, whether expired or not."""
        found = self.grants.get(resource, {}).get(role, set())
        if resource in self.late:
            late = self.late[resource].get(role, {})
            found = found | {h for h, until in late.items() if now is None or until > now}
        return found

    def until(self, held: Held) -> Until:
        """When an assignment that is there expires."""
        return self.late.get(held.resource, {}).get(held.role, {}).get(held.holder)

    def roles_on(self, resource: int) -> set[int]:
        """The roles that somebody holds on a resource itself, or held until it expired."""
        return {*self.grants.get(resource, ()), *self.late.get(resource, ())}

    def size(self) -> int:
        """About how many bytes it takes, all that can be worked out included."""
        return (
            1_500 * len(self.memberships)
            + 70 * self.places
            + 800 * len(self.resources)
            + 300 * sum(map(len, self.held_by.values()))
        )

    # --- changed ----------------------------------------------------------------------------------

    def set_rules(self, rules: Rules) -> None:
        """The organization's role mode and default role."""
        if rules != self.rules:
            self.rules = rules
            self._worked.forget_lines()

    def put_membership(self, number: int, subject: str, *, active: bool) -> None:
        """A membership as it is now; another of the same subject has gone, and all it had."""
        known = self.memberships.get(subject)
        if known is not None and known != number:
            self.drop_membership(known)
        self.memberships[subject] = number
        self.subjects[number] = subject
        (self.inactive.discard if active else self.inactive.add)(number)
        self._worked.forget_subject(subject)

    def drop_membership(self, number: int) -> None:
        """A membership that has gone, with its places in groups and its assignments."""
        subject = self.subjects.pop(number, None)
        if subject is None:
            return
        del self.memberships[subject]
        self.inactive.discard(number)
        self._worked.forget_subject(subject)
        self.set_groups(number, {})
        self.drop_holder(number)
        self.resets.pop(number, None)

    def set_groups(self, m: int, groups: dict[int, Until]) -> None:
        """The groups that a membership is directly in, and until when."""
        before = self.groups_of.pop(m, {})
        for group in before.keys() - groups.keys():
            self.members_of.get(group, set()).discard(m)
        for group in groups.keys() - before.keys():
            self.members_of.setdefault(group, set()).add(m)
        self.expiring_members += _limited(groups) - _limited(before)
        self.places += len(groups) - len(before)
        if groups:
            self.groups_of[m] = groups
        self._worked.forget_subject(self.subjects.get(m, ""))

    def put_group(self, number: int, slug: str) -> None:
        """A group that exists; another of the same name has gone, and all it had."""
        known = self.groups.get(slug)
        if known is not None and known != number:
            self.drop_group(known)
        self.groups[slug] = number
        self.group_names[number] = slug

    def drop_group(self, number: int) -> None:
        """A group that has gone, with its members, nestings and assignments."""
        slug = self.group_names.pop(number, None)
        if slug is None:
            return
        del self.groups[slug]
        for m in tuple(self.members_of.get(number, ())):
            groups = {g: until for g, until in self.groups_of[m].items() if g != number}
            self.set_groups(m, groups)
        self.members_of.pop(number, None)
        for parent in tuple(self.parents_of.get(number, ())):
            self.set_nesting(number, parent, holds=False)
        for child in tuple(self.children_of.get(number, ())):
            self.set_nesting(child, number, holds=False)
        self.drop_holder(number)

    def set_nesting(self, child: int, parent: int, *, holds: bool) -> None:
        """Whether a group is nested directly in another."""
        if holds:
            self.parents_of.setdefault(child, set()).add(parent)
            self.children_of.setdefault(parent, set()).add(child)
        else:
            _discard(self.parents_of, child, parent)
            _discard(self.children_of, parent, child)
        self._worked.forget_groups()

    def put_resource(self, number: int, slug: str, parent: int | None) -> None:
        """A resource and what it is directly below."""
        known = self.resources.get(slug)
        if known is not None and known != number:
            self.drop_resources(known)
        before = self.resource_parent.get(number)
        if before is not None:
            _discard(self.resource_children, before, number)
        if parent is not None:
            self.resource_children.setdefault(parent, set()).add(number)
        is_moved = number in self.resource_parent and before != parent
        self.resources[slug] = number
        self.resource_names[number] = slug
        self.resource_parent[number] = parent
        if is_moved:
            self._worked.forget_lines()

    def drop_resources(self, number: int) -> None:
        """A resource that has gone, with all below it and what was assigned there."""
        if number not in self.resource_names:
            return
        for place in self.subtree(number):
            for role in self.roles_on(place):
                for holder in tuple(self.holders_at(place, role, None)):
                    self.set_assignment(Held(holder, role, place), holds=False)
            self.grants.pop(place, None)
            parent = self.resource_parent.pop(place)
            if parent is not None:
                _discard(self.resource_children, parent, place)
            del self.resources[self.resource_names.pop(place)]
        self._worked.forget_lines()

    def set_assignment(self, held: Held, *, holds: bool, until: Until = None) -> None:
        """Whether an assignment is there, and until when."""
        holder, role, resource = held
        grants = self.grants.get(resource)
        if holds and until is None:
            self.grants.setdefault(resource, {}).setdefault(role, set()).add(holder)
        elif grants is not None and role in grants:
            grants[role].discard(holder)
            if not grants[role]:
                del grants[role]
        has_others_below = resource in self.resource_children
        name = self.resource_names.get(resource, "")
        self._worked.forget_place(resource, name, has_others_below=has_others_below)
        self._set_late(held, until if holds else None)
        if holds:
            self.held_by.setdefault(holder, set()).add((role, resource))
        else:
            _discard(self.held_by, holder, (role, resource))

    def _set_late(self, held: Held, until: Until) -> None:
        holder, role, resource = held
        if until is not None:
            self.late.setdefault(resource, {}).setdefault(role, {})[holder] = until
        elif held.holder in self.late.get(resource, {}).get(role, {}):
            del self.late[resource][role][holder]
            if not self.late[resource][role]:
                del self.late[resource][role]
            if not self.late[resource]:
                del self.late[resource]

    def drop_holder(self, holder: int) -> None:
        """All that a membership or group held."""
        for role, resource in tuple(self.held_by.get(holder, ())):
            self.set_assignment(Held(holder, role, resource), holds=False)

    def drop_role(self, number: int) -> None:
        """All assignments of a role."""
        for holder, held in tuple(self.held_by.items()):
            for role, resource in tuple(held):
                if role == number:
                    self.set_assignment(Held(holder, role, resource), holds=False)

    def drop_member(self, m: int, group: int) -> None:
        """A membership that is no longer in a group."""
        groups = self.groups_of.get(m, {})
        if group in groups:
            self.set_groups(m, {g: until for g, until in groups.items() if g != group})


def _limited(groups: dict[int, Until]) -> int:
    return sum(until is not None for until in groups.values())


def _discard(container: dict[int, set[T]], key: int, item: T) -> None:
    found = container.get(key)
    if found is not None:
        found.discard(item)
        if not found:
            del container[key]
