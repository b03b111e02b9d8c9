"""Routes of questions: checks, effective permissions, reachable resources, and who has access."""

from __future__ import annotations

from typing import Any, Literal

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET

from rescind.directory import memberships, objects, permissions, questions, resources, targets
from rescind.directory.errors import invalid
from rescind.directory.paging import Span
from rescind.directory.targets import Target
from rescind.directory.unit_of_work import UnitOfWork
from rescind.http.answers import REVISION
from rescind.http.auth import requires
from rescind.http.server.addresses import IS_CHECK
from rescind.http.workos.assignments import MEMBERSHIP
from rescind.http.workos.envelopes import Paging, Window, page
from rescind.http.workos.memberships import page_without_roles
from rescind.http.workos.resources import BY_EXTERNAL_ID, BY_ID, page_resources
from rescind.http.workos.responses import Unit
from rescind.store.rows.directory import MembershipRow, ResourceRow


class Check(Target, kw_only=True):
    """A permission, on a resource or on the organization."""

    permission_slug: str


@post(
    f"{MEMBERSHIP}/check",
    guards=[requires("check")],
    sync_to_thread=True,
    status_code=200,
    opt=IS_CHECK,
)
def check(
    unit: Unit, membership_id: FromPath[str], data: JSONBody[Check]
) -> Response[dict[str, bool]]:
    """Whether a membership has a permission on a resource, decided on a state as of now or later."""
    decision = questions.check(unit, membership_id, data.permission_slug, data)
    headers = {} if decision.token is None else {REVISION: decision.token}
    return Response({"authorized": decision.allowed}, headers=headers)


# --- effective permissions ------------------------------------------------------------------------


def _page_permissions(
    unit: UnitOfWork, window: Window, member: MembershipRow, resource: ResourceRow
) -> dict[str, Any]:
    o = member.organization
    slugs = questions.permissions_of(unit, member, resource)
    return page(
        window,
        key_of=lambda cursor: permissions.permission_key(unit, cursor),
        fetch=lambda span: permissions.page_permissions_among(unit, o, slugs, span),
        cursor_of=lambda row: permissions.permission_cursor(unit, row),
        show=lambda rows: [objects.permission(unit.public_ids, row) for row in rows],
    )


@get(
    f"{MEMBERSHIP}/resources/{{resource_id:str}}/permissions",
    guards=[requires("check")],
    sync_to_thread=True,
)
def list_effective_permissions(
    unit: Unit, window: Paging, membership_id: FromPath[str], resource_id: FromPath[str]
) -> dict[str, Any]:
    """All permissions that a membership has on a resource."""
    member = memberships.find_membership(unit, membership_id)
    target = Target(resource_id=resource_id)
    resource = targets.find_resource(unit, member.organization, target)
    return _page_permissions(unit, window, member, resource)


@get(
    f"{MEMBERSHIP}/resources/{{resource_type_slug:str}}/{{external_id:str}}/permissions",
    guards=[requires("check")],
    sync_to_thread=True,
)
def list_effective_permissions_by_external_id(
    unit: Unit,
    window: Paging,
    membership_id: FromPath[str],
    resource_type_slug: FromPath[str],
    external_id: FromPath[str],
) -> dict[str, Any]:
    """All permissions that a membership has on a resource, by the resource's external id."""
    member = memberships.find_membership(unit, membership_id)
    o = member.organization
    resource = targets.find_by_external_id(unit, o, resource_type_slug, external_id)
    return _page_permissions(unit, window, member, resource)


# --- reachable resources --------------------------------------------------------------------------


@get(f"{MEMBERSHIP}/resources", guards=[requires("check")], sync_to_thread=True)
def list_resources_for_membership(
    unit: Unit,
    window: Paging,
    membership_id: FromPath[str],
    permission_slug: FromQuery[str],
    parent_resource_id: FromQuery[str | None] = None,
    parent_resource_type_slug: FromQuery[str | None] = None,
    parent_resource_external_id: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """The children of a resource on which a membership has a permission, from any source."""
    member = memberships.find_membership(unit, membership_id)
    target = Target(
        resource_id=parent_resource_id or UNSET,
        resource_external_id=parent_resource_external_id or UNSET,
        resource_type_slug=parent_resource_type_slug or UNSET,
    )
    if target == Target():
        raise invalid("parent_resource_id", "name a parent resource")
    parent = targets.find_resource(unit, member.organization, target)
    slugs = questions.resources_of(unit, member, permission_slug, parent)

    def fetch(span: Span) -> list[ResourceRow]:
        if slugs is None:
            return resources.page_children(unit, parent, span)
        return resources.page_children_among(unit, parent, slugs, span)

    return page_resources(unit, window, fetch, key=lambda _, r: (r, 0))


# --- who has access -------------------------------------------------------------------------------


def _page_members(
    unit: UnitOfWork, window: Window, resource: ResourceRow, permission: str, assignment: str | None
) -> dict[str, Any]:
    o, is_direct = resource.organization, assignment != "indirect"
    subjects = questions.subjects_with(unit, permission, resource, is_direct=is_direct)
    return page_without_roles(
        unit,
        window,
        lambda span: memberships.page_memberships_among(unit, o, subjects, span),
    )


@get(f"{BY_ID}/organization_memberships", guards=[requires("check")], sync_to_thread=True)
def list_memberships_for_resource(
    unit: Unit,
    window: Paging,
    resource_id: FromPath[str],
    permission_slug: FromQuery[str],
    assignment: FromQuery[Literal["direct", "indirect"] | None] = None,
) -> dict[str, Any]:
    """The memberships with a permission on a resource: by assignments on it, or also above it."""
    row = targets.find_by_id(unit, resource_id)
    return _page_members(unit, window, row, permission_slug, assignment)


@get(f"{BY_EXTERNAL_ID}/organization_memberships", guards=[requires("check")], sync_to_thread=True)
def list_memberships_for_resource_by_external_id(
    unit: Unit,
    window: Paging,
    organization_id: FromPath[str],
    resource_type_slug: FromPath[str],
    external_id: FromPath[str],
    permission_slug: FromQuery[str],
    assignment: FromQuery[Literal["direct", "indirect"] | None] = None,
) -> dict[str, Any]:
    """The memberships with a permission on a resource, by the resource's external id."""
    row = targets.find_in_organization(unit, organization_id, resource_type_slug, external_id)
    return _page_members(unit, window, row, permission_slug, assignment)


HANDLERS = [
    check,
    list_effective_permissions,
    list_effective_permissions_by_external_id,
    list_resources_for_membership,
    list_memberships_for_resource,
    list_memberships_for_resource_by_external_id,
]
