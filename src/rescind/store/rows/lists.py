"""What lists of subjects, resources and permissions read. Numbers are of whatever kind a list is of."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from rescind.model import (
    MembershipNumber,
    OrganizationNumber,
    PermissionNumber,
    ResourceNumber,
    RoleNumber,
)
from rescind.store.rows.query import Query, bulk


class AskedRow(NamedTuple):
    """What a question's names mean; None for what is not there."""

    organization: OrganizationNumber
    revision: int
    environment: int
    membership: MembershipNumber | None
    active: bool | None
    permission: PermissionNumber | None
    resource: ResourceNumber | None
    is_single: bool
    default_is_given: bool


class RoleWithRow(NamedTuple):
    """A role that contains the permission, and whose it is."""

    role: RoleNumber
    organization: OrganizationNumber


class NumberRow(NamedTuple):
    """A number."""

    number: int


class WonRoleRow(NamedTuple):
    """The role that counts on the organization, if any."""

    number: RoleNumber | None


class NamedRow(NamedTuple):
    """A number and its name."""

    number: int
    name: str


class StreamRow(NamedTuple):
    """A number of the stream that has the key; one that is not in force has expired, or gives nothing."""

    key: int
    number: int
    is_in_force: bool


class SubjectOfKindRow(NamedTuple):
    """A membership of a kind of subject."""

    number: MembershipNumber
    active: bool


class PlaceRow(NamedTuple):
    """A resource that something is assigned on, and whether that gives the permission."""

    resource: ResourceNumber
    is_given: bool


class LineRow(NamedTuple):
    """A resource, its parent (0 for the organization), and whether the permission is given on it."""

    number: ResourceNumber
    parent: ResourceNumber
    is_given: bool


class AnyWithRow(NamedTuple):
    """Some role contains the permission."""

    is_given: int


NumberTuple: TypeAlias = tuple[int]
NamedTuples: TypeAlias = tuple[int, str]
StreamTuple: TypeAlias = tuple[int, int, bool]
LineTuple: TypeAlias = tuple[ResourceNumber, ResourceNumber, bool]

READ_ASKED = Query("read_asked", AskedRow)
LIST_ROLES_WITH = Query("list_roles_with", RoleWithRow)
LIST_LINE: Query[NumberTuple] = bulk("list_line", NumberRow)
LIST_GROUPS_BY_ROLE: Query[NumberTuple] = bulk("list_groups_by_role", NumberRow)
LIST_GROUPS_BY_PLACE: Query[NumberTuple] = bulk("list_groups_by_place", NumberRow)
LIST_SUBJECTS: Query[NamedTuples] = bulk("list_subjects", NamedRow)
LIST_SUBJECTS_OF_KIND = Query("list_subjects_of_kind", SubjectOfKindRow)
LIST_SUBJECTS_ALLOWED: Query[NumberTuple] = bulk("list_subjects_allowed", NumberRow)
LIST_HOLDERS: Query[NumberTuple] = bulk("list_holders", NumberRow)
LIST_PLACES = Query("list_places", PlaceRow)
LIST_BELOW: Query[NumberTuple] = bulk("list_below", NumberRow)
LIST_PARENTS: Query[NumberTuple] = bulk("list_parents", NumberRow)
LIST_LINES: Query[LineTuple] = bulk("list_lines", LineRow)
LIST_RESOURCES: Query[NamedTuples] = bulk("list_resources", NamedRow)
LIST_RESOURCES_OF_KIND: Query[NumberTuple] = bulk("list_resources_of_kind", NumberRow)
LIST_ANY_WITH = Query("list_any_with", AnyWithRow)
LIST_ROLES_ON: Query[NumberTuple] = bulk("list_roles_on", NumberRow)
LIST_ROLE_WON = Query("list_role_won", WonRoleRow)
LIST_PERMISSIONS: Query[NamedTuples] = bulk("list_permissions", NamedRow)

STREAM_MEMBERSHIPS: Query[StreamTuple] = bulk("stream_memberships", StreamRow)
STREAM_RESOURCES: Query[StreamTuple] = bulk("stream_resources", StreamRow)
STREAM_MEMBERS: Query[StreamTuple] = bulk("stream_members", StreamRow)
STREAM_HOLDERS: Query[StreamTuple] = bulk("stream_holders", StreamRow)
STREAM_HOLDERS_OF_ANY: Query[StreamTuple] = bulk("stream_holders_of_any", StreamRow)
STREAM_CHILDREN: Query[StreamTuple] = bulk("stream_children", StreamRow)
STREAM_PLACES: Query[StreamTuple] = bulk("stream_places", StreamRow)
STREAM_CONTENTS: Query[StreamTuple] = bulk("stream_contents", StreamRow)
