"""The receipt of a batch, made of what the log says of it: also of one that was recorded before."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any, Final

from rescind import model
from rescind.model import (
    MOST_NOT_FOUND,
    Direction,
    Missing,
    OrganizationId,
    Receipt,
    Route,
    Seals,
)

LASTING_HOLDER: Final = "lasting_holder"
"""What is noted of a required role that only holders who expire have left."""


def receipt_of(
    seals: Seals,
    name: OrganizationId,
    outcome: tuple[Any, ...],
    now: int,
    route_reason: str = "",
) -> Receipt:
    """The receipt of a batch, of its row in the change log; `now` is its time where it altered nothing."""
    o, number, environment, direction, route, fan_out, recorded_at, settled_at, missing, *_ = (
        outcome
    )
    changed = direction is not None
    recorded = model.moment(recorded_at if changed else now)
    settled = settled_at and model.moment(settled_at)
    noted = _missing(missing)
    return Receipt(
        organization=name,
        revision=seals.revision(o, number, environment),
        changed=changed,
        direction=Direction.REVOKES if direction == "revokes" else Direction.GRANTS,
        route=Route.BACKGROUND if route == "background" else Route.INLINE,
        route_reason=route_reason,
        fan_out=fan_out or 0,
        recorded_at=recorded,
        settled_at=settled if changed else recorded,
        not_found=tuple(each for each in noted if each.what != LASTING_HOLDER),
        only_expiring=tuple(each.name for each in noted if each.what == LASTING_HOLDER),
    )


def _missing(noted: str | None) -> tuple[Missing, ...]:
    """As it was noted, each once."""
    if noted is None:
        return ()
    found = dict.fromkeys(Missing(what, name) for what, name in json.loads(noted))
    return tuple(islice(found, MOST_NOT_FOUND))
