"""Routes of role assignments of memberships: their own, and those that they have through groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from litestar import Response, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET

from rescind.directory import assignments, memberships, objects, targets
from rescind.directory.assignments import RoleOnTarget
from rescind.directory.ids import Kind
from rescind.directory.paging import Key, Span
from rescind.directory.targets import Target
from rescind.directory.unit_of_work import UnitOfWork
from rescind.http.auth import requires
from rescind.http.workos.envelopes import Paging, Window, page
from rescind.http.workos.resources import BY_EXTERNAL_ID, BY_ID
from rescind.http.workos.responses import Unit, respond_with
from rescind.store.rows.directory import AssignmentRow, ResourceRow

MEMBERSHIP: Final = "/authorization/organization_memberships/{membership_id:str}"
PATH: Final = f"{MEMBERSHIP}/role_assignments"


def _page(
    unit: UnitOfWork, window: Window, fetch: Callable[[Span], list[AssignmentRow]]
) -> dict[str, Any]:
    """A page of assignments as memberships hold them, newest first."""

    def key_of(cursor: str) -> Key:
        place = unit.cursor_place(Kind.ROLE_ASSIGNMENT, cursor)
        return abs(place.number), place.second

    def cursor_of(row: AssignmentRow) -> str:
        return unit.public_ids.of(
            Kind.ROLE_ASSIGNMENT, row.organization, row.number, row.membership
        )

    return page(
        window,
        key_of=key_of,
        fetch=fetch,
        cursor_of=cursor_of,
        show=lambda rows: [objects.assignment(unit.public_ids, row) for row in rows],
    )


@get(PATH, guards=[requires("read")], sync_to_thread=True)
def list_role_assignments(
    unit: Unit,
    window: Paging,
    membership_id: FromPath[str],
    resource_id: FromQuery[str | None] = None,
    resource_external_id: FromQuery[str | None] = None,
    resource_type_slug: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """The assignments that a membership holds now, itself or through groups, on all resources or one."""
    member = memberships.find_membership(unit, membership_id)
    target = Target(
        resource_id=resource_id or UNSET,
        resource_external_id=resource_external_id or UNSET,
        resource_type_slug=resource_type_slug or UNSET,
    )
    number: int | None = None
    if target != Target():
        number = targets.find_resource(unit, member.organization, target).number
    return _page(
        unit,
        window,
        lambda span: assignments.page_assignments_of_membership(unit, member, number, span),
    )


@post(PATH, guards=[requires("write")], sync_to_thread=True)
def assign_role(
    unit: Unit, membership_id: FromPath[str], data: JSONBody[RoleOnTarget]
) -> Response[dict[str, Any]]:
    """Assign a role on a resource to a membership. One that it holds itself stays as it is."""
    return respond_with(
        unit, lambda: assignments.assign_role(unit, membership_id, data), status=201
    )


@delete(PATH, guards=[requires("write")], sync_to_thread=True, status_code=204)
def remove_role(
    unit: Unit, membership_id: FromPath[str], data: JSONBody[RoleOnTarget]
) -> Response[None]:
    """Remove a role on a resource from a membership that holds it itself."""
    return respond_with(
        unit, lambda: assignments.remove_role(unit, membership_id, data), status=204
    )


@delete(
    f"{PATH}/{{role_assignment_id:str}}",
    guards=[requires("write")],
    sync_to_thread=True,
    status_code=204,
)
def remove_role_assignment(
    unit: Unit, membership_id: FromPath[str], role_assignment_id: FromPath[str]
) -> Response[None]:
    """Remove an assignment from a membership that holds it itself."""
    return respond_with(
        unit,
        lambda: assignments.remove_assignment(unit, membership_id, role_assignment_id),
        status=204,
    )


@get(f"{BY_ID}/role_assignments", guards=[requires("read")], sync_to_thread=True)
def list_role_assignments_for_resource(
    unit: Unit, window: Paging, resource_id: FromPath[str], role_slug: FromQuery[str | None] = None
) -> dict[str, Any]:
    """The assignments on a resource itself, with the memberships that hold them."""
    row = targets.find_by_id(unit, resource_id)
    return _page_of_resource(unit, window, row, role_slug)


@get(f"{BY_EXTERNAL_ID}/role_assignments", guards=[requires("read")], sync_to_thread=True)
def list_role_assignments_for_resource_by_external_id(
    unit: Unit,
    window: Paging,
    organization_id: FromPath[str],
    resource_type_slug: FromPath[str],
    external_id: FromPath[str],
    role_slug: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """The assignments on a resource itself, by the resource's external id."""
    row = targets.find_in_organization(unit, organization_id, resource_type_slug, external_id)
    return _page_of_resource(unit, window, row, role_slug)


def _page_of_resource(
    unit: UnitOfWork, window: Window, row: ResourceRow, role_slug: str | None
) -> dict[str, Any]:
    role = role_slug or ""
    return _page(
        unit,
        window,
        lambda span: assignments.page_assignments_on_resource(unit, row, role, span),
    )


HANDLERS = [
    list_role_assignments,
    assign_role,
    remove_role,
    remove_role_assignment,
    list_role_assignments_for_resource,
    list_role_assignments_for_resource_by_external_id,
]
