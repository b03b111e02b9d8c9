"""The log of service actions. A key that is bound to an organization sees only that one's."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from msgspec import Struct

from rescind.http.auth import caller_of, requires
from rescind.http.routes.lists import Limit, Organization
from rescind.http.server.service import Service


class ActionResponse(Struct, frozen=True):
    """What was done, to what, by whom, and by which request."""

    number: int
    at: datetime
    kind: str
    organization: str | None
    subject: str
    detail: dict[str, Any]
    actor: str
    request: str
    digest: str


class ActionsResponse(Struct, frozen=True):
    """Actions by number, oldest first; `next_after` is null at the end."""

    actions: list[ActionResponse]
    next_after: int | None


@get("/v1/actions", sync_to_thread=True, guards=[requires("admin")])
def list_actions(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    organization: Organization = None,
    after: FromQuery[int] = 0,
    limit: Limit = None,
) -> ActionsResponse:
    """What was done to keys, pending work, logs and the schema; of one organization, or of all with a key
    that is bound to none.
    """
    caller, most = caller_of(request), service.limits.page(limit)
    everywhere = organization is None and caller.organization is None
    name = None if everywhere else caller.organization_for(organization)
    found = list(service.authority.actions(organization=name, after=after, limit=most + 1))
    more = found[most - 1].number if len(found) > most else None
    return ActionsResponse([ActionResponse(**asdict(each)) for each in found[:most]], more)


ROUTES = [list_actions]
