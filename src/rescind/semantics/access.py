"""Reference semantics: who may do what, given the facts. Pure; everything else is tested against it.

allowed(m, p, r, t): m is active, and there is an assignment, not expired at t, whose role contains p,
whose resource is r or an ancestor of r, and whose holder is m or a group that reaches m through
unexpired memberships and nesting. In a single-role organization one organization-wide role counts:
the highest that is held and not set aside, else the default role. What is set aside is a fact, and
`resets_after` says how a batch of changes changes it.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field

ROOT = "organization"


@dataclass(frozen=True)
class Role:
    """`rank` breaks ties of priority: the role defined first wins."""

    permissions: frozenset[str]
    priority: int
    rank: int


@dataclass(frozen=True)
class Assignment:
    """A holder is a subject, or a group as `group:…`."""

    holder: str
    role: str
    resource: str = ROOT


Link = Assignment | tuple[str, str]
"""An assignment, a (subject, group) place, or a (child, parent) nesting."""


@dataclass
class World:
    """An organization's facts. Times are integers; None is never."""

    memberships: dict[str, bool] = field(default_factory=dict)  # subject → active
    members: dict[tuple[str, str], int | None] = field(
        default_factory=dict
    )  # (subject, group) → until
    nestings: set[tuple[str, str]] = field(default_factory=set)  # (child, parent)
    roles: dict[str, Role] = field(default_factory=dict)
    resources: dict[str, str | None] = field(default_factory=lambda: {ROOT: None})  # → parent
    assignments: dict[Assignment, int | None] = field(default_factory=dict)  # → until
    is_single_role: bool = False
    takes_next_highest: bool = False
    default_role: str | None = None
    resets: set[tuple[str, str]] = field(default_factory=set)  # (subject, role) set aside


def in_force(until: int | None, t: int) -> bool:
    return until is None or until > t


def holders(world: World, subject: str, t: int | None) -> set[str]:
    """The membership itself and every group that reaches it."""
    parents: dict[str, list[str]] = {}
    for child, parent in world.nestings:
        parents.setdefault(child, []).append(parent)
    fringe = [
        group
        for (member, group), until in world.members.items()
        if member == subject and (t is None or in_force(until, t))
    ]
    groups = set(fringe)
    while fringe:
        above = set(parents.get(fringe.pop(), ())) - groups
        groups |= above
        fringe += above
    return {subject, *(f"group:{group}" for group in groups)}


def ancestors(world: World, resource: str) -> list[str]:
    """The resource and all above it, the organization last."""
    line = []
    step: str | None = resource
    while step is not None:
        line.append(step)
        step = world.resources[step]
    return line


def held(world: World, subject: str, t: int | None) -> set[Assignment]:
    """The assignments that a membership holds, directly or through a group; unexpired ones at t."""
    reach = holders(world, subject, t)
    return {
        assignment
        for assignment, until in world.assignments.items()
        if assignment.holder in reach and (t is None or in_force(until, t))
    }


def won_role(world: World, subject: str, t: int) -> str | None:
    """The organization-wide role that counts in a single-role organization, of those that a membership holds.

    The highest priority wins, between equals the one defined first. What has expired is as if it were not
    there. What is set aside does not count.
    """
    wide = {a.role for a in held(world, subject, t) if a.resource == ROOT}
    candidates = {role for role in wide if (subject, role) not in world.resets}
    return min(
        candidates,
        key=lambda role: (-world.roles[role].priority, world.roles[role].rank),
        default=None,
    )


def winning_role(world: World, subject: str, t: int) -> str | None:
    """The organization-wide role that counts in a single-role organization: one held, or the default role."""
    won = won_role(world, subject, t)
    return world.default_role if won is None else won


def given(world: World, named: Set[Link], t: int) -> set[tuple[str, str]]:
    """(subject, role) of the organization-wide roles that memberships hold at t by a link that was named.

    A link is an assignment, a member's place in a group, or a nesting.
    """
    wide: dict[str, list[Assignment]] = {}
    for assignment, until in world.assignments.items():
        if assignment.resource == ROOT and in_force(until, t):
            wide.setdefault(assignment.holder, []).append(assignment)
    return {
        (subject, assignment.role)
        for subject in world.memberships
        for holder, is_named in _reached_by_named(world, subject, named, t)
        for assignment in wide.get(holder, ())
        if is_named or assignment in named
    }


def _reached_by_named(
    world: World, subject: str, named: Set[Link], t: int
) -> set[tuple[str, bool]]:
    """Each holder that reaches a membership, and whether by a way with a named link; perhaps both."""
    parents: dict[str, list[str]] = {}
    for child, parent in world.nestings:
        parents.setdefault(child, []).append(parent)
    fringe = [
        (group, (subject, group) in named)
        for (member, group), until in world.members.items()
        if member == subject and in_force(until, t)
    ]
    found = set(fringe)
    while fringe:
        group, is_named = fringe.pop()
        steps = {(up, is_named or (group, up) in named) for up in parents.get(group, ())}
        fringe += steps - found
        found |= steps
    return {(subject, False), *((f"group:{group}", is_named) for group, is_named in found)}


def resets_after(
    before: World, after: World, named: Set[Link], t: int, *, switched: bool = False
) -> set[tuple[str, str]]:
    """(subject, role) that is set aside when a batch at t has made one state of another and named links.

    Who holds the winning role no more at the end has lost it. Then all that it holds is set aside, and
    always less what the batch gave. A batch that changes the role mode or what a loss leaves (`switched`)
    sets nothing aside; nor does an organization that takes the next highest role.
    """
    if switched:
        return set()
    resets = set(before.resets)
    if after.is_single_role and not after.takes_next_highest:
        for subject in before.memberships.keys() & after.memberships.keys():
            lost = won_role(before, subject, t)
            wide = {a.role for a in held(after, subject, t) if a.resource == ROOT}
            if lost is not None and lost not in wide:
                resets |= {(subject, role) for role in wide}
    return resets - given(after, named, t)


def counted(world: World, subject: str, t: int) -> set[tuple[str, str]]:
    """(role, resource) that count for a membership at t."""
    if not world.memberships.get(subject):
        return set()
    pairs = {(a.role, a.resource) for a in held(world, subject, t)}
    if world.is_single_role:
        winner = winning_role(world, subject, t)
        pairs = {(role, resource) for role, resource in pairs if resource != ROOT}
        pairs |= {(winner, ROOT)} if winner is not None else set()
    return pairs


def allowed(world: World, subject: str, permission: str, resource: str, t: int) -> bool:
    """Whether the membership may, at t."""
    if resource not in world.resources:
        return False
    line = ancestors(world, resource)
    return any(
        on in line and permission in world.roles[role].permissions
        for role, on in counted(world, subject, t)
    )
