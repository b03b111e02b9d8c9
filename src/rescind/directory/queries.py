"""The directory's queries that return rows, each with the type of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from rescind.directory import rows

RowT = TypeVar("RowT", bound=tuple[Any, ...])


@dataclass(frozen=True, slots=True)
class Query(Generic[RowT]):
    """A query by name, and the type of its rows."""

    name: str
    row: type[RowT]


READ_SECRET: Final = Query("read_directory_secret", rows.SecretRow)
READ_REVISION: Final = Query("read_revision", rows.RevisionRow)
FIND_PUBLIC_ID: Final = Query("find_public_id", rows.PublicIdRow)

SHOW_ORGANIZATION: Final = Query("show_organization", rows.OrganizationRow)
SHOW_ORGANIZATION_EVER: Final = Query("show_organization_ever", rows.OwnerRow)
FIND_ORGANIZATION_NAMED: Final = Query("find_organization_named", rows.OrganizationNumberRow)
FIND_EXTERNAL_ID: Final = Query("find_external_id", rows.OrganizationNumberRow)
PAGE_ORGANIZATIONS_ASC: Final = Query("page_organizations_asc", rows.OrganizationRow)
PAGE_ORGANIZATIONS_DESC: Final = Query("page_organizations_desc", rows.OrganizationRow)

SHOW_MEMBERSHIP: Final = Query("show_membership", rows.MembershipRow)
NAME_MEMBERSHIP: Final = Query("name_membership", rows.MemberNameRow)
LIST_MEMBERSHIPS_OF_SUBJECT: Final = Query("list_memberships_of_subject", rows.MembershipRow)
PAGE_MEMBERSHIPS_ASC: Final = Query("page_memberships_asc", rows.MembershipRow)
PAGE_MEMBERSHIPS_DESC: Final = Query("page_memberships_desc", rows.MembershipRow)
PAGE_MEMBERSHIPS_AMONG_ASC: Final = Query("page_memberships_among_asc", rows.MembershipRow)
PAGE_MEMBERSHIPS_AMONG_DESC: Final = Query("page_memberships_among_desc", rows.MembershipRow)
READ_ID_RULE: Final = Query("read_id_rule", rows.IdRuleRow)
LIST_ROLES_HELD: Final = Query("list_roles_held", rows.HeldRoleRow)

SHOW_GROUP: Final = Query("show_group", rows.GroupRow)
FIND_GROUP_NAMED: Final = Query("find_group_named", rows.NumberRow)
PAGE_GROUPS_ASC: Final = Query("page_groups_asc", rows.GroupRow)
PAGE_GROUPS_DESC: Final = Query("page_groups_desc", rows.GroupRow)
PAGE_GROUPS_OF_MEMBERSHIP_ASC: Final = Query("page_groups_of_membership_asc", rows.GroupRow)
PAGE_GROUPS_OF_MEMBERSHIP_DESC: Final = Query("page_groups_of_membership_desc", rows.GroupRow)
PAGE_MEMBERS_ASC: Final = Query("page_members_asc", rows.MembershipRow)
PAGE_MEMBERS_DESC: Final = Query("page_members_desc", rows.MembershipRow)
FIND_MEMBER: Final = Query("find_member", rows.ExpiryRow)

SHOW_PERMISSION: Final = Query("show_permission", rows.PermissionRow)
PAGE_PERMISSIONS_ASC: Final = Query("page_permissions_asc", rows.PermissionRow)
PAGE_PERMISSIONS_DESC: Final = Query("page_permissions_desc", rows.PermissionRow)
PAGE_PERMISSIONS_AMONG_ASC: Final = Query("page_permissions_among_asc", rows.PermissionRow)
PAGE_PERMISSIONS_AMONG_DESC: Final = Query("page_permissions_among_desc", rows.PermissionRow)
FIND_RESOURCE_TYPE: Final = Query("find_resource_type", rows.ResourceTypeRow)
SHOW_ROLES: Final = Query("show_roles", rows.RoleRow)
READ_ROLE_PERMISSIONS: Final = Query("read_role_permissions", rows.RolePermissionRow)

SHOW_RESOURCE: Final = Query("show_resource", rows.ResourceRow)
SHOW_RESOURCE_NAMED: Final = Query("show_resource_named", rows.ResourceRow)
PAGE_RESOURCES_ASC: Final = Query("page_resources_asc", rows.ResourceRow)
PAGE_RESOURCES_DESC: Final = Query("page_resources_desc", rows.ResourceRow)
PAGE_RESOURCES_AMONG_ASC: Final = Query("page_resources_among_asc", rows.ResourceRow)
PAGE_RESOURCES_AMONG_DESC: Final = Query("page_resources_among_desc", rows.ResourceRow)

PAGE_GROUP_ASSIGNMENTS_ASC: Final = Query("page_group_assignments_asc", rows.GroupAssignmentRow)
PAGE_GROUP_ASSIGNMENTS_DESC: Final = Query("page_group_assignments_desc", rows.GroupAssignmentRow)
PAGE_ASSIGNMENTS_OF_MEMBERSHIP_ASC: Final = Query(
    "page_assignments_of_membership_asc", rows.AssignmentRow
)
PAGE_ASSIGNMENTS_OF_MEMBERSHIP_DESC: Final = Query(
    "page_assignments_of_membership_desc", rows.AssignmentRow
)
PAGE_ASSIGNMENTS_ON_RESOURCE_ASC: Final = Query(
    "page_assignments_on_resource_asc", rows.AssignmentRow
)
PAGE_ASSIGNMENTS_ON_RESOURCE_DESC: Final = Query(
    "page_assignments_on_resource_desc", rows.AssignmentRow
)
FIND_ASSIGNMENTS: Final = Query("find_assignments", rows.OwnAssignmentRow)
LIST_SUBJECTS_GIVEN: Final = Query("list_subjects_given", rows.SubjectRow)

TOUCH_ENTRY: Final = Query("touch_entry", rows.AttributesRow)
READ_ANSWER: Final = Query("read_answer", rows.RecordedAnswerRow)

FIND_EVENT: Final = Query("find_event", rows.EventPlaceRow)
PAGE_EVENTS_ASC: Final = Query("page_events_asc", rows.EventRow)
PAGE_EVENTS_DESC: Final = Query("page_events_desc", rows.EventRow)
READ_EVENTS: Final = Query("read_events", rows.EventDataRow)
LIST_UNTOLD: Final = Query("list_untold", rows.OrganizationNumberRow)
LOCK_FOLLOWING: Final = Query("lock_following", rows.FollowerRow)
READ_LOG: Final = Query("read_log", rows.LogRow)
LIST_NOTES: Final = Query("list_notes", rows.NoteRow)
LIST_GROUPS_NAMED: Final = Query("list_groups_named", rows.GroupRow)
LIST_GONE: Final = Query("list_gone", rows.GoneRow)
LIST_PUBLIC_IDS: Final = Query("list_public_ids", rows.ObjectIdRow)

ADD_MEMBERS: Final = Query("add_told_members", rows.MembershipNumberRow)
REMOVE_MEMBERS: Final = Query("remove_told_members", rows.MembershipNumberRow)
REMOVE_OTHER_MEMBERS: Final = Query("remove_other_told_members", rows.MembershipNumberRow)
REMOVE_MEMBERSHIP: Final = Query("forget_told_membership", rows.GroupNumberRow)
REMOVE_GROUP: Final = Query("forget_told_group", rows.MembershipNumberRow)
ADD_NESTING: Final = Query("add_told_nesting", rows.NestingRow)
REMOVE_NESTING: Final = Query("remove_told_nesting", rows.NestingRow)
REMOVE_NESTINGS: Final = Query("forget_told_nestings", rows.NestingRow)
ADD_HELD: Final = Query("add_told_given", rows.HeldRow)
REMOVE_HELD: Final = Query("remove_told_given", rows.HeldRow)
LIST_HELD: Final = Query("list_told_given", rows.RoleOnResourceRow)
REMOVE_HELD_BY: Final = Query("forget_told_given_to", rows.HeldRow)
REMOVE_HELD_OF_ROLE: Final = Query("forget_told_given_of_role", rows.HeldRow)
REMOVE_HELD_ON_GONE: Final = Query("forget_told_given_on", rows.HeldRow)
EXPIRE_MEMBERS: Final = Query("expire_told_members", rows.ExpiredMemberRow)
EXPIRE_HELD: Final = Query("expire_told_given", rows.ExpiredHeldRow)
FIND_NEXT_EXPIRY: Final = Query("find_next_told_expiry", rows.ExpiryRow)
