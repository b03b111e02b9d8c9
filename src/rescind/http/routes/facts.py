"""Lists of what is on record: groups, members, roles, resources, assignments, and what expires."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated, Any, Generic, TypedDict, TypeVar

from litestar import Request, Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery, QueryParameter
from msgspec import Struct

from rescind.http.answers import AtLeast, state_headers
from rescind.http.auth import caller_of, requires
from rescind.http.query_times import QueryTime, query_time
from rescind.http.routes.lists import Cursor, Limit, Organization
from rescind.http.server.service import Service
from rescind.model import FactPage

Shown = TypeVar("Shown")
Holder = Annotated[str | None, QueryParameter(description="A subject, or `group:…`.")]
Effective = Annotated[bool, QueryParameter(description="Also through groups.")]
Expired = Annotated[bool, QueryParameter(description="Also what has ended.")]


class GroupResponse(Struct, frozen=True):
    """A group. In a list of somebody's groups, `since`, `by` and `expires_at` are of the place in it."""

    group: str
    name: str | None
    since: datetime | None
    by: str | None
    expires_at: datetime | None


class MemberResponse(Struct, frozen=True):
    """A member: a subject, or `group:…`; `through` are the groups that hold it themselves."""

    member: str
    is_active: bool
    through: tuple[str, ...]
    since: datetime | None
    by: str | None
    expires_at: datetime | None


class MembershipResponse(Struct, frozen=True):
    """A subject's place in the organization."""

    subject: str
    name: str | None
    is_active: bool
    created_at: datetime


class RoleResponse(Struct, frozen=True):
    """A role with its permissions. `is_shared`: it is defined for all organizations."""

    role: str
    name: str | None
    is_shared: bool
    priority: int
    is_critical: bool
    resource_type: str | None
    permissions: tuple[str, ...]


class PermissionResponse(Struct, frozen=True):
    """A permission. `is_shared`: it is defined for all organizations."""

    permission: str
    description: str
    is_shared: bool
    is_critical: bool


class ResourceResponse(Struct, frozen=True):
    """A resource and the one that it is below."""

    resource: str
    parent: str


class AssignmentResponse(Struct, frozen=True):
    """A role given to a subject or a group, by whom, when and why."""

    holder: str
    role: str
    resource: str
    is_active: bool
    since: datetime | None
    by: str | None
    reason: str | None
    expires_at: datetime | None


class ExpiryResponse(Struct, frozen=True):
    """What ends: a place in a `group`, or a `role` on a `resource`; the others are null."""

    expires_at: datetime
    holder: str
    group: str | None
    role: str | None
    resource: str | None
    is_active: bool
    since: datetime | None
    by: str | None


class FactsResponse(Struct, Generic[Shown], frozen=True):
    """A page; `next_cursor` is null on the last. A page may be shorter than asked."""

    items: list[Shown]
    next_cursor: str | None
    revision: str


class Paging(TypedDict):
    """What every list takes: whose facts, which page, and at least of which state."""

    organization: str | None
    limit: int
    cursor: str | None
    at_least: str | None


def paging_of(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    organization: Organization = None,
    limit: Limit = None,
    cursor: Cursor = None,
    at_least: AtLeast = None,
) -> Paging:
    """As the request has it, for the organization that its key is good for."""
    return Paging(
        organization=caller_of(request).organization_for(organization),
        limit=service.limits.page(limit),
        cursor=cursor,
        at_least=at_least,
    )


list_at = partial(
    get,
    sync_to_thread=True,
    guards=[requires("read")],
    tags=["facts"],
    dependencies={"paging": Provide(paging_of, sync_to_thread=False)},
)
"""A route that answers with a page of a list."""


def _told(page: FactPage[Any], shown: type[Shown]) -> Response[FactsResponse[Shown]]:
    items = [shown(**each._asdict()) for each in page.items]
    token = page.revision.token()
    return Response(FactsResponse(items, page.next_cursor, token), headers=state_headers(token))


