"""What there is of what an import names."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import (
    GroupId,
    PermissionId,
    ResourceId,
    ResourceTypeId,
    RoleId,
    SubjectId,
)
from rescind.store.rows.facts import MembershipFact
from rescind.store.rows.query import Query


class NamedGroupRow(NamedTuple):
    """An existing group."""

    group: GroupId


class NamedRoleRow(NamedTuple):
    """An existing role, and the resource type that it is for."""

    role: RoleId
    resource_type: ResourceTypeId | None


class NamedPermissionRow(NamedTuple):
    """An existing permission."""

    permission: PermissionId


class NamedResourceRow(NamedTuple):
    """An existing resource."""

    resource: ResourceId


class NamedMemberRow(NamedTuple):
    """A membership's place in a group that is there."""

    group: GroupId
    subject: SubjectId


class NamedAssignmentRow(NamedTuple):
    """An assignment that is there; the holder is a subject or `group:…`."""

    role: RoleId
    holder: str
    resource: ResourceId


FIND_NAMED_MEMBERSHIPS = Query("find_named_memberships", MembershipFact)
FIND_NAMED_GROUPS = Query("find_named_groups", NamedGroupRow)
FIND_NAMED_ROLES = Query("find_named_roles", NamedRoleRow)
FIND_NAMED_PERMISSIONS = Query("find_named_permissions", NamedPermissionRow)
FIND_NAMED_RESOURCES = Query("find_named_resources", NamedResourceRow)
FIND_NAMED_MEMBERS = Query("find_named_members", NamedMemberRow)
FIND_NAMED_ASSIGNMENTS = Query("find_named_assignments", NamedAssignmentRow)
