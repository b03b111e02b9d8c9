"""Ids that look alike, for whoever reads an organization."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.di import NamedDependency
from msgspec import Struct

from rescind.http.auth import caller_of, requires
from rescind.http.routes.lists import Limit, Organization
from rescind.http.server.service import Service


class LookAlikeSetResponse(Struct, frozen=True):
    """Ids of different people, groups, roles or permissions that look alike."""

    organization: str
    what: str
    names: tuple[str, ...]


class LookAlikesResponse(Struct, frozen=True):
    """All of them, or as many of each kind as the limit lets through."""

    look_alikes: list[LookAlikeSetResponse]


@get("/v1/look-alikes", sync_to_thread=True, guards=[requires("read")], tags=["lists"])
def list_look_alikes(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    organization: Organization = None,
    limit: Limit = None,
) -> LookAlikesResponse:
    """Ids of an organization that look alike: of people, groups, roles and permissions."""
    found = service.authority.look_alikes(
        organization=caller_of(request).organization_for(organization),
        limit=service.limits.page(limit),
    )
    return LookAlikesResponse(
        [LookAlikeSetResponse(each.organization, each.what, each.names) for each in found]
    )


ROUTES = [list_look_alikes]
