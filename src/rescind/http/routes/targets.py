"""How the targets for revocations and for grants were met."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from msgspec import Struct

from rescind.http.auth import caller_of, requires
from rescind.http.routes.lists import Organization
from rescind.http.server.service import Service
from rescind.http.server.turns import Turns
from rescind.insight.targets import WINDOW_SECONDS, Attainment, attainments, targets_of
from rescind.model import Direction

AT_ONCE: Final = 2
"""Requests of one process that read a whole log at a time, each with two connections."""
WHOLE_LOG: Final = Turns(AT_ONCE, why="requests read whole logs")


class SlowChangeResponse(Struct, frozen=True):
    """A change that took long; the organization is null if it was deleted since."""

    organization: str | None
    revision: int
    seconds: float


class AttainmentResponse(Struct, frozen=True):
    """One target: at least `target_share` of the changes within `target_seconds`. Null is "no data"."""

    direction: Direction
    target_seconds: float
    target_share: float
    since: datetime
    until: datetime
    is_met: bool | None
    changes: int
    within: int
    late: int
    undecided: int
    p50_seconds: float | None
    p99_seconds: float | None
    slowest: list[SlowChangeResponse]
    budget_left: float | None
    burn: float | None

    @classmethod
    def of(cls, met: Attainment) -> AttainmentResponse:
        """The response for what was found."""
        return cls(
            direction=met.direction,
            target_seconds=met.target.seconds,
            target_share=met.target.share,
            since=met.since,
            until=met.until,
            is_met=met.is_met,
            changes=met.changes,
            within=met.within,
            late=met.late,
            undecided=met.undecided,
            p50_seconds=met.p50_seconds,
            p99_seconds=met.p99_seconds,
            slowest=[
                SlowChangeResponse(each.organization, each.revision, each.seconds)
                for each in met.slowest
            ],
            budget_left=met.budget_left,
            burn=met.burn,
        )


class TargetsResponse(Struct, frozen=True):
    """Revocations first, then grants."""

    targets: list[AttainmentResponse]


@get("/v1/targets", sync_to_thread=True, guards=[requires("read")])
def targets(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    organization: Organization = None,
    window_seconds: FromQuery[float] = WINDOW_SECONDS,
) -> TargetsResponse:
    """How targets were met by the changes of one organization; of all with a key that is bound to none."""
    caller = caller_of(request)
    everywhere = organization is None and caller.organization is None
    name = None if everywhere else caller.organization_for(organization)
    with WHOLE_LOG.one():
        found = attainments(
            service.authority.store,
            targets=targets_of(service.authority.settings),
            organization=name,
            window_seconds=window_seconds,
        )
    return TargetsResponse([AttainmentResponse.of(each) for each in found])


ROUTES = [targets]
