"""The receipt of a batch, made of what the log says of it: also of one that was recorded before."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Final, NamedTuple

from rescind import model
from rescind.model import (
    MOST_NOT_FOUND,
    Difference,
    Direction,
    Missing,
    OrganizationId,
    Receipt,
    Revision,
    Route,
    Seals,
)
from rescind.store.rows.changes import KeyedOutcomeRow, OutcomeRow
from rescind.store.rows.replicas import LeaseRow

LASTING_HOLDER: Final = "lasting_holder"
"""What is noted of a required role that only holders who expire have left."""


class Recorded(NamedTuple):
    """What a batch did.

    `leases` are the replicas that cached the organization right after the commit, if they were read.
    `is_repeated` says that the idempotency key had been used, and this is what the batch did then.
    `difference` computes the exact difference, if it was asked for: enforcement does not wait for it.
    """

    receipt: Receipt
    leases: list[LeaseRow] | None = None
    is_repeated: bool = False
    difference: Callable[[], Difference] | None = None

    def detailed(self, receipt: Receipt) -> Receipt:
        """The receipt, made from this one, with the exact difference if it was asked for."""
        return (
            receipt if self.difference is None else replace(receipt, difference=self.difference())
        )


def receipt_of(
    seals: Seals,
    name: OrganizationId,
    outcome: OutcomeRow | KeyedOutcomeRow,
    now: int,
    route_reason: str = "",
) -> Receipt:
    """The receipt of a batch, of its row in the change log; `now` is its time where it altered nothing."""
    revision = seals.revision(outcome.organization, outcome.revision, outcome.environment)
    noted = _missing(outcome.not_found)
    if outcome.direction is None or outcome.recorded_at is None:
        return unaltered_receipt(name, revision, now, noted, route_reason)
    settled_at = outcome.settled_at
    return Receipt(
        organization=name,
        revision=revision,
        changed=True,
        direction=Direction(outcome.direction),
        route=Route(outcome.route or Route.INLINE),
        route_reason=route_reason,
        fan_out=outcome.fan_out or 0,
        recorded_at=model.moment(outcome.recorded_at),
        settled_at=None if settled_at is None else model.moment(settled_at),
        not_found=_not_found(noted),
        only_expiring=_only_expiring(noted),
    )


def unaltered_receipt(
    name: OrganizationId,
    revision: Revision,
    now: int,
    noted: tuple[Missing, ...],
    route_reason: str = "",
) -> Receipt:
    """The receipt of a batch that altered nothing, at the revision that there was."""
    recorded = model.moment(now)
    return Receipt(
        organization=name,
        revision=revision,
        changed=False,
        direction=Direction.GRANTS,
        route=Route.INLINE,
        route_reason=route_reason,
        fan_out=0,
        recorded_at=recorded,
        settled_at=recorded,
        not_found=_not_found(noted),
        only_expiring=_only_expiring(noted),
    )


def _not_found(noted: tuple[Missing, ...]) -> tuple[Missing, ...]:
    return tuple(each for each in noted if each.what != LASTING_HOLDER)


def _only_expiring(noted: tuple[Missing, ...]) -> tuple[str, ...]:
    """The required roles that only holders who expire have left."""
    return tuple(each.name for each in noted if each.what == LASTING_HOLDER)


def _missing(noted: str | None) -> tuple[Missing, ...]:
    """As it was noted, each once."""
    if noted is None:
        return ()
    found = dict.fromkeys(Missing(what, name) for what, name in json.loads(noted))
    return tuple(islice(found, MOST_NOT_FOUND))
