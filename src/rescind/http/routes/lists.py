"""Lists: who can, what a subject can reach, what it can do. Page by page."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from rescind.http.answers import AtLeast, NamesResponse, state_headers
from rescind.http.auth import caller_of, requires
from rescind.http.past_times import past_time
from rescind.http.server.service import Service
from rescind.model import Assurance, Page

Limit = Annotated[int | None, QueryParameter(description="Items of the page.")]
Cursor = Annotated[str | None, QueryParameter(description="`next_cursor` of the page before.")]
Organization = Annotated[
    str | None, QueryParameter(description="May be left out with a key that is bound to one.")
]

PastTime = Annotated[
    str | None,
    QueryParameter(
        description="A time in the past, a revision's number or a token: list as then. Needs the scope"
        " `read` too."
    ),
]


def _told(page: Page) -> Response[NamesResponse]:
    return Response(NamesResponse.of(page), headers=state_headers(page.revision.token()))


@get("/v1/who-can", sync_to_thread=True, guards=[requires("check")], tags=["lists"])
def who_can(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    permission: FromQuery[str],
    resource: FromQuery[str | None] = None,
    subject_kind: FromQuery[str | None] = None,
    organization: Organization = None,
    limit: Limit = None,
    cursor: Cursor = None,
    assurance: FromQuery[Assurance] = "standard",
    at: PastTime = None,
    at_least: AtLeast = None,
) -> Response[NamesResponse]:
    """Who has a permission on a resource: subjects, perhaps of one kind."""
    page = service.authority.who_can(
        permission,
        resource,
        subject_kind=subject_kind,
        organization=caller_of(request).organization_for(organization),
        limit=service.limits.page(limit),
        cursor=cursor,
        at_least=at_least,
        assurance=assurance,
        at=past_time(service, caller_of(request), organization, at),
    )
    return _told(page)


@get("/v1/resources-of", sync_to_thread=True, guards=[requires("check")], tags=["lists"])
def resources_of(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    subject: FromQuery[str],
    permission: FromQuery[str],
    resource_type: FromQuery[str | None] = None,
    organization: Organization = None,
    limit: Limit = None,
    cursor: Cursor = None,
    assurance: FromQuery[Assurance] = "standard",
    at: PastTime = None,
    at_least: AtLeast = None,
) -> Response[NamesResponse]:
    """What a subject can reach with a permission: resources, perhaps of one type."""
    page = service.authority.resources_of(
        subject,
        permission,
        resource_type=resource_type,
        organization=caller_of(request).organization_for(organization),
        limit=service.limits.page(limit),
        cursor=cursor,
        at_least=at_least,
        assurance=assurance,
        at=past_time(service, caller_of(request), organization, at),
    )
    return _told(page)


@get("/v1/permissions-of", sync_to_thread=True, guards=[requires("check")], tags=["lists"])
def permissions_of(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    subject: FromQuery[str],
    resource: FromQuery[str | None] = None,
    organization: Organization = None,
    limit: Limit = None,
    cursor: Cursor = None,
    assurance: FromQuery[Assurance] = "standard",
    at: PastTime = None,
    at_least: AtLeast = None,
) -> Response[NamesResponse]:
    """What a subject can do on a resource: permissions."""
    page = service.authority.permissions_of(
        subject,
        resource,
        organization=caller_of(request).organization_for(organization),
        limit=service.limits.page(limit),
        cursor=cursor,
        at_least=at_least,
        assurance=assurance,
        at=past_time(service, caller_of(request), organization, at),
    )
    return _told(page)


ROUTES = [who_can, resources_of, permissions_of]
