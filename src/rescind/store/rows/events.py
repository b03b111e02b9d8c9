"""Events, and what they have reported so far. Times are microseconds."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import (
    GroupNumber,
    HolderNumber,
    MembershipNumber,
    Microseconds,
    OrganizationNumber,
)
from rescind.store.rows.directory import ExpiryRow, GroupRow, OrganizationNumberRow, OrganizationRow
from rescind.store.rows.query import Query


class OwnerRow(NamedTuple):
    """An organization, also one that was deleted, and its role mode."""

    organization: OrganizationNumber
    slug: str
    name: str
    created_at: Microseconds
    public_id: str | None
    external_id: str | None
    attributes: str | None
    updated_at: Microseconds | None
    role_mode: str

    def as_organization(self) -> OrganizationRow:
        """The same without the role mode."""
        return OrganizationRow(*self[:8])


class EventPlaceRow(NamedTuple):
    written_by: int
    position: int


class EventRow(NamedTuple):
    """An event without its data, of which it has the length."""

    written_by: int
    position: int
    organization: OrganizationNumber
    name: str
    characters: int
    recorded_at: Microseconds


class EventDataRow(NamedTuple):
    position: int
    data: str


class FollowerRow(NamedTuple):
    """How far the log has been reported: the last revision, and the highest numbers known by then."""

    revision: int
    number: int
    role: int
    permission: int


class NoteRow(NamedTuple):
    """An event that the management API noted of its own write, which made revisions `since` to `revision`."""

    id: int
    since: int
    revision: int
    name: str
    data: str
    actor: str
    recorded_at: Microseconds


class GoneRow(NamedTuple):
    """What is left of an object that a change deleted."""

    kind: str
    name: str
    number: int
    revision: int
    label: str | None
    public_id: str | None
    attributes: str | None
    updated_at: Microseconds | None


class MembershipNumberRow(NamedTuple):
    membership: MembershipNumber


class GroupOfMemberRow(NamedTuple):
    group: GroupNumber


class NestingRow(NamedTuple):
    """Group numbers."""

    child: GroupNumber
    parent: GroupNumber


class HeldRow(NamedTuple):
    """A role on a resource, by name, of a membership or (negative) of a group."""

    holder: HolderNumber
    resource: str
    role: str


class RoleOnResourceRow(NamedTuple):
    resource: str
    role: str


class ExpiredMemberRow(NamedTuple):
    expires_at: Microseconds
    group: GroupNumber
    membership: MembershipNumber


class ExpiredHeldRow(NamedTuple):
    expires_at: Microseconds
    holder: HolderNumber
    resource: str
    role: str


class ObjectIdRow(NamedTuple):
    number: int
    public_id: str


SHOW_ORGANIZATION_EVER = Query("show_organization_ever", OwnerRow)
FIND_EVENT = Query("find_event", EventPlaceRow)
PAGE_EVENTS_ASC = Query("page_events_asc", EventRow)
PAGE_EVENTS_DESC = Query("page_events_desc", EventRow)
READ_EVENTS = Query("read_events", EventDataRow)
LIST_UNREPORTED = Query("list_unreported", OrganizationNumberRow)
LOCK_FOLLOWING = Query("lock_following", FollowerRow)
LIST_NOTES = Query("list_notes", NoteRow)
LIST_GROUPS_NAMED = Query("list_groups_named", GroupRow)
LIST_GONE = Query("list_gone", GoneRow)
LIST_PUBLIC_IDS = Query("list_public_ids", ObjectIdRow)
ADD_REPORTED_MEMBERS = Query("add_reported_members", MembershipNumberRow)
REMOVE_REPORTED_MEMBERS = Query("remove_reported_members", MembershipNumberRow)
REMOVE_OTHER_REPORTED_MEMBERS = Query("remove_other_reported_members", MembershipNumberRow)
REMOVE_REPORTED_MEMBERSHIP = Query("remove_reported_membership", GroupOfMemberRow)
REMOVE_REPORTED_GROUP = Query("remove_reported_group", MembershipNumberRow)
ADD_REPORTED_NESTING = Query("add_reported_nesting", NestingRow)
REMOVE_REPORTED_NESTING = Query("remove_reported_nesting", NestingRow)
REMOVE_REPORTED_NESTINGS = Query("remove_reported_nestings", NestingRow)
ADD_REPORTED_ROLE = Query("add_reported_role", HeldRow)
REMOVE_REPORTED_ROLE = Query("remove_reported_role", HeldRow)
LIST_REPORTED_ROLES = Query("list_reported_roles", RoleOnResourceRow)
REMOVE_REPORTED_ROLES_OF_HOLDER = Query("remove_reported_roles_of_holder", HeldRow)
REMOVE_REPORTED_ROLES_OF_ROLE = Query("remove_reported_roles_of_role", HeldRow)
REMOVE_REPORTED_ROLES_ON_GONE = Query("remove_reported_roles_on_gone", HeldRow)
EXPIRE_REPORTED_MEMBERS = Query("expire_reported_members", ExpiredMemberRow)
EXPIRE_REPORTED_ROLES = Query("expire_reported_roles", ExpiredHeldRow)
FIND_NEXT_REPORTED_EXPIRY = Query("find_next_reported_expiry", ExpiryRow)
