"""Rounds of the background audit, and the drift that they found."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import (
    GroupId,
    MembershipNumber,
    Microseconds,
    OrganizationId,
    OrganizationNumber,
)
from rescind.store.rows.query import Query


class AuditCheckpointRow(NamedTuple):
    """The latest round, and where it goes on; `now` is the database's time."""

    round: int
    completed_at: Microseconds | None
    organization: OrganizationNumber
    membership: MembershipNumber
    now: Microseconds


class AuditOrganizationRow(NamedTuple):
    """An organization that is not deleted."""

    organization: OrganizationNumber
    name: OrganizationId


class AuditRoundRow(NamedTuple):
    """One round: what it looked at, and what it found."""

    round: int
    started_at: Microseconds
    completed_at: Microseconds | None
    organizations: int
    memberships: int
    effective_roles: int
    missing: int
    surplus: int
    unsettled: int
    repaired: int


class AuditDriftRow(NamedTuple):
    """Drift in one group, or outside of groups."""

    organization: OrganizationId | None
    """None if it was deleted since."""
    group: GroupId | None
    since: Microseconds
    seen_at: Microseconds
    ended_at: Microseconds | None
    missing: int
    surplus: int
    repaired: int
    example: str


class AuditStateRow(NamedTuple):
    """How much drift there is, as last seen, and when a round was completed last."""

    drift_rows: int
    last_completed_at: Microseconds | None


READ_AUDIT_ROUND = Query("read_audit_round", AuditCheckpointRow)
FIND_AUDIT_ORGANIZATION = Query("find_audit_organization", AuditOrganizationRow)
LIST_AUDIT_ROUNDS = Query("list_audit_rounds", AuditRoundRow)
LIST_AUDIT_DRIFT = Query("list_audit_drift", AuditDriftRow)
READ_AUDIT_STATE = Query("read_audit_state", AuditStateRow)
