"""What the facts answer: who may do what, and by which chains. From docs/explanation/guarantees.md."""

from __future__ import annotations

from typing import NamedTuple

from tests.independent.facts import ROOT, Organization, World, is_past


class Link(NamedTuple):
    """A chain without subject, permission and resource, which the question has."""

    groups: tuple[str, ...]
    role: str
    assigned_on: str
    expires_at: int | None
    is_default_role: bool


def kind_of(resource: str) -> str:
    """The type of a resource."""
    return resource.partition(":")[0]


def above(organization: Organization, resource: str) -> list[str]:
    """The resource and what is above it, up to the organization."""
    found = [resource]
    while found[-1] != ROOT:
        found.append(organization.resources[found[-1]][1])
    return found


def around(organization: Organization, group: str) -> set[str]:
    """The group and all that it is nested in, at any depth."""
    found, left = {group}, [group]
    while left:
        inner = left.pop()
        for nested, outer in organization.nestings:
            if nested == inner and outer not in found:
                found.add(outer)
                left.append(outer)
    return found


def groups_of(organization: Organization, subject: str, now: int) -> set[str]:
    """The groups that reach a membership."""
    found: set[str] = set()
    for (group, member), until in organization.members.items():
        if member == subject and not is_past(until, now):
            found |= around(organization, group)
    return found


def held(organization: Organization, subject: str, now: int) -> list[tuple[int, str, str]]:
    """The assignments that a membership holds, itself or through groups."""
    holders = {subject} | {f"group:{group}" for group in groups_of(organization, subject, now)}
    return [
        key
        for key, until in organization.assignments.items()
        if key[1] in holders and not is_past(until, now)
    ]


def held_roles(organization: Organization, subject: str, now: int) -> set[int]:
    """The roles that a membership holds for the whole organization."""
    return {role for role, _, on in held(organization, subject, now) if on == ROOT}


def winning_role(world: World, organization: Organization, subject: str, now: int) -> int | None:
    """In single-role mode: the highest priority, between equals the one defined first."""
    candidates = [
        role
        for role in held_roles(organization, subject, now)
        if (subject, role) not in organization.set_aside
    ]
    return min(candidates, key=lambda n: (-world.roles[n].priority, n), default=None)


def counting(
    world: World, organization: Organization, subject: str, now: int
) -> list[tuple[int, str, str]]:
    """The assignments that count; the default role has no holder."""
    found = held(organization, subject, now)
    if organization.mode == "multiple":
        return found
    winner = winning_role(world, organization, subject, now)
    counted = [key for key in found if key[2] != ROOT or key[0] == winner]
    if winner is None and organization.default_role is not None:
        counted.append((organization.default_role, "", ROOT))
    return counted


def reasons(world: World, name: str, subject: str, permission: str, resource: str) -> set[str]:
    """Why a question is denied whatever roles there are; more than one may be true."""
    organization = world.organizations.get(name)
    if organization is None:
        return {"unknown_organization"}
    found = set()
    membership = organization.memberships.get(subject)
    if membership is None:
        found.add("no_membership")
    elif not membership.active:
        found.add("membership_deactivated")
    if not world.has_permission(name, permission):
        found.add("unknown_permission")
    if resource != ROOT and resource not in organization.resources:
        found.add("unknown_resource")
    return found


def access(world: World, now: int) -> set[tuple[str, str, str, str]]:
    """All (organization, subject, permission, resource) that are allowed."""
    found = set()
    for name, organization in world.organizations.items():
        for subject, membership in organization.memberships.items():
            if not membership.active:
                continue
            may = {
                (permission, on)
                for role, _, on in counting(world, organization, subject, now)
                for permission in world.roles[role].permissions
            }
            for resource in (ROOT, *organization.resources):
                for place in above(organization, resource):
                    for permission, on in may:
                        if on == place:
                            found.add((name, subject, permission, resource))
    return found


def chains(
    world: World, name: str, subject: str, permission: str, resource: str, now: int
) -> set[Link]:
    """Every chain that allows."""
    organization = world.organizations.get(name)
    if organization is None or reasons(world, name, subject, permission, resource):
        return set()
    found = set()
    for key in counting(world, organization, subject, now):
        number, holder, on = key
        role = world.roles[number]
        if permission not in role.permissions or on not in above(organization, resource):
            continue
        until = organization.assignments.get(key)
        if holder in ("", subject):
            found.add(Link((), role.slug, on, until, holder == ""))
            continue
        for (group, member), member_until in organization.members.items():
            if member == subject and not is_past(member_until, now):
                ends = [time for time in (until, member_until) if time is not None]
                for path in _paths(organization, group, holder.removeprefix("group:")):
                    found.add(Link(path, role.slug, on, min(ends, default=None), False))
    return found


def _paths(organization: Organization, group: str, holder: str) -> list[tuple[str, ...]]:
    if group == holder:
        return [(group,)]
    return [
        (group, *rest)
        for inner, outer in organization.nestings
        if inner == group
        for rest in _paths(organization, outer, holder)
    ]
