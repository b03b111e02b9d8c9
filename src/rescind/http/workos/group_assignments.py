"""Routes of role assignments of groups."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, delete, get, patch, post, put
from litestar.params import FromPath, JSONBody

from rescind.directory import group_assignments
from rescind.directory.assignments import RoleOnTarget
from rescind.directory.group_assignments import ChangeAssignments, GroupRoles, ReplaceAssignments
from rescind.directory.ids import Kind
from rescind.directory.paging import Key
from rescind.http.auth import requires
from rescind.http.workos.envelopes import Paging, envelope, page
from rescind.http.workos.responses import Unit, respond_with
from rescind.store.rows.directory import GroupAssignmentRow

PATH: Final = "/authorization/groups/{group_id:str}/role_assignments"
BY_ID: Final = f"{PATH}/{{role_assignment_id:str}}"


@get(PATH, guards=[requires("read")], sync_to_thread=True)
def list_group_role_assignments(
    unit: Unit, window: Paging, group_id: FromPath[str]
) -> dict[str, Any]:
    """The assignments that a group holds."""
    group = GroupRoles(unit, group_id)

    def key_of(cursor: str) -> Key:
        return abs(unit.cursor_place(Kind.GROUP_ROLE_ASSIGNMENT, cursor).number), 0

    def cursor_of(row: GroupAssignmentRow) -> str:
        return unit.public_ids.of(Kind.GROUP_ROLE_ASSIGNMENT, row.organization, row.number)

    return page(window, key_of=key_of, fetch=group.page, cursor_of=cursor_of, show=group.show)


@post(PATH, guards=[requires("write")], sync_to_thread=True)
def create_group_role_assignment(
    unit: Unit, group_id: FromPath[str], data: JSONBody[RoleOnTarget]
) -> Response[dict[str, Any]]:
    """Assign a role on a resource, or on the organization, to a group."""
    return respond_with(
        unit, lambda: group_assignments.assign_role(unit, group_id, data), status=201
    )


@put(PATH, guards=[requires("write")], sync_to_thread=True)
def update_group_role_assignments(
    unit: Unit, group_id: FromPath[str], data: JSONBody[ReplaceAssignments]
) -> Response[dict[str, Any]]:
    """Replace the assignments of a group. Those that it holds already keep their time of expiry."""

    def work() -> dict[str, Any]:
        return envelope(group_assignments.replace_assignments(unit, group_id, data))

    return respond_with(unit, work)


@patch(PATH, guards=[requires("write")], sync_to_thread=True, status_code=204)
def patch_group_role_assignments(
    unit: Unit, group_id: FromPath[str], data: JSONBody[ChangeAssignments]
) -> Response[None]:
    """Assign roles to a group and remove others, all at once. What is so already is skipped."""
    return respond_with(
        unit, lambda: group_assignments.change_assignments(unit, group_id, data), status=204
    )


@delete(PATH, guards=[requires("write")], sync_to_thread=True, status_code=204)
def delete_group_role_assignments(
    unit: Unit, group_id: FromPath[str], data: JSONBody[RoleOnTarget]
) -> Response[None]:
    """Remove a role on a resource, or on the organization, from a group."""
    return respond_with(
        unit, lambda: group_assignments.remove_role(unit, group_id, data), status=204
    )


@get(BY_ID, guards=[requires("read")], sync_to_thread=True)
def get_group_role_assignment(
    unit: Unit, group_id: FromPath[str], role_assignment_id: FromPath[str]
) -> dict[str, Any]:
    """An assignment that a group holds."""
    return group_assignments.find_assignment(unit, group_id, role_assignment_id)


@delete(BY_ID, guards=[requires("write")], sync_to_thread=True, status_code=204)
def delete_group_role_assignment(
    unit: Unit, group_id: FromPath[str], role_assignment_id: FromPath[str]
) -> Response[None]:
    """Remove an assignment from a group."""
    return respond_with(
        unit,
        lambda: group_assignments.remove_assignment(unit, group_id, role_assignment_id),
        status=204,
    )


HANDLERS = [
    list_group_role_assignments,
    create_group_role_assignment,
    update_group_role_assignments,
    patch_group_role_assignments,
    delete_group_role_assignments,
    get_group_role_assignment,
    delete_group_role_assignment,
]
