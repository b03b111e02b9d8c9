"""What is read around a change: its outcome, and whom a change of all organizations concerns."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import Microseconds, OrganizationId, OrganizationNumber
from rescind.store.rows.query import Query


class OutcomeRow(NamedTuple):
    """What a batch did, when its transaction ends. With nothing altered, `direction` is None."""

    organization: OrganizationNumber
    revision: int
    environment: int
    direction: str | None
    route: str | None
    fan_out: int | None
    recorded_at: Microseconds | None
    settled_at: Microseconds | None
    not_found: str | None
    """JSON: a list of [what, name]."""
    pairs: int
    """What all its steps together weighed."""


class DraftRow(NamedTuple):
    """What a change will have in the log, as `chain.Content`, and the digest before it (SQLite)."""

    organization: OrganizationNumber
    revision: int
    recorded_at: Microseconds
    granted: int
    revoked: int
    estimated: int
    caused_by: int | None
    environment: int
    actor: str
    reason: str
    idempotency_key: str | None
    direction: str
    route: str
    body: str
    digest_before: bytes | None


class ClosedRow(NamedTuple):
    """An outcome as PostgreSQL gives it, which tells workers and replicas in the same statement."""

    organization: OrganizationNumber
    revision: int
    environment: int
    direction: str | None
    route: str | None
    fan_out: int | None
    recorded_at: Microseconds | None
    settled_at: Microseconds | None
    not_found: str | None
    pairs: int
    workers_told: object
    replicas_told: object
    lock_wait: float
    """Seconds from the beginning of the transaction until it had the organization."""

    def outcome(self) -> OutcomeRow:
        return OutcomeRow(*self[:10])


class KeyedOutcomeRow(NamedTuple):
    """What the batch with an idempotency key did. With nothing altered, `direction` is None, and `revision`
    is the one that it would have had.
    """

    organization: OrganizationNumber
    revision: int
    environment: int
    direction: str | None
    route: str | None
    fan_out: int | None
    recorded_at: Microseconds
    settled_at: Microseconds | None
    not_found: str | None
    digest: str


class ConfirmedRow(NamedTuple):
    """A commit that waited for the synchronous standby."""

    confirmed: int


class RecordedRow(NamedTuple):
    """When a change was recorded and enforced, and the record of how."""

    recorded_at: Microseconds
    enforced_at: Microseconds | None
    record: str | None


class RoleUserRow(NamedTuple):
    """An organization that uses a role of all organizations, and what it is to be locked with."""

    organization: OrganizationNumber
    name: OrganizationId
    role_mode: str
    has_required: bool


ADVANCE_REVISION = Query("advance_revision", DraftRow)
RECORD_CHANGE = Query("record_change", OutcomeRow)
READ_UNALTERED = Query("read_unaltered", OutcomeRow)
CLOSE_CHANGE = Query("close_change", ClosedRow)
CLOSE_KEYED_CHANGE = Query("close_keyed_change", ClosedRow)
READ_KEYED_OUTCOME = Query("read_keyed_outcome", KeyedOutcomeRow)
CONFIRM_KEYED_OUTCOME = Query("confirm_keyed_outcome", ConfirmedRow)
READ_RECORDED = Query("read_recorded", RecordedRow)
LIST_ORGANIZATIONS_USING_ROLE = Query("list_organizations_using_role", RoleUserRow)
