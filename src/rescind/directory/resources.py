"""Resources: the nodes of an organization's tree. The organization itself is one as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from msgspec import UNSET, UnsetType

from rescind import changes, model
from rescind.directory import directory_entries, objects, organizations, targets
from rescind.directory.directory_entries import text
from rescind.directory.errors import conflict, invalid
from rescind.directory.ids import Kind
from rescind.directory.objects import Object
from rescind.directory.paging import LAST, PagedQuery, Span
from rescind.directory.targets import Parent
from rescind.directory.unit_of_work import UnitOfWork
from rescind.model import OrganizationNumber
from rescind.store.rows.directory import (
    PAGE_RESOURCES_AMONG_ASC,
    PAGE_RESOURCES_AMONG_DESC,
    PAGE_RESOURCES_ASC,
    PAGE_RESOURCES_DESC,
    SHOW_RESOURCE,
    SHOW_RESOURCE_NAMED,
    ResourceRow,
)

_RESOURCES: Final = PagedQuery(PAGE_RESOURCES_ASC, PAGE_RESOURCES_DESC)
_AMONG: Final = PagedQuery(PAGE_RESOURCES_AMONG_ASC, PAGE_RESOURCES_AMONG_DESC)


class CreateResource(Parent, kw_only=True):
    external_id: str
    name: str
    resource_type_slug: str
    organization_id: str
    description: str | UnsetType | None = UNSET


class UpdateResource(Parent, kw_only=True):
    name: str | None = None
    description: str | UnsetType | None = UNSET


@dataclass(frozen=True, slots=True)
class ResourceFilter:
    """Which resources are asked for: below a parent's number, of a type, with an external id."""

    parent: int | None = None
    type_slug: str | None = None
    external_id: str | None = None


def page_resources(
    unit: UnitOfWork, organization: OrganizationNumber | None, wanted: ResourceFilter, span: Span
) -> list[ResourceRow]:
    """A span of the resources of an organization, or of all. Keys are (organization, resource)."""
    (low_o, low), (high_o, high) = span.low, span.high
    if organization is not None:
        low_o, low = max((low_o, low), (organization, 0))
        high_o, high = min((high_o, high), (organization, LAST))
    slugs = f"{wanted.type_slug}:" if wanted.type_slug else ""
    if slugs.count(":") > 1:  # no type's, but the beginning of a resource's name
        return []
    return unit.fetch(
        _RESOURCES.of(span),
        limit=span.limit,
        low_o=low_o,
        low=low,
        high_o=high_o,
        high=high,
        parent=wanted.parent,
        type=slugs,
        type_end=slugs[:-1] + ";",
        external_id=wanted.external_id or "",
    )


def page_children(unit: UnitOfWork, parent: ResourceRow, span: Span) -> list[ResourceRow]:
    """A span of a resource's children. Keys are (resource, 0)."""
    o = parent.organization
    return unit.fetch(
        _RESOURCES.of(span),
        low_o=o,
        high_o=o,
        type="",
        type_end="",
        external_id="",
        parent=parent.number,
        **span.params(),
    )


def page_children_among(
    unit: UnitOfWork, parent: ResourceRow, slugs: str, span: Span
) -> list[ResourceRow]:
    """A span of a resource's children with some slugs, a JSON list. Keys are (resource, 0)."""
    return unit.fetch(
        _AMONG.of(span),
        o=parent.organization,
        parent=parent.number,
        resources=slugs,
        **span.params(),
    )


def create_resource(unit: UnitOfWork, data: CreateResource) -> Object:
    """Create a resource below another, or below the organization. Raises Conflict."""
    organization = organizations.find_organization(unit, data.organization_id)
    o = organization.organization
    public_id = directory_entries.chosen_id(unit, Kind.RESOURCE)
    slug = model.resource_named(data.resource_type_slug, data.external_id)
    parent = _parent_slug(unit, o, data)
    unit.lock(o)
    taken = f"There is a {data.resource_type_slug} '{data.external_id}' already."
    if unit.fetch(SHOW_RESOURCE_NAMED, o=o, resource=slug):
        raise conflict("resource_already_exists", taken)
    unit.apply(organization.slug, changes.CreateResource(resource=slug, parent=parent))
    (row,) = unit.fetch(SHOW_RESOURCE_NAMED, o=o, resource=slug)
    directory_entries.create(
        unit,
        Kind.RESOURCE,
        o,
        row.number,
        public_id=public_id,
        name=text("name", data.name),
        description=text("description", data.description, empty=True),
    )
    return _show(unit, row)


def update_resource(unit: UnitOfWork, row: ResourceRow, data: UpdateResource) -> Object:
    """Change the given fields of a resource; with a parent, move it there with everything below it."""
    if row.number == 0:
        raise invalid("resource_id", "the organization itself is updated as one")
    o = row.organization
    parent = _parent_slug(unit, o, data)
    if parent is not None:
        change = changes.MoveResource(resource=row.slug, parent=parent)
        unit.apply(organizations.read_organization(unit, o).slug, change)
    directory_entries.touch(
        unit,
        Kind.RESOURCE,
        o,
        row.number,
        name=UNSET if data.name is None else text("name", data.name),
        description=text("description", data.description, empty=True),
    )
    return _show(unit, row)


def delete_resource(unit: UnitOfWork, row: ResourceRow, *, cascade: bool) -> None:
    """Delete a resource; with `cascade` also what is below it and assigned on it."""
    if row.number == 0:
        raise invalid("resource_id", "the organization itself is deleted as one")
    o = row.organization
    change = changes.DeleteResource(resource=row.slug, cascade=cascade)
    unit.apply(organizations.read_organization(unit, o).slug, change)
    if cascade:
        unit.execute("forget_entries_of_resources", o=o)
    else:
        directory_entries.remove(unit, Kind.RESOURCE, o, row.number)


def _parent_slug(unit: UnitOfWork, organization: OrganizationNumber, data: Parent) -> str | None:
    """The slug of the parent that is named, if one is."""
    target = data.target()
    return None if target is None else targets.find_resource(unit, organization, target).slug


def _show(unit: UnitOfWork, row: ResourceRow) -> Object:
    """The resource as it is now."""
    (present,) = unit.fetch(SHOW_RESOURCE, o=row.organization, r=row.number)
    return objects.resource(unit.public_ids, present)
