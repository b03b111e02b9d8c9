"""What to set differently on this store, and what a change of another size would cost."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from msgspec import Struct

from rescind.errors import InvalidArgument
from rescind.http.auth import caller_of, requires
from rescind.http.routes.lists import Organization
from rescind.http.routes.targets import WHOLE_LOG
from rescind.http.server.service import Service
from rescind.insight.advice import advise, forecast
from rescind.insight.targets import WINDOW_SECONDS


class AdviceItem(Struct, frozen=True):
    """One thing to do or to leave, why, and what it would change."""

    kind: str
    text: str
    effect: str
    numbers: dict[str, float | str]


class ForecastResponse(Struct, frozen=True):
    """What a change would cost here. Null is "no data"."""

    pairs: int
    route: str | None
    inline_seconds: float | None
    returns_seconds: float | None
    settled_seconds: float | None
    measured_rtt_ms: float | None


class AdviceResponse(Struct, frozen=True):
    """Advice, and the changes it rests on: those looked at, and those whose duration is on record."""

    changes: int
    measured: int
    has_data: bool
    advice: list[AdviceItem]
    what_if: ForecastResponse | None


@get("/v1/advice", sync_to_thread=True, guards=[requires("read")])
def read_advice(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    organization: Organization = None,
    window_seconds: FromQuery[float] = WINDOW_SECONDS,
    members: FromQuery[int | None] = None,
    assignments: FromQuery[int | None] = None,
    rtt_ms: FromQuery[float | None] = None,
) -> AdviceResponse:
    """Advice from one organization's changes; from all with a key that is bound to none. With `members` and
    `assignments` also what such a change would cost.
    """
    if (members is None) != (assignments is None):
        raise InvalidArgument(what="members", hint="send members and assignments, or neither")
    caller, authority = caller_of(request), service.authority
    everywhere = organization is None and caller.organization is None
    name = None if everywhere else caller.organization_for(organization)
    with WHOLE_LOG.one():
        found = advise(
            authority.store,
            authority.settings,
            organization=name,
            window_seconds=window_seconds,
        )
    told = None
    if members is not None and assignments is not None:
        cost = forecast(
            authority.store,
            found.model,
            authority.settings,
            members=members,
            assignments=assignments,
            rtt_ms=rtt_ms,
        )
        told = ForecastResponse(
            cost.pairs,
            None if cost.route is None else cost.route.value,
            cost.inline_seconds,
            cost.returns_seconds,
            cost.settled_seconds,
            cost.measured_rtt_ms,
        )
    items = [AdviceItem(each.kind, each.text, each.effect, each.numbers) for each in found.items]
    model = found.model
    return AdviceResponse(model.changes, len(model.samples), found.has_data, items, told)


ROUTES = [read_advice]