@list_at("/v1/groups")
def list_groups(
    service: NamedDependency[Service],
    paging: NamedDependency[Paging],
    holder: Holder = None,
) -> Response[FactsResponse[GroupResponse]]:
    """Groups by name; or those that a `holder` is in itself."""
    page = service.authority.list_groups(
        holder,
        **paging,
    )
    return _told(page, GroupResponse)


@list_at("/v1/members")
def list_members(
    service: NamedDependency[Service],
    paging: NamedDependency[Paging],
    group: FromQuery[str],
    effective: Effective = False,
    expired: Expired = False,
) -> Response[FactsResponse[MemberResponse]]:
    """What is in a group itself: nested groups, then subjects. `effective`: all subjects, also below it."""
    page = service.authority.list_members(
        group,
        effective=effective,
        expired=expired,
        **paging,
    )
    return _told(page, MemberResponse)


@list_at("/v1/memberships")
def list_memberships(
    service: NamedDependency[Service],
    paging: NamedDependency[Paging],
    subject_kind: FromQuery[str | None] = None,
    active: FromQuery[bool | None] = None,
) -> Response[FactsResponse[MembershipResponse]]:
    """Subjects with a place in the organization: all, the `active` ones, or the deactivated."""
    page = service.authority.list_memberships(
        subject_kind=subject_kind,
        active=active,
        **paging,
    )
    return _told(page, MembershipResponse)


@list_at("/v1/roles")
def list_roles(
    service: NamedDependency[Service],
    paging: NamedDependency[Paging],
) -> Response[FactsResponse[RoleResponse]]:
    """Roles that can be given, by name, with their permissions."""
    page = service.authority.list_roles(
        **paging,
    )
    return _told(page, RoleResponse)


@list_at("/v1/permissions")
def list_permissions(
    service: NamedDependency[Service],
    paging: NamedDependency[Paging],
    role: FromQuery[str | None] = None,
) -> Response[FactsResponse[PermissionResponse]]:
    """Permissions that are defined, by name; or those of a `role`."""
    page = service.authority.list_permissions(
        role,
        **paging,
    )
    return _told(page, PermissionResponse)


@list_at("/v1/resources")
def list_resources(
    service: NamedDependency[Service],
    paging: NamedDependency[Paging],
    parent: FromQuery[str | None] = None,
    resource_type: FromQuery[str | None] = None,
) -> Response[FactsResponse[ResourceResponse]]:
    """Resources by name, perhaps of one type; or those right below a `parent`."""
    page = service.authority.list_resources(
        parent,
        resource_type=resource_type,
        **paging,
    )
    return _told(page, ResourceResponse)


@list_at("/v1/assignments")
def list_assignments(
    service: NamedDependency[Service],
    paging: NamedDependency[Paging],
    holder: Holder = None,
    role: FromQuery[str | None] = None,
    resource: FromQuery[str | None] = None,
    effective: Effective = False,
    expired: Expired = False,
) -> Response[FactsResponse[AssignmentResponse]]:
    """Assignments: all, or of a `holder`, `role` or `resource`. `effective`: also of the holder's groups."""
    page = service.authority.list_assignments(
        holder,
        role=role,
        resource=resource,
        effective=effective,
        expired=expired,
        **paging,
    )
    return _told(page, AssignmentResponse)


@list_at("/v1/expiring")
def list_expiring(
    service: NamedDependency[Service],
    paging: NamedDependency[Paging],
    until: QueryTime = None,
) -> Response[FactsResponse[ExpiryResponse]]:
    """Places in groups and assignments that end by a time, else within 30 days; the next first."""
    page = service.authority.list_expiring(query_time("until", until), **paging)
    return _told(page, ExpiryResponse)


ROUTES = [
    list_groups,
    list_members,
    list_memberships,
    list_roles,
    list_permissions,
    list_resources,
    list_assignments,
    list_expiring,
]
