"""Targets for revocations and for grants, and how they were met: computed from the log, not from samples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from rescind.errors import InvalidArgument, OrganizationNotFound
from rescind.model import Direction, OrganizationId, microseconds, organization_id
from rescind.settings import Settings
from rescind.store import Store
from rescind.store.rows.organizations import PLAN
from rescind.store.rows.query import Query
from rescind.store.rows.targets import (
    SLOWEST_ENFORCED,
    SLOWEST_SETTLED,
    SPREAD_ENFORCEMENT,
    SPREAD_SETTLEMENT,
    SlowRow,
    SpreadRow,
)
from rescind.threads import side_by_side

WINDOW_SECONDS: Final = 30 * 86_400.0
MOST_WINDOW_SECONDS: Final = 10 * 366 * 86_400.0
BURN_SECONDS: Final = 3_600.0
"""The time over which the error budget's burn is told."""
SLOWEST: Final = 5
_ALL: Final = (0, 2**31 - 1)
"""The numbers of all organizations; 0 is the environment."""


@dataclass(frozen=True, slots=True)
class Target:
    """At least this share of the changes is to take at most this long."""

    seconds: float
    share: float


@dataclass(frozen=True, slots=True)
class SlowChange:
    """A change that took long. `organization` is None if it was deleted since."""

    organization: OrganizationId | None
    revision: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Attainment:
    """How one target was met. What was not measured is None."""

    direction: Direction
    target: Target
    since: datetime
    until: datetime
    changes: int
    """Of those recorded in this time, the ones that were in time or late."""
    within: int
    late: int
    undecided: int
    """Neither yet: a grant that has time left, or a revocation without a time on record, such as one in a
    caller's transaction that nobody has enforced."""
    p50_seconds: float | None
    p99_seconds: float | None
    """To the millisecond, rounded down."""
    slowest: tuple[SlowChange, ...]
    """Grants under way are among them, with the time that they have taken so far."""
    budget_left: float | None
    """The share of the error budget that is left: 1 if nothing was late, below 0 if the target was missed."""
    burn: float | None
    """The share of late changes in the last hour, over the share that the target allows: above 1 it uses up
    the budget before the window is over."""

    @property
    def is_met(self) -> bool | None:
        """Whether the target was met; None without a change."""
        return None if not self.changes else self.within / self.changes >= self.target.share


def targets_of(settings: Settings) -> dict[Direction, Target]:
    """The targets that the settings have."""
    return {
        Direction.REVOKES: Target(
            settings.revocation_target_seconds, settings.revocation_target_share
        ),
        Direction.GRANTS: Target(settings.grant_target_seconds, settings.grant_target_share),
    }


def attainments(
    store: Store,
    *,
    targets: dict[Direction, Target],
    organization: str | None = None,
    window_seconds: float = WINDOW_SECONDS,
    now: datetime | None = None,
) -> list[Attainment]:
    """How targets were met by the changes of the last `window_seconds`, of one organization or of all.

    The log is read for each target at the same time, on a connection of its own.
    Revocations are judged by when they were enforced, grants by when they were settled. Raises
    OrganizationNotFound and InvalidArgument.
    """
    require_window(window_seconds)
    first, last = organization_range(store, organization)
    until = datetime.now(UTC) if now is None else now
    reading = _Reading(store, first, last, microseconds(until))
    since = datetime.fromtimestamp(max(0.0, until.timestamp() - window_seconds), UTC)
    readings = [
        partial(reading.attainment, direction, target, since, until)
        for direction, target in targets.items()
    ]
    return side_by_side(readings, "rescind-targets") if readings else []


_QUERIES: Final[dict[Direction, tuple[Query[SpreadRow], Query[SlowRow]]]] = {
    Direction.REVOKES: (SPREAD_ENFORCEMENT, SLOWEST_ENFORCED),
    Direction.GRANTS: (SPREAD_SETTLEMENT, SLOWEST_SETTLED),
}


def require_window(window_seconds: float) -> None:
    """Raises InvalidArgument unless the window is more than 0 and at most 10 years."""
    if not (math.isfinite(window_seconds) and 0 < window_seconds <= MOST_WINDOW_SECONDS):
        hint = "use more than 0 and at most 10 years"
        raise InvalidArgument(what="window", value=window_seconds, hint=hint)


def organization_range(store: Store, organization: str | None) -> tuple[int, int]:
    """The first and the last number of the organizations meant: of one, or of all if none is named."""
    if organization is None:
        return _ALL
    name = organization_id(organization)
    (plan,) = store.fetch(PLAN, {"organization": name})
    if plan.organization is None:
        raise OrganizationNotFound(organization=name)
    return plan.organization, plan.organization


@dataclass(frozen=True, slots=True)
class _Reading:
    """The log of some organizations, up to a moment."""

    store: Store
    first: int
    last: int
    now: int

    def attainment(
        self, direction: Direction, target: Target, since: datetime, until: datetime
    ) -> Attainment:
        spread, slowest = _QUERIES[direction]
        params = {
            "first": self.first,
            "last": self.last,
            "since": microseconds(since),
            "now": self.now,
            "most": round(target.seconds * 1_000_000),
        }
        recent = self.now - round(BURN_SECONDS * 1_000_000)
        rows, slow = self.store.fetch_many(
            ((spread, {**params, "recent": recent}), (slowest, {**params, "limit": SLOWEST}))
        )
        decided, late, undecided = _counted((r.milliseconds, r.changes, r.late) for r in rows)
        return Attainment(
            direction,
            target,
            since,
            until,
            decided,
            decided - late,
            late,
            undecided,
            _percentile(rows, 0.5),
            _percentile(rows, 0.99),
            tuple(
                SlowChange(row.organization, row.revision, max(row.microseconds, 0) / 1e6)
                for row in slow
            ),
            None if not decided else 1 - _used(decided, late, target.share),
            _burn(rows, target.share),
        )


def _counted(counts: Iterable[tuple[int | None, int, int]]) -> tuple[int, int, int]:
    """The changes that were in time or late, the late ones, and those that are neither.

    A count is (milliseconds, changes, late).
    """
    decided = late = undecided = 0
    for milliseconds, changes, late_changes in counts:
        late += late_changes
        decided += late_changes if milliseconds is None else changes
        undecided += changes - late_changes if milliseconds is None else 0
    undecided = max(undecided, 0)  # a note may have outlived its change, if that was pruned
    return decided, late, undecided


def _percentile(rows: Sequence[SpreadRow], part: float) -> float | None:
    """By nearest rank, of those whose time is on record; 0 where one machine's clock is behind another's."""
    known = sorted((r.milliseconds, r.changes) for r in rows if r.milliseconds is not None)
    rank, seen = math.ceil(part * sum(count for _, count in known)), 0
    for milliseconds, count in known:
        seen += count
        if seen >= rank:
            return max(milliseconds, 0) / 1_000
    return None


def _used(changes: int, late: int, share: float) -> float:
    """The late changes over as many as the target allows. A target of all allows none: each late change
    counts as a whole budget, as JSON has no infinity.
    """
    if late == 0:
        return 0.0
    allowed = (1 - share) * changes
    return late / allowed if allowed > 0 else float(late)


def _burn(rows: Sequence[SpreadRow], share: float) -> float | None:
    decided, late, _ = _counted((r.milliseconds, r.recent_changes, r.recent_late) for r in rows)
    return None if not decided else _used(decided, late, share)
