"""Groups and their members: what can be read of them and done with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from rescind import changes, model
from rescind.changes import Change
from rescind.directory import directory_entries, memberships, objects, organizations
from rescind.directory.directory_entries import text
from rescind.directory.errors import invalid, not_found
from rescind.directory.events import note_event
from rescind.directory.ids import Kind
from rescind.directory.objects import Object
from rescind.directory.paging import PagedQuery, Span
from rescind.directory.unit_of_work import UnitOfWork
from rescind.model import GroupNumber, MembershipNumber, OrganizationNumber
from rescind.store.rows.directory import (
    FIND_GROUP_NAMED,
    FIND_MEMBER,
    PAGE_GROUPS_ASC,
    PAGE_GROUPS_DESC,
    PAGE_GROUPS_OF_MEMBERSHIP_ASC,
    PAGE_GROUPS_OF_MEMBERSHIP_DESC,
    PAGE_MEMBERS_ASC,
    PAGE_MEMBERS_DESC,
    SHOW_GROUP,
    ExpiryRow,
    GroupRow,
    MembershipRow,
)

MOST_AT_ONCE: Final = 100
"""Memberships of one request."""
_GROUPS: Final = PagedQuery(PAGE_GROUPS_ASC, PAGE_GROUPS_DESC)
_MEMBERS: Final = PagedQuery(PAGE_MEMBERS_ASC, PAGE_MEMBERS_DESC)
_OF_MEMBERSHIP: Final = PagedQuery(PAGE_GROUPS_OF_MEMBERSHIP_ASC, PAGE_GROUPS_OF_MEMBERSHIP_DESC)


class CreateGroup(Struct, forbid_unknown_fields=True):
    name: str
    description: str | UnsetType | None = UNSET


class UpdateGroup(Struct, forbid_unknown_fields=True):
    name: str | None = None
    description: str | UnsetType | None = UNSET


def read_group(
    unit: UnitOfWork, organization: OrganizationNumber, number: GroupNumber, public_id: str = ""
) -> GroupRow:
    """The group of a number. Raises ObjectNotFound, which names the id."""
    for row in unit.fetch(SHOW_GROUP, o=organization, g=number):
        return row
    raise not_found("Group", public_id)


def find_group(unit: UnitOfWork, organization_id: str, group_id: str) -> tuple[str, GroupRow]:
    """An organization's slug and a group in it, by ids. Raises ObjectNotFound."""
    organization = organizations.find_organization(unit, organization_id)
    place = unit.place(Kind.GROUP, group_id, "Group")
    if place.organization != organization.organization:
        raise not_found("Group", group_id)
    return organization.slug, read_group(
        unit, place.organization, GroupNumber(place.number), group_id
    )


def page_groups(
    unit: UnitOfWork,
    organization: OrganizationNumber,
    span: Span,
    *,
    search: str,
    or_number: GroupNumber,
) -> list[GroupRow]:
    """A span of an organization's groups whose names match a LIKE pattern, or the one of a number."""
    return unit.fetch(_GROUPS.of(span), o=organization, g=or_number, search=search, **span.params())


def page_groups_of_membership(
    unit: UnitOfWork, membership: MembershipRow, span: Span
) -> list[GroupRow]:
    """A span of the groups that a membership is in itself."""
    return unit.fetch(
        _OF_MEMBERSHIP.of(span),
        o=membership.organization,
        m=membership.number,
        now=unit.now,
        **span.params(),
    )


def page_members(unit: UnitOfWork, group: GroupRow, span: Span) -> list[MembershipRow]:
    """A span of the memberships in a group."""
    return unit.fetch(
        _MEMBERS.of(span), o=group.organization, g=group.number, now=unit.now, **span.params()
    )


def create_group(unit: UnitOfWork, organization_id: str, data: CreateGroup) -> Object:
    """Create a group."""
    organization = organizations.find_organization(unit, organization_id)
    o = organization.organization
    slug = directory_entries.slug_id(unit, Kind.GROUP)
    unit.apply(organization.slug, changes.CreateGroup(group=slug, name=text("name", data.name)))
    (found,) = unit.fetch(FIND_GROUP_NAMED, o=o, group=slug)
    description = text("description", data.description, empty=True)
    directory_entries.create(
        unit, Kind.GROUP, o, found.number, public_id=slug, description=description
    )
    return _with_event(unit, o, found.number, "group.created")


def update_group(
    unit: UnitOfWork, organization_id: str, group_id: str, data: UpdateGroup
) -> Object:
    """Change the given fields of a group."""
    organization, group = find_group(unit, organization_id, group_id)
    if data.name is not None:
        change = changes.RenameGroup(group=group.slug, name=text("name", data.name))
        unit.apply(organization, change)
    description = text("description", data.description, empty=True)
    directory_entries.touch(
        unit, Kind.GROUP, group.organization, group.number, description=description
    )
    return _with_event(unit, group.organization, group.number, "group.updated")


