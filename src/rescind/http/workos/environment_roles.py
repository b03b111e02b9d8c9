"""Roles for all organizations (WorkOS: environment roles), in priority order."""

from __future__ import annotations

from typing import Any

from litestar import Response, delete, get, patch, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from rescind import changes
from rescind.http.auth import requires
from rescind.http.workos.call import Asked
from rescind.http.workos.roles import (
    AddPermission,
    CreateRole,
    Owner,
    SetPermissions,
    UpdateRole,
    define,
    describe,
    edit,
    remove,
    written,
)

PATH = "/authorization/roles"
ROLE = f"{PATH}/{{slug:str}}"


@get(PATH, guards=[requires("read")], sync_to_thread=True)
def list_environment_roles(call: Asked) -> dict[str, Any]:
    """All roles for all organizations."""
    return {"object": "list", "data": Owner(call, None).roles()}


@post(PATH, guards=[requires("write")], sync_to_thread=True)
def create_environment_role(call: Asked, data: JSONBody[CreateRole]) -> Response[dict[str, Any]]:
    """Define a role for all organizations, below the others in priority."""
    return written(call, None, lambda owner: define(call, owner, data.slug, data), status=201)


@get(ROLE, guards=[requires("read")], sync_to_thread=True)
def get_environment_role(call: Asked, slug: FromPath[str]) -> dict[str, Any]:
    """A role for all organizations."""
    owner = Owner(call, None)
    owner.own(slug)
    return owner.roles(slug)[0]


@patch(ROLE, guards=[requires("write")], sync_to_thread=True)
def update_environment_role(
    call: Asked, slug: FromPath[str], data: JSONBody[UpdateRole]
) -> Response[dict[str, Any]]:
    """Change what is given of a role for all organizations."""
    return written(call, None, lambda owner: describe(call, owner, slug, data))


@delete(
    ROLE,
    guards=[requires("write")],
    sync_to_thread=True,
    status_code=204,
)
def delete_environment_role(
    call: Asked, slug: FromPath[str], cascade_delete: FromQuery[bool] = False
) -> Response[None]:
    """Delete a role for all organizations; with `cascade_delete`, take it from everybody."""
    return written(
        call, None, lambda owner: remove(call, owner, slug, cascade=cascade_delete), status=204
    )


@post(f"{ROLE}/permissions", guards=[requires("write")], sync_to_thread=True)
def add_environment_role_permission(
    call: Asked, slug: FromPath[str], data: JSONBody[AddPermission]
) -> Response[dict[str, Any]]:
    """Add a permission to a role for all organizations."""
    change = changes.EditRole(role=slug, add=(data.slug,))
    return written(call, None, lambda owner: edit(call, owner, change))


@put(f"{ROLE}/permissions", guards=[requires("write")], sync_to_thread=True)
def set_environment_role_permissions(
    call: Asked, slug: FromPath[str], data: JSONBody[SetPermissions]
) -> Response[dict[str, Any]]:
    """Make the permissions of a role for all organizations exactly these."""
    change = changes.EditRole(role=slug, set=tuple(data.permissions))
    return written(call, None, lambda owner: edit(call, owner, change))


HANDLERS = [
    list_environment_roles,
    create_environment_role,
    get_environment_role,
    update_environment_role,
    delete_environment_role,
    add_environment_role_permission,
    set_environment_role_permissions,
]
