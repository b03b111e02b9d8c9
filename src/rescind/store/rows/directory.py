"""Directory entries, and the objects that they belong to. Times are microseconds."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import (
    AssignmentNumber,
    GroupNumber,
    MembershipNumber,
    Microseconds,
    OrganizationNumber,
    PermissionNumber,
    ResourceNumber,
    RoleNumber,
)
from rescind.store.rows.query import Query


class OrganizationNumberRow(NamedTuple):
    organization: OrganizationNumber


class SecretRow(NamedTuple):
    secret: str


class PublicIdRow(NamedTuple):
    organization: OrganizationNumber
    kind: str
    number: int


class OrganizationRow(NamedTuple):
    """An organization with its directory entry; without one, the entry's columns are None."""

    organization: OrganizationNumber
    slug: str
    name: str
    created_at: Microseconds
    public_id: str | None
    external_id: str | None
    attributes: str | None
    updated_at: Microseconds | None


class MembershipRow(NamedTuple):
    """A membership with its directory entry and its organization."""

    organization: OrganizationNumber
    number: MembershipNumber
    subject: str
    name: str | None
    is_active: bool
    created_at: Microseconds
    public_id: str | None
    updated_at: Microseconds | None
    organization_public_id: str | None
    organization_name: str
    organization_slug: str
    role_mode: str


class MemberNameRow(NamedTuple):
    organization_slug: str
    subject: str


class SubjectRow(NamedTuple):
    subject: str


class ExpiryRow(NamedTuple):
    expires_at: Microseconds | None


class HeldRoleRow(NamedTuple):
    """An organization-wide role of a membership."""

    membership: MembershipNumber
    role: str
    priority: int
    number: RoleNumber


class GroupNumberRow(NamedTuple):
    number: GroupNumber


class GroupRow(NamedTuple):
    """A group with its directory entry. `number` is negative."""

    organization: OrganizationNumber
    number: GroupNumber
    slug: str
    name: str | None
    public_id: str | None
    attributes: str | None
    created_at: Microseconds | None
    updated_at: Microseconds | None
    organization_public_id: str | None
    organization_created_at: Microseconds


class PermissionRow(NamedTuple):
    """A permission with its directory entry."""

    organization: OrganizationNumber
    number: PermissionNumber
    slug: str
    description: str | None
    attributes: str | None
    created_at: Microseconds | None
    updated_at: Microseconds | None


class ResourceTypeRow(NamedTuple):
    slug: str


class RoleRow(NamedTuple):
    """A role with its directory entry."""

    organization: OrganizationNumber
    number: RoleNumber
    slug: str
    name: str | None
    priority: int
    attributes: str | None
    created_at: Microseconds | None
    updated_at: Microseconds | None
    resource_type: str | None


class ResourceRow(NamedTuple):
    """A resource with its directory entry, its parent's and its organization."""

    organization: OrganizationNumber
    number: ResourceNumber
    slug: str
    parent: ResourceNumber | None
    public_id: str | None
    attributes: str | None
    created_at: Microseconds | None
    updated_at: Microseconds | None
    parent_public_id: str | None
    organization_public_id: str | None
    organization_name: str
    organization_created_at: Microseconds


class GroupAssignmentRow(NamedTuple):
    """A role assignment of a group."""

    organization: OrganizationNumber
    number: AssignmentNumber
    role: str
    resource: ResourceNumber
    resource_slug: str
    resource_public_id: str | None
    organization_public_id: str | None
    created_at: Microseconds


class AssignmentRow(NamedTuple):
    """A role assignment that a membership holds itself, or through the group that it names."""

    organization: OrganizationNumber
    number: AssignmentNumber
    role: str
    resource: ResourceNumber
    resource_slug: str
    resource_public_id: str | None
    organization_public_id: str | None
    created_at: Microseconds
    membership: MembershipNumber
    membership_public_id: str | None
    group_number: GroupNumber | None
    group_name: str | None
    group_public_id: str | None


class OwnAssignmentRow(NamedTuple):
    """A role on a resource, by name, of one holder."""

    number: AssignmentNumber
    role: str
    resource: str
    expires_at: Microseconds | None


class AttributesRow(NamedTuple):
    attributes: str


class RecordedAnswerRow(NamedTuple):
    """What was answered under an idempotency key."""

    digest: str
    status: int
    body: str
    receipts: str


