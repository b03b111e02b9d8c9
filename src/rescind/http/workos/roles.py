"""Roles: for all organizations (environment roles), and of one (custom roles). Always in priority order."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any, Final

from litestar import Response, delete, get, patch, post, put
from msgspec import UNSET, Struct, UnsetType

from rescind import changes
from rescind.http.auth import requires
from rescind.http.workos import entries, organizations, shapes
from rescind.http.workos.call import Call
from rescind.http.workos.entries import text
from rescind.http.workos.errors import conflict, invalid, not_found
from rescind.http.workos.ids import Kind
from rescind.http.workos.permissions import NOBODY, resource_type
from rescind.model import ENVIRONMENT

ENVIRONMENT_PATH = "/authorization/roles"
ORGANIZATION_PATH = "/authorization/organizations/{organization_id:str}/roles"
SLUG: Final = re.compile(r"[a-z0-9_-]{1,255}")


class CreateRole(Struct):
    slug: str
    name: str
    description: str | UnsetType | None = UNSET
    resource_type_slug: str | UnsetType = UNSET


class CreateOrganizationRole(Struct):
    name: str
    slug: str | None = None
    description: str | UnsetType | None = UNSET
    resource_type_slug: str | UnsetType = UNSET


class UpdateRole(Struct):
    name: str | None = None
    description: str | UnsetType | None = UNSET


class AddPermission(Struct):
    slug: str


class SetPermissions(Struct):
    permissions: list[str]


class Owner:
    """Whose role a request is about: an organization's, or that of all of them."""

    def __init__(self, call: Call, organization_id: str | None) -> None:
        self.call = call
        self.o, self.name, self.organization_id = 0, str(ENVIRONMENT), organization_id
        if organization_id is not None:
            self.o, self.name, *_ = organizations.shown(call, organization_id)

    def roles(self, slug: str = "") -> list[dict[str, Any]]:
        """The roles that apply: its own and those for all organizations, or the one of a name."""
        call, o = self.call, self.o or NOBODY
        permissions: dict[int, list[str]] = {}
        for role, permission in call.fetch("read_role_permissions", o=o):
            permissions.setdefault(role, []).append(permission)
        rows = call.fetch("show_roles", o=o, role=slug)
        return [shapes.role(call.ids, row, permissions.get(row[1], [])) for row in rows]

    def own(self, slug: str) -> shapes.Row:
        """The row of a role of its own, or not found."""
        rows = self.call.fetch("show_roles", o=self.o or NOBODY, role=slug)
        for row in rows:
            if row[0] == self.o:
                return row
        raise not_found("Role", slug)

    def told(self, slug: str, what: str) -> dict[str, Any]:
        """The role as it is now, after an event that tells it."""
        (result,) = (role for role in self.roles(slug) if self._is_own(role))
        self.tell(result, what)
        return result

    def tell(self, role: dict[str, Any], what: str) -> None:
        """Tell that a role was created, updated or deleted."""
        if self.o == 0:
            entries.event(self.call, f"role.{what}", 0, role)
            return
        data = {**role, "object": "organization_role", "organization_id": self.organization_id}
        entries.event(self.call, f"organization_role.{what}", self.o, data)

    def _is_own(self, role: dict[str, Any]) -> bool:
        is_of_environment = bool(role["type"] == "EnvironmentRole")
        return is_of_environment is (self.o == 0)


def _create(call: Call, owner: Owner, slug: str, data: CreateRole | CreateOrganizationRole) -> Any:
    if not SLUG.fullmatch(slug):
        raise invalid("slug", "use lower-case letters, digits, '-' and '_'")
    known = call.fetch("show_roles", o=owner.o or NOBODY, role="")
    if any(row[2] == slug for row in known):
        raise conflict("role_slug_taken", f"There is a role '{slug}' already.")
    lowest = min((row[4] for row in known), default=0)
    change = changes.DefineRole(role=slug, name=text("name", data.name), priority=min(lowest, 0))
    scope = resource_type(call, data.resource_type_slug, owner.o or NOBODY)
    if not call.apply(owner.name, change).changed:
        raise conflict("role_slug_taken", f"There is a role '{slug}' already.")
    number = owner.own(slug)[1]
    description = text("description", data.description, empty=True)
    entries.made(call, Kind.ROLE, owner.o, number, description=description, resource_type=scope)
    return owner.told(slug, "created")


