"""What the background audit has found: its rounds, drift by group, and how things stand now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rescind import model
from rescind.errors import OrganizationNotFound
from rescind.store import Store
from rescind.store.rows.audit_rounds import (
    LIST_AUDIT_DRIFT,
    LIST_AUDIT_ROUNDS,
    READ_AUDIT_STATE,
    AuditStateRow,
)
from rescind.store.rows.organizations import PLAN


@dataclass(frozen=True, slots=True)
class AuditRound:
    """A round of all organizations. `missing`, `surplus` and `unsettled` count effective roles, as `repaired`
    does, which are those that the round itself repaired.
    """

    round: int
    started_at: datetime
    completed_at: datetime | None
    """None while it is under way."""
    organizations: int
    memberships: int
    effective_roles: int
    missing: int
    surplus: int
    unsettled: int
    repaired: int


@dataclass(frozen=True, slots=True)
class PastDrift:
    """Drift of one group, or of no group (None), from when it was seen first until a round found none."""

    organization: str | None
    """None if it was deleted since."""
    group: str | None
    since: datetime
    seen_at: datetime
    ended_at: datetime | None
    missing: int
    surplus: int
    repaired: int
    """How much of it the round that saw it last has repaired."""
    example: str


@dataclass(frozen=True, slots=True)
class AuditHistory:
    """Rounds, the latest first; drift, with what is there now first."""

    rounds: list[AuditRound]
    drift: list[PastDrift]
    last_completed_at: datetime | None
    """When a round of all organizations was last complete. While it is None, an empty list means nothing."""


def read_history(
    store: Store, organization: str | None = None, *, limit: int = 100
) -> AuditHistory:
    """The latest rounds and drift, at most `limit` of each; for one organization, only its drift.

    Raises OrganizationNotFound.
    """
    rounds: list[AuditRound] = []
    if organization is None:
        rounds = read_rounds(store, limit=limit)
    elif store.fetch(PLAN, {"organization": organization})[0].organization is None:
        raise OrganizationNotFound(organization=organization)
    names = {"organization": organization, "limit": limit}
    completed = read_state(store).last_completed_at  # first: what that round found is listed below
    drift = [
        PastDrift(
            row.organization,
            row.group,
            model.moment(row.since),
            model.moment(row.seen_at),
            _moment(row.ended_at),
            *row[5:],
        )
        for row in store.fetch(LIST_AUDIT_DRIFT, names)
    ]
    return AuditHistory(rounds, drift, _moment(completed))


def read_rounds(store: Store, *, limit: int = 100) -> list[AuditRound]:
    """The latest rounds first, at most `limit`."""
    return [
        AuditRound(row.round, model.moment(row.started_at), _moment(row.completed_at), *row[3:])
        for row in store.fetch(LIST_AUDIT_ROUNDS, {"limit": limit})
    ]


def read_state(store: Store) -> AuditStateRow:
    """How many effective roles differed when they were compared last, and when a round was completed last."""
    return store.fetch(READ_AUDIT_STATE, {})[0]


def _moment(at: model.Microseconds | None) -> datetime | None:
    return None if at is None else model.moment(at)
