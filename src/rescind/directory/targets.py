"""How requests name a resource: by id, by type and external id, or not at all for the organization."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from rescind import model
from rescind.directory import objects, organizations
from rescind.directory.errors import invalid, not_found
from rescind.directory.ids import Kind
from rescind.directory.unit_of_work import UnitOfWork
from rescind.model import OrganizationNumber
from rescind.store.rows.directory import (
    SHOW_ORGANIZATION,
    SHOW_RESOURCE,
    SHOW_RESOURCE_NAMED,
    ResourceRow,
)


class Target(Struct, kw_only=True, forbid_unknown_fields=True):
    """A resource in a body. Null names nothing, and is refused: it is not the organization."""

    resource_id: str | UnsetType = UNSET
    resource_external_id: str | UnsetType = UNSET
    resource_type_slug: str | UnsetType = UNSET


class Parent(Struct, kw_only=True, forbid_unknown_fields=True):
    """A parent resource in a body. Null is refused: nothing is without one."""

    parent_resource_id: str | UnsetType = UNSET
    parent_resource_external_id: str | UnsetType = UNSET
    parent_resource_type_slug: str | UnsetType = UNSET

    def target(self) -> Target | None:
        """The parent as any other resource; nothing if none is named."""
        target = Target(
            resource_id=self.parent_resource_id,
            resource_external_id=self.parent_resource_external_id,
            resource_type_slug=self.parent_resource_type_slug,
        )
        return target if target != Target() else None


def find_by_id(unit: UnitOfWork, resource_id: str) -> ResourceRow:
    """The resource of an id. Raises ObjectNotFound."""
    place = unit.place(Kind.RESOURCE, resource_id, "Resource")
    for row in unit.fetch(SHOW_RESOURCE, o=place.organization, r=place.number):
        return row
    raise not_found("Resource", resource_id)


def find_by_external_id(
    unit: UnitOfWork, organization: OrganizationNumber, type_slug: str, external_id: str
) -> ResourceRow:
    """The resource of an organization by type and external id. Raises ObjectNotFound."""
    slug: str | None = model.ROOT
    if type_slug != model.ROOT:
        slug = model.resource_named(type_slug, external_id)
    elif not _is_organization(unit, organization, external_id):
        slug = None
    if slug is not None:
        for row in unit.fetch(SHOW_RESOURCE_NAMED, o=organization, resource=slug):
            return row
    raise not_found("Resource", external_id)


def _is_organization(unit: UnitOfWork, organization: OrganizationNumber, external_id: str) -> bool:
    """Whether the organization has that id, or external id."""
    place = unit.public_ids.place(Kind.ORGANIZATION, external_id)
    if place is not None and place.organization == organization:
        return True
    rows = unit.fetch(SHOW_ORGANIZATION, o=organization)
    shown = [objects.organization(unit.public_ids, row) for row in rows]
    return any(external_id in (each["id"], each["external_id"]) for each in shown)


def find_resource(
    unit: UnitOfWork, organization: OrganizationNumber, target: Target
) -> ResourceRow:
    """The resource that a target names; the organization's own if it names none.

    Raises ObjectNotFound, and InvalidValue for an incomplete name.
    """
    external_id, type_slug = target.resource_external_id, target.resource_type_slug
    if isinstance(target.resource_id, str):
        if isinstance(external_id, str):
            raise invalid("resource_id", "give it, or resource_external_id, not both")
        row = find_by_id(unit, target.resource_id)
        if row.organization != organization:
            raise not_found("Resource", target.resource_id)
        return row
    if external_id is UNSET and type_slug is UNSET:
        own_id = unit.public_ids.of(Kind.ORGANIZATION, organization)
        return find_by_external_id(unit, organization, model.ROOT, own_id)
    if isinstance(external_id, UnsetType) or isinstance(type_slug, UnsetType):
        raise invalid("resource_external_id", "give it together with resource_type_slug")
    return find_by_external_id(unit, organization, type_slug, external_id)


def find_in_organization(
    unit: UnitOfWork, organization_id: str, type_slug: str, external_id: str
) -> ResourceRow:
    """The resource by its organization's id, type and external id. Raises ObjectNotFound."""
    organization = organizations.find_organization(unit, organization_id).organization
    return find_by_external_id(unit, organization, type_slug, external_id)
