"""The history of access: who had it from when to when, and by whose change."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from msgspec import Struct

from rescind.http.auth import caller_of, requires
from rescind.http.query_times import QueryTime, query_time
from rescind.http.routes.lists import Organization
from rescind.http.routes.reviews import LifeNumber, life_for
from rescind.http.server.service import Service
from rescind.model import AccessPeriod, Cause

MOST_CHANGES: Final = 20_000
"""Changes of the log that one request for the history of access looks at."""


class CauseResponse(Struct, frozen=True):
    """What began or ended access: a `change`, one for all organizations (`environment`), the `expiry` of what
    was given until a time, or something `before` the log that is kept.
    """

    kind: str
    at: datetime
    revision: int | None
    actor: str | None
    reason: str | None

    @classmethod
    def of(cls, found: Cause) -> CauseResponse:
        """The response for a cause."""
        return cls(found.kind.value, *found[1:])


class AccessPeriodResponse(Struct, frozen=True):
    """A time during which a subject had a role on a resource by one way; `ended` is null while it lasts."""

    subject: str
    role: str
    resource: str
    chain: tuple[str, ...]
    is_default_role: bool
    permissions: tuple[str, ...]
    began: CauseResponse
    ended: CauseResponse | None

    @classmethod
    def of(cls, found: AccessPeriod) -> AccessPeriodResponse:
        """The response for a period."""
        ended = None if found.ended is None else CauseResponse.of(found.ended)
        return cls(*found[:6], CauseResponse.of(found.began), ended)


class LifeResponse(Struct, frozen=True):
    """An organization that has or had the name, numbered from 1 in the order of their creation."""

    life: int
    created_at: datetime
    deleted_at: datetime | None


class IdChangeResponse(Struct, frozen=True):
    """A membership had another id up to a change; what it had then is told of that id."""

    former: str
    new: str
    revision: int
    at: datetime


class AccessHistoryResponse(Struct, frozen=True):
    """Periods in the order in which they began. With `next_after`, go on with it as `after`: periods that
    were not over there come then. `life` is the one of `lives` that is told of; a key that is bound to an
    organization is not told of others that had its name. History goes by id: `id_changes` names the other
    ids that a membership had or has.
    """

    periods: list[AccessPeriodResponse]
    next_after: int | None
    life: int | None
    lives: list[LifeResponse]
    id_changes: list[IdChangeResponse]


@get("/v1/access-history", sync_to_thread=True, guards=[requires("read")])
def access_history(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    organization: Organization = None,
    subject: FromQuery[str | None] = None,
    permission: FromQuery[str | None] = None,
    resource: FromQuery[str | None] = None,
    since: QueryTime = None,
    until: QueryTime = None,
    after: FromQuery[int | None] = None,
    life: LifeNumber = None,
) -> AccessHistoryResponse:
    """From when to when a subject had a permission on a resource (without a subject: everybody; without a
    permission: all that roles gave), through which groups, and by whose change that began and ended.
    """
    caller = caller_of(request)
    found = service.authority.access_history(
        subject,
        permission,
        resource,
        since=query_time("since", since),
        until=query_time("until", until),
        after=after,
        most_changes=MOST_CHANGES,
        life=life_for(caller, life),
        organization=caller.organization_for(organization),
    )
    is_bound = caller.organization is not None
    return AccessHistoryResponse(
        list(map(AccessPeriodResponse.of, found.periods)),
        found.next_after,
        None if is_bound or found.life is None else found.life.number,
        [] if is_bound else [LifeResponse(*each) for each in found.lives],
        [IdChangeResponse(*each) for each in found.id_changes],
    )


ROUTES = [access_history]
