"""Resources: the nodes of an organization's tree. The organization itself is one as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET, UnsetType

from rescind import changes, model
from rescind.http.auth import requires
from rescind.http.workos import entries, organizations, shapes, targets
from rescind.http.workos.call import Asked, Call
from rescind.http.workos.entries import text
from rescind.http.workos.envelopes import LAST, Key, Paging, Span, Window, page
from rescind.http.workos.errors import conflict, invalid
from rescind.http.workos.ids import Kind
from rescind.http.workos.targets import Parent

PATH = "/authorization/resources"
BY_ID = f"{PATH}/{{resource_id:str}}"
BY_EXTERNAL_ID = (
    "/authorization/organizations/{organization_id:str}"
    "/resources/{resource_type_slug:str}/{external_id:str}"
)


class CreateResource(Parent, kw_only=True):
    external_id: str
    name: str
    resource_type_slug: str
    organization_id: str
    description: str | UnsetType | None = UNSET


class UpdateResource(Parent, kw_only=True):
    name: str | None = None
    description: str | UnsetType | None = UNSET


@get(PATH, guards=[requires("read")], sync_to_thread=True)
def list_resources(
    call: Asked,
    window: Paging,
    organization_id: FromQuery[str | None] = None,
    resource_type_slug: FromQuery[str | None] = None,
    resource_external_id: FromQuery[str | None] = None,
    parent_resource_id: FromQuery[str | None] = None,
    parent_resource_type_slug: FromQuery[str | None] = None,
    parent_external_id: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """Resources of an organization or of all, perhaps of a type, with an external id, below a parent."""
    o = organizations.shown(call, organization_id)[0] if organization_id else call.bound
    parent = None
    if parent_resource_id:
        parent = targets.by_id(call, parent_resource_id)
        if o not in (None, parent[0]):
            return page_of(call, window, lambda _: [])
        o = parent[0]
    elif parent_resource_type_slug and parent_external_id:
        if o is None:
            raise invalid("organization_id", "name it, for a parent by its external id")
        parent = targets.by_external_id(call, o, parent_resource_type_slug, parent_external_id)
    type_slug = f"{resource_type_slug}:" if resource_type_slug else ""
    names = {
        "parent": None if parent is None else parent[1],
        "type": type_slug,
        "type_end": type_slug[:-1] + ";",
        "external_id": resource_external_id or "",
    }

    def fetch(span: Span) -> list[Any]:
        (low_o, low), (high_o, high) = span.low, span.high
        if o is not None:
            low_o, low = max((low_o, low), (o, 0))
            high_o, high = min((high_o, high), (o, LAST))
        bounds = {"low_o": low_o, "low": low, "high_o": high_o, "high": high}
        query = f"page_resources_{span.direction}"
        return call.fetch(query, limit=span.limit, **bounds, **names)

    return page_of(call, window, fetch)


def page_of(
    call: Call,
    window: Window,
    fetch: Callable[[Span], list[Any]],
    key: Callable[[int, int], Key] = lambda o, r: (o, r),
) -> dict[str, Any]:
    """A page of resources."""

    def key_of(cursor: str) -> Key:
        place = call.cursor(Kind.RESOURCE, cursor)
        return key(place.organization, place.number)

    return page(
        window,
        key_of=key_of,
        fetch=fetch,
        cursor_of=lambda row: call.ids.of(Kind.RESOURCE, row[0], row[1]),
        show=lambda rows: [shapes.resource(call.ids, row) for row in rows],
    )


@post(PATH, guards=[requires("write")], sync_to_thread=True)
def create_resource(call: Asked, data: JSONBody[CreateResource]) -> Response[dict[str, Any]]:
    """Create a resource below another, or below the organization."""

    def work() -> dict[str, Any]:
        o, slug, *_ = organizations.shown(call, data.organization_id)
        public_id = entries.chosen_id(call, Kind.RESOURCE)
        name = model.resource_id(f"{data.resource_type_slug}:{data.external_id}")
        parent = _parent(call, o, data)
        call.lock(o)
        taken = f"There is a {data.resource_type_slug} '{data.external_id}' already."
        if call.fetch("show_resource_named", o=o, resource=name):
            raise conflict("resource_already_exists", taken)
        call.apply(slug, changes.CreateResource(resource=name, parent=parent))
        ((_, r, *_),) = call.fetch("show_resource_named", o=o, resource=name)
        entries.made(
            call,
            Kind.RESOURCE,
            o,
            r,
            public_id=public_id,
            name=text("name", data.name),
            description=text("description", data.description, empty=True),
        )
        return _as_is(call, o, r)

    return call.write(work, status=201)


def _parent(call: Call, o: int, data: Parent) -> str | None:
    """The name of the parent in the core, if one is named."""
    target = data.target()
    return None if target is None else str(targets.resource(call, o, target)[2])


def _as_is(call: Call, o: int, r: int) -> dict[str, Any]:
    return shapes.resource(call.ids, call.fetch("show_resource", o=o, r=r)[0])


def _update(call: Call, row: shapes.Row, data: UpdateResource) -> dict[str, Any]:
    o, r, name, *_ = row
    if r == 0:
        raise invalid("resource_id", "the organization itself is updated as one")
    parent = _parent(call, o, data)
    if parent is not None:
        call.apply(_name(call, o), changes.MoveResource(resource=name, parent=parent))
    entries.touch(
        call,
        Kind.RESOURCE,
        o,
        r,
        name=UNSET if data.name is None else text("name", data.name),
        description=text("description", data.description, empty=True),
    )
    return _as_is(call, o, r)


def _delete(call: Call, row: shapes.Row, *, cascade: bool) -> None:
    o, r, name, *_ = row
    if r == 0:
        raise invalid("resource_id", "the organization itself is deleted as one")
    call.apply(_name(call, o), changes.DeleteResource(resource=name, cascade=cascade))
    if cascade:
        call.fetch("forget_entries_of_resources", o=o)
    else:
        call.fetch("forget_entry", o=o, kind="resource", number=r)


def _name(call: Call, o: int) -> str:
    return str(organizations.row_of(call, o, "")[1])


@get(BY_ID, guards=[requires("read")], sync_to_thread=True)
def get_resource(call: Asked, resource_id: FromPath[str]) -> dict[str, Any]:
    """A resource."""
    return shapes.resource(call.ids, targets.by_id(call, resource_id))


@patch(BY_ID, guards=[requires("write")], sync_to_thread=True)
def update_resource(
    call: Asked, resource_id: FromPath[str], data: JSONBody[UpdateResource]
) -> Response[dict[str, Any]]:
    """Change what is given of a resource; with a parent, move it there with all below it."""
    return call.write(lambda: _update(call, targets.by_id(call, resource_id), data))


@delete(BY_ID, guards=[requires("write")], sync_to_thread=True, status_code=204)
def delete_resource(
    call: Asked, resource_id: FromPath[str], cascade_delete: FromQuery[bool] = False
) -> Response[None]:
    """Delete a resource; with `cascade_delete`, also what is below it and given on it."""

    def work() -> None:
        _delete(call, targets.by_id(call, resource_id), cascade=cascade_delete)

    return call.write(work, status=204)


@get(BY_EXTERNAL_ID, guards=[requires("read")], sync_to_thread=True)
def get_resource_by_external_id(
    call: Asked,
    organization_id: FromPath[str],
    resource_type_slug: FromPath[str],
    external_id: FromPath[str],
) -> dict[str, Any]:
    """A resource by its external id."""
    row = targets.of_organization(call, organization_id, resource_type_slug, external_id)
    return shapes.resource(call.ids, row)


@patch(BY_EXTERNAL_ID, guards=[requires("write")], sync_to_thread=True)
def update_resource_by_external_id(
    call: Asked,
    organization_id: FromPath[str],
    resource_type_slug: FromPath[str],
    external_id: FromPath[str],
    data: JSONBody[UpdateResource],
) -> Response[dict[str, Any]]:
    """Change what is given of a resource, by its external id."""

    def work() -> dict[str, Any]:
        row = targets.of_organization(call, organization_id, resource_type_slug, external_id)
        return _update(call, row, data)

    return call.write(work)


@delete(BY_EXTERNAL_ID, guards=[requires("write")], sync_to_thread=True, status_code=204)
def delete_resource_by_external_id(
    call: Asked,
    organization_id: FromPath[str],
    resource_type_slug: FromPath[str],
    external_id: FromPath[str],
    cascade_delete: FromQuery[bool] = False,
) -> Response[None]:
    """Delete a resource by its external id."""

    def work() -> None:
        row = targets.of_organization(call, organization_id, resource_type_slug, external_id)
        _delete(call, row, cascade=cascade_delete)

    return call.write(work, status=204)


HANDLERS = [
    list_resources,
    create_resource,
    get_resource,
    update_resource,
    delete_resource,
    get_resource_by_external_id,
    update_resource_by_external_id,
    delete_resource_by_external_id,
]