def _update(call: Call, owner: Owner, slug: str, data: UpdateRole) -> Any:
    number = owner.own(slug)[1]
    if data.name is not None:
        call.apply(owner.name, changes.EditRole(role=slug, name=text("name", data.name)))
    description = text("description", data.description, empty=True)
    entries.touch(call, Kind.ROLE, owner.o, number, description=description)
    return owner.told(slug, "updated")


def _edit(call: Call, owner: Owner, change: changes.EditRole) -> Any:
    number = owner.own(change.role)[1]
    if not call.apply(owner.name, change).changed:
        return owner.roles(change.role)[0]
    entries.touch(call, Kind.ROLE, owner.o, number)
    return owner.told(change.role, "updated")


def _delete(call: Call, owner: Owner, slug: str, *, cascade: bool) -> None:
    number = owner.own(slug)[1]
    told = owner.roles(slug)[0]
    call.apply(owner.name, changes.DeleteRole(role=slug, cascade=cascade))
    call.fetch("forget_entry", o=owner.o, kind="role", number=number)
    owner.tell(told, "deleted")


def _write(
    call: Call,
    organization_id: str | None,
    work: Callable[[Owner], Any],
    *,
    status: int = 200,
) -> Response[Any]:
    """A write to the roles of an owner. Those for all organizations need a key that is for all."""

    def owned() -> Any:
        if organization_id is None:
            call.require_unbound()
        return work(Owner(call, organization_id))

    return call.write(owned, status=status)


# --- environment roles ----------------------------------------------------------------------------


@get(ENVIRONMENT_PATH, guards=[requires("read")], sync_to_thread=True)
def list_environment_roles(call: Call) -> dict[str, Any]:
    """All roles for all organizations."""
    return {"object": "list", "data": Owner(call, None).roles()}


@post(ENVIRONMENT_PATH, guards=[requires("write")], sync_to_thread=True)
def create_environment_role(call: Call, data: CreateRole) -> Response[dict[str, Any]]:
    """Define a role for all organizations, below the others in priority."""
    return _write(call, None, lambda owner: _create(call, owner, data.slug, data), status=201)


@get(f"{ENVIRONMENT_PATH}/{{slug:str}}", guards=[requires("read")], sync_to_thread=True)
def get_environment_role(call: Call, slug: str) -> dict[str, Any]:
    """A role for all organizations."""
    owner = Owner(call, None)
    owner.own(slug)
    return owner.roles(slug)[0]


@patch(f"{ENVIRONMENT_PATH}/{{slug:str}}", guards=[requires("write")], sync_to_thread=True)
def update_environment_role(call: Call, slug: str, data: UpdateRole) -> Response[dict[str, Any]]:
    """Change what is given of a role for all organizations."""
    return _write(call, None, lambda owner: _update(call, owner, slug, data))


@delete(
    f"{ENVIRONMENT_PATH}/{{slug:str}}",
    guards=[requires("write")],
    sync_to_thread=True,
    status_code=204,
)
def delete_environment_role(call: Call, slug: str, cascade_delete: bool = False) -> Response[None]:
    """Delete a role for all organizations; with `cascade_delete`, take it from everybody."""
    return _write(
        call, None, lambda owner: _delete(call, owner, slug, cascade=cascade_delete), status=204
    )


@post(
    f"{ENVIRONMENT_PATH}/{{slug:str}}/permissions", guards=[requires("write")], sync_to_thread=True
)
def add_environment_role_permission(
    call: Call, slug: str, data: AddPermission
) -> Response[dict[str, Any]]:
    """Add a permission to a role for all organizations."""
    change = changes.EditRole(role=slug, add=(data.slug,))
    return _write(call, None, lambda owner: _edit(call, owner, change))


@put(
    f"{ENVIRONMENT_PATH}/{{slug:str}}/permissions", guards=[requires("write")], sync_to_thread=True
)
def set_environment_role_permissions(
    call: Call, slug: str, data: SetPermissions
) -> Response[dict[str, Any]]:
    """Make the permissions of a role for all organizations exactly these."""
    change = changes.EditRole(role=slug, set=tuple(data.permissions))
    return _write(call, None, lambda owner: _edit(call, owner, change))


