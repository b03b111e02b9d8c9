"""What each change does to an `access.World`, written as naively as can be: no deltas, no SQL."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from rescind import changes, model
from rescind.semantics import access
from rescind.semantics.access import ROOT, Assignment, Role, World
from tests.property import single_role


class Refused(Exception):
    """The change cannot be; the code is the error's."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass
class Facts:
    """A World, and what exists without deciding anything by itself."""

    world: World = field(default_factory=World)
    groups: dict[str, str | None] = field(default_factory=dict)
    names: dict[str, str | None] = field(default_factory=dict)
    permissions: dict[str, bool] = field(default_factory=dict)
    ranks: int = 0
    now: int = field(default=0, compare=False)

    def in_force(self, timed: dict[Any, int | None]) -> dict[Any, int | None]:
        """Of what has a time, what has not expired."""
        return {k: until for k, until in timed.items() if access.in_force(until, self.now)}


def apply(before: Facts, change: changes.Change, now: int = 0) -> Facts:
    """The facts after one change, or Refused."""
    return apply_batch(before, [change], now)


def apply_batch(before: Facts, batch: Sequence[changes.Change], now: int) -> Facts:
    """The facts after a batch of changes, or Refused. What it sets aside is judged by its end."""
    after = copy.deepcopy(before)
    after.now = now
    switched = False
    told = Told(copy.deepcopy(before.world))
    for change in batch:
        told.tell(change)
        mode = single_role.mode(after.world)
        _APPLY[type(change)](after, change)
        switched |= mode != single_role.mode(after.world)
        after.world.resets -= _forgotten(after, change)
    after.world.resets = single_role.set_aside_after(
        told.before, after.world, told.batch, now, switched=switched
    )
    return after


@dataclass
class Told:
    """What was before a batch, and its changes so far, with the ids that everybody has now."""

    before: World
    batch: list[changes.Change] = field(default_factory=list)

    def tell(self, change: changes.Change) -> None:
        if isinstance(change, changes.ChangeMembershipId):
            self._renamed(change.subject, change.new_id)
        elif isinstance(change, changes.ChangeGroupId):
            self._renamed(f"group:{change.group}", f"group:{change.new_id}")
        self.batch.append(change)

    def _renamed(self, old: str, new: str) -> None:
        names = {new: f"{new}-gone-{len(self.batch)}", old: new}
        if old != new:
            rename(self.before, names)
            self.batch = [_retold(change, names) for change in self.batch]


def rename(world: World, names: dict[str, str]) -> None:
    """Give subjects, and groups with `group:` before them, other ids, wherever they are."""
    groups = {
        old.removeprefix("group:"): new.removeprefix("group:")
        for old, new in names.items()
        if old.startswith("group:")
    }
    world.memberships = {names.get(s, s): active for s, active in world.memberships.items()}
    world.members = {
        (names.get(s, s), groups.get(g, g)): until for (s, g), until in world.members.items()
    }
    world.nestings = {(groups.get(c, c), groups.get(p, p)) for c, p in world.nestings}
    world.assignments = {
        Assignment(names.get(a.holder, a.holder), a.role, a.resource): until
        for a, until in world.assignments.items()
    }
    world.resets = {(names.get(s, s), role) for s, role in world.resets}


def _retold(change: changes.Change, names: dict[str, str]) -> changes.Change:
    """A change that links holders and groups, as one of those ids."""
    groups = {
        old.removeprefix("group:"): new.removeprefix("group:")
        for old, new in names.items()
        if old.startswith("group:")
    }
    given: dict[str, Any] = {}
    for name in ("to", "members", "group", "into"):
        value = getattr(change, name, None)
        if name == "members" and value is not None:
            given[name] = tuple(names.get(member, member) for member in value)
        elif value is not None:
            given[name] = (names if name == "to" else groups).get(value, value)
    return msgspec.structs.replace(change, **given) if given else change


def _forgotten(facts: Facts, change: changes.Change) -> set[tuple[str, str]]:
    """A membership or a role that is deleted takes with it what was set aside of it."""
    return {
        (subject, role)
        for subject, role in facts.world.resets
        if (isinstance(change, changes.RemoveMembership) and change.subject == subject)
        or (isinstance(change, changes.DeleteRole) and change.role == role)
    }


