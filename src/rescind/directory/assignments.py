"""Role assignments of memberships: their own, and those that they have through groups."""

from __future__ import annotations

from typing import Final

from rescind import changes
from rescind.directory import memberships, objects, targets
from rescind.directory.errors import conflict, not_found
from rescind.directory.ids import Kind
from rescind.directory.objects import Object
from rescind.directory.paging import LAST, PagedQuery, Span
from rescind.directory.roles_held import RoleOnResource, assign, own_roles
from rescind.directory.targets import Target
from rescind.directory.unit_of_work import UnitOfWork
from rescind.store.rows.directory import (
    PAGE_ASSIGNMENTS_OF_MEMBERSHIP_ASC,
    PAGE_ASSIGNMENTS_OF_MEMBERSHIP_DESC,
    PAGE_ASSIGNMENTS_ON_RESOURCE_ASC,
    PAGE_ASSIGNMENTS_ON_RESOURCE_DESC,
    AssignmentRow,
    MembershipRow,
    ResourceRow,
)

WHAT: Final = "Role assignment"
_OF_MEMBERSHIP: Final = PagedQuery(
    PAGE_ASSIGNMENTS_OF_MEMBERSHIP_ASC, PAGE_ASSIGNMENTS_OF_MEMBERSHIP_DESC
)
_ON_RESOURCE: Final = PagedQuery(
    PAGE_ASSIGNMENTS_ON_RESOURCE_ASC, PAGE_ASSIGNMENTS_ON_RESOURCE_DESC
)


class RoleOnTarget(Target, kw_only=True):
    """A role, on a resource or on the organization."""

    role_slug: str


def page_assignments_of_membership(
    unit: UnitOfWork, membership: MembershipRow, resource: int | None, span: Span
) -> list[AssignmentRow]:
    """A span of what a membership holds now, perhaps on one resource. Keys are (assignment, membership)."""
    return unit.fetch(
        _OF_MEMBERSHIP.of(span),
        o=membership.organization,
        m=membership.number,
        r=resource,
        role="",
        now=unit.now,
        **_bounds(span),
    )


def page_assignments_on_resource(
    unit: UnitOfWork, resource: ResourceRow, role: str, span: Span
) -> list[AssignmentRow]:
    """A span of who holds what was assigned on a resource itself, perhaps of one role. Keys as above."""
    return unit.fetch(
        _ON_RESOURCE.of(span),
        o=resource.organization,
        r=resource.number,
        role=role,
        now=unit.now,
        **_bounds(span),
    )


def _bounds(span: Span) -> dict[str, int]:
    (low, low_m), (high, high_m) = span.low, span.high
    return {
        "low": low,
        "low_m": low_m,
        "high": min(high, LAST),
        "high_m": min(high_m, LAST),
        "limit": span.limit,
    }


def assign_role(unit: UnitOfWork, membership_id: str, data: RoleOnTarget) -> Object:
    """Give a membership a role on a resource. One that it holds itself keeps its time of expiry."""
    member = memberships.find_membership(unit, membership_id)
    o, m = member.organization, member.number
    resource = targets.find_resource(unit, o, data)
    unit.lock(o)
    key = RoleOnResource(data.role_slug, resource.slug)
    unit.apply(member.organization_slug, assign(key, member.subject, own_roles(unit, o, m)))
    number = own_roles(unit, o, m)[key].number
    return objects.assignment(unit.public_ids, _held(unit, member, number)[0])


def remove_role(unit: UnitOfWork, membership_id: str, data: RoleOnTarget) -> None:
    """Take a role on a resource from a membership. Raises ObjectNotFound where it does not hold it itself."""
    member = memberships.find_membership(unit, membership_id)
    o = member.organization
    resource = targets.find_resource(unit, o, data)
    if RoleOnResource(data.role_slug, resource.slug) not in own_roles(unit, o, member.number):
        raise not_found(WHAT, data.role_slug)
    _unassign(unit, member, RoleOnResource(data.role_slug, resource.slug))


def remove_assignment(unit: UnitOfWork, membership_id: str, assignment_id: str) -> None:
    """Remove an assignment of a membership. Raises Conflict for one that comes from a group."""
    member = memberships.find_membership(unit, membership_id)
    o, m = member.organization, member.number
    place = unit.place(Kind.ROLE_ASSIGNMENT, assignment_id, WHAT)
    if (place.organization, place.second) != (o, m):
        raise not_found(WHAT, assignment_id)
    for key, own in own_roles(unit, o, m).items():
        if own.number == place.number:
            _unassign(unit, member, key)
            return
    if _held(unit, member, place.number):
        message = "The assignment comes from a group: take it off the group, or leave the group."
        raise conflict("role_assignment_from_group", message)
    raise not_found(WHAT, assignment_id)


def _unassign(unit: UnitOfWork, member: MembershipRow, key: RoleOnResource) -> None:
    change = changes.Unassign(role=key.role, to=member.subject, on=key.resource)
    unit.apply(member.organization_slug, change)


def _held(unit: UnitOfWork, member: MembershipRow, number: int) -> list[AssignmentRow]:
    """The assignment of a number, if the membership holds it now."""
    key = abs(number)
    span = Span((key - 1, LAST), (key + 1, -1), "asc", 1)
    return page_assignments_of_membership(unit, member, None, span)
