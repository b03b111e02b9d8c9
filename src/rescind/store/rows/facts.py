"""Facts by their ids, and the change log."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import (
    GroupId,
    Microseconds,
    OrganizationId,
    OrganizationNumber,
    PermissionId,
    ResourceId,
    ResourceTypeId,
    RoleId,
    RoleNumber,
    SubjectId,
)
from rescind.store.rows.query import Query


class SettingsRow(NamedTuple):
    """An organization and what is set for it."""

    organization: OrganizationNumber
    revision: int
    environment: int
    name: str | None
    id_rule: str
    role_mode: str
    on_loss: str
    default_role: RoleId | None


class MembershipFact(NamedTuple):
    """A membership."""

    subject: SubjectId
    active: bool
    name: str | None


class GroupFact(NamedTuple):
    """An existing group."""

    group: GroupId
    name: str | None


class MemberFact(NamedTuple):
    """A membership's place in a group, also after it expired."""

    subject: SubjectId
    group: GroupId
    expires_at: Microseconds | None


class NestingFact(NamedTuple):
    """A group in another."""

    child: GroupId
    parent: GroupId


class PermissionFact(NamedTuple):
    """A permission, of the organization or shared by all."""

    permission: PermissionId
    critical: bool
    description: str
    is_shared: bool


class RoleFact(NamedTuple):
    """A role, of the organization or shared by all."""

    role: RoleId
    priority: int
    number: RoleNumber
    critical: bool
    name: str | None
    resource_type: ResourceTypeId | None
    is_shared: bool
    required: bool


class RolePermissionFact(NamedTuple):
    """A permission that a role contains."""

    role: RoleNumber
    permission: PermissionId


class ResourceTypeFact(NamedTuple):
    """A resource type; `parents` is a JSON list of types."""

    type: ResourceTypeId
    parents: str
    is_shared: bool


class ResourceFact(NamedTuple):
    """A resource and what it is in; the organization itself is in nothing."""

    resource: ResourceId
    parent: ResourceId | None


class AssignmentFact(NamedTuple):
    """A role given to a subject or to `group:…`, also after it expired."""

    holder: str
    role: RoleId
    resource: ResourceId
    expires_at: Microseconds | None


class ResetFact(NamedTuple):
    """A role that does not count for a subject, set aside after a loss."""

    subject: SubjectId
    role: RoleId


class AskedRoleFact(NamedTuple):
    """A role, and whether it contains the permission that is asked about."""

    role: RoleId
    priority: int
    number: RoleNumber
    is_asked: bool


class LogRow(NamedTuple):
    """A change on record; `body` is its JSON, `record` how it was enforced, `caused_by` a revision of `*`."""

    revision: int
    recorded_at: Microseconds
    actor: str
    reason: str
    direction: str
    route: str
    fan_out: int
    idempotency_key: str | None
    enforced_at: Microseconds | None
    settled_at: Microseconds | None
    body: str
    record: str | None
    caused_by: int | None
    granted: int
    revoked: int
    estimated: int
    environment: int | None
    digest: bytes | None
    digest_before: bytes | None


class ListedOrganizationRow(NamedTuple):
    """An organization of the database."""

    organization: OrganizationId
    name: str | None
    revision: int


class ChangeRow(NamedTuple):
    """A change by its revision."""

    revision: int


class LogPlaceRow(NamedTuple):
    """The revisions between which a time lies, and the last revision on record, if any."""

    low: int
    high: int | None
    last: int | None


READ_SETTINGS = Query("read_settings", SettingsRow)
READ_MEMBERSHIPS = Query("read_memberships", MembershipFact)
READ_GROUPS = Query("read_groups", GroupFact)
READ_GROUP_MEMBERS = Query("read_group_members", MemberFact)
READ_NESTINGS = Query("read_nestings", NestingFact)
READ_PERMISSIONS = Query("read_permissions", PermissionFact)
READ_ROLES = Query("read_roles", RoleFact)
READ_ROLE_PERMISSIONS = Query("read_role_permissions", RolePermissionFact)
READ_RESOURCE_TYPES = Query("read_resource_types", ResourceTypeFact)
READ_RESOURCES = Query("read_resources", ResourceFact)
READ_ASSIGNMENTS = Query("read_assignments", AssignmentFact)
READ_RESETS = Query("read_resets", ResetFact)

SLICE_MEMBERS = Query("slice_members", MemberFact)
SLICE_NESTINGS = Query("slice_nestings", NestingFact)
SLICE_RESOURCES = Query("slice_resources", ResourceFact)
SLICE_ASSIGNMENTS = Query("slice_assignments", AssignmentFact)
SLICE_ROLES = Query("slice_roles", AskedRoleFact)
SLICE_RESETS = Query("slice_resets", ResetFact)

READ_LOG = Query("read_log", LogRow)
RECORD_ENFORCED = Query("record_enforced", ChangeRow)
FIND_CHANGES_ABOUT = Query("find_changes_about", ChangeRow)
FIND_LOG_PLACE = Query("find_log_place", LogPlaceRow)
LIST_ORGANIZATIONS = Query("list_organizations", ListedOrganizationRow)