def pairs(world: World) -> dict[tuple[str, Assignment], int | None]:
    """Every effective role, and when the last path of group memberships behind it expires."""
    found: dict[tuple[str, Assignment], int | None] = {}
    for subject in world.memberships:
        until: dict[str, int | None] = {subject: None}
        for path in _paths(world, subject):
            if path:
                limit, holder = world.members[(subject, path[0])], f"group:{path[-1]}"
                known = until.get(holder, 0)
                until[holder] = None if limit is None or known is None else max(limit, known)
        for assignment in world.assignments:
            if assignment.holder in until:
                found[(subject, assignment)] = until[assignment.holder]
    return found


def _paths(world: World, subject: str) -> Iterator[tuple[str, ...]]:
    """Every way up from a membership: the groups on it, innermost first; also the way of no group.

    Expired memberships count as well.
    """
    yield ()
    start: list[tuple[str, ...]] = [
        (group,) for member, group in world.members if member == subject
    ]
    while start:
        path = start.pop()
        yield path
        start += [(*path, parent) for child, parent in world.nestings if child == path[-1]]


def _known(container: Any, item: str, what: str) -> str:
    if item not in container:
        raise Refused(f"{what}_not_found")
    return item


def _add_membership(facts: Facts, change: changes.AddMembership) -> None:
    world = facts.world
    if change.subject in world.memberships:
        differs = change.name is not None and change.name != facts.names[change.subject]
        if differs or not world.memberships[change.subject]:
            raise Refused("membership_exists")
        return
    world.memberships[change.subject] = True
    facts.names[change.subject] = change.name


def _change_membership_id(facts: Facts, change: changes.ChangeMembershipId) -> None:
    if change.subject.partition(":")[0] != change.new_id.partition(":")[0]:
        raise Refused("invalid_change")
    _known(facts.world.memberships, change.subject, "membership")
    if change.new_id in facts.world.memberships and change.new_id != change.subject:
        raise Refused("membership_exists")
    rename(facts.world, {change.subject: change.new_id})
    facts.names[change.new_id] = facts.names.pop(change.subject)


def _rename_membership(facts: Facts, change: changes.RenameMembership) -> None:
    _known(facts.world.memberships, change.subject, "membership")
    facts.names[change.subject] = change.name


def _change_group_id(facts: Facts, change: changes.ChangeGroupId) -> None:
    _known(facts.groups, change.group, "group")
    if change.new_id in facts.groups and change.new_id != change.group:
        raise Refused("group_exists")
    rename(facts.world, {f"group:{change.group}": f"group:{change.new_id}"})
    facts.groups[change.new_id] = facts.groups.pop(change.group)


def _deactivate(facts: Facts, change: changes.DeactivateMembership) -> None:
    if change.subject in facts.world.memberships:
        facts.world.memberships[change.subject] = False


def _reactivate(facts: Facts, change: changes.ReactivateMembership) -> None:
    _known(facts.world.memberships, change.subject, "membership")
    facts.world.memberships[change.subject] = True


def _remove_membership(facts: Facts, change: changes.RemoveMembership) -> None:
    world = facts.world
    world.memberships.pop(change.subject, None)
    world.members = {k: v for k, v in world.members.items() if k[0] != change.subject}
    world.assignments = {a: u for a, u in world.assignments.items() if a.holder != change.subject}


def _create_group(facts: Facts, change: changes.CreateGroup) -> None:
    facts.groups.setdefault(change.group, change.name)


def _delete_group(facts: Facts, change: changes.DeleteGroup) -> None:
    world, group = facts.world, change.group
    members = {k: v for k, v in world.members.items() if k[1] != group}
    nestings = {n for n in world.nestings if group not in n}
    assignments = {a: u for a, u in world.assignments.items() if a.holder != f"group:{group}"}
    is_used = (
        facts.in_force(members) != facts.in_force(world.members)
        or nestings != world.nestings
        or facts.in_force(assignments) != facts.in_force(world.assignments)
    )
    if is_used and not change.cascade:
        raise Refused("group_in_use")
    world.members, world.nestings, world.assignments = members, nestings, assignments
    facts.groups.pop(group, None)


