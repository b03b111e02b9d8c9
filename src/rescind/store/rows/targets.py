"""How long changes took."""

from __future__ import annotations

from typing import Final, NamedTuple

from rescind.model import OrganizationId
from rescind.store.rows.query import Query


class SpreadRow(NamedTuple):
    """Changes that took the same time, in whole milliseconds; None where no time is on record."""

    milliseconds: int | None
    changes: int
    late: int
    """Of these, the ones that took longer than the target, by the microsecond."""
    recent_changes: int
    recent_late: int
    """The same, of those recorded in the last hour."""


class SlowRow(NamedTuple):
    """One change and how long it took, or has taken so far."""

    organization: OrganizationId | None
    """None if the organization was deleted."""
    revision: int
    microseconds: int


class CostRow(NamedTuple):
    """A change, the pairs that it made or unmade, and what is known of how long it took."""

    organization: OrganizationId | None
    recorded_at: int
    settled_at: int | None
    route: str
    pairs: int
    estimated: int
    """Pairs that were left to the background."""
    record: str | None
    body: str | None
    """None if it is too long."""


COST_OF_CHANGES: Final = Query("cost_of_changes", CostRow)
SPREAD_ENFORCEMENT: Final = Query("spread_enforcement", SpreadRow)
SLOWEST_ENFORCED: Final = Query("slowest_enforced", SlowRow)
SPREAD_SETTLEMENT: Final = Query("spread_settlement", SpreadRow)
SLOWEST_SETTLED: Final = Query("slowest_settled", SlowRow)
