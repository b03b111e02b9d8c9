"""Rows of `directory.sql` and `events.sql`. Times are microseconds; numbers count within an organization."""

from __future__ import annotations

from typing import NamedTuple


class SecretRow(NamedTuple):
    secret: str


class RevisionRow(NamedTuple):
    incarnation: int
    organization: int
    environment: int


class OrganizationNumberRow(NamedTuple):
    organization: int


class PublicIdRow(NamedTuple):
    organization: int
    kind: str
    number: int


class OrganizationRow(NamedTuple):
    """An organization with its directory entry; without one, the entry's columns are None."""

    organization: int
    slug: str
    name: str
    created_at: int
    public_id: str | None
    external_id: str | None
    attributes: str | None
    updated_at: int | None


class OwnerRow(NamedTuple):
    """An organization, also one that was deleted, and its role mode."""

    organization: int
    slug: str
    name: str
    created_at: int
    public_id: str | None
    external_id: str | None
    attributes: str | None
    updated_at: int | None
    role_mode: str

    def as_organization(self) -> OrganizationRow:
        """The same without the role mode."""
        return OrganizationRow(*self[:8])


class MembershipRow(NamedTuple):
    """A membership with its directory entry and its organization."""

    organization: int
    number: int
    subject: str
    name: str | None
    is_active: bool
    created_at: int
    public_id: str | None
    updated_at: int | None
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
    expires_at: int | None


class IdRuleRow(NamedTuple):
    id_rule: str


class HeldRoleRow(NamedTuple):
    """An organization-wide role of a membership."""

    membership: int
    role: str
    priority: int
    number: int


class NumberRow(NamedTuple):
    number: int


class GroupRow(NamedTuple):
    """A group with its directory entry. `number` is negative."""

    organization: int
    number: int
    slug: str
    name: str | None
    public_id: str | None
    attributes: str | None
    created_at: int | None
    updated_at: int | None
    organization_public_id: str | None
    organization_created_at: int


class PermissionRow(NamedTuple):
    """A permission with its directory entry."""

    organization: int
    number: int
    slug: str
    description: str | None
    attributes: str | None
    created_at: int | None
    updated_at: int | None


class ResourceTypeRow(NamedTuple):
    slug: str


class RoleRow(NamedTuple):
    """A role with its directory entry."""

    organization: int
    number: int
    slug: str
    name: str | None
    priority: int
    attributes: str | None
    created_at: int | None
    updated_at: int | None
    resource_type: str | None


class RolePermissionRow(NamedTuple):
    role: int
    slug: str


class ResourceRow(NamedTuple):
    """A resource with its directory entry, its parent's and its organization."""

    organization: int
    number: int
    slug: str
    parent: int | None
    public_id: str | None
    attributes: str | None
    created_at: int | None
    updated_at: int | None
    parent_public_id: str | None
    organization_public_id: str | None
    organization_name: str
    organization_created_at: int


class GroupAssignmentRow(NamedTuple):
    """A role assignment of a group."""

    organization: int
    number: int
    role: str
    resource: int
    resource_slug: str
    resource_public_id: str | None
    organization_public_id: str | None
    created_at: int


class AssignmentRow(NamedTuple):
    """A role assignment that a membership holds itself, or through the group that it names."""

    organization: int
    number: int
    role: str
    resource: int
    resource_slug: str
    resource_public_id: str | None
    organization_public_id: str | None
    created_at: int
    membership: int
    membership_public_id: str | None
    group_number: int | None
    group_name: str | None
    group_public_id: str | None


class OwnAssignmentRow(NamedTuple):
    """A role on a resource, by name, of one holder."""

    number: int
    role: str
    resource: str
    expires_at: int | None


class AttributesRow(NamedTuple):
    attributes: str


class RecordedAnswerRow(NamedTuple):
    """What was answered under an idempotency key."""

    digest: str
    status: int
    body: str
    receipts: str


# --- events ---------------------------------------------------------------------------------------


class EventPlaceRow(NamedTuple):
    written_by: int
    position: int


class EventRow(NamedTuple):
    """An event without its data, of which it has the length."""

    written_by: int
    position: int
    organization: int
    name: str
    characters: int
    recorded_at: int


class EventDataRow(NamedTuple):
    position: int
    data: str


class LogRow(NamedTuple):
    """An entry of the change log."""

    revision: int
    recorded_at: int
    actor: str
    reason: str
    direction: str
    route: str
    fan_out: int
    idempotency_key: str | None
    enforced_at: int | None
    settled_at: int | None
    body: str


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
    recorded_at: int


class GoneRow(NamedTuple):
    """What is left of an object that a change deleted."""

    kind: str
    name: str
    number: int
    revision: int
    label: str | None
    public_id: str | None
    attributes: str | None
    updated_at: int | None


class MembershipNumberRow(NamedTuple):
    membership: int


class GroupNumberRow(NamedTuple):
    group: int


class NestingRow(NamedTuple):
    """Group numbers."""

    child: int
    parent: int


class HeldRow(NamedTuple):
    """A role on a resource, by name, of a membership or (negative) of a group."""

    holder: int
    resource: str
    role: str


class RoleOnResourceRow(NamedTuple):
    resource: str
    role: str


class ExpiredMemberRow(NamedTuple):
    expires_at: int
    group: int
    membership: int


class ExpiredHeldRow(NamedTuple):
    expires_at: int
    holder: int
    resource: str
    role: str


class ObjectIdRow(NamedTuple):
    number: int
    public_id: str