def _edges(facts: Facts, change: Any) -> list[tuple[str, str]]:
    _known(facts.groups, change.group, "group")
    for member in change.members:
        _known(facts.world.memberships, member, "membership")
    return [(member, change.group) for member in change.members]


def _add_members(facts: Facts, change: changes.AddMembers) -> None:
    until = None if change.expires_at is None else model.microseconds(change.expires_at)
    facts.world.members.update(dict.fromkeys(_edges(facts, change), until))


def _remove_members(facts: Facts, change: changes.RemoveMembers) -> None:
    for member in change.members:
        facts.world.members.pop((member, change.group), None)


def _replace_members(facts: Facts, change: changes.ReplaceMembers) -> None:
    if change.create and change.members:
        _known(facts.groups, change.group, "group")
        for member in change.members:
            if member not in facts.world.memberships:
                facts.world.memberships[member] = True
                facts.names[member] = None
    listed = _edges(facts, change) if change.members else []
    for edge in [e for e in facts.world.members if e[1] == change.group and e not in listed]:
        del facts.world.members[edge]
    there = facts.in_force(facts.world.members)
    facts.world.members.update({edge: None for edge in listed if edge not in there})


def _nest(facts: Facts, change: changes.NestGroup) -> None:
    child = _known(facts.groups, change.group, "group")
    parent = _known(facts.groups, change.into, "group")
    above, fringe = {parent}, {parent}
    while fringe:
        fringe = {p for c, p in facts.world.nestings if c in fringe} - above
        above |= fringe
    if child in above:
        raise Refused("nesting_cycle")
    facts.world.nestings.add((child, parent))


def _unnest(facts: Facts, change: changes.UnnestGroup) -> None:
    facts.world.nestings.discard((change.group, change.out_of))


def _define_permission(facts: Facts, change: changes.DefinePermission) -> None:
    if facts.permissions.setdefault(change.permission, change.critical) != change.critical:
        raise Refused("permission_exists")


def _delete_permission(facts: Facts, change: changes.DeletePermission) -> None:
    slug, roles = change.permission, facts.world.roles
    if not change.cascade and any(slug in role.permissions for role in roles.values()):
        raise Refused("permission_in_use")
    facts.permissions.pop(slug, None)
    for name, role in roles.items():
        roles[name] = Role(role.permissions - {slug}, role.priority, role.rank)


def _define_role(facts: Facts, change: changes.DefineRole) -> None:
    roles, permissions = facts.world.roles, frozenset(change.permissions)
    for slug in permissions:
        _known(facts.permissions, slug, "permission")
    if change.role not in roles:
        facts.ranks += 1
        roles[change.role] = Role(permissions, change.priority, facts.ranks)
    elif (roles[change.role].permissions, roles[change.role].priority) != (
        permissions,
        change.priority,
    ):
        raise Refused("role_exists")


def _edit_role(facts: Facts, change: changes.EditRole) -> None:
    takes_only = (change.remove or change.set == ()) and not (
        change.add or isinstance(change.priority, int)
    )
    if takes_only and change.role not in facts.world.roles:
        return
    role = facts.world.roles[_known(facts.world.roles, change.role, "role")]
    permissions = (role.permissions - set(change.remove)) | set(change.add)
    if isinstance(change.set, tuple):
        permissions = frozenset(change.set)
    for slug in {*change.add, *permissions}:
        _known(facts.permissions, slug, "permission")
    priority = change.priority if isinstance(change.priority, int) else role.priority
    facts.world.roles[change.role] = Role(frozenset(permissions), priority, role.rank)


def _delete_role(facts: Facts, change: changes.DeleteRole) -> None:
    world, role = facts.world, change.role
    assignments = {a: u for a, u in world.assignments.items() if a.role != role}
    is_held = facts.in_force(assignments) != facts.in_force(world.assignments)
    is_used = is_held or world.default_role == role
    if is_used and not change.cascade:
        raise Refused("role_in_use")
    world.assignments = assignments
    world.default_role = None if world.default_role == role else world.default_role
    world.roles.pop(role, None)


def _parent(facts: Facts, parent: str | None) -> str:
    return _known(facts.world.resources, parent or ROOT, "resource")


