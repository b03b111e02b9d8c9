"""The exact difference in access between two states of an organization's facts (G7).

Each fact is looked at once. Memberships that hold the same are compared once, and those that nothing which
changed concerns not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from rescind.model import Difference
from rescind.semantics import access
from rescind.semantics.access import World

Coverage = dict[str, set[str]]  # permission → resources on which a role gives it
SOMEBODY = "user:somebody"
NOTHING: frozenset[str] = frozenset()


class Holding(NamedTuple):
    """All that decides what a membership may: nothing, where it is inactive or not there."""

    groups: frozenset[str] = NOTHING
    own: frozenset[tuple[str, str]] = frozenset()
    set_aside: frozenset[str] = NOTHING
    is_active: bool = False


NOBODY = Holding()


class State:
    """A world at a time, arranged for looking up what a membership holds."""

    def __init__(self, world: World, now: int) -> None:
        self.world, self._now = world, now
        self.assigned: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._groups: dict[str, list[str]] = defaultdict(list)
        self._parents: dict[str, list[str]] = defaultdict(list)
        self._set_aside: dict[str, set[str]] = defaultdict(set)
        self._above: dict[frozenset[str], frozenset[str]] = {}
        for assignment, until in world.assignments.items():
            if access.in_force(until, now):
                held = (assignment.role, assignment.resource)
                self.assigned[assignment.holder].add(held)
        for (subject, group), until in world.members.items():
            if access.in_force(until, now):
                self._groups[subject].append(group)
        for child, parent in world.nestings:
            self._parents[child].append(parent)
        for subject, role in world.resets:
            self._set_aside[subject].add(role)

    def holding(self, subject: str) -> Holding:
        """What decides what a membership may."""
        if not self.world.memberships.get(subject):
            return NOBODY
        direct = frozenset(self._groups.get(subject, ()))
        above = self._above.get(direct)
        if above is None:
            above = self._above[direct] = self._reached(direct)
        own = frozenset(self.assigned.get(subject, ()))
        return Holding(above, own, frozenset(self._set_aside.get(subject, ())), is_active=True)

    def coverage(self, holding: Holding) -> Coverage:
        """What it gives, by the reference semantics of somebody who holds it all alone."""
        pairs = holding.own.union(*(self.assigned.get(group, ()) for group in holding.groups))
        world = World(
            memberships={SOMEBODY: holding.is_active},
            roles=self.world.roles,
            assignments={access.Assignment(SOMEBODY, role, on): None for role, on in pairs},
            is_single_role=self.world.is_single_role,
            takes_next_highest=self.world.takes_next_highest,
            default_role=self.world.default_role,
            resets={(SOMEBODY, role) for role in holding.set_aside},
        )
        covered: Coverage = defaultdict(set)
        for role, resource in access.counted(world, SOMEBODY, self._now):
            for permission in world.roles[role].permissions:
                covered[permission].add(resource)
        return covered

    def covers(self, on: set[str], resource: str) -> bool:
        """Whether one of those is the resource or above it."""
        step = resource if resource in self.world.resources else None
        while step is not None and step not in on:
            step = self.world.resources[step]
        return step is not None

    def _reached(self, direct: frozenset[str]) -> frozenset[str]:
        found, fringe = set(direct), list(direct)
        while fringe:
            more = set(self._parents.get(fringe.pop(), ())) - found
            found |= more
            fringe += more
        return frozenset(f"group:{group}" for group in found)


def difference(before: World, after: World, now: int) -> Difference:
    """What subjects can do in one and not in the other, on the resources where that changes."""
    old, new = State(before, now), State(after, now)
    moved = {
        resource
        for resource in before.resources.keys() | after.resources.keys()
        if before.resources.get(resource, "") != after.resources.get(resource, "")
    }
    holders = old.assigned.keys() | new.assigned.keys()
    changed = {h for h in holders if old.assigned.get(h) != new.assigned.get(h)}
    is_ruled_alike = not moved and rules_of(before) == rules_of(after)
    known: dict[tuple[Holding, Holding], list[tuple[str, str, bool]]] = {}
    granted: list[tuple[str, str, str]] = []
    revoked: list[tuple[str, str, str]] = []
    for subject in sorted(before.memberships.keys() | after.memberships.keys()):
        had, has = old.holding(subject), new.holding(subject)
        if is_ruled_alike and had == has and changed.isdisjoint(had.groups):
            continue
        found = known.get((had, has))
        if found is None:
            pair = old.coverage(had), new.coverage(has)
            found = known[had, has] = list(compared(old, new, *pair, moved))
        for permission, resource, is_gain in found:
            (granted if is_gain else revoked).append((subject, permission, resource))
    return Difference(tuple(granted), tuple(revoked))


def rules_of(world: World) -> tuple[object, ...]:
    return world.roles, world.is_single_role, world.takes_next_highest, world.default_role


def compared(
    old: State, new: State, had: Coverage, has: Coverage, moved: set[str]
) -> Iterator[tuple[str, str, bool]]:
    """(permission, resource, whether gained); what a role gives in both states on what stays is no change."""
    for permission in sorted(had.keys() | has.keys()):
        before, after = had.get(permission, set()), has.get(permission, set())
        for resource in sorted((before ^ after) | moved):
            could, can = old.covers(before, resource), new.covers(after, resource)
            if could != can:
                yield permission, resource, can
