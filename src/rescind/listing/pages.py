"""Every list of facts, a method each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from rescind.errors import (
    GroupNotFound,
    InvalidArgument,
    MembershipNotFound,
    ResourceNotFound,
    RoleNotFound,
)
from rescind.listing import assignments, members
from rescind.listing.names import EARLIEST
from rescind.listing.reading import FIRST, Listed, Paging, Reading, prefix, reading, time
from rescind.model import (
    AssignmentEntry,
    ExpiryEntry,
    FactPage,
    GroupEntry,
    MemberEntry,
    MembershipEntry,
    Microseconds,
    Page,
    PermissionEntry,
    ResourceEntry,
    RoleEntry,
    microseconds,
    moment,
)
from rescind.store import Store

MOST_PERMISSIONS: Final = 20_000
"""Of all roles on one page; a page of one role has all of it."""
ROLES_AT_ONCE: Final = 100
SOON: Final = 30 * 86_400 * 1_000_000
"""Microseconds: 30 days."""


class Listings:
    """Lists of one database's facts.

    What has expired is left out unless `expired` is asked for. Each raises OrganizationNotFound,
    InvalidArgument, InvalidCursor, InvalidToken, RevisionUnavailable or another StoreError, and the error
    for what it names and does not exist.
    """

    def __init__(self, store: Store, now: Callable[[], Microseconds]) -> None:
        self._store, self._now = store, now

    # --- groups and memberships ---------------------------------------------------------------

    def groups(self, organization: str, holder: str | None, paging: Paging) -> FactPage[GroupEntry]:
        """An organization's groups by name; or those that hold a subject, or a group, itself."""
        if holder is None:
            with reading(self._store, "groups", Listed(organization), paging) as read:
                (after,) = read.after(EARLIEST)
                rows = read.fetch("listed_groups", after=after, limit=read.limit + 1)
                return read.page(rows, lambda row: row[:1], lambda row: GroupEntry(*row))
        listed = of_holder(organization, holder)
        with reading(self._store, "groups of", listed, paging) as read:
            number = require_holder(read, listed)
            (after,) = read.after(FIRST)
            names = {"after": after, "limit": read.limit + 1}
            if number > 0:
                rows = read.fetch("listed_groups_of_membership", m=number, now=self._now(), **names)
            else:
                rows = read.fetch("listed_groups_around", g=number, **names)
            return read.page(rows, lambda row: row[:1], _group)

    def members(
        self, organization: str, group: str, paging: Paging, *, effective: bool, expired: bool
    ) -> FactPage[MemberEntry]:
        """Who is in a group: what is in it itself, or all subjects in it and in the groups below it."""
        listed = Listed(organization, group=group)
        now = 0 if expired else self._now()
        how = {"effective": effective, "expired": expired}
        with reading(self._store, "members", listed, paging, **how) as read:
            if read.numbers.group is None:
                raise GroupNotFound(group=group)
            if effective:
                return members.effective(read, now)
            return members.direct(read, now, group)

    def memberships(
        self, organization: str, kind: str | None, active: bool | None, paging: Paging
    ) -> FactPage[MembershipEntry]:
        """Who has a place in an organization, by subject: all, the active, or the deactivated."""
        listed = Listed(organization)
        with reading(self._store, "memberships", listed, paging, kind=kind, active=active) as read:
            first, end = prefix(kind)
            (after,) = read.after(first)
            names = {"after": after, "end": end, "limit": read.limit + 1}
            if active is None:
                rows = read.fetch("listed_memberships", **names)
            elif active:
                rows = read.fetch("listed_active_memberships", **names)
            else:
                rows = read.fetch("listed_deactivated_memberships", **names)
            return read.page(rows, lambda row: row[:1], _membership)

    # --- roles, permissions, resources --------------------------------------------------------

    def roles(self, organization: str, paging: Paging) -> FactPage[RoleEntry]:
        """The roles that can be given in an organization, by name, with their permissions."""
        with reading(self._store, "roles", Listed(organization), paging) as read:
            (after,) = read.after("")
            rows = _own_first(read.fetch("listed_roles", after=after, limit=read.limit + 1), 1)
            return _roles(read, rows)

    def permissions(
        self, organization: str, role: str | None, paging: Paging
    ) -> FactPage[PermissionEntry]:
        """The permissions that are defined in an organization, by name; or those of a role."""
        with reading(self._store, "permissions", Listed(organization, role=role), paging) as read:
            if role is None:
                (after,) = read.after("")
                found = read.fetch("listed_permissions", after=after, limit=read.limit + 1)
                rows = _own_first(found, 0)
                return read.page(rows, lambda row: row[:1], _permission)
            if read.numbers.role is None:
                raise RoleNotFound(role=role)
            (after,) = read.after(0)
            names = {"q": read.numbers.role, "after": after, "limit": read.limit + 1}
            rows = read.fetch("listed_permissions_of_role", **names)
            return read.page(rows, lambda row: row[:1], lambda row: _permission(row[1:]))

    def permissions_of_group(
        self, organization: str, group: str, resource: str, paging: Paging
    ) -> Page:
        """What a group gives its members on a resource; nothing where one of them is unknown."""
        listed = Listed(organization, group=group, resource=resource)
        with reading(self._store, "permissions of group", listed, paging) as read:
            found: tuple[str, ...] = ()
            (after,) = read.after("")
            g, r = read.numbers.group, read.numbers.resource
            if g is not None and r is not None:
                names = {"g": g, "r": r, "after": after, "limit": read.limit + 1}
                rows = read.fetch("listed_permissions_of_group", now=self._now(), **names)
                found = tuple(slug for (slug,) in rows)
            shown = found[: read.limit]
            page = read.ending(shown, shown[-1:] if len(found) > read.limit else None)
            return Page(page.items, page.next_cursor, page.revision)

    def resources(
        self, organization: str, parent: str | None, kind: str | None, paging: Paging
    ) -> FactPage[ResourceEntry]:
        """An organization's resources by name, perhaps of one type; or those right below one."""
        if parent is not None and kind is not None:
            raise InvalidArgument(what="type", mend="give either a parent or a type")
        listed = Listed(organization, resource=parent)
        with reading(self._store, "resources", listed, paging, kind=kind) as read:
            if parent is None:
                first, end = prefix(kind)
                (after,) = read.after(first)
                names = {"after": after, "end": end, "limit": read.limit + 1}
                rows = read.fetch("listed_resources", **names)
                return read.page(rows, lambda row: row[:1], lambda row: ResourceEntry(*row))
            if read.numbers.resource is None:
                raise ResourceNotFound(resource=parent)
            (after,) = read.after(0)
            names = {"r": read.numbers.resource, "after": after, "limit": read.limit + 1}
            rows = read.fetch("listed_resources_below", **names)
            return read.page(rows, lambda row: row[:1], lambda row: ResourceEntry(row[1], parent))

    # --- assignments --------------------------------------------------------------------------

    def assignments(
        self,
        organization: str,
        paging: Paging,
        *,
        holder: str | None,
        role: str | None,
        resource: str | None,
        effective: bool,
        expired: bool,
    ) -> FactPage[AssignmentEntry]:
        """What is assigned: in an organization, or to a holder, of a role, or on a resource.

        With `effective`, a holder's are also those of the groups that it is in.
        """
        if sum(each is not None for each in (holder, role, resource)) > 1:
            raise InvalidArgument(what="holder", mend="give one of holder, role and resource")
        if effective and holder is None:
            raise InvalidArgument(what="effective", mend="name the holder with it")
        listed = Listed(organization, role=role, resource=resource)
        if holder is not None:
            listed = of_holder(organization, holder)
        how = {"effective": effective, "expired": expired}
        now = 0 if expired else self._now()
        with reading(self._store, "assignments", listed, paging, **how) as read:
            if holder is not None:
                number = require_holder(read, listed)
                return assignments.of_holder(read, number, now, effective=effective)
            if role is not None:
                if read.numbers.role is None:
                    raise RoleNotFound(role=role)
                return assignments.of_role(read, read.numbers.role, now)
            if resource is not None:
                if read.numbers.resource is None:
                    raise ResourceNotFound(resource=resource)
                return assignments.on_resource(read, read.numbers.resource, now)
            return assignments.of_organization(read, now)

    def expiring(
        self, organization: str, until: datetime | None, paging: Paging
    ) -> FactPage[ExpiryEntry]:
        """Places in groups and assignments that are in force now and end by a time; the next first.

        Without a time: within 30 days of the question for the first page.
        """
        end = None if until is None else microseconds(until)
        with reading(self._store, "expiring", Listed(organization), paging, until=end) as read:
            now = self._now()
            return assignments.expiring(read, now, now + SOON if end is None else end)