def _create_resource(facts: Facts, change: changes.CreateResource) -> None:
    parent = _parent(facts, change.parent)
    if facts.world.resources.setdefault(change.resource, parent) != parent:
        raise Refused("resource_exists")


def _move_resource(facts: Facts, change: changes.MoveResource) -> None:
    resources = facts.world.resources
    _known(resources, change.resource, "resource")
    if change.resource in access.ancestors(facts.world, _parent(facts, change.parent)):
        raise Refused("resource_cycle")
    resources[change.resource] = change.parent or ROOT


def _delete_resource(facts: Facts, change: changes.DeleteResource) -> None:
    world = facts.world
    if change.resource not in world.resources:
        return
    top = change.resource
    doomed = {r for r in world.resources if top in access.ancestors(world, r)}
    assignments = {a: u for a, u in world.assignments.items() if a.resource not in doomed}
    is_held = facts.in_force(assignments) != facts.in_force(world.assignments)
    if not change.cascade and (doomed != {top} or is_held):
        raise Refused("resource_in_use")
    world.assignments = assignments
    world.resources = {r: p for r, p in world.resources.items() if r not in doomed}


def _holder(facts: Facts, to: str) -> str:
    if to.startswith("group:"):
        _known(facts.groups, to.removeprefix("group:"), "group")
    else:
        _known(facts.world.memberships, to, "membership")
    return to


def _assignment(facts: Facts, to: str, role: str, on: str | None) -> Assignment:
    holder = _holder(facts, to)
    _known(facts.world.roles, role, "role")
    return Assignment(holder, role, _parent(facts, on))


def _assign(facts: Facts, change: changes.Assign) -> None:
    until = None if change.expires_at is None else model.microseconds(change.expires_at)
    assignment = _assignment(facts, change.to, change.role, change.on)
    facts.world.assignments[assignment] = until


def _unassign(facts: Facts, change: changes.Unassign) -> None:
    assignment = Assignment(change.to, change.role, change.on or ROOT)
    facts.world.assignments.pop(assignment, None)


def _replace_assignments(facts: Facts, change: changes.ReplaceAssignments) -> None:
    world = facts.world
    holder = _holder(facts, change.to) if change.assignments else change.to
    for item in change.assignments:
        _known(world.roles, item.role, "role")
    given = {
        _assignment(facts, change.to, g.role, g.on): (
            None if g.expires_at is None else model.microseconds(g.expires_at)
        )
        for g in change.assignments
    }
    others = {a: u for a, u in world.assignments.items() if a.holder != holder}
    world.assignments = {**others, **given}


def _set_role_mode(facts: Facts, change: changes.SetRoleMode) -> None:
    facts.world.is_single_role = change.mode == "single"
    facts.world.takes_next_highest = change.on_loss == "next-highest"


def _set_default_role(facts: Facts, change: changes.SetDefaultRole) -> None:
    if change.role is not None:
        _known(facts.world.roles, change.role, "role")
    facts.world.default_role = change.role


_APPLY: dict[type, Callable[[Facts, Any], None]] = {
    changes.AddMembership: _add_membership,
    changes.RenameMembership: _rename_membership,
    changes.ChangeMembershipId: _change_membership_id,
    changes.DeactivateMembership: _deactivate,
    changes.ReactivateMembership: _reactivate,
    changes.RemoveMembership: _remove_membership,
    changes.CreateGroup: _create_group,
    changes.ChangeGroupId: _change_group_id,
    changes.DeleteGroup: _delete_group,
    changes.AddMembers: _add_members,
    changes.RemoveMembers: _remove_members,
    changes.ReplaceMembers: _replace_members,
    changes.NestGroup: _nest,
    changes.UnnestGroup: _unnest,
    changes.DefinePermission: _define_permission,
    changes.DeletePermission: _delete_permission,
    changes.DefineRole: _define_role,
    changes.EditRole: _edit_role,
    changes.DeleteRole: _delete_role,
    changes.CreateResource: _create_resource,
    changes.MoveResource: _move_resource,
    changes.DeleteResource: _delete_resource,
    changes.Assign: _assign,
    changes.Unassign: _unassign,
    changes.ReplaceAssignments: _replace_assignments,
    changes.SetRoleMode: _set_role_mode,
    changes.SetDefaultRole: _set_default_role,
}
