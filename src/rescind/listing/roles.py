"""The roles that can be given, and permissions."""

from __future__ import annotations

from typing import Any, Final

from rescind.listing.reading import Reading
from rescind.model import FactPage, Page, PermissionEntry, RoleEntry

MOST_PERMISSIONS: Final = 20_000
"""Of all roles on one page; a page of one role has all of it."""
ROLES_AT_ONCE: Final = 100


def of_organization(read: Reading) -> FactPage[RoleEntry]:
    """The roles that can be given in an organization, by name, with their permissions."""
    (after,) = read.after("")
    rows = _own_first(read.fetch("listed_roles", after=after, limit=read.limit + 1), 1)
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


def permissions(read: Reading) -> FactPage[PermissionEntry]:
    """The permissions that are defined in an organization, by name."""
    (after,) = read.after("")
    found = read.fetch("listed_permissions", after=after, limit=read.limit + 1)
    return read.page(_own_first(found, 0), lambda row: row[:1], _permission)


def permissions_of(read: Reading, role: int) -> FactPage[PermissionEntry]:
    """Those of a role."""
    (after,) = read.after(0)
    names = {"q": role, "after": after, "limit": read.limit + 1}
    rows = read.fetch("listed_permissions_of_role", **names)
    return read.page(rows, lambda row: row[:1], lambda row: _permission(row[1:]))


def permissions_of_group(read: Reading, now: int) -> Page:
    """What a group gives its members on a resource; nothing where one of them is unknown."""
    found: tuple[str, ...] = ()
    (after,) = read.after("")
    g, r = read.numbers.group, read.numbers.resource
    if g is not None and r is not None:
        names = {"g": g, "r": r, "after": after, "limit": read.limit + 1}
        rows = read.fetch("listed_permissions_of_group", now=now, **names)
        found = tuple(slug for (slug,) in rows)
    shown = found[: read.limit]
    page = read.ending(shown, shown[-1:] if len(found) > read.limit else None)
    return Page(page.items, page.next_cursor, page.revision)


def _own_first(rows: list[tuple[Any, ...]], name: int) -> list[tuple[Any, ...]]:
    """Without a name of all organizations where the organization has one of its own."""
    return [row for at, row in enumerate(rows) if not at or row[name] != rows[at - 1][name]]


def _permission(row: tuple[Any, ...]) -> PermissionEntry:
    slug, description, is_shared, critical = row
    return PermissionEntry(slug, description, bool(is_shared), bool(critical))
