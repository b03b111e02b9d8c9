"""Routes of permissions."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody

from rescind.directory import objects, organizations, permissions
from rescind.directory.permissions import CreatePermission, UpdatePermission
from rescind.http.auth import requires
from rescind.http.workos.envelopes import Paging, page
from rescind.http.workos.responses import Unit, respond_with

PATH: Final = "/authorization/permissions"


@get(PATH, guards=[requires("read")], sync_to_thread=True)
def list_permissions(
    unit: Unit, window: Paging, organization_id: FromQuery[str | None] = None
) -> dict[str, Any]:
    """The permissions for all organizations, and the named organization's own."""
    if organization_id:
        o = organizations.find_organization(unit, organization_id).organization
    else:
        o = permissions.visible_owner(unit)
    return page(
        window,
        key_of=lambda cursor: permissions.permission_key(unit, cursor),
        fetch=lambda span: permissions.page_permissions(unit, o, span),
        cursor_of=lambda row: permissions.permission_cursor(unit, row),
        show=lambda rows: [objects.permission(unit.public_ids, row) for row in rows],
    )


@post(PATH, guards=[requires("write")], sync_to_thread=True)
def create_permission(unit: Unit, data: JSONBody[CreatePermission]) -> Response[dict[str, Any]]:
    """Define a permission for all organizations."""
    return respond_with(unit, lambda: permissions.create_permission(unit, data), status=201)


@get(f"{PATH}/{{slug:str}}", guards=[requires("read")], sync_to_thread=True)
def get_permission(unit: Unit, slug: FromPath[str]) -> dict[str, Any]:
    """A permission."""
    row = permissions.find_permission(unit, permissions.visible_owner(unit), slug)
    return objects.permission(unit.public_ids, row)


@patch(f"{PATH}/{{slug:str}}", guards=[requires("write")], sync_to_thread=True)
def update_permission(
    unit: Unit, slug: FromPath[str], data: JSONBody[UpdatePermission]
) -> Response[dict[str, Any]]:
    """Change the given fields of a permission."""
    return respond_with(unit, lambda: permissions.update_permission(unit, slug, data))


@delete(f"{PATH}/{{slug:str}}", guards=[requires("write")], sync_to_thread=True, status_code=204)
def delete_permission(unit: Unit, slug: FromPath[str]) -> Response[None]:
    """Delete a permission, and remove it from the roles that contain it."""
    return respond_with(unit, lambda: permissions.delete_permission(unit, slug), status=204)


HANDLERS = [
    list_permissions,
    create_permission,
    get_permission,
    update_permission,
    delete_permission,
]
