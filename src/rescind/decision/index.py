"""An organization's facts in memory, built for the check. No I/O; what keeps it right is in `tail`.

Facts are kept by their numbers. A check takes three sets that are worked out once and kept: the holders
that reach the subject, the roles that contain the permission, and what is held on the resource and above
it. Whoever changes facts, or works out one of those, holds `lock`; a check that finds them holds nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

from rescind.decision.catalog import Catalog, Role

ALLOWED, UNKNOWN_SUBJECT, DEACTIVATED, UNKNOWN_PERMISSION, UNKNOWN_RESOURCE, NO_ROLE = range(6)
"""Verdicts, in the order in which reasons to deny are looked for."""
CRITICAL: Final = -1
ROOT: Final = 0
LONG_LINE: Final = 24
"""Of so many roles held on a resource and above it the check looks those up that contain the permission."""
MOST_ROSTERS: Final = 64
MOST_SHARED: Final = 100_000

T = TypeVar("T")

Until = int | None
Grants = dict[int, set[int]]  # role → holders
Line = tuple[tuple[int, frozenset[int]], ...]  # (role, holders)
Clock = Callable[[], int]
"""Microseconds since 1970, UTC."""


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


class Index:
    """One organization's facts. Equal to one that was built anew from the same facts."""

    def __init__(self, o: int) -> None:
        self.o = o
        self.environment = Catalog()
        self.own = Catalog()
        self.rules = Rules()
        self.lock = threading.Lock()
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
        self.reach: dict[str, frozenset[int]] = {}
        self.roles: dict[str, frozenset[int]] = {}
        self.lines: dict[str, Line | None] = {}
        self._long_lines: dict[str, dict[int, list[frozenset[int]]]] = {}
        self._held: dict[int, Line] = {}
        self._shared: dict[Any, Any] = {}
        self._above: dict[int, frozenset[int]] = {}
        self._rosters: dict[frozenset[int], list[str]] = {}

    # --- the check --------------------------------------------------------------------------------

    def verdict(self, subject: str, permission: str, resource: str, clock: Clock) -> int | None:
        """The verdict where all three names are there and well formed; else None: ask `resolved`."""
        try:
            reach, roles = self.reach[subject], self.roles[permission]
            line = self.lines[resource]
        except KeyError:
            if self._work_out(subject, permission, resource) is not None:
                return None
            return self.verdict(subject, permission, resource, clock)
        except TypeError:
            return None
        if line is None:
            return self._on_long_line(reach, roles, subject, resource, clock)
        for role, holders in line:
            if role in roles and not holders.isdisjoint(reach):
                return ALLOWED
        if self.late or self.expiring_members or self.rules.is_single:
            return self._decided(subject, roles, resource, clock)
        return NO_ROLE

    def resolved(self, subject: str, permission: str, resource: str, clock: Clock) -> int | None:
        """The verdict; None where the permission is critical, since that is for the facts to decide."""
        obstacle = self._work_out(subject, permission, resource)
        if obstacle is None:
            return self.verdict(subject, permission, resource, clock)
        return None if obstacle == CRITICAL else obstacle

    def _work_out(self, subject: str, permission: str, resource: str) -> int | None:
        """Work out what a verdict takes, or say what stands in the way."""
        with self.lock:
            found = self.permission(permission)
            if found is not None and found[1]:
                return CRITICAL
            m = self.memberships.get(subject)
            if m is None:
                return UNKNOWN_SUBJECT
            if m in self.inactive:
                return DEACTIVATED
            if found is None:
                return UNKNOWN_PERMISSION
            if resource not in self.resources:
                return UNKNOWN_RESOURCE
            if subject not in self.reach:
                self.reach[subject] = self.holders(m)
            if permission not in self.roles:
                self.roles[permission] = self.roles_with(found[0])
            if resource not in self.lines:
                self._work_out_line(resource)
            return None

    def _on_long_line(
        self,
        reach: frozenset[int],
        roles: frozenset[int],
        subject: str,
        resource: str,
        clock: Clock,
    ) -> int | None:
        """The same where many roles are held: looked up by role."""
        held = self._long_lines.get(resource)
        if held is None:
            return None
        fewer = roles if len(roles) < len(held) else held.keys() & roles
        for role in fewer:
            if any(not holders.isdisjoint(reach) for holders in held.get(role, ())):
                return ALLOWED
        if self.late or self.expiring_members or self.rules.is_single:
            return self._decided(subject, roles, resource, clock)
        return NO_ROLE

    def _decided(self, subject: str, roles: frozenset[int], resource: str, clock: Clock) -> int:
        """What expires, and in a single-role organization which of the organization-wide roles counts."""
        with self.lock:
            m, r = self.memberships.get(subject), self.resources.get(resource)
            if m is None or r is None:
                return NO_ROLE
            return ALLOWED if self.gives(m, roles, r, clock()) else NO_ROLE

    def gives(self, m: int, roles: frozenset[int], resource: int, now: int) -> bool:
        """Whether one of the roles counts for a membership on a resource; the semantics of `access`."""
        reach = self.holders(m, now)
        is_single = self.rules.is_single
        for place in self.line(resource):
            if place == ROOT and is_single:
                continue
            if any(not reach.isdisjoint(self.holders_at(place, role, now)) for role in roles):
                return True
        return is_single and self.winning_role(m, now) in roles

    # --- what it takes ----------------------------------------------------------------------------

    def permission(self, slug: str) -> tuple[int, bool] | None:
        """Number, and whether it is critical: the organization's own, before the one of all."""
        return self.own.permissions.get(slug) or self.environment.permissions.get(slug)

    def role(self, number: int) -> Role:
        """A role by its number."""
        return self.own.roles.get(number) or self.environment.roles[number]

    def roles_with(self, permission: int) -> frozenset[int]:
        """The roles that contain a permission."""
        return self.own.containing(permission) | self.environment.containing(permission)

    def holders(self, m: int, now: int | None = None, *, ever: bool = False) -> frozenset[int]:
        """The membership and the groups that reach it: for good, at a time, or whether expired or not."""
        found = {m}
        for group, until in self.groups_of.get(m, {}).items():
            if until is None or ever or (now is not None and until > now):
                found |= self.above(group)
        return frozenset(found)

    def above(self, group: int) -> frozenset[int]:
        """A group and all that it is nested in."""
        known = self._above.get(group)
        if known is None:
            found, fringe = {group}, [group]
            while fringe:
                more = self.parents_of.get(fringe.pop(), set()) - found
                found |= more
                fringe += more
            known = self._above[group] = frozenset(found)
        return known

    def below(self, group: int) -> set[int]:
        """A group and all that is nested in it."""
        found, fringe = {group}, [group]
        while fringe:
            more = self.children_of.get(fringe.pop(), set()) - found
            found |= more
            fringe += more
        return found

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

    def members(self, groups: Iterable[int], now: int) -> set[int]:
        """The memberships that groups reach at a time."""
        found: set[int] = set()
        for group in {below for top in groups for below in self.below(top)}:
            there = self.members_of.get(group, set())
            if self.expiring_members:
                there = {
                    m for m in there if (until := self.groups_of[m][group]) is None or until > now
                }
            found |= there
        return found

    def roster(self, groups: frozenset[int]) -> list[str]:
        """The active subjects that groups reach, sorted; where no membership of a group expires."""
        known = self._rosters.get(groups)
        if known is None:
            numbers = self.members(groups, 0) - self.inactive
            if len(self._rosters) >= MOST_ROSTERS:
                self._rosters.clear()
            known = self._rosters[groups] = sorted([self.subjects[m] for m in numbers])
        return known

    def winning_role(self, m: int, now: int) -> int | None:
        """The organization-wide role that counts in a single-role organization, as in `access`."""
        held = self._wide(self.holders(m, now), now)
        candidates = held
        if not self.rules.takes_next_highest:
            candidates = self._wide(self.holders(m, ever=True), None) - self.resets.get(m, set())
        if not candidates:
            return self.rules.default_role
        roles = {role for _, role in candidates}
        winner = min(roles, key=lambda number: (-self.role(number).priority, number))
        is_held = any(role == winner for _, role in candidates & held)
        return winner if is_held else self.rules.default_role

    def _wide(self, reach: frozenset[int], now: int | None) -> set[tuple[int, int]]:
        """(holder, role) of the organization-wide assignments that those hold."""
        return {
            (holder, role)
            for role in self.roles_on(ROOT)
            for holder in self.holders_at(ROOT, role, now) & reach
        }

    def _work_out_line(self, resource: str) -> None:
        """What is held for good on a resource and above it; equal parts are one object, so that what is
        read often stays near the processor.
        """
        skipped = ROOT if self.rules.is_single else None
        places = (place for place in self.line(self.resources[resource]) if place != skipped)
        line = tuple(pair for place in places for pair in self._held_at(place))
        if len(line) > LONG_LINE:
            by_role: dict[int, list[frozenset[int]]] = {}
            for role, holders in line:
                by_role.setdefault(role, []).append(holders)
            self._long_lines[resource] = by_role
            self.lines[resource] = None
        else:
            self.lines[resource] = self._shared.setdefault(line, line)

    def _held_at(self, place: int) -> tuple[tuple[int, frozenset[int]], ...]:
        known = self._held.get(place)
        if known is None:
            grants = self.grants.get(place, {})
            pairs = ((role, frozenset(holders)) for role, holders in grants.items())
            known = tuple(self._shared.setdefault(pair, pair) for pair in pairs)
            if grants:
                self._held[place] = known
        return known

    def _forget_lines(self) -> None:
        self.lines.clear()
        self._long_lines.clear()
        self._held.clear()
        self._shared.clear()

    def _forget_place(self, place: int) -> None:
        """What is held on a resource has changed, and so what is above those below it."""
        if place in self.resource_children or len(self._shared) > MOST_SHARED:
            self._forget_lines()
        else:
            self._held.pop(place, None)
            self.lines.pop(self.resource_names.get(place, ""), None)

    def size(self) -> int:
        """About how many bytes it takes, all that can be worked out included."""
        return (
            1_500 * len(self.memberships)
            + 70 * self.places
            + 800 * len(self.resources)
            + 300 * sum(map(len, self.held_by.values()))
        )

    # --- facts, under the lock --------------------------------------------------------------------

    def set_rules(self, rules: Rules) -> None:
        """The organization's role mode and default role."""
        if rules != self.rules:
            self.rules = rules
            self._forget_lines()

    def put_membership(self, number: int, subject: str, *, active: bool) -> None:
        """A membership as it is now; another of the same subject has gone, and all it had."""
        known = self.memberships.get(subject)
        if known is not None and known != number:
            self.drop_membership(known)
        self.memberships[subject] = number
        self.subjects[number] = subject
        (self.inactive.discard if active else self.inactive.add)(number)
        self._forget_subject(subject)

    def drop_membership(self, number: int) -> None:
        """A membership that has gone, with its places in groups and its assignments."""
        subject = self.subjects.pop(number, None)
        if subject is None:
            return
        del self.memberships[subject]
        self.inactive.discard(number)
        self._forget_subject(subject)
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
        self._forget_subject(self.subjects.get(m, ""))

    def _forget_subject(self, subject: str) -> None:
        """What was worked out about a subject is worked out again when asked for."""
        self.reach.pop(subject, None)
        self._rosters.clear()

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
        self._above.clear()
        self._rosters.clear()
        self.reach.clear()

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
            self._forget_lines()

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
        self._forget_lines()

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
        self._forget_place(resource)
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
