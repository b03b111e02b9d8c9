"""Pages of recorded facts."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import (
    AssignmentNumber,
    GroupId,
    GroupNumber,
    HolderNumber,
    MembershipNumber,
    Microseconds,
    OrganizationNumber,
    PermissionId,
    PermissionNumber,
    ResourceId,
    ResourceNumber,
    ResourceTypeId,
    RoleId,
    RoleNumber,
    SubjectId,
)
from rescind.store.rows.query import Query


class ListedRow(NamedTuple):
    """An organization, and the numbers of what a list is about; None for what is not there."""

    organization: OrganizationNumber
    revision: int
    environment: int
    last_number: int
    role_mode: str
    group: GroupNumber | None
    membership: MembershipNumber | None
    role: RoleNumber | None
    resource: ResourceNumber | None


class ListedGroupRow(NamedTuple):
    """A group."""

    group: GroupId
    name: str | None


class ListedPlaceRow(NamedTuple):
    """A group that something is in: since when, by whom, until when."""

    number: GroupNumber
    group: GroupId
    name: str | None
    recorded_at: Microseconds | None
    actor: str | None
    expires_at: Microseconds | None


class ListedMemberRow(NamedTuple):
    """A membership or `group:…` in a group: since when, by whom, until when."""

    number: HolderNumber
    member: str
    active: bool
    recorded_at: Microseconds | None
    actor: str | None
    expires_at: Microseconds | None


class NextMemberRow(NamedTuple):
    """The next membership in a group or one below it."""

    membership: MembershipNumber | None


class EffectiveMemberRow(NamedTuple):
    """A membership in a group or one below it, by one group that it is in."""

    membership: MembershipNumber
    subject: SubjectId
    active: bool
    group: GroupId
    made: int
    recorded_at: Microseconds | None
    actor: str | None
    expires_at: Microseconds | None


class ListedRoleRow(NamedTuple):
    """A role, of the organization or shared by all."""

    number: RoleNumber
    role: RoleId
    name: str | None
    is_shared: bool
    priority: int
    critical: bool
    resource_type: ResourceTypeId | None


class ListedRolePermissionRow(NamedTuple):
    """A permission that a role contains."""

    role: RoleNumber
    permission: PermissionId


class ListedPermissionRow(NamedTuple):
    """A permission, of the organization or shared by all."""

    permission: PermissionId
    description: str
    is_shared: bool
    critical: bool


class PermissionOfRoleRow(NamedTuple):
    """A permission that a role contains, with its number."""

    number: PermissionNumber
    permission: PermissionId
    description: str
    is_shared: bool
    critical: bool


class PermissionOfGroupRow(NamedTuple):
    """A permission that a group gives."""

    permission: PermissionId


class ListedResourceRow(NamedTuple):
    """A resource and its parent."""

    resource: ResourceId
    parent: ResourceId


class ChildResourceRow(NamedTuple):
    """A resource right below another."""

    number: ResourceNumber
    resource: ResourceId


class ListedMembershipRow(NamedTuple):
    """A membership."""

    subject: SubjectId
    name: str | None
    active: bool
    created_at: Microseconds


class ListedAssignmentRow(NamedTuple):
    """An assignment by numbers and by ids: since when, by whom, why, until when."""

    number: AssignmentNumber
    holder_number: HolderNumber
    resource_number: ResourceNumber
    role_number: RoleNumber
    holder: str
    active: bool
    role: RoleId
    resource: ResourceId
    recorded_at: Microseconds | None
    actor: str | None
    reason: str | None
    expires_at: Microseconds | None


class HolderRow(NamedTuple):
    """Who holds for a membership or group: itself, or a group that reaches it."""

    holder: HolderNumber


class ExpiringRow(NamedTuple):
    """A place in a group (kind 0) or an assignment (kind 1) that ends. `first` and `second` order those of
    one time.
    """

    expires_at: Microseconds
    kind: int
    first: int
    second: int
    holder: str
    active: bool
    group: GroupId | None
    role: RoleId | None
    resource: ResourceId | None
    recorded_at: Microseconds | None
    actor: str | None


class NameRow(NamedTuple):
    """An id like one that is not there."""

    name: str


class UnknownRow(NamedTuple):
    """Which of a question's ids are there: 1, or None."""

    organization: OrganizationNumber
    has_subject: int | None
    has_group: int | None
    has_permission: int | None
    has_resource: int | None


FIND_LISTED = Query("find_listed", ListedRow)
LISTED_GROUPS = Query("listed_groups", ListedGroupRow)
LISTED_GROUPS_OF_MEMBERSHIP = Query("listed_groups_of_membership", ListedPlaceRow)
LISTED_GROUPS_AROUND = Query("listed_groups_around", ListedPlaceRow)
LISTED_MEMBERS = Query("listed_members", ListedMemberRow)
FIND_NEXT_MEMBER_BELOW = Query("find_next_member_below", NextMemberRow)
LISTED_EFFECTIVE_MEMBERS = Query("listed_effective_members", EffectiveMemberRow)
LISTED_ROLES = Query("listed_roles", ListedRoleRow)
LISTED_PERMISSIONS_OF_ROLES = Query("listed_permissions_of_roles", ListedRolePermissionRow)
LISTED_PERMISSIONS = Query("listed_permissions", ListedPermissionRow)
LISTED_PERMISSIONS_OF_ROLE = Query("listed_permissions_of_role", PermissionOfRoleRow)
LISTED_PERMISSIONS_OF_GROUP = Query("listed_permissions_of_group", PermissionOfGroupRow)
LISTED_RESOURCES = Query("listed_resources", ListedResourceRow)
LISTED_RESOURCES_BELOW = Query("listed_resources_below", ChildResourceRow)
LISTED_MEMBERSHIPS = Query("listed_memberships", ListedMembershipRow)
LISTED_ACTIVE_MEMBERSHIPS = Query("listed_active_memberships", ListedMembershipRow)
LISTED_DEACTIVATED_MEMBERSHIPS = Query("listed_deactivated_memberships", ListedMembershipRow)
LISTED_ASSIGNMENTS = Query("listed_assignments", ListedAssignmentRow)
LISTED_ASSIGNMENTS_OF_HOLDER = Query("listed_assignments_of_holder", ListedAssignmentRow)
LISTED_ASSIGNMENTS_OF_ROLE = Query("listed_assignments_of_role", ListedAssignmentRow)
LISTED_ASSIGNMENTS_ON_RESOURCE = Query("listed_assignments_on_resource", ListedAssignmentRow)
LISTED_HOLDERS = Query("listed_holders", HolderRow)
LISTED_EXPIRING = Query("listed_expiring", ExpiringRow)

SIMILAR_GROUPS = Query("similar_groups", NameRow)
SIMILAR_SUBJECTS = Query("similar_subjects", NameRow)
SIMILAR_RESOURCES = Query("similar_resources", NameRow)
SIMILAR_ROLES = Query("similar_roles", NameRow)
SIMILAR_PERMISSIONS = Query("similar_permissions", NameRow)
SIMILAR_TYPES = Query("similar_types", NameRow)
SIMILAR_ORGANIZATIONS = Query("similar_organizations", NameRow)
FIND_UNKNOWN = Query("find_unknown", UnknownRow)