READ_DIRECTORY_SECRET = Query("read_directory_secret", SecretRow)
FIND_PUBLIC_ID = Query("find_public_id", PublicIdRow)
SHOW_ORGANIZATION = Query("show_organization", OrganizationRow)
FIND_ORGANIZATION_NAMED = Query("find_organization_named", OrganizationNumberRow)
FIND_EXTERNAL_ID = Query("find_external_id", OrganizationNumberRow)
PAGE_ORGANIZATIONS_ASC = Query("page_organizations_asc", OrganizationRow)
PAGE_ORGANIZATIONS_DESC = Query("page_organizations_desc", OrganizationRow)
SHOW_MEMBERSHIP = Query("show_membership", MembershipRow)
NAME_MEMBERSHIP = Query("name_membership", MemberNameRow)
LIST_MEMBERSHIPS_OF_SUBJECT = Query("list_memberships_of_subject", MembershipRow)
PAGE_MEMBERSHIPS_ASC = Query("page_memberships_asc", MembershipRow)
PAGE_MEMBERSHIPS_DESC = Query("page_memberships_desc", MembershipRow)
PAGE_MEMBERSHIPS_AMONG_ASC = Query("page_memberships_among_asc", MembershipRow)
PAGE_MEMBERSHIPS_AMONG_DESC = Query("page_memberships_among_desc", MembershipRow)
LIST_ROLES_HELD = Query("list_roles_held", HeldRoleRow)
SHOW_GROUP = Query("show_group", GroupRow)
FIND_GROUP_NAMED = Query("find_group_named", GroupNumberRow)
PAGE_GROUPS_ASC = Query("page_groups_asc", GroupRow)
PAGE_GROUPS_DESC = Query("page_groups_desc", GroupRow)
PAGE_GROUPS_OF_MEMBERSHIP_ASC = Query("page_groups_of_membership_asc", GroupRow)
PAGE_GROUPS_OF_MEMBERSHIP_DESC = Query("page_groups_of_membership_desc", GroupRow)
PAGE_MEMBERS_ASC = Query("page_members_asc", MembershipRow)
PAGE_MEMBERS_DESC = Query("page_members_desc", MembershipRow)
FIND_MEMBER = Query("find_member", ExpiryRow)
SHOW_PERMISSION = Query("show_permission", PermissionRow)
PAGE_PERMISSIONS_ASC = Query("page_permissions_asc", PermissionRow)
PAGE_PERMISSIONS_DESC = Query("page_permissions_desc", PermissionRow)
PAGE_PERMISSIONS_AMONG_ASC = Query("page_permissions_among_asc", PermissionRow)
PAGE_PERMISSIONS_AMONG_DESC = Query("page_permissions_among_desc", PermissionRow)
FIND_RESOURCE_TYPE = Query("find_resource_type", ResourceTypeRow)
SHOW_ROLES = Query("show_roles", RoleRow)
SHOW_RESOURCE = Query("show_resource", ResourceRow)
SHOW_RESOURCE_NAMED = Query("show_resource_named", ResourceRow)
PAGE_RESOURCES_ASC = Query("page_resources_asc", ResourceRow)
PAGE_RESOURCES_DESC = Query("page_resources_desc", ResourceRow)
PAGE_RESOURCES_AMONG_ASC = Query("page_resources_among_asc", ResourceRow)
PAGE_RESOURCES_AMONG_DESC = Query("page_resources_among_desc", ResourceRow)
PAGE_GROUP_ASSIGNMENTS_ASC = Query("page_group_assignments_asc", GroupAssignmentRow)
PAGE_GROUP_ASSIGNMENTS_DESC = Query("page_group_assignments_desc", GroupAssignmentRow)
PAGE_ASSIGNMENTS_OF_MEMBERSHIP_ASC = Query("page_assignments_of_membership_asc", AssignmentRow)
PAGE_ASSIGNMENTS_OF_MEMBERSHIP_DESC = Query("page_assignments_of_membership_desc", AssignmentRow)
PAGE_ASSIGNMENTS_ON_RESOURCE_ASC = Query("page_assignments_on_resource_asc", AssignmentRow)
PAGE_ASSIGNMENTS_ON_RESOURCE_DESC = Query("page_assignments_on_resource_desc", AssignmentRow)
FIND_ASSIGNMENTS = Query("find_assignments", OwnAssignmentRow)
LIST_SUBJECTS_GIVEN = Query("list_subjects_given", SubjectRow)
TOUCH_ENTRY = Query("touch_entry", AttributesRow)
READ_ANSWER = Query("read_answer", RecordedAnswerRow)
