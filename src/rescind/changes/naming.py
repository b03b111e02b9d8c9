"""Which subjects, groups, roles and permissions a change names, as it spells them.

A type that names something of a kind stands in the union of that kind. A test compares the unions with the
fields of all types.
"""

from __future__ import annotations

from typing import TypeAlias

from rescind.changes.assignments import Assign, ReplaceAssignments, Unassign
from rescind.changes.groups import (
    AddMembers,
    ChangeGroupId,
    CreateGroup,
    DeleteGroup,
    NestGroup,
    RemoveMembers,
    RenameGroup,
    ReplaceMembers,
    UnnestGroup,
)
from rescind.changes.memberships import (
    AddMembership,
    ChangeMembershipId,
    DeactivateMembership,
    ReactivateMembership,
    RemoveMembership,
    RenameMembership,
)
from rescind.changes.organizations import SetDefaultRole
from rescind.changes.roles import (
    DefinePermission,
    DefineRole,
    DeletePermission,
    DeleteRole,
    EditPermission,
    EditRole,
)
from rescind.changes.union import Change

OfMembership: TypeAlias = (
    AddMembership
    | RenameMembership
    | ChangeMembershipId
    | DeactivateMembership
    | ReactivateMembership
    | RemoveMembership
)
"""`subject` is the membership."""
OfMembers: TypeAlias = AddMembers | RemoveMembers | ReplaceMembers
"""`members` are subjects."""
OfHolder: TypeAlias = Assign | Unassign | ReplaceAssignments
"""`to` is a subject or `group:…`."""
OfGroup: TypeAlias = (
    CreateGroup | RenameGroup | ChangeGroupId | DeleteGroup | OfMembers | NestGroup | UnnestGroup
)
"""`group` is the group."""
OfRole: TypeAlias = SetDefaultRole | DefineRole | EditRole | DeleteRole | Assign | Unassign
"""`role` is the role, or none."""
OfPermission: TypeAlias = DefinePermission | EditPermission | DeletePermission
"""`permission` is the permission."""


def members_in(change: Change) -> tuple[str, ...]:
    """The members that a change of a group names."""
    return change.members if isinstance(change, OfMembers) else ()


def subjects_in(change: Change) -> tuple[str, ...]:
    """The subjects that a change names: members, the membership, or the holder."""
    if isinstance(change, OfMembership):
        return (change.subject,)
    if isinstance(change, OfHolder) and not change.to.startswith("group:"):
        return (change.to,)
    return members_in(change)


def groups_in(change: Change) -> tuple[str, ...]:
    """The groups that a change names: the group, what it is nested in, or the holder."""
    if isinstance(change, NestGroup):
        return (change.group, change.into)
    if isinstance(change, UnnestGroup):
        return (change.group, change.out_of)
    if isinstance(change, OfGroup):
        return (change.group,)
    if isinstance(change, OfHolder) and change.to.startswith("group:"):
        return (change.to.removeprefix("group:"),)
    return ()
