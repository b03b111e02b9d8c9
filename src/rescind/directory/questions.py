"""Questions about access, for objects by their public ids. `Authority` answers them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import UNSET, UnsetType

from rescind import model
from rescind.decision_log import unlogged
from rescind.directory import memberships, organizations, permissions, targets
from rescind.directory.errors import not_found
from rescind.directory.ids import Kind
from rescind.directory.query_values import json_texts
from rescind.directory.targets import Target
from rescind.directory.unit_of_work import UnitOfWork
from rescind.model import ROOT, Decision, OrganizationNumber, Page, Reason
from rescind.store.rows.directory import (
    LIST_SUBJECTS_GIVEN,
    NAME_MEMBERSHIP,
    MembershipRow,
    ResourceRow,
)

MOST_AT_ONCE: Final = 10_000
"""Items of one page of an authority's list."""
_UNKNOWN: Final = {
    Reason.UNKNOWN_ORGANIZATION: memberships.WHAT,
    Reason.UNKNOWN_SUBJECT: memberships.WHAT,
    Reason.UNKNOWN_PERMISSION: "Permission",
    Reason.UNKNOWN_RESOURCE: "Resource",
}


def check(unit: UnitOfWork, membership_id: str, permission: str, target: Target) -> Decision:
    """Whether a membership has a permission on a resource. Raises ObjectNotFound for what is unknown."""
    place = unit.place(Kind.MEMBERSHIP, membership_id, memberships.WHAT)
    named = unit.fetch(NAME_MEMBERSHIP, o=place.organization, m=place.number)
    if not named:
        raise not_found(memberships.WHAT, membership_id)
    decision = unit.authority.check(
        named[0].subject,
        permission,
        _resource_slug(unit, place.organization, target),
        organization=named[0].organization_slug,
        at_least=unit.token_for(place.organization),
    )
    if decision.reason in _UNKNOWN:
        external_id = target.resource_external_id
        resource = "" if isinstance(external_id, UnsetType) else external_id
        names = {"Permission": permission, "Resource": resource}
        what = _UNKNOWN[decision.reason]
        raise not_found(what, names.get(what, membership_id))
    return decision


def _resource_slug(unit: UnitOfWork, organization: OrganizationNumber, target: Target) -> str:
    """A resource's slug; the decision finds out whether it exists."""
    type_slug, external_id = target.resource_type_slug, target.resource_external_id
    if (
        target.resource_id is UNSET
        and isinstance(type_slug, str)
        and isinstance(external_id, str)
        and type_slug != ROOT
    ):
        return model.resource_named(type_slug, external_id)
    return targets.find_resource(unit, organization, target).slug


def permissions_of(unit: UnitOfWork, member: MembershipRow, resource: ResourceRow) -> str:
    """The slugs of all permissions that a membership has on a resource, as a JSON list."""

    def read(cursor: str | None) -> Page:
        return unit.authority.permissions_of(
            member.subject,
            resource.slug,
            organization=member.organization_slug,
            limit=MOST_AT_ONCE,
            cursor=cursor,
            at_least=unit.token_for(member.organization),
        )

    return json_texts(_all(read))


def resources_of(
    unit: UnitOfWork, member: MembershipRow, permission: str, parent: ResourceRow
) -> str | None:
    """The slugs of all resources on which a membership has a permission, as a JSON list.

    None where it has it on the parent, and so on everything below that.
    """
    o, slug = member.organization, member.organization_slug
    permissions.find_permission(unit, o, permission)
    at_least = unit.token_for(o)
    with unlogged():
        is_on_parent = unit.authority.check(
            member.subject, permission, parent.slug, organization=slug, at_least=at_least
        )
    if is_on_parent:
        return None

    def read(cursor: str | None) -> Page:
        return unit.authority.resources_of(
            member.subject,
            permission,
            organization=slug,
            limit=MOST_AT_ONCE,
            cursor=cursor,
            at_least=at_least,
        )

    return json_texts(_all(read))


def subjects_with(
    unit: UnitOfWork, permission: str, resource: ResourceRow, *, is_direct: bool
) -> str:
    """All subjects that have a permission on a resource, as a JSON list.

    With `is_direct` only by what was assigned on the resource itself.
    """
    o = resource.organization
    slug = organizations.read_organization(unit, o).slug
    permissions.find_permission(unit, o, permission)

    def read(cursor: str | None) -> Page:
        return unit.authority.who_can(
            permission,
            resource.slug,
            organization=slug,
            limit=MOST_AT_ONCE,
            cursor=cursor,
            at_least=unit.token_for(o),
        )

    subjects = set(_all(read))
    if is_direct:
        assigned = unit.fetch(
            LIST_SUBJECTS_GIVEN,
            o=o,
            r=resource.number,
            permission=permission,
            now=unit.now,
        )
        subjects &= {row.subject for row in assigned}
    return json_texts(subjects)


def _all(read: Callable[[str | None], Page]) -> Iterator[str]:
    """The items of all pages."""
    cursor: str | None = None
    while True:
        page = read(cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return
