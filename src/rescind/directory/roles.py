"""Roles for all organizations, or of one: what can be read of them and done with them."""

from __future__ import annotations

import re
import secrets
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from rescind import changes
from rescind.directory import directory_entries, objects, organizations
from rescind.directory.directory_entries import text
from rescind.directory.errors import conflict, invalid, not_found
from rescind.directory.events import note_event
from rescind.directory.ids import FOR_ALL, NO_ORGANIZATION, Kind
from rescind.directory.objects import Object
from rescind.directory.permissions import require_resource_type
from rescind.directory.unit_of_work import UnitOfWork
from rescind.model import ENVIRONMENT
from rescind.store.rows.directory import SHOW_ROLES, RoleRow
from rescind.store.rows.facts import READ_ROLE_PERMISSIONS

SLUG: Final = re.compile(r"[a-z0-9_-]{1,255}")


class CreateRole(Struct, forbid_unknown_fields=True):
    slug: str
    name: str
    description: str | UnsetType | None = UNSET
    resource_type_slug: str | UnsetType = UNSET


class CreateOrganizationRole(Struct, forbid_unknown_fields=True):
    name: str
    slug: str | None = None
    description: str | UnsetType | None = UNSET
    resource_type_slug: str | UnsetType = UNSET


class UpdateRole(Struct, forbid_unknown_fields=True):
    name: str | None = None
    description: str | UnsetType | None = UNSET


class AddPermission(Struct, forbid_unknown_fields=True):
    slug: str


class SetPermissions(Struct, forbid_unknown_fields=True):
    permissions: list[str]


class RoleOwner:
    """Whose roles a request is about: an organization's, or those for all organizations."""

    def __init__(self, unit: UnitOfWork, organization_id: str | None) -> None:
        self.unit = unit
        self.number, self.slug, self.organization_id = FOR_ALL, str(ENVIRONMENT), organization_id
        if organization_id is not None:
            found = organizations.find_organization(unit, organization_id)
            self.number, self.slug = found.organization, found.slug

    def roles(self, slug: str = "") -> list[Object]:
        """The roles that apply: its own and those for all organizations, or those of a slug."""
        permissions: dict[int, list[str]] = {}
        owner = self.number or NO_ORGANIZATION
        for row in self.unit.fetch(READ_ROLE_PERMISSIONS, o=owner):
            permissions.setdefault(row.role, []).append(row.permission)
        rows = self.rows(slug)
        ids = self.unit.public_ids
        return [objects.role(ids, row, permissions.get(row.number, [])) for row in rows]

    def rows(self, slug: str = "") -> list[RoleRow]:
        """The same, as rows."""
        owner = self.number or NO_ORGANIZATION
        return self.unit.fetch(SHOW_ROLES, o=owner, role=slug)

    def find_own(self, slug: str) -> RoleRow:
        """A role of its own. Raises ObjectNotFound."""
        for row in self.rows(slug):
            if row.organization == self.number:
                return row
        raise not_found("Role", slug)

    def with_event(self, slug: str, what: str) -> Object:
        """The role as it is now, after noting an event that carries it."""
        (result,) = (role for role in self.roles(slug) if self._is_own(role))
        self.note(result, what)
        return result

    def note(self, role: Object, what: str) -> None:
        """Note the event that a role was created, updated or deleted."""
        if self.number == 0:
            note_event(self.unit, f"role.{what}", FOR_ALL, role)
            return
        data = {**role, "object": "organization_role", "organization_id": self.organization_id}
        note_event(self.unit, f"organization_role.{what}", self.number, data)

    def _is_own(self, role: Object) -> bool:
        is_of_environment = bool(role["type"] == "EnvironmentRole")
        return is_of_environment is (self.number == 0)


def create_role(owner: RoleOwner, slug: str, data: CreateRole | CreateOrganizationRole) -> Object:
    """Define a role, below the others in priority. Raises Conflict where one has its slug."""
    if not SLUG.fullmatch(slug):
        raise invalid("slug", "use lower-case letters, digits, '-' and '_'")
    known = owner.rows()
    if any(row.slug == slug for row in known):
        raise conflict("role_slug_taken", f"There is a role '{slug}' already.")
    lowest = min((row.priority for row in known), default=0)
    number = owner.number
    scope = require_resource_type(owner.unit, data.resource_type_slug, number or NO_ORGANIZATION)
    change = changes.DefineRole(
        role=slug,
        name=text("name", data.name),
        priority=min(lowest, 0),
        resource_type=None if isinstance(scope, UnsetType) else scope,
    )
    if not owner.unit.apply(owner.slug, change).changed:
        raise conflict("role_slug_taken", f"There is a role '{slug}' already.")
    role = owner.find_own(slug).number
    description = text("description", data.description, empty=True)
    directory_entries.create(
        owner.unit, Kind.ROLE, number, role, description=description, resource_type=scope
    )
    return owner.with_event(slug, "created")


def update_role(owner: RoleOwner, slug: str, data: UpdateRole) -> Object:
    """Change the given fields of a role."""
    number = owner.find_own(slug).number
    if data.name is not None:
        change = changes.EditRole(role=slug, name=text("name", data.name))
        owner.unit.apply(owner.slug, change)
    description = text("description", data.description, empty=True)
    directory_entries.touch(owner.unit, Kind.ROLE, owner.number, number, description=description)
    return owner.with_event(slug, "updated")


def edit_permissions(owner: RoleOwner, change: changes.EditRole) -> Object:
    """Change the permissions of a role, for all who hold it at once."""
    number = owner.find_own(change.role).number
    if not owner.unit.apply(owner.slug, change).changed:
        return owner.roles(change.role)[0]
    directory_entries.touch(owner.unit, Kind.ROLE, owner.number, number)
    return owner.with_event(change.role, "updated")


def delete_role(owner: RoleOwner, slug: str, *, cascade: bool) -> None:
    """Delete a role; with `cascade` its assignments too. Raises RoleInUse without."""
    number = owner.find_own(slug).number
    deleted = owner.roles(slug)[0]
    owner.unit.apply(owner.slug, changes.DeleteRole(role=slug, cascade=cascade))
    directory_entries.remove(owner.unit, Kind.ROLE, owner.number, number)
    owner.note(deleted, "deleted")


def new_slug(name: str) -> str:
    """A slug for a role that was given none."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return "-".join(part for part in ("org", words, secrets.token_hex(4)) if part)
