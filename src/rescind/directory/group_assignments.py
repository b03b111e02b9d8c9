"""Role assignments of groups. When a removal returns, it is denied to all members of the group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from rescind import changes
from rescind.changes import Change
from rescind.directory import groups, objects, organizations, targets
from rescind.directory.assignments import RoleOnTarget
from rescind.directory.errors import conflict, invalid, not_found
from rescind.directory.ids import Kind
from rescind.directory.objects import Object
from rescind.directory.paging import LAST, PagedQuery, Span
from rescind.directory.roles_held import OwnRoles, RoleOnResource, assign, own_roles, renewed
from rescind.directory.unit_of_work import UnitOfWork
from rescind.model import GroupNumber, Receipt
from rescind.store.rows.directory import (
    PAGE_GROUP_ASSIGNMENTS_ASC,
    PAGE_GROUP_ASSIGNMENTS_DESC,
    SHOW_ROLES,
    GroupAssignmentRow,
)

WHAT: Final = "Group role assignment"
MOST_AT_ONCE: Final = 100
"""Assignments of one request."""
_ASSIGNMENTS: Final = PagedQuery(PAGE_GROUP_ASSIGNMENTS_ASC, PAGE_GROUP_ASSIGNMENTS_DESC)


class ReplaceAssignments(Struct, forbid_unknown_fields=True):
    role_assignments: list[RoleOnTarget]


class ChangeAssignments(Struct, forbid_unknown_fields=True):
    add: list[RoleOnTarget] | None = None
    remove: list[RoleOnTarget] | None = None


class GroupRoles:
    """The roles of one group. Raises ObjectNotFound where there is no group of the id."""

    def __init__(self, unit: UnitOfWork, group_id: str) -> None:
        self.unit = unit
        place = unit.place(Kind.GROUP, group_id, "Group")
        self._group = groups.read_group(
            unit, place.organization, GroupNumber(place.number), group_id
        )
        self.organization, self._number = self._group.organization, self._group.number
        self.holder = f"group:{self._group.slug}"

    def lock(self) -> None:
        """Keep others from changing the organization until the transaction ends."""
        self.unit.lock(self.organization)

    def held(self) -> OwnRoles:
        """What the group holds now."""
        return own_roles(self.unit, self.organization, self._number)

    def named(self, entry: RoleOnTarget) -> RoleOnResource:
        """The role and the slug of the resource that a request names."""
        resource = targets.find_resource(self.unit, self.organization, entry)
        return RoleOnResource(entry.role_slug, resource.slug)

    def apply(self, *batch: Change) -> Receipt:
        """Change what the group holds."""
        slug = organizations.read_organization(self.unit, self.organization).slug
        return self.unit.apply(slug, *batch)

    def unassign(self, key: RoleOnResource) -> Change:
        """The change that takes a role on a resource from the group."""
        return changes.Unassign(role=key.role, to=self.holder, on=key.resource)

    def page(self, span: Span) -> list[GroupAssignmentRow]:
        """A span of what the group holds."""
        return self.unit.fetch(
            _ASSIGNMENTS.of(span),
            o=self.organization,
            g=self._number,
            now=self.unit.now,
            **span.params(),
        )

    def show(self, rows: Sequence[GroupAssignmentRow]) -> list[Object]:
        """Assignments as WorkOS objects."""
        ids = self.unit.public_ids
        group_id = objects.group(ids, self._group)["id"]
        return [objects.group_assignment(ids, row, group_id) for row in rows]

    def show_one(self, number: int) -> Object | None:
        """The assignment of a number, if the group holds it."""
        key = abs(number)
        shown = self.show(self.page(Span((key - 1, 0), (key + 1, 0), "asc", 1)))
        return shown[0] if shown else None

    def number_of(self, assignment_id: str) -> int:
        """The number that an assignment's id stands for. Raises ObjectNotFound."""
        place = self.unit.place(Kind.GROUP_ROLE_ASSIGNMENT, assignment_id, WHAT)
        if place.organization != self.organization:
            raise not_found(WHAT, assignment_id)
        return place.number


def find_assignment(unit: UnitOfWork, group_id: str, assignment_id: str) -> Object:
    """An assignment of a group. Raises ObjectNotFound."""
    group = GroupRoles(unit, group_id)
    shown = group.show_one(group.number_of(assignment_id))
    if shown is None:
        raise not_found(WHAT, assignment_id)
    return shown


def assign_role(unit: UnitOfWork, group_id: str, data: RoleOnTarget) -> Object:
    """Give a group a role on a resource. Raises Conflict where it holds it already."""
    group = GroupRoles(unit, group_id)
    key = group.named(data)
    group.lock()
    if not group.apply(assign(key, group.holder, group.held())).changed:
        message = f"The group holds the role '{data.role_slug}' there already."
        raise conflict("group_role_assignment_already_exists", message)
    shown = group.show_one(group.held()[key].number)
    assert shown is not None
    return shown


def replace_assignments(unit: UnitOfWork, group_id: str, data: ReplaceAssignments) -> list[Object]:
    """Make what a group holds exactly these. What it holds already keeps its time of expiry."""
    group = GroupRoles(unit, group_id)
    wanted = {group.named(entry) for entry in data.role_assignments}
    group.lock()
    held = group.held()
    items = tuple(renewed(key, held) for key in sorted(wanted))
    group.apply(changes.ReplaceAssignments(to=group.holder, assignments=items))
    return group.show(group.page(Span((-1, 0), (LAST, 0), "desc", LAST)))


def change_assignments(unit: UnitOfWork, group_id: str, data: ChangeAssignments) -> None:
    """Give a group roles and take others from it, all at once; what is so already is passed over.

    Raises ObjectNotFound for a role that does not exist, also one to take: its slug may be misspelt.
    """
    group = GroupRoles(unit, group_id)
    entries = [*(data.add or ()), *(data.remove or ())]
    if not 1 <= len(entries) <= MOST_AT_ONCE:
        raise invalid("add", f"give 1 to {MOST_AT_ONCE} in `add` and `remove` together")
    added = {group.named(entry) for entry in data.add or ()}
    removed = {group.named(entry) for entry in data.remove or ()}
    if added & removed:
        raise invalid("remove", "an assignment may be in `add` or in `remove`, not in both")
    group.lock()
    held = group.held()
    for key in sorted(removed - held.keys()):
        known = unit.fetch(SHOW_ROLES, o=group.organization, role=key.role)
        if key.role not in (row.slug for row in known):
            raise not_found("Role", key.role)
    batch: list[Change] = [assign(key, group.holder, held) for key in sorted(added)]
    batch += [group.unassign(key) for key in sorted(removed & held.keys())]
    if batch:
        group.apply(*batch)


def remove_role(unit: UnitOfWork, group_id: str, data: RoleOnTarget) -> None:
    """Take a role on a resource from a group. Raises ObjectNotFound where it does not hold it."""
    group = GroupRoles(unit, group_id)
    key = group.named(data)
    if key not in group.held():
        raise not_found(WHAT, data.role_slug)
    group.apply(group.unassign(key))


def remove_assignment(unit: UnitOfWork, group_id: str, assignment_id: str) -> None:
    """Remove an assignment of a group. Raises ObjectNotFound."""
    group = GroupRoles(unit, group_id)
    number = group.number_of(assignment_id)
    for key, own in group.held().items():
        if own.number == number:
            group.apply(group.unassign(key))
            return
    raise not_found(WHAT, assignment_id)
