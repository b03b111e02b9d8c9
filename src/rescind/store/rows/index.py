"""What an index in memory reads: an organization whole, or what the tail of the log names."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from rescind.model import (
    GroupId,
    GroupNumber,
    HolderNumber,
    MembershipNumber,
    Microseconds,
    OrganizationId,
    OrganizationNumber,
    PermissionId,
    PermissionNumber,
    ResourceId,
    ResourceNumber,
    RoleId,
    RoleNumber,
    SubjectId,
)
from rescind.store.rows.query import Query, bulk


class StateRow(NamedTuple):
    """An organization's revision and settings; deleted, it has no name. `server` tells databases apart."""

    organization: OrganizationNumber
    name: OrganizationId | None
    revision: int
    environment: int
    role_mode: str
    on_loss: str
    default_role: RoleNumber | None
    server: str
    id_rule: str


class IndexedMembership(NamedTuple):
    """A membership, active or not."""

    subject: SubjectId
    number: MembershipNumber


class IndexedInactive(NamedTuple):
    """A deactivated membership."""

    number: MembershipNumber


class IndexedRoster(NamedTuple):
    """A group, and its direct members without expiry: four bytes for each number, or a JSON array."""

    group: GroupNumber
    memberships: bytes | str


class IndexedPlace(NamedTuple):
    """A membership's place in a group, also after it expired."""

    membership: MembershipNumber
    group: GroupNumber
    expires_at: Microseconds | None


class IndexedResource(NamedTuple):
    """A resource and its parent."""

    number: ResourceNumber
    resource: ResourceId
    parent: ResourceNumber | None


class NamedResource(NamedTuple):
    """A resource and its parent, its name first."""

    resource: ResourceId
    number: ResourceNumber
    parent: ResourceNumber | None


class LastingAssignment(NamedTuple):
    """An assignment without expiry."""

    holder: HolderNumber
    role: RoleNumber
    resource: ResourceNumber


class IndexedAssignment(NamedTuple):
    """An assignment, also after it expired."""

    holder: HolderNumber
    role: RoleNumber
    resource: ResourceNumber
    expires_at: Microseconds | None


class IndexedGroup(NamedTuple):
    """An existing group."""

    number: GroupNumber
    group: GroupId


class IndexedNesting(NamedTuple):
    """A group in another."""

    child: GroupNumber
    parent: GroupNumber


class IndexedPermission(NamedTuple):
    """A permission."""

    number: PermissionNumber
    permission: PermissionId
    critical: bool


class IndexedRole(NamedTuple):
    """A role."""

    number: RoleNumber
    role: RoleId
    priority: int


class IndexedRolePermission(NamedTuple):
    """A permission that a role contains."""

    role: RoleNumber
    permission: PermissionNumber


class IndexedReset(NamedTuple):
    """A role that does not count for a membership, set aside after a loss."""

    membership: MembershipNumber
    role: RoleNumber


class TailLogRow(NamedTuple):
    """A change after the index's revision; `body` is its JSON."""

    revision: int
    direction: str
    body: str


class TailRevisionRow(NamedTuple):
    """How far an organization has come."""

    organization: OrganizationNumber
    revision: int
    server: str


class TailMembership(NamedTuple):
    """A subject that was touched, and its membership if it has one."""

    subject: SubjectId
    number: MembershipNumber | None
    active: bool | None


class TailGroup(NamedTuple):
    """A group's id that was touched, and the group if there is one."""

    group: GroupId
    number: GroupNumber | None


class TailRoster(NamedTuple):
    """A place in a group all of whose members were touched."""

    group: GroupNumber
    membership: MembershipNumber
    expires_at: Microseconds | None


MembershipTuple: TypeAlias = tuple[SubjectId, MembershipNumber]
ResourceTuple: TypeAlias = tuple[ResourceId, ResourceNumber, ResourceNumber | None]
LastingTuple: TypeAlias = tuple[HolderNumber, RoleNumber, ResourceNumber]
PlaceTuple: TypeAlias = tuple[MembershipNumber, GroupNumber, Microseconds | None]
AssignmentTuple: TypeAlias = tuple[HolderNumber, RoleNumber, ResourceNumber, Microseconds | None]

INDEX_STATE = Query("index_state", StateRow)
INDEX_MEMBERSHIPS: Query[MembershipTuple] = bulk("index_memberships", IndexedMembership)
INDEX_INACTIVE = Query("index_inactive", IndexedInactive)
INDEX_GROUPS = Query("index_groups", IndexedGroup)
INDEX_GROUP_MEMBERS = Query("index_group_members", IndexedRoster)
INDEX_EXPIRING_MEMBERS: Query[PlaceTuple] = bulk("index_expiring_members", IndexedPlace)
INDEX_NESTINGS = Query("index_nestings", IndexedNesting)
INDEX_PERMISSIONS = Query("index_permissions", IndexedPermission)
INDEX_ROLES = Query("index_roles", IndexedRole)
INDEX_ROLE_PERMISSIONS = Query("index_role_permissions", IndexedRolePermission)
INDEX_RESOURCES: Query[ResourceTuple] = bulk("index_resources", NamedResource)
INDEX_ASSIGNMENTS: Query[LastingTuple] = bulk("index_assignments", LastingAssignment)
INDEX_EXPIRING_ASSIGNMENTS: Query[AssignmentTuple] = bulk(
    "index_expiring_assignments", IndexedAssignment
)
INDEX_RESETS = Query("index_resets", IndexedReset)

TAIL_LOG = Query("tail_log", TailLogRow)
TAIL_REVISIONS = Query("tail_revisions", TailRevisionRow)
TAIL_MEMBERSHIPS = Query("tail_memberships", TailMembership)
TAIL_PLACES = Query("tail_places", IndexedPlace)
TAIL_GROUPS = Query("tail_groups", TailGroup)
TAIL_ROSTERS = Query("tail_rosters", TailRoster)
TAIL_NESTINGS = Query("tail_nestings", IndexedNesting)
TAIL_PERMISSIONS = Query("tail_permissions", IndexedPermission)
TAIL_ROLES = Query("tail_roles", IndexedRole)
TAIL_ROLE_PERMISSIONS = Query("tail_role_permissions", IndexedRolePermission)
TAIL_RESOURCES = Query("tail_resources", IndexedResource)
TAIL_ASSIGNMENTS = Query("tail_assignments", IndexedAssignment)
TAIL_HELD = Query("tail_held", IndexedAssignment)
TAIL_ASSIGNED = Query("tail_assigned", IndexedAssignment)
