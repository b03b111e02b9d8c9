"""Routes of resources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody

from rescind.directory import objects, organizations, resources, targets
from rescind.directory.errors import invalid
from rescind.directory.ids import Kind
from rescind.directory.paging import Key, Span
from rescind.directory.resources import CreateResource, ResourceFilter, UpdateResource
from rescind.directory.unit_of_work import UnitOfWork
from rescind.http.auth import requires
from rescind.http.workos.envelopes import Paging, Window, page
from rescind.http.workos.responses import Unit, respond_with
from rescind.store.rows.directory import ResourceRow

PATH: Final = "/authorization/resources"
BY_ID: Final = f"{PATH}/{{resource_id:str}}"
BY_EXTERNAL_ID: Final = (
    "/authorization/organizations/{organization_id:str}"
    "/resources/{resource_type_slug:str}/{external_id:str}"
)


@get(PATH, guards=[requires("read")], sync_to_thread=True)
def list_resources(
    unit: Unit,
    window: Paging,
    organization_id: FromQuery[str | None] = None,
    resource_type_slug: FromQuery[str | None] = None,
    resource_external_id: FromQuery[str | None] = None,
    parent_resource_id: FromQuery[str | None] = None,
    parent_resource_type_slug: FromQuery[str | None] = None,
    parent_external_id: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """Resources of one organization or all, filtered by type, external id or parent."""
    o = unit.bound_organization
    if organization_id:
        o = organizations.find_organization(unit, organization_id).organization
    parent = None
    if parent_resource_id:
        parent = targets.find_by_id(unit, parent_resource_id)
        if o not in (None, parent.organization):
            return page_resources(unit, window, lambda _: [])
        o = parent.organization
    elif parent_resource_type_slug and parent_external_id:
        if o is None:
            raise invalid("organization_id", "name it, for a parent by its external id")
        parent = targets.find_by_external_id(unit, o, parent_resource_type_slug, parent_external_id)
    wanted = ResourceFilter(
        parent=None if parent is None else parent.number,
        type_slug=resource_type_slug,
        external_id=resource_external_id,
    )
    return page_resources(
        unit, window, lambda span: resources.page_resources(unit, o, wanted, span)
    )


def page_resources(
    unit: UnitOfWork,
    window: Window,
    fetch: Callable[[Span], list[ResourceRow]],
    key: Callable[[int, int], Key] = lambda o, r: (o, r),
) -> dict[str, Any]:
    """A page of resources. `key` makes the key of an organization's and a resource's number."""

    def key_of(cursor: str) -> Key:
        place = unit.cursor_place(Kind.RESOURCE, cursor)
        return key(place.organization, place.number)

    return page(
        window,
        key_of=key_of,
        fetch=fetch,
        cursor_of=lambda row: unit.public_ids.of(Kind.RESOURCE, row.organization, row.number),
        show=lambda rows: [objects.resource(unit.public_ids, row) for row in rows],
    )


@post(PATH, guards=[requires("write")], sync_to_thread=True)
def create_resource(unit: Unit, data: JSONBody[CreateResource]) -> Response[dict[str, Any]]:
    """Create a resource below another, or below the organization."""
    return respond_with(unit, lambda: resources.create_resource(unit, data), status=201)


@get(BY_ID, guards=[requires("read")], sync_to_thread=True)
def get_resource(unit: Unit, resource_id: FromPath[str]) -> dict[str, Any]:
    """A resource."""
    return objects.resource(unit.public_ids, targets.find_by_id(unit, resource_id))


@patch(BY_ID, guards=[requires("write")], sync_to_thread=True)
def update_resource(
    unit: Unit, resource_id: FromPath[str], data: JSONBody[UpdateResource]
) -> Response[dict[str, Any]]:
    """Change the given fields of a resource. A new parent moves it there with everything below it."""

    def work() -> dict[str, Any]:
        return resources.update_resource(unit, targets.find_by_id(unit, resource_id), data)

    return respond_with(unit, work)


@delete(BY_ID, guards=[requires("write")], sync_to_thread=True, status_code=204)
def delete_resource(
    unit: Unit, resource_id: FromPath[str], cascade_delete: FromQuery[bool] = False
) -> Response[None]:
    """Delete a resource; with `cascade_delete`, also the resources below it and the assignments on them."""

    def work() -> None:
        row = targets.find_by_id(unit, resource_id)
        resources.delete_resource(unit, row, cascade=cascade_delete)

    return respond_with(unit, work, status=204)


@get(BY_EXTERNAL_ID, guards=[requires("read")], sync_to_thread=True)
def get_resource_by_external_id(
    unit: Unit,
    organization_id: FromPath[str],
    resource_type_slug: FromPath[str],
    external_id: FromPath[str],
) -> dict[str, Any]:
    """A resource by its external id."""
    row = targets.find_in_organization(unit, organization_id, resource_type_slug, external_id)
    return objects.resource(unit.public_ids, row)


@patch(BY_EXTERNAL_ID, guards=[requires("write")], sync_to_thread=True)
def update_resource_by_external_id(
    unit: Unit,
    organization_id: FromPath[str],
    resource_type_slug: FromPath[str],
    external_id: FromPath[str],
    data: JSONBody[UpdateResource],
) -> Response[dict[str, Any]]:
    """Change the given fields of a resource, by its external id."""

    def work() -> dict[str, Any]:
        row = targets.find_in_organization(unit, organization_id, resource_type_slug, external_id)
        return resources.update_resource(unit, row, data)

    return respond_with(unit, work)


@delete(BY_EXTERNAL_ID, guards=[requires("write")], sync_to_thread=True, status_code=204)
def delete_resource_by_external_id(
    unit: Unit,
    organization_id: FromPath[str],
    resource_type_slug: FromPath[str],
    external_id: FromPath[str],
    cascade_delete: FromQuery[bool] = False,
) -> Response[None]:
    """Delete a resource by its external id."""

    def work() -> None:
        row = targets.find_in_organization(unit, organization_id, resource_type_slug, external_id)
        resources.delete_resource(unit, row, cascade=cascade_delete)

    return respond_with(unit, work, status=204)


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
