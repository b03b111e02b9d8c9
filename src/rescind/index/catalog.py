"""Permissions and roles in memory, of one owner: an organization, or the environment."""

from __future__ import annotations

from sys import getsizeof
from typing import NamedTuple

from rescind.model import PermissionNumber, RoleNumber


class Role(NamedTuple):
    """A role, with its permissions by number."""

    slug: str
    priority: int
    permissions: frozenset[PermissionNumber]


class Catalog:
    """The definitions of one owner. No check may run while they change."""

    def __init__(self) -> None:
        self.permissions: dict[str, tuple[PermissionNumber, bool]] = {}
        self.roles: dict[RoleNumber, Role] = {}
        self._numbers: dict[str, RoleNumber] = {}

    def containing(self, permission: PermissionNumber) -> frozenset[RoleNumber]:
        """The roles that contain a permission."""
        return frozenset(n for n, role in self.roles.items() if permission in role.permissions)

    def number(self, role: str) -> RoleNumber | None:
        """The number of a role."""
        return self._numbers.get(role)

    def size(self) -> int:
        """About how many bytes the definitions take."""
        contents = sum(len(role.permissions) for role in self.roles.values())
        text = sum(map(getsizeof, self.permissions)) + sum(map(getsizeof, self._numbers))
        return text + 250 * len(self.permissions) + 700 * len(self.roles) + 120 * contents

    def put_permission(self, number: PermissionNumber, slug: str, *, critical: bool) -> None:
        """Add or replace a permission."""
        self.permissions[slug] = (number, critical)

    def drop_permission(self, slug: str) -> PermissionNumber | None:
        """Remove a permission; returns its number."""
        return self.permissions.pop(slug, (None, False))[0]

    def drop_from_roles(self, permissions: frozenset[PermissionNumber]) -> None:
        """Remove permissions from all roles, in one walk."""
        for number, role in self.roles.items():
            if not permissions.isdisjoint(role.permissions):
                self.roles[number] = role._replace(permissions=role.permissions - permissions)

    def put_role(self, number: RoleNumber, role: Role) -> None:
        """Add or replace a role."""
        self.roles[number] = role
        self._numbers[role.slug] = number

    def drop_role(self, slug: str) -> None:
        """Remove a role."""
        number = self._numbers.pop(slug, None)
        if number is not None:
            del self.roles[number]
