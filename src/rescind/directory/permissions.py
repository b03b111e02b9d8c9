"""Permissions. They are for all organizations; those that one has of its own are seen by its keys."""

from __future__ import annotations

import re
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

from rescind import changes
from rescind.directory import directory_entries, objects
from rescind.directory.directory_entries import text
from rescind.directory.errors import conflict, invalid, invalid_cursor, not_found
from rescind.directory.events import note_event
from rescind.directory.ids import FOR_ALL, NO_ORGANIZATION, Kind
from rescind.directory.objects import Object
from rescind.directory.paging import Key, PagedQuery, Span
from rescind.directory.unit_of_work import UnitOfWork
from rescind.model import ENVIRONMENT, OrganizationNumber
from rescind.store.rows.directory import (
    FIND_RESOURCE_TYPE,
    PAGE_PERMISSIONS_AMONG_ASC,
    PAGE_PERMISSIONS_AMONG_DESC,
    PAGE_PERMISSIONS_ASC,
    PAGE_PERMISSIONS_DESC,
    SHOW_PERMISSION,
    PermissionRow,
)

SLUG: Final = re.compile(r"[a-z0-9:._*-]{1,255}")
_PERMISSIONS: Final = PagedQuery(PAGE_PERMISSIONS_ASC, PAGE_PERMISSIONS_DESC)
_AMONG: Final = PagedQuery(PAGE_PERMISSIONS_AMONG_ASC, PAGE_PERMISSIONS_AMONG_DESC)


class CreatePermission(Struct, forbid_unknown_fields=True):
    slug: str
    name: str
    description: str | UnsetType | None = UNSET
    resource_type_slug: str | UnsetType = UNSET


class UpdatePermission(Struct, forbid_unknown_fields=True):
    name: str | None = None
    description: str | UnsetType | None = UNSET


def visible_owner(unit: UnitOfWork) -> OrganizationNumber:
    """The organization whose permissions a request sees beside those for all organizations."""
    bound = unit.bound_organization
    return NO_ORGANIZATION if bound is None else bound


def find_permission(unit: UnitOfWork, organization: OrganizationNumber, slug: str) -> PermissionRow:
    """A permission for all organizations, or an organization's own. Raises ObjectNotFound."""
    for row in unit.fetch(SHOW_PERMISSION, permission=slug, o=organization):
        return row
    raise not_found("Permission", slug)


def permission_key(unit: UnitOfWork, cursor: str) -> Key:
    """The key of a cursor of a list of permissions. Raises InvalidValue."""
    place = unit.public_ids.place(Kind.PERMISSION, cursor)
    if place is None or not (place.organization == 0 or unit.may_see(place.organization)):
        raise invalid_cursor()
    return place.number, 0


def permission_cursor(unit: UnitOfWork, row: PermissionRow) -> str:
    """The cursor at a permission."""
    return unit.public_ids.of(Kind.PERMISSION, row.organization, row.number)


def page_permissions(
    unit: UnitOfWork, organization: OrganizationNumber, span: Span
) -> list[PermissionRow]:
    """A span of the permissions for all organizations and an organization's own."""
    return unit.fetch(_PERMISSIONS.of(span), o=organization, **span.params())


def page_permissions_among(
    unit: UnitOfWork, organization: OrganizationNumber, slugs: str, span: Span
) -> list[PermissionRow]:
    """A span of the same with some slugs, a JSON list."""
    return unit.fetch(_AMONG.of(span), o=organization, permissions=slugs, **span.params())


def create_permission(unit: UnitOfWork, data: CreatePermission) -> Object:
    """Define a permission for all organizations. Raises Forbidden for a bound key, and Conflict."""
    unit.require_unbound()
    slug = data.slug
    if not SLUG.fullmatch(slug):
        raise invalid("slug", "use lower-case letters, digits and '-', '_', ':', '.', '*'")
    description = text("description", data.description or "", empty=True)
    change = changes.DefinePermission(permission=slug, description=description)
    if not unit.apply(ENVIRONMENT, change).changed:
        raise conflict("permission_slug_taken", f"There is a permission '{slug}' already.")
    row = find_permission(unit, NO_ORGANIZATION, slug)
    directory_entries.create(
        unit,
        Kind.PERMISSION,
        FOR_ALL,
        row.number,
        name=text("name", data.name),
        resource_type=require_resource_type(unit, data.resource_type_slug),
    )
    return _with_event(unit, slug, "permission.created")


def require_resource_type(
    unit: UnitOfWork, slug: str | UnsetType, organization: OrganizationNumber = NO_ORGANIZATION
) -> Any:
    """The slug itself. Raises ObjectNotFound where there is no such resource type."""
    if isinstance(slug, UnsetType) or slug == "organization":
        return slug
    if not unit.fetch(FIND_RESOURCE_TYPE, type=slug, o=organization):
        raise not_found("Resource type", slug)
    return slug


def update_permission(unit: UnitOfWork, slug: str, data: UpdatePermission) -> Object:
    """Change the given fields of a permission."""
    unit.require_unbound()
    row = find_permission(unit, NO_ORGANIZATION, slug)
    if not isinstance(data.description, UnsetType):
        description = text("description", data.description or "", empty=True)
        unit.apply(ENVIRONMENT, changes.EditPermission(permission=slug, description=description))
    name = UNSET if data.name is None else text("name", data.name)
    directory_entries.touch(unit, Kind.PERMISSION, FOR_ALL, row.number, name=name)
    return _with_event(unit, slug, "permission.updated")


def delete_permission(unit: UnitOfWork, slug: str) -> None:
    """Delete a permission, also out of the roles that contain it."""
    unit.require_unbound()
    row = find_permission(unit, NO_ORGANIZATION, slug)
    unit.apply(ENVIRONMENT, changes.DeletePermission(permission=slug, cascade=True))
    directory_entries.remove(unit, Kind.PERMISSION, FOR_ALL, row.number)
    note_event(unit, "permission.deleted", FOR_ALL, objects.permission(unit.public_ids, row))


def _with_event(unit: UnitOfWork, slug: str, event: str) -> Object:
    """The permission as it is now, after noting an event that carries it."""
    row = find_permission(unit, NO_ORGANIZATION, slug)
    result = objects.permission(unit.public_ids, row)
    note_event(unit, event, FOR_ALL, result)
    return result
