"""Effective roles, and what the facts imply, for a range of memberships."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import (
    AssignmentNumber,
    GroupId,
    GroupNumber,
    HolderNumber,
    MembershipNumber,
    Microseconds,
    OrganizationId,
    ResourceId,
    RoleId,
    SubjectId,
)
from rescind.store.rows.query import Query


class AuditedRow(NamedTuple):
    """An organization that is not deleted."""

    name: OrganizationId
    role_mode: str


class AuditBoundRow(NamedTuple):
    """The last membership of a range."""

    bound: MembershipNumber


class ExpectedRow(NamedTuple):
    """A holder that reaches a membership, and until when."""

    membership: MembershipNumber
    holder: HolderNumber
    expires_at: Microseconds | None


class HolderAssignmentsRow(NamedTuple):
    """How many assignments a holder has."""

    holder: HolderNumber
    assignments: int


class FoundRow(NamedTuple):
    """Effective roles of a membership through one holder, all until one time. Without a holder, their
    assignments are gone.
    """

    membership: MembershipNumber
    holder: HolderNumber | None
    expires_at: Microseconds | None
    assignments: int
    first: AssignmentNumber


class AuditPendingRow(NamedTuple):
    """Pending work that explains differences: of a group's assignments, a membership's place, or all."""

    kind: str
    group: GroupNumber | None
    membership: MembershipNumber | None


class MissingRow(NamedTuple):
    """The first assignment of a holder that a membership lacks."""

    assignment: AssignmentNumber | None


class AuditGroupRow(NamedTuple):
    """A group's id."""

    group: GroupId


class AuditNamesRow(NamedTuple):
    """A membership and an assignment, by ids."""

    subject: SubjectId | None
    role: RoleId | None
    resource: ResourceId | None


READ_AUDITED = Query("read_audited", AuditedRow)
FIND_AUDIT_BOUND = Query("find_audit_bound", AuditBoundRow)
AUDIT_EXPECTED = Query("audit_expected", ExpectedRow)
AUDIT_FOUND = Query("audit_found", FoundRow)
AUDIT_ASSIGNMENTS = Query("audit_assignments", HolderAssignmentsRow)
AUDIT_PENDING = Query("audit_pending", AuditPendingRow)
FIND_MISSING = Query("find_missing", MissingRow)
AUDIT_GROUP = Query("audit_group", AuditGroupRow)
AUDIT_NAMES = Query("audit_names", AuditNamesRow)
