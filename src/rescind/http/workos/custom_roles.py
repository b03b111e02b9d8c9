"""Roles of one organization (WorkOS: custom roles), in priority order."""

from __future__ import annotations

from typing import Any

from litestar import Response, delete, get, patch, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from rescind import changes
from rescind.directory.errors import invalid, not_found
from rescind.directory.roles import (
    AddPermission,
    CreateOrganizationRole,
    RoleOwner,
    SetPermissions,
    UpdateRole,
    create_role,
    delete_role,
    edit_permissions,
    new_slug,
    update_role,
)
from rescind.http.auth import requires
from rescind.http.workos.responses import Unit
from rescind.http.workos.roles import respond_for_owner

PATH = "/authorization/organizations/{organization_id:str}/roles"
ROLE = f"{PATH}/{{slug:str}}"


@get(PATH, guards=[requires("read")], sync_to_thread=True)
def list_organization_roles(unit: Unit, organization_id: FromPath[str]) -> dict[str, Any]:
    """All roles that apply to an organization: its own and those for all organizations."""
    return {"object": "list", "data": RoleOwner(unit, organization_id).roles()}


@post(PATH, guards=[requires("write")], sync_to_thread=True)
def create_organization_role(
    unit: Unit, organization_id: FromPath[str], data: JSONBody[CreateOrganizationRole]
) -> Response[dict[str, Any]]:
    """Define a role of an organization, below the others in priority."""
    slug = data.slug or new_slug(data.name)
    if not slug.startswith("org-"):
        raise invalid("slug", "start it with 'org-'")
    return respond_for_owner(
        unit, organization_id, lambda owner: create_role(owner, slug, data), status=201
    )


@get(ROLE, guards=[requires("read")], sync_to_thread=True)
def get_organization_role(
    unit: Unit, organization_id: FromPath[str], slug: FromPath[str]
) -> dict[str, Any]:
    """A role that applies to an organization."""
    for role in RoleOwner(unit, organization_id).roles(slug):
        return role
    raise not_found("Role", slug)


@patch(ROLE, guards=[requires("write")], sync_to_thread=True)
def update_organization_role(
    unit: Unit, organization_id: FromPath[str], slug: FromPath[str], data: JSONBody[UpdateRole]
) -> Response[dict[str, Any]]:
    """Change the given fields of a role of an organization."""
    return respond_for_owner(unit, organization_id, lambda owner: update_role(owner, slug, data))


@delete(
    ROLE,
    guards=[requires("write")],
    sync_to_thread=True,
    status_code=204,
)
def delete_organization_role(
    unit: Unit,
    organization_id: FromPath[str],
    slug: FromPath[str],
    cascade_delete: FromQuery[bool] = False,
) -> Response[None]:
    """Delete a role of an organization; with `cascade_delete`, with its assignments."""
    return respond_for_owner(
        unit,
        organization_id,
        lambda owner: delete_role(owner, slug, cascade=cascade_delete),
        status=204,
    )


@post(f"{ROLE}/permissions", guards=[requires("write")], sync_to_thread=True)
def add_organization_role_permission(
    unit: Unit, organization_id: FromPath[str], slug: FromPath[str], data: JSONBody[AddPermission]
) -> Response[dict[str, Any]]:
    """Add a permission to a role of an organization."""
    change = changes.EditRole(role=slug, add=(data.slug,))
    return respond_for_owner(unit, organization_id, lambda owner: edit_permissions(owner, change))


@put(f"{ROLE}/permissions", guards=[requires("write")], sync_to_thread=True)
def set_organization_role_permissions(
    unit: Unit, organization_id: FromPath[str], slug: FromPath[str], data: JSONBody[SetPermissions]
) -> Response[dict[str, Any]]:
    """Replace the permissions of a role of an organization."""
    change = changes.EditRole(role=slug, set=tuple(data.permissions))
    return respond_for_owner(unit, organization_id, lambda owner: edit_permissions(owner, change))


@delete(
    f"{ROLE}/permissions/{{permission_slug:str}}",
    guards=[requires("write")],
    sync_to_thread=True,
    status_code=200,
)
def remove_organization_role_permission(
    unit: Unit, organization_id: FromPath[str], slug: FromPath[str], permission_slug: FromPath[str]
) -> Response[dict[str, Any]]:
    """Remove a permission from a role of an organization."""
    change = changes.EditRole(role=slug, remove=(permission_slug,))
    return respond_for_owner(unit, organization_id, lambda owner: edit_permissions(owner, change))


HANDLERS = [
    list_organization_roles,
    create_organization_role,
    get_organization_role,
    update_organization_role,
    delete_organization_role,
    add_organization_role_permission,
    set_organization_role_permissions,
    remove_organization_role_permission,
]
