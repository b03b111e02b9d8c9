"""The difference between two worlds, as naively as can be: every subject's every role, by itself."""

from __future__ import annotations

from collections import defaultdict

from rescind.model import Difference
from rescind.semantics import access
from rescind.semantics.access import World


def naive_difference(before: World, after: World, now: int) -> Difference:
    """What subjects can do in one and not in the other, on the resources where that changes."""
    moved = {
        resource
        for resource in before.resources.keys() | after.resources.keys()
        if before.resources.get(resource, "") != after.resources.get(resource, "")
    }
    granted, revoked = [], []
    for subject in sorted(before.memberships.keys() | after.memberships.keys()):
        old, new = _coverage(before, subject, now), _coverage(after, subject, now)
        for permission in sorted(old.keys() | new.keys()):
            had, has = old.get(permission, set()), new.get(permission, set())
            for resource in sorted(had | has | moved):
                could, can = _covers(before, had, resource), _covers(after, has, resource)
                if could and not can:
                    revoked.append((subject, permission, resource))
                elif can and not could:
                    granted.append((subject, permission, resource))
    return Difference(tuple(granted), tuple(revoked))


def _coverage(world: World, subject: str, now: int) -> dict[str, set[str]]:
    covered: dict[str, set[str]] = defaultdict(set)
    for role, resource in access.counted(world, subject, now):
        for permission in world.roles[role].permissions:
            covered[permission].add(resource)
    return covered


def _covers(world: World, on: set[str], resource: str) -> bool:
    return resource in world.resources and not on.isdisjoint(access.ancestors(world, resource))