def of_holder(organization: str, holder: str) -> Listed:
    """What is asked about, where that is a subject or `group:…`."""
    if holder.startswith("group:"):
        return Listed(organization, group=holder.removeprefix("group:"))
    return Listed(organization, subject=holder)


def require_holder(read: Reading, listed: Listed) -> int:
    """The holder's number. Raises GroupNotFound and MembershipNotFound."""
    if listed.group is not None:
        if read.numbers.group is None:
            raise GroupNotFound(group=listed.group)
        return read.numbers.group
    if read.numbers.membership is None:
        raise MembershipNotFound(subject=listed.subject)
    return read.numbers.membership


def _own_first(rows: list[tuple[Any, ...]], name: int) -> list[tuple[Any, ...]]:
    """Without a name of all organizations where the organization has one of its own."""
    return [row for at, row in enumerate(rows) if not at or row[name] != rows[at - 1][name]]


def _roles(read: Reading, rows: list[tuple[Any, ...]]) -> FactPage[RoleEntry]:
    items: list[RoleEntry] = []
    permissions = 0
    shown = rows[: read.limit]
    for at in range(0, len(shown), ROLES_AT_ONCE):
        part = shown[at : at + ROLES_AT_ONCE]
        named: dict[int, list[str]] = {row[0]: [] for row in part}
        numbers = "[" + ",".join(f'"{number}"' for number in named) + "]"
        for role, slug in read.fetch("listed_permissions_of_roles", roles=numbers):
            named[role].append(slug)
        for number, slug, name, is_shared, priority, critical, kind in part:
            found = tuple(sorted(named[number], key=str.encode))
            if items and permissions + len(found) > MOST_PERMISSIONS:
                return read.ending(tuple(items), [items[-1].role])
            permissions += len(found)
            items.append(
                RoleEntry(slug, name, bool(is_shared), priority, bool(critical), kind, found)
            )
    more = [items[-1].role] if len(rows) > read.limit else None
    return read.ending(tuple(items), more)


def _group(row: tuple[Any, ...]) -> GroupEntry:
    _, slug, name, since, by, expires_at = row
    return GroupEntry(slug, name, time(since), by, time(expires_at))


def _membership(row: tuple[Any, ...]) -> MembershipEntry:
    subject, name, active, created_at = row
    return MembershipEntry(subject, name, bool(active), moment(created_at))


def _permission(row: tuple[Any, ...]) -> PermissionEntry:
    slug, description, is_shared, critical = row
    return PermissionEntry(slug, description, bool(is_shared), bool(critical))
