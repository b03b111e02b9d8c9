"""Every way in which facts change, as a type, by family. Pure values: what they do is in `applying`.

A change is idempotent by content: doing what is already so alters nothing. On the wire (NDJSON, HTTP,
the change log) a change is a JSON object with its name under `change`. What a change affects stands beside
its type, for those who keep facts in memory.
"""

from typing import TYPE_CHECKING

from rescind.deferred import deferred

if TYPE_CHECKING:
    from msgspec import UNSET

    from rescind.changes.assignments import (
        Assign,
        Given,
        ReplaceAssignments,
        Unassign,
    )
    from rescind.changes.base import AffectedFacts
    from rescind.changes.codec import checked, from_object, list_from_json, to_json, to_object
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
    from rescind.changes.naming import groups_in, members_in, subjects_in
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
    from rescind.changes.union import ON_ENVIRONMENT, Change, affected_by

__all__ = [
    "ON_ENVIRONMENT",
    "UNSET",
    "AddMembers",
    "AddMembership",
    "AffectedFacts",
    "Assign",
    "Change",
    "ChangeGroupId",
    "ChangeMembershipId",
    "CreateGroup",
    "CreateOrganization",
    "CreateResource",
    "DeactivateMembership",
    "DefinePermission",
    "DefineResourceType",
    "DefineRole",
    "DeleteGroup",
    "DeleteOrganization",
    "DeletePermission",
    "DeleteResource",
    "DeleteResourceType",
    "DeleteRole",
    "EditPermission",
    "EditRole",
    "Given",
    "MoveResource",
    "NestGroup",
    "ReactivateMembership",
    "RemoveMembers",
    "RemoveMembership",
    "RenameGroup",
    "RenameMembership",
    "RenameOrganization",
    "ReplaceAssignments",
    "ReplaceMembers",
    "SetDefaultRole",
    "SetIdRule",
    "SetRoleMode",
    "Unassign",
    "UnnestGroup",
    "affected_by",
    "checked",
    "from_object",
    "groups_in",
    "list_from_json",
    "members_in",
    "subjects_in",
    "to_json",
    "to_object",
]

_HOMES = {
    "msgspec": "UNSET",
    "rescind.changes.assignments": "Assign Given ReplaceAssignments Unassign",
    "rescind.changes.base": "AffectedFacts",
    "rescind.changes.codec": "checked from_object list_from_json to_json to_object",
    "rescind.changes.groups": (
        "AddMembers ChangeGroupId CreateGroup DeleteGroup NestGroup RemoveMembers RenameGroup "
        "ReplaceMembers UnnestGroup"
    ),
    "rescind.changes.memberships": (
        "AddMembership ChangeMembershipId DeactivateMembership ReactivateMembership "
        "RemoveMembership RenameMembership"
    ),
    "rescind.changes.naming": "groups_in members_in subjects_in",
    "rescind.changes.organizations": (
        "CreateOrganization DeleteOrganization RenameOrganization SetDefaultRole SetIdRule "
        "SetRoleMode"
    ),
    "rescind.changes.resources": (
        "CreateResource DefineResourceType DeleteResource DeleteResourceType MoveResource"
    ),
    "rescind.changes.roles": (
        "DefinePermission DefineRole DeletePermission DeleteRole EditPermission EditRole"
    ),
    "rescind.changes.union": "ON_ENVIRONMENT Change affected_by",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES)
