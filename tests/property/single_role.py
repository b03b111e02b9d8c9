"""Single-role organizations as docs/explanation/guarantees.md states them, not as `access.py` does.

Roles, groups and memberships go by name; a role that was deleted and defined again is told by its rank.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rescind import changes
from rescind.semantics.access import Assignment, Link, World

Edge = tuple[str, str, str]
"""("place", subject, group), ("nesting", child, parent) or ("assignment", holder, role)."""


def mode(world: World) -> tuple[bool, bool]:
    """The role mode, and what a loss leaves."""
    return world.is_single_role, world.takes_next_highest


def ways(world: World, subject: str, now: int) -> Iterator[tuple[str, frozenset[Edge]]]:
    """Each organization-wide role that a membership holds, once for each way, with the links on it."""
    links: list[tuple[str, frozenset[Edge]]] = [(subject, frozenset())]
    links += [
        (f"group:{group}", frozenset({("place", subject, group)}))
        for (member, group), until in world.members.items()
        if member == subject and (until is None or now < until)
    ]
    while links:
        holder, along = links.pop()
        for assignment, until in world.assignments.items():
            is_wide = assignment.holder == holder and assignment.resource == "organization"
            if is_wide and (until is None or now < until):
                yield assignment.role, along | {("assignment", holder, assignment.role)}
        links += [
            (f"group:{parent}", along | {("nesting", child, parent)})
            for child, parent in world.nestings
            if f"group:{child}" == holder
        ]


def holds(world: World, subject: str, now: int) -> set[str]:
    return {role for role, _ in ways(world, subject, now)}


def winner(world: World, subject: str, now: int) -> str | None:
    """The role held that counts: the highest of those that are not set aside."""
    best: str | None = None
    for role in holds(world, subject, now):
        if (subject, role) in world.resets:
            continue
        if best is None or _order(world, role) > _order(world, best):
            best = role
    return best


def _order(world: World, role: str) -> tuple[int, int]:
    return world.roles[role].priority, -world.roles[role].rank


def named(batch: Sequence[changes.Change]) -> set[Edge]:
    """The links that the changes of a batch name to make."""
    found: set[Edge] = set()
    for change in batch:
        if isinstance(change, changes.Assign) and change.on in (None, "organization"):
            found.add(("assignment", change.to, change.role))
        elif isinstance(change, changes.ReplaceAssignments):
            found |= {
                ("assignment", change.to, item.role)
                for item in change.assignments
                if item.on in (None, "organization")
            }
        elif isinstance(change, changes.AddMembers | changes.ReplaceMembers):
            found |= {("place", member, change.group) for member in change.members}
        elif isinstance(change, changes.NestGroup):
            found.add(("nesting", change.group, change.into))
    return found


def set_aside_after(
    before: World, after: World, batch: Sequence[changes.Change], now: int, *, switched: bool
) -> set[tuple[str, str]]:
    """(subject, role) that is set aside after a batch; `after` has what was set aside before it."""
    if switched:
        return set()
    aside = set(after.resets)
    if mode(after) == (True, False):
        for subject in after.memberships:
            lost = winner(before, subject, now) if subject in before.memberships else None
            if lost is None:
                continue
            kept = holds(after, subject, now)
            is_another = lost in kept and before.roles[lost].rank != after.roles[lost].rank
            if lost not in kept or is_another:
                aside |= {(subject, role) for role in kept}
    links = named(batch)
    given = {
        (subject, role)
        for subject in after.memberships
        for role, way in ways(after, subject, now)
        if way & links
    }
    return aside - given


def links(batch: Sequence[changes.Change]) -> set[Link]:
    """What a batch names, as `access` has it."""
    return {
        Assignment(one, other) if kind == "assignment" else (one, other)
        for kind, one, other in named(batch)
    }


def goes_by_names(batch: Sequence[changes.Change]) -> bool:
    """Whether no name in a batch means another thing than before, and it switches the mode once at most."""
    deletes = (
        changes.DeleteRole
        | changes.RemoveMembership
        | changes.ChangeMembershipId
        | changes.ChangeGroupId
    )
    switches = [change for change in batch if isinstance(change, changes.SetRoleMode)]
    return len(switches) < 2 and not any(isinstance(change, deletes) for change in batch)
