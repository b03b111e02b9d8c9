"""How requests name a resource: by its id, by type and external id, or not at all for the organization."""

from __future__ import annotations

from msgspec import Struct

from rescind import model
from rescind.http.workos import organizations, shapes
from rescind.http.workos.call import Call
from rescind.http.workos.errors import invalid, not_found
from rescind.http.workos.ids import Kind


class Target(Struct, kw_only=True):
    """A resource in a body."""

    resource_id: str | None = None
    resource_external_id: str | None = None
    resource_type_slug: str | None = None


class Parent(Struct, kw_only=True):
    """A parent resource in a body."""

    parent_resource_id: str | None = None
    parent_resource_external_id: str | None = None
    parent_resource_type_slug: str | None = None

    def target(self) -> Target | None:
        """The parent as any other resource; nothing if none is named."""
        target = Target(
            resource_id=self.parent_resource_id,
            resource_external_id=self.parent_resource_external_id,
            resource_type_slug=self.parent_resource_type_slug,
        )
        return target if target != Target() else None


def by_id(call: Call, resource_id: str) -> shapes.Row:
    """The row of a resource, or not found."""
    place = call.place(Kind.RESOURCE, resource_id, "Resource")
    rows = call.fetch("show_resource", o=place.organization, r=place.number)
    if not rows:
        raise not_found("Resource", resource_id)
    return rows[0]


def by_external_id(call: Call, o: int, type_slug: str, external_id: str) -> shapes.Row:
    """The row of an organization's resource, or not found."""
    if type_slug == model.ROOT:
        place = call.ids.place(Kind.ORGANIZATION, external_id)
        slug: str | None = model.ROOT
        if (place is None or place.organization != o) and not _is_named(call, o, external_id):
            slug = None
    else:
        slug = model.resource_id(f"{type_slug}:{external_id}")
    rows = [] if slug is None else call.fetch("show_resource_named", o=o, resource=slug)
    if not rows:
        raise not_found("Resource", external_id)
    return rows[0]


def _is_named(call: Call, o: int, external_id: str) -> bool:
    """Whether the organization has that id, or external id."""
    rows = call.fetch("show_organization", o=o)
    shown = [shapes.organization(call.ids, row) for row in rows]
    return any(external_id in (each["id"], each["external_id"]) for each in shown)


def resource(call: Call, o: int, target: Target) -> shapes.Row:
    """The row of the resource that is meant, or not found; the organization's own if none is named."""
    if target.resource_id is not None:
        if target.resource_external_id is not None:
            raise invalid("resource_id", "give it, or resource_external_id, not both")
        row = by_id(call, target.resource_id)
        if row[0] != o:
            raise not_found("Resource", target.resource_id)
        return row
    if target.resource_external_id is None and target.resource_type_slug is None:
        return by_external_id(call, o, model.ROOT, call.ids.of(Kind.ORGANIZATION, o))
    if target.resource_external_id is None or target.resource_type_slug is None:
        raise invalid("resource_external_id", "give it together with resource_type_slug")
    return by_external_id(call, o, target.resource_type_slug, target.resource_external_id)


def of_organization(
    call: Call, organization_id: str, type_slug: str, external_id: str
) -> shapes.Row:
    """The row of a resource by the organization's id and its own external id, or not found."""
    o = organizations.shown(call, organization_id)[0]
    return by_external_id(call, o, type_slug, external_id)