def delete_group(unit: UnitOfWork, organization_id: str, group_id: str) -> None:
    """Delete a group, and with it what only the group gave."""
    organization, group = find_group(unit, organization_id, group_id)
    o = group.organization
    unit.apply(organization, changes.DeleteGroup(group=group.slug, cascade=True))
    directory_entries.remove(unit, Kind.GROUP, o, group.number, keep_id=True)
    note_event(unit, "group.deleted", o, objects.group(unit.public_ids, group))


def change_members(
    unit: UnitOfWork,
    organization_id: str,
    group_id: str,
    *,
    added: Sequence[str] = (),
    removed: Sequence[str] = (),
) -> Object:
    """Put memberships into a group and take others out, all at once; returns the group.

    Raises InvalidValue for too many or a contradiction, and ObjectNotFound.
    """
    organization, group = find_group(unit, organization_id, group_id)
    _change_members(unit, organization, group, added, removed)
    return objects.group(unit.public_ids, group)


def remove_member(
    unit: UnitOfWork, organization_id: str, group_id: str, membership_id: str
) -> None:
    """Take a membership out of a group. Raises ObjectNotFound where it is not in it."""
    organization, group = find_group(unit, organization_id, group_id)
    member = memberships.find_membership(unit, membership_id)
    is_here = member.organization == group.organization
    if not is_here or not _places(unit, group, member.number):
        raise not_found("Organization membership", membership_id)
    _change_members(unit, organization, group, [], [membership_id])


def _change_members(
    unit: UnitOfWork,
    organization: str,
    group: GroupRow,
    added: Sequence[str],
    removed: Sequence[str],
) -> None:
    if not 1 <= len(added) + len(removed) <= MOST_AT_ONCE:
        raise invalid("add", f"give 1 to {MOST_AT_ONCE} memberships in `add` and `remove` together")
    unit.lock(group.organization)
    coming, going = (_each(unit, group.organization, ids) for ids in (added, removed))
    if coming.keys() & going.keys():
        raise invalid("remove", "a membership may be in `add` or in `remove`, not in both")
    joining: dict[datetime | None, list[str]] = {}
    leaving: list[str] = []
    events: list[tuple[str, str]] = []
    for number, (membership_id, member) in coming.items():
        places = _places(unit, group, number)
        if not places:
            events.append(("group.member_added", membership_id))
        joining.setdefault(_until(places), []).append(member.subject)
    for number, (membership_id, member) in going.items():
        if _places(unit, group, number):
            leaving.append(member.subject)
            events.append(("group.member_removed", membership_id))
    batch: list[Change] = [
        changes.AddMembers(group=group.slug, members=tuple(subjects), expires_at=until)
        for until, subjects in joining.items()
    ]
    if leaving:
        batch.append(changes.RemoveMembers(group=group.slug, members=tuple(leaving)))
    if batch:
        unit.apply(organization, *batch)
    group_id = objects.group(unit.public_ids, group)["id"]
    for name, membership_id in events:
        data = {"group_id": group_id, "organization_membership_id": membership_id}
        note_event(unit, name, group.organization, data)


def _each(
    unit: UnitOfWork, organization: OrganizationNumber, ids: Sequence[str]
) -> dict[MembershipNumber, tuple[str, MembershipRow]]:
    """Each membership once, with the first of its ids that is named. Raises ObjectNotFound."""
    found: dict[MembershipNumber, tuple[str, MembershipRow]] = {}
    for membership_id in ids:
        row = _member(unit, organization, membership_id)
        found.setdefault(row.number, (membership_id, row))
    return found


def _member(
    unit: UnitOfWork, organization: OrganizationNumber, membership_id: str
) -> MembershipRow:
    """A membership of the organization. Raises ObjectNotFound."""
    row = memberships.find_membership(unit, membership_id)
    if row.organization != organization:
        raise not_found("Organization membership", membership_id)
    return row


def _places(unit: UnitOfWork, group: GroupRow, membership: MembershipNumber) -> list[ExpiryRow]:
    """The place that a membership has in a group now, if it has one."""
    return unit.fetch(FIND_MEMBER, o=group.organization, m=membership, g=group.number, now=unit.now)


def _until(places: list[ExpiryRow]) -> datetime | None:
    """When a place expires. A member that is added again keeps that time."""
    until = places[0].expires_at if places else None
    return None if until is None else model.moment(until)


def _with_event(
    unit: UnitOfWork, organization: OrganizationNumber, number: GroupNumber, event: str
) -> Object:
    """The group as it is now, after noting an event that carries it."""
    result = objects.group(unit.public_ids, read_group(unit, organization, number))
    note_event(unit, event, organization, result)
    return result
