"""Which facts a logged change may have altered: names of what to look at again, never what to do.

As in background work, what is named is read anew, so it does not matter what the change did, in which
order, or whether it was a no-op.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from rescind import changes, model
from rescind.changes import Change


@dataclass
class Touched:
    """Names, by kind. `dropped_*` were deleted at some time, perhaps to be made again.

    `rosters` are groups all of whose members are meant, `children` groups all of whose nestings are,
    `all_of` holders all of whose assignments are; `assignments` are (holder, resource). Where it `is_all`,
    any id may be another now.
    """

    subjects: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    rosters: set[str] = field(default_factory=set)
    children: set[str] = field(default_factory=set)
    permissions: set[str] = field(default_factory=set)
    dropped_permissions: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    dropped_roles: set[str] = field(default_factory=set)
    resources: set[str] = field(default_factory=set)
    assignments: set[tuple[str, str]] = field(default_factory=set)
    all_of: set[str] = field(default_factory=set)
    is_all: bool = False


def touched(logged: Iterable[Change]) -> Touched:
    """What those changes, all of one owner, may have altered."""
    found = Touched()
    for change in logged:
        _NOTES[type(change)](found, change)
    return found


def _nothing(found: Touched, change: Any) -> None:
    """The organization's own row is read at any rate."""


def _all(found: Touched, _: Any) -> None:
    found.is_all = True


def _subject(found: Touched, change: Any) -> None:
    found.subjects.add(model.subject_id(change.subject))


def _group(found: Touched, change: Any) -> None:
    found.groups.add(model.group_id(change.group))


def _members(found: Touched, change: Any) -> None:
    found.subjects |= {model.subject_id(member) for member in change.members}


def _replaced_members(found: Touched, change: changes.ReplaceMembers) -> None:
    found.rosters.add(model.group_id(change.group))
    if change.create:
        _members(found, change)


def _nesting(found: Touched, change: Any) -> None:
    found.children.add(model.group_id(change.group))


def _membership_id(found: Touched, change: changes.ChangeMembershipId) -> None:
    """What was noted of the old id is read again of the new one."""
    old, new = model.subject_id(change.subject), model.subject_id(change.new_id)
    found.subjects |= {old, new}
    found.all_of.add(new)


def _group_id(found: Touched, change: changes.ChangeGroupId) -> None:
    old, new = model.group_id(change.group), model.group_id(change.new_id)
    found.groups |= {old, new}
    found.children.add(new)
    found.all_of.add(f"group:{new}")
    if old in found.rosters:
        found.rosters.add(new)


def _permission(found: Touched, change: Any) -> None:
    found.permissions.add(model.permission_id(change.permission))


def _deleted_permission(found: Touched, change: changes.DeletePermission) -> None:
    _permission(found, change)
    found.dropped_permissions.add(model.permission_id(change.permission))


def _role(found: Touched, change: Any) -> None:
    found.roles.add(model.role_id(change.role))


def _deleted_role(found: Touched, change: changes.DeleteRole) -> None:
    _role(found, change)
    found.dropped_roles.add(model.role_id(change.role))


def _resource(found: Touched, change: Any) -> None:
    found.resources.add(model.resource_id(change.resource))


def _assignment(found: Touched, change: Any) -> None:
    found.assignments.add((model.holder_id(change.to), model.resource_id(change.on)))


def _replaced_assignments(found: Touched, change: changes.ReplaceAssignments) -> None:
    found.all_of.add(model.holder_id(change.to))


_NOTES: dict[type, Callable[[Touched, Any], None]] = {
    changes.CreateOrganization: _nothing,
    changes.RenameOrganization: _nothing,
    changes.DeleteOrganization: _nothing,
    changes.SetRoleMode: _nothing,
    changes.SetDefaultRole: _nothing,
    changes.SetIdRule: _all,
    changes.AddMembership: _subject,
    changes.RenameMembership: _nothing,
    changes.ChangeMembershipId: _membership_id,
    changes.DeactivateMembership: _subject,
    changes.ReactivateMembership: _subject,
    changes.RemoveMembership: _subject,
    changes.CreateGroup: _group,
    changes.RenameGroup: _nothing,
    changes.ChangeGroupId: _group_id,
    changes.DeleteGroup: _group,
    changes.AddMembers: _members,
    changes.RemoveMembers: _members,
    changes.ReplaceMembers: _replaced_members,
    changes.NestGroup: _nesting,
    changes.UnnestGroup: _nesting,
    changes.DefinePermission: _permission,
    changes.EditPermission: _permission,
    changes.DeletePermission: _deleted_permission,
    changes.DefineRole: _role,
    changes.EditRole: _role,
    changes.DeleteRole: _deleted_role,
    changes.DefineResourceType: _nothing,
    changes.DeleteResourceType: _nothing,
    changes.CreateResource: _resource,
    changes.MoveResource: _resource,
    changes.DeleteResource: _resource,
    changes.Assign: _assignment,
    changes.Unassign: _assignment,
    changes.ReplaceAssignments: _replaced_assignments,
}
