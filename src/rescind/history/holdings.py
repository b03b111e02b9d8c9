"""What one subject holds in a state that replay moves along, found by links: in proportion to what it holds.

The rules are those of `semantics.access`, which a property test compares with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from rescind.model import ROOT, RoleMode
from rescind.semantics import access
from rescind.semantics.state import (
    EnvironmentState,
    OrganizationState,
    Role,
    is_set_aside,
    permissions_of,
)
from rescind.semantics.state_links import CHILD, HOLDER, PARENT, SUBJECT, links_of
from rescind.semantics.state_links import GROUP as IN_GROUP
from rescind.semantics.state_links import RESOURCE as ON_RESOURCE
from rescind.semantics.state_links import ROLE as OF_ROLE

DEFAULT_ROLE: Final = "default role"
"""Stands for the holder of the default role."""


class Asked(NamedTuple):
    """What is asked about: a permission on a resource, a permission, or everything."""

    permission: str | None = None
    resource: str | None = None


class HeldWay(NamedTuple):
    """One way to a role that counts: what identifies it. `first` and `holder` are empty for an assignment of
    the subject's own. `permissions` are those of the role, or only the one that is asked about.
    """

    subject: str
    role: str
    resource: str
    first: str
    holder: str
    permissions: tuple[str, ...]


class Held(NamedTuple):
    """What a subject holds at a time: ways with their chains and the revision that completed each."""

    ways: dict[HeldWay, tuple[tuple[str, ...], int]]
    next_end: int | None
    """When the first link of any of them ends, in microseconds."""
    groups: frozenset[str]
    """All groups that reach the subject, also by what has ended."""
    roles: frozenset[str]
    """All roles that it has or may fall back to, also those that do not count."""


NOTHING: Final = Held({}, None, frozenset(), frozenset())


class _Upward(NamedTuple):
    chain: tuple[str, ...]
    since: int
    is_in_force: bool


def held(
    state: OrganizationState,
    environment: EnvironmentState,
    subject: str,
    at: int,
    asked: Asked,
) -> Held:
    """What counts for a subject at a time."""
    membership = state.memberships.get(subject)
    if membership is None or state.settings is None:
        return NOTHING
    upward, ends = _upward(state, subject, at)
    line = None if asked.resource is None else line_of(state, asked.resource)
    counting = _counting_role(state, environment, subject, at, upward)
    found: dict[HeldWay, tuple[tuple[str, ...], int]] = {}
    roles: set[str] = set()
    for first, holder, step in upward:
        name = f"group:{holder}" if holder else subject
        for key in links_of(state).of("assignments", HOLDER, name):
            _, role, resource = key
            assigned = state.assignments[key]
            roles.add(role)
            if not access.in_force(assigned.until, at):
                continue
            ends += [] if assigned.until is None else [assigned.until]
            is_passed_over = counting is not None and resource == ROOT and role != counting[0]
            if not membership.is_active or not step.is_in_force or is_passed_over:
                continue
            given = _given(state, environment, role, resource, asked, line)
            if given is not None:
                way = HeldWay(subject, role, resource, first, holder, given)
                found[way] = step.chain, max(assigned.since, step.since)
    if counting is not None and counting[0] is not None:
        roles.add(counting[0])
        given = _given(state, environment, counting[0], ROOT, asked, line)
        if counting[1] and given is not None and membership.is_active:
            settings = state.settings
            since = max(membership.since, settings.role_mode_since, settings.default_role_since)
            found[HeldWay(subject, counting[0], ROOT, "", DEFAULT_ROLE, given)] = (), since
    groups = frozenset(holder for _, holder, _ in upward if holder)
    return Held(found, min(ends, default=None), groups, frozenset(roles))


def members_below(state: OrganizationState, groups: Iterable[str]) -> set[str]:
    """The subjects with a place in these groups or in groups nested in them, also an ended one."""
    links, found = links_of(state), set(groups)
    fringe = list(found)
    while fringe:
        below = {child for child, _ in links.of("nestings", PARENT, fringe.pop())} - found
        found |= below
        fringe += below
    return {subject for group in found for subject, _ in links.of("places", IN_GROUP, group)}


def holders_of(state: OrganizationState, roles: Iterable[str]) -> set[str]:
    """The subjects that hold one of these roles, themselves or through groups, also by what has ended."""
    links = links_of(state)
    keys = [key for role in roles for key in links.of("assignments", OF_ROLE, role)]
    return _subjects_of(state, (holder for holder, _, _ in keys))


def holders_below(state: OrganizationState, resources: Iterable[str]) -> set[str]:
    """The subjects that hold a role on one of these resources or below it, as in `holders_of`."""
    links = links_of(state)
    below = {found for resource in resources for found in links.below(resource)}
    keys = [key for found in below for key in links.of("assignments", ON_RESOURCE, found)]
    return _subjects_of(state, (holder for holder, _, _ in keys))


def line_of(state: OrganizationState, resource: str) -> set[str]:
    """The resource and all above it; empty if there is none."""
    found: set[str] = set()
    step: str | None = resource if resource == ROOT or resource in state.resources else None
    while step is not None:
        found.add(step)
        above = state.resources.get(step)
        step = None if above is None else above.parent
    return found


# --- within ---------------------------------------------------------------------------------------


def _subjects_of(state: OrganizationState, holders: Iterable[str]) -> set[str]:
    subjects, groups = set[str](), set[str]()
    for holder in holders:
        if holder.startswith("group:"):
            groups.add(holder.removeprefix("group:"))
        else:
            subjects.add(holder)
    return subjects | members_below(state, groups)


_Ways = list[tuple[str, str, _Upward]]


def _upward(state: OrganizationState, subject: str, at: int) -> tuple[_Ways, list[int]]:
    """The subject itself and, from each of its places, the groups above it; and when places end."""
    links = links_of(state)
    found: _Ways = [("", "", _Upward((), 0, is_in_force=True))]
    ends: list[int] = []
    for key in sorted(links.of("places", SUBJECT, subject)):
        first, place = key[1], state.places[key]
        is_in_force = access.in_force(place.until, at)
        ends += [place.until] if is_in_force and place.until is not None else []
        steps = {first: _Upward((first,), place.since, is_in_force)}
        fringe = [first]
        while fringe:
            above: list[str] = []
            for child in fringe:
                for nesting in sorted(links.of("nestings", CHILD, child)):
                    if nesting[1] not in steps:
                        since = max(steps[child].since, state.nestings[nesting].since)
                        chain = (*steps[child].chain, nesting[1])
                        steps[nesting[1]] = _Upward(chain, since, is_in_force)
                        above.append(nesting[1])
            fringe = above
        found += [(first, group, step) for group, step in steps.items()]
    return found, ends


def _counting_role(
    state: OrganizationState, environment: EnvironmentState, subject: str, at: int, upward: _Ways
) -> tuple[str | None, bool] | None:
    """In a single-role organization, the organization-wide role that counts, and whether it is the default
    role, which nobody gave. None where all roles count.
    """
    settings = state.settings
    if settings is None or settings.role_mode is not RoleMode.SINGLE:
        return None
    wide = {
        role
        for _, holder, step in upward
        if step.is_in_force
        for role in _wide_roles(state, f"group:{holder}" if holder else subject, at)
        if not is_set_aside(state, environment, subject, role)
    }
    known = {role: found for role in wide if (found := _role(state, environment, role)) is not None}
    won = min(known, key=lambda role: (-known[role].priority, known[role].rank), default=None)
    if won is not None:
        return won, False
    return settings.default_role, True


def _wide_roles(state: OrganizationState, holder: str, at: int) -> Iterator[str]:
    for key in links_of(state).of("assignments", HOLDER, holder):
        if key[2] == ROOT and access.in_force(state.assignments[key].until, at):
            yield key[1]


def _role(state: OrganizationState, environment: EnvironmentState, role: str) -> Role | None:
    return state.roles.get(role) or environment.roles.get(role)


def _given(
    state: OrganizationState,
    environment: EnvironmentState,
    role: str,
    resource: str,
    asked: Asked,
    line: set[str] | None,
) -> tuple[str, ...] | None:
    """What a role gives of what is asked about; None if nothing."""
    if line is not None and resource not in line:
        return None
    found = _role(state, environment, role)
    permissions = frozenset() if found is None else permissions_of(found, environment)
    if asked.permission is None:
        return tuple(sorted(permissions))
    return (asked.permission,) if asked.permission in permissions else None
