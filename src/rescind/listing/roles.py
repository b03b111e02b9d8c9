"""The roles that can be given, and permissions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rescind.listing.reading import Reading
from rescind.model import FactPage, Page, PermissionEntry, RoleEntry, RoleNumber
from rescind.store.rows import Row
from rescind.store.rows.listing import (
    LISTED_PERMISSIONS,
    LISTED_PERMISSIONS_OF_GROUP,
    LISTED_PERMISSIONS_OF_ROLE,
    LISTED_PERMISSIONS_OF_ROLES,
    LISTED_ROLES,
    ListedPermissionRow,
    ListedRoleRow,
    PermissionOfRoleRow,
)

MOST_PERMISSIONS: Final = 20_000
"""Permissions of all roles on one page. A page of a single role has all of them."""
ROLES_AT_ONCE: Final = 100


def of_organization(read: Reading) -> FactPage[RoleEntry]:
    """The roles that can be given in an organization, by name, with their permissions."""
    (after,) = read.after("")
    found = read.fetch(LISTED_ROLES, after=after, limit=read.limit + 1)
    rows = _own_first(found, lambda row: row.role)
    items: list[RoleEntry] = []
    permissions = 0
    shown = rows[: read.limit]
    for at in range(0, len(shown), ROLES_AT_ONCE):
        part = shown[at : at + ROLES_AT_ONCE]
        named: dict[int, list[str]] = {row.number: [] for row in part}
        numbers = "[" + ",".join(f'"{number}"' for number in named) + "]"
        for contained in read.fetch(LISTED_PERMISSIONS_OF_ROLES, roles=numbers):
            named[contained.role].append(contained.permission)
        for row in part:
            contents = tuple(sorted(named[row.number], key=str.encode))
            if items and permissions + len(contents) > MOST_PERMISSIONS:
                return read.ending(tuple(items), [items[-1].role])
            permissions += len(contents)
            items.append(_role(row, contents))
    more = [items[-1].role] if len(rows) > read.limit else None
    return read.ending(tuple(items), more)


def permissions(read: Reading) -> FactPage[PermissionEntry]:
    """The permissions that are defined in an organization, by name."""
    (after,) = read.after("")
    found = read.fetch(LISTED_PERMISSIONS, after=after, limit=read.limit + 1)
    rows = _own_first(found, lambda row: row.permission)
    return read.page(rows, lambda row: [row.permission], _permission)


def permissions_of(read: Reading, role: RoleNumber) -> FactPage[PermissionEntry]:
    """The permissions of a role."""
    (after,) = read.after(0)
    params = {"q": role, "after": after, "limit": read.limit + 1}
    rows = read.fetch(LISTED_PERMISSIONS_OF_ROLE, **params)
    return read.page(rows, lambda row: [row.number], _permission)


def permissions_of_group(read: Reading, now: int) -> Page:
    """What a group gives its members on a resource; empty if either is unknown."""
    found: tuple[str, ...] = ()
    (after,) = read.after("")
    g, r = read.numbers.group, read.numbers.resource
    if g is not None and r is not None:
        params = {"g": g, "r": r, "after": after, "limit": read.limit + 1}
        rows = read.fetch(LISTED_PERMISSIONS_OF_GROUP, now=now, **params)
        found = tuple(row.permission for row in rows)
    shown = found[: read.limit]
    page = read.ending(shown, shown[-1:] if len(found) > read.limit else None)
    return Page(page.items, page.next_cursor, page.revision)


def _own_first(rows: list[Row], name: Callable[[Row], str]) -> list[Row]:
    """The rows without the environment's definitions of names that the organization defines itself."""
    return [row for at, row in enumerate(rows) if not at or name(row) != name(rows[at - 1])]


def _role(row: ListedRoleRow, permissions: tuple[str, ...]) -> RoleEntry:
    return RoleEntry(
        row.role,
        row.name,
        bool(row.is_shared),
        row.priority,
        bool(row.critical),
        row.resource_type,
        permissions,
    )


def _permission(row: ListedPermissionRow | PermissionOfRoleRow) -> PermissionEntry:
    return PermissionEntry(row.permission, row.description, bool(row.is_shared), bool(row.critical))
