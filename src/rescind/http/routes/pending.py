"""Pending work: what is not settled yet; to leave it alone, and to take it up again."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Struct

from rescind.errors import GroupNotFound, InvalidArgument
from rescind.http.answers import PendingItemResponse, number_of
from rescind.http.auth import Caller, caller_of, request_of, requires
from rescind.http.routes.lists import Limit, Organization
from rescind.http.server.service import Service
from rescind.model import PendingWork

MOST_LOOKED_AT = 100_000


class Group(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose work is meant: a group by its name, or by its number, which a deleted one has as well."""

    group: str | None = None
    group_number: int | None = None
    organization: str | None = None


class PendingResponse(Struct, frozen=True):
    """The most urgent first."""

    pending: list[PendingItemResponse]


class PendingChangeResponse(Struct, frozen=True):
    """Whether anything was altered."""

    changed: bool


@get("/v1/pending", sync_to_thread=True, guards=[requires("read")])
def list_pending(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    organization: Organization = None,
    limit: Limit = None,
) -> PendingResponse:
    """Work that is not settled, of one organization; of all with a key that is bound to none."""
    caller = caller_of(request)
    everywhere = organization is None and caller.organization is None
    name = None if everywhere else caller.organization_for(organization)
    found = service.authority.pending(organization=name, limit=service.limits.page(limit))
    return PendingResponse([PendingItemResponse.of(work) for work in found])


@post("/v1/pending/park", status_code=200, sync_to_thread=True, guards=[requires("admin")])
def park(
    request: Request[Any, Any, Any], service: NamedDependency[Service], data: JSONBody[Group]
) -> PendingChangeResponse:
    """Leave what is pending for a group alone until it is retried. What it fences stays fenced."""
    caller = caller_of(request)
    work, by = _of_group(service, caller, data), caller.actor()
    changed = service.authority.park(work, actor=by, request=request_of(request))
    return PendingChangeResponse(changed)


@post("/v1/pending/retry", status_code=200, sync_to_thread=True, guards=[requires("admin")])
def retry(
    request: Request[Any, Any, Any], service: NamedDependency[Service], data: JSONBody[Group]
) -> PendingChangeResponse:
    """Let workers take what is pending for a group again, at once."""
    caller = caller_of(request)
    work, by = _of_group(service, caller, data), caller.actor()
    changed = service.authority.retry(work, actor=by, request=request_of(request))
    return PendingChangeResponse(changed)


def _of_group(service: Service, caller: Caller, named: Group) -> PendingWork:
    if (named.group is None) is (named.group_number is None):
        hint = "give the group, or the group_number that the list has, and not both"
        raise InvalidArgument(what="group", hint=hint)
    organization = caller.organization_for(named.organization)
    for work in service.authority.pending(organization=organization, limit=MOST_LOOKED_AT):
        is_meant = work.group == named.group
        if named.group is None:
            is_meant = number_of(work) == named.group_number
        if is_meant:
            return work
    shown = named.group_number if named.group is None else named.group
    raise GroupNotFound(group=shown, hint="nothing is pending for it")


ROUTES = [list_pending, park, retry]
