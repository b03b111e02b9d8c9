"""Roles for all organizations (WorkOS: environment roles), in priority order."""

from __future__ import annotations

from typing import Any

from litestar import Response, delete, get, patch, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from rescind import changes
from rescind.directory.roles import (
    AddPermission,
    CreateRole,
    RoleOwner,
    SetPermissions,
    UpdateRole,
    create_role,
    delete_role,
    edit_permissions,
    update_role,
)
from rescind.http.auth import requires
from rescind.http.workos.responses import Unit
from rescind.http.workos.roles import respond_for_owner

PATH = "/authorization/roles"
ROLE = f"{PATH}/{{slug:str}}"


@get(PATH, guards=[requires("read")], sync_to_thread=True)
def list_environment_roles(unit: Unit) -> dict[str, Any]:
    """All roles for all organizations."""
    return {"object": "list", "data": RoleOwner(unit, None).roles()}


@post(PATH, guards=[requires("write")], sync_to_thread=True)
def create_environment_role(unit: Unit, data: JSONBody[CreateRole]) -> Response[dict[str, Any]]:
    """Define a role for all organizations, below the others in priority."""
    return respond_for_owner(
        unit, None, lambda owner: create_role(owner, data.slug, data), status=201
    )


@get(ROLE, guards=[requires("read")], sync_to_thread=True)
def get_environment_role(unit: Unit, slug: FromPath[str]) -> dict[str, Any]:
    """A role for all organizations."""
    owner = RoleOwner(unit, None)
    owner.find_own(slug)
    return owner.roles(slug)[0]


@patch(ROLE, guards=[requires("write")], sync_to_thread=True)
def update_environment_role(
    unit: Unit, slug: FromPath[str], data: JSONBody[UpdateRole]
) -> Response[dict[str, Any]]:
    """Change the given fields of a role for all organizations."""
    return respond_for_owner(unit, None, lambda owner: update_role(owner, slug, data))


@delete(
    ROLE,
    guards=[requires("write")],
    sync_to_thread=True,
    status_code=204,
)
def delete_environment_role(
    unit: Unit, slug: FromPath[str], cascade_delete: FromQuery[bool] = False
) -> Response[None]:
    """Delete a role for all organizations; with `cascade_delete`, with its assignments."""
    return respond_for_owner(
        unit, None, lambda owner: delete_role(owner, slug, cascade=cascade_delete), status=204
    )


@post(f"{ROLE}/permissions", guards=[requires("write")], sync_to_thread=True)
def add_environment_role_permission(
    unit: Unit, slug: FromPath[str], data: JSONBody[AddPermission]
) -> Response[dict[str, Any]]:
    """Add a permission to a role for all organizations."""
    change = changes.EditRole(role=slug, add=(data.slug,))
    return respond_for_owner(unit, None, lambda owner: edit_permissions(owner, change))


@put(f"{ROLE}/permissions", guards=[requires("write")], sync_to_thread=True)
def set_environment_role_permissions(
    unit: Unit, slug: FromPath[str], data: JSONBody[SetPermissions]
) -> Response[dict[str, Any]]:
    """Replace the permissions of a role for all organizations."""
    change = changes.EditRole(role=slug, set=tuple(data.permissions))
    return respond_for_owner(unit, None, lambda owner: edit_permissions(owner, change))


HANDLERS = [
    list_environment_roles,
    create_environment_role,
    get_environment_role,
    update_environment_role,
    delete_environment_role,
    add_environment_role_permission,
    set_environment_role_permissions,
]
