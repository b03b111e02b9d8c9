"""Permissions. They are for all organizations; those that one has of its own are seen by its keys."""

from __future__ import annotations

import re
from typing import Any, Final

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET, Struct, UnsetType

from rescind import changes
from rescind.http.auth import requires
from rescind.http.workos import entries, organizations, shapes
from rescind.http.workos.call import Asked, Call
from rescind.http.workos.entries import text
from rescind.http.workos.envelopes import Key, Paging, Span, page
from rescind.http.workos.errors import Refused, conflict, invalid, not_found
from rescind.http.workos.ids import Kind
from rescind.model import ENVIRONMENT

PATH = "/authorization/permissions"
SLUG: Final = re.compile(r"[a-z0-9:._*-]{1,255}")
NOBODY: Final = -1
"""No organization has this number."""


class CreatePermission(Struct):
    slug: str
    name: str
    description: str | UnsetType | None = UNSET
    resource_type_slug: str | UnsetType = UNSET


class UpdatePermission(Struct):
    name: str | None = None
    description: str | UnsetType | None = UNSET


def owner(call: Call) -> int:
    """Whose permissions a request sees beside those for all."""
    return NOBODY if call.bound is None else call.bound


def shown(call: Call, o: int, slug: str) -> shapes.Row:
    """The row of a permission for all organizations, or of one's own; or not found."""
    rows = call.fetch("show_permission", permission=slug, o=o)
    if not rows:
        raise not_found("Permission", slug)
    return rows[0]


def key_of(call: Call, cursor: str) -> Key:
    """What a cursor of a list of permissions stands for."""
    place = call.ids.place(Kind.PERMISSION, cursor)
    if place is None or not (place.organization == 0 or call.may_see(place.organization)):
        raise Refused(400, "invalid_cursor", "The cursor does not belong to this list.")
    return place.number, 0


def cursor_of(call: Call, row: shapes.Row) -> str:
    """The cursor at a permission."""
    return call.ids.of(Kind.PERMISSION, row[0], row[1])


@get(PATH, guards=[requires("read")], sync_to_thread=True)
def list_permissions(
    call: Asked, window: Paging, organization_id: FromQuery[str | None] = None
) -> dict[str, Any]:
    """The permissions for all organizations, and those of the organization that is named."""
    o = organizations.shown(call, organization_id)[0] if organization_id else owner(call)

    def fetch(span: Span) -> list[Any]:
        return call.fetch(f"page_permissions_{span.direction}", o=o, **span.params())

    return page(
        window,
        key_of=lambda cursor: key_of(call, cursor),
        fetch=fetch,
        cursor_of=lambda row: cursor_of(call, row),
        show=lambda rows: [shapes.permission(call.ids, row) for row in rows],
    )


@post(PATH, guards=[requires("write")], sync_to_thread=True)
def create_permission(call: Asked, data: JSONBody[CreatePermission]) -> Response[dict[str, Any]]:
    """Define a permission for all organizations."""

    def work() -> dict[str, Any]:
        call.require_unbound()
        slug = data.slug
        if not SLUG.fullmatch(slug):
            raise invalid("slug", "use lower-case letters, digits and '-', '_', ':', '.', '*'")
        description = text("description", data.description or "", empty=True)
        change = changes.DefinePermission(permission=slug, description=description)
        if not call.apply(ENVIRONMENT, change).changed:
            raise conflict("permission_slug_taken", f"There is a permission '{slug}' already.")
        row = shown(call, NOBODY, slug)
        entries.made(
            call,
            Kind.PERMISSION,
            0,
            row[1],
            name=text("name", data.name),
            resource_type=resource_type(call, data.resource_type_slug),
        )
        return _told(call, slug, "permission.created")

    return call.write(work, status=201)


def resource_type(call: Call, slug: str | UnsetType, o: int = NOBODY) -> Any:
    """The resource type that something is scoped to. Raises if there is none of the name."""
    if isinstance(slug, UnsetType) or slug == "organization":
        return slug
    if not call.fetch("find_resource_type", type=slug, o=o):
        raise not_found("Resource type", slug)
    return slug


@get(f"{PATH}/{{slug:str}}", guards=[requires("read")], sync_to_thread=True)
def get_permission(call: Asked, slug: FromPath[str]) -> dict[str, Any]:
    """A permission."""
    return shapes.permission(call.ids, shown(call, owner(call), slug))


@patch(f"{PATH}/{{slug:str}}", guards=[requires("write")], sync_to_thread=True)
def update_permission(
    call: Asked, slug: FromPath[str], data: JSONBody[UpdatePermission]
) -> Response[dict[str, Any]]:
    """Change what is given of a permission."""

    def work() -> dict[str, Any]:
        call.require_unbound()
        row = shown(call, NOBODY, slug)
        if not isinstance(data.description, UnsetType):
            description = text("description", data.description or "", empty=True)
            change = changes.EditPermission(permission=slug, description=description)
            call.apply(ENVIRONMENT, change)
        name = UNSET if data.name is None else text("name", data.name)
        entries.touch(call, Kind.PERMISSION, 0, row[1], name=name)
        return _told(call, slug, "permission.updated")

    return call.write(work)


@delete(f"{PATH}/{{slug:str}}", guards=[requires("write")], sync_to_thread=True, status_code=204)
def delete_permission(call: Asked, slug: FromPath[str]) -> Response[None]:
    """Delete a permission, also out of the roles that contain it."""

    def work() -> None:
        call.require_unbound()
        row = shown(call, NOBODY, slug)
        call.apply(ENVIRONMENT, changes.DeletePermission(permission=slug, cascade=True))
        call.fetch("forget_entry", o=0, kind="permission", number=row[1])
        entries.event(call, "permission.deleted", 0, shapes.permission(call.ids, row))

    return call.write(work, status=204)


def _told(call: Call, slug: str, event: str) -> dict[str, Any]:
    result = shapes.permission(call.ids, shown(call, NOBODY, slug))
    entries.event(call, event, 0, result)
    return result


HANDLERS = [
    list_permissions,
    create_permission,
    get_permission,
    update_permission,
    delete_permission,
]
