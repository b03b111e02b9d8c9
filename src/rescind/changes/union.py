"""All changes, as one type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from rescind.changes.assignments import (
    Assign,
    ReplaceAssignments,
    Unassign,
)
from rescind.changes.base import AffectedFacts
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
from rescind.changes.organizations import (
    CreateOrganization,
    DeleteOrganization,
    RenameOrganization,
    SetDefaultRole,
    SetIdRule,
    SetRoleMode,
)
from rescind.changes.resources import (
    CreateResource,
    DefineResourceType,
    DeleteResource,
    DeleteResourceType,
    MoveResource,
)
from rescind.changes.roles import (
    DefinePermission,
    DefineRole,
    DeletePermission,
    DeleteRole,
    EditPermission,
    EditRole,
)

Change: TypeAlias = (
    CreateOrganization
    | RenameOrganization
    | DeleteOrganization
    | SetRoleMode
    | SetDefaultRole
    | SetIdRule
    | AddMembership
    | RenameMembership
    | ChangeMembershipId
    | DeactivateMembership
    | ReactivateMembership
    | RemoveMembership
    | CreateGroup
    | RenameGroup
    | ChangeGroupId
    | DeleteGroup
    | AddMembers
    | RemoveMembers
    | ReplaceMembers
    | NestGroup
    | UnnestGroup
    | DefinePermission
    | EditPermission
    | DeletePermission
    | DefineRole
    | EditRole
    | DeleteRole
    | DefineResourceType
    | DeleteResourceType
    | CreateResource
    | MoveResource
    | DeleteResource
    | Assign
    | Unassign
    | ReplaceAssignments
)

ON_ENVIRONMENT = (
    DefinePermission,
    EditPermission,
    DeletePermission,
    DefineRole,
    EditRole,
    DeleteRole,
    DefineResourceType,
    DeleteResourceType,
)
"""What can be done in the environment, for all organizations."""


def affected_by(logged: Iterable[Change]) -> AffectedFacts:
    """What these changes, all of one owner, may have altered."""
    facts = AffectedFacts()
    for change in logged:
        change.note_affected(facts)
    return facts
