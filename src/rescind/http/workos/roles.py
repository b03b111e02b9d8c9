"""What can be done with roles, for all organizations or of one. The routes are in `…_roles`."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any, Final

from litestar import Response
from msgspec import UNSET, Struct, UnsetType

from rescind import changes
from rescind.http.workos import entries, organizations, shapes
from rescind.http.workos.call import Call
from rescind.http.workos.entries import text
from rescind.http.workos.errors import conflict, invalid, not_found
from rescind.http.workos.ids import Kind
from rescind.http.workos.permissions import NOBODY, resource_type
from rescind.model import ENVIRONMENT

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


def define(call: Call, owner: Owner, slug: str, data: CreateRole | CreateOrganizationRole) -> Any:
    """Define a role, below the others in priority. Raises a conflict where one has its name."""
    if not SLUG.fullmatch(slug):
        raise invalid("slug", "use lower-case letters, digits, '-' and '_'")
    known = call.fetch("show_roles", o=owner.o or NOBODY, role="")
    if any(row[2] == slug for row in known):
        raise conflict("role_slug_taken", f"There is a role '{slug}' already.")
    lowest = min((row[4] for row in known), default=0)
    scope = resource_type(call, data.resource_type_slug, owner.o or NOBODY)
    change = changes.DefineRole(
        role=slug,
        name=text("name", data.name),
        priority=min(lowest, 0),
        resource_type=None if isinstance(scope, UnsetType) else scope,
    )
    if not call.apply(owner.name, change).changed:
        raise conflict("role_slug_taken", f"There is a role '{slug}' already.")
    number = owner.own(slug)[1]
    description = text("description", data.description, empty=True)
    entries.made(call, Kind.ROLE, owner.o, number, description=description, resource_type=scope)
    return owner.told(slug, "created")


def describe(call: Call, owner: Owner, slug: str, data: UpdateRole) -> Any:
    """Change what is given of a role."""
    number = owner.own(slug)[1]
    if data.name is not None:
        call.apply(owner.name, changes.EditRole(role=slug, name=text("name", data.name)))
    description = text("description", data.description, empty=True)
    entries.touch(call, Kind.ROLE, owner.o, number, description=description)
    return owner.told(slug, "updated")


def edit(call: Call, owner: Owner, change: changes.EditRole) -> Any:
    """Change the permissions of a role, for all who hold it at once."""
    number = owner.own(change.role)[1]
    if not call.apply(owner.name, change).changed:
        return owner.roles(change.role)[0]
    entries.touch(call, Kind.ROLE, owner.o, number)
    return owner.told(change.role, "updated")


def remove(call: Call, owner: Owner, slug: str, *, cascade: bool) -> None:
    """Delete a role; with `cascade`, what was given of it too. Else that is a conflict."""
    number = owner.own(slug)[1]
    told = owner.roles(slug)[0]
    call.apply(owner.name, changes.DeleteRole(role=slug, cascade=cascade))
    call.fetch("forget_entry", o=owner.o, kind="role", number=number)
    owner.tell(told, "deleted")


def written(
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


def new_slug(name: str) -> str:
    """A slug for a role that was given none."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return "-".join(part for part in ("org", words, secrets.token_hex(4)) if part)