# --- custom roles ---------------------------------------------------------------------------------


@get(ORGANIZATION_PATH, guards=[requires("read")], sync_to_thread=True)
def list_organization_roles(call: Call, organization_id: str) -> dict[str, Any]:
    """All roles that apply to an organization: its own and those for all."""
    return {"object": "list", "data": Owner(call, organization_id).roles()}


@post(ORGANIZATION_PATH, guards=[requires("write")], sync_to_thread=True)
def create_organization_role(
    call: Call, organization_id: str, data: CreateOrganizationRole
) -> Response[dict[str, Any]]:
    """Define a role of an organization, below the others in priority."""
    slug = data.slug or _slug(data.name)
    if not slug.startswith("org-"):
        raise invalid("slug", "start it with 'org-'")
    return _write(call, organization_id, lambda owner: _create(call, owner, slug, data), status=201)


def _slug(name: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return "-".join(part for part in ("org", words, secrets.token_hex(4)) if part)


@get(f"{ORGANIZATION_PATH}/{{slug:str}}", guards=[requires("read")], sync_to_thread=True)
def get_organization_role(call: Call, organization_id: str, slug: str) -> dict[str, Any]:
    """A role that applies to an organization."""
    for role in Owner(call, organization_id).roles(slug):
        return role
    raise not_found("Role", slug)


@patch(f"{ORGANIZATION_PATH}/{{slug:str}}", guards=[requires("write")], sync_to_thread=True)
def update_organization_role(
    call: Call, organization_id: str, slug: str, data: UpdateRole
) -> Response[dict[str, Any]]:
    """Change what is given of a role of an organization."""
    return _write(call, organization_id, lambda owner: _update(call, owner, slug, data))


@delete(
    f"{ORGANIZATION_PATH}/{{slug:str}}",
    guards=[requires("write")],
    sync_to_thread=True,
    status_code=204,
)
def delete_organization_role(
    call: Call, organization_id: str, slug: str, cascade_delete: bool = False
) -> Response[None]:
    """Delete a role of an organization; with `cascade_delete`, take it from everybody."""
    return _write(
        call,
        organization_id,
        lambda owner: _delete(call, owner, slug, cascade=cascade_delete),
        status=204,
    )


@post(
    f"{ORGANIZATION_PATH}/{{slug:str}}/permissions", guards=[requires("write")], sync_to_thread=True
)
def add_organization_role_permission(
    call: Call, organization_id: str, slug: str, data: AddPermission
) -> Response[dict[str, Any]]:
    """Add a permission to a role of an organization."""
    change = changes.EditRole(role=slug, add=(data.slug,))
    return _write(call, organization_id, lambda owner: _edit(call, owner, change))


@put(
    f"{ORGANIZATION_PATH}/{{slug:str}}/permissions", guards=[requires("write")], sync_to_thread=True
)
def set_organization_role_permissions(
    call: Call, organization_id: str, slug: str, data: SetPermissions
) -> Response[dict[str, Any]]:
    """Make the permissions of a role of an organization exactly these."""
    change = changes.EditRole(role=slug, set=tuple(data.permissions))
    return _write(call, organization_id, lambda owner: _edit(call, owner, change))


@delete(
    f"{ORGANIZATION_PATH}/{{slug:str}}/permissions/{{permission_slug:str}}",
    guards=[requires("write")],
    sync_to_thread=True,
    status_code=200,
)
def remove_organization_role_permission(
    call: Call, organization_id: str, slug: str, permission_slug: str
) -> Response[dict[str, Any]]:
    """Take a permission out of a role of an organization."""
    change = changes.EditRole(role=slug, remove=(permission_slug,))
    return _write(call, organization_id, lambda owner: _edit(call, owner, change))


HANDLERS = [
    list_environment_roles,
    create_environment_role,
    get_environment_role,
    update_environment_role,
    delete_environment_role,
    add_environment_role_permission,
    set_environment_role_permissions,
    list_organization_roles,
    create_organization_role,
    get_organization_role,
    update_organization_role,
    delete_organization_role,
    add_organization_role_permission,
    set_organization_role_permissions,
    remove_organization_role_permission,
]
