"""The facts of an environment and its organizations, as plain sets and dictionaries.

Written from docs/reference/changes.md and docs/explanation/guarantees.md. Knows nothing of the product
but the types of changes and ids. Times are microseconds; None is never.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

ENVIRONMENT = "*"
ROOT = "organization"


@dataclass
class Role:
    """A role of one level: of all organizations, or of the one that is named."""

    slug: str
    level: str
    permissions: frozenset[str]
    priority: int
    critical: bool
    name: str | None
    resource_type: str | None


@dataclass
class Membership:
    """A subject's place. Its number is another one where it was removed and added again."""

    number: int
    name: str | None
    active: bool = True


@dataclass
class Organization:
    """What one organization records. Roles are named by their numbers, everything else by its id."""

    name: str | None
    mode: str = "multiple"
    on_loss: str = "default"
    default_role: int | None = None
    memberships: dict[str, Membership] = field(default_factory=dict)
    groups: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    members: dict[tuple[str, str], int | None] = field(default_factory=dict)
    nestings: set[tuple[str, str]] = field(default_factory=set)
    resources: dict[str, tuple[int, str]] = field(default_factory=dict)
    assignments: dict[tuple[int, str, str], int | None] = field(default_factory=dict)
    set_aside: set[tuple[str, int]] = field(default_factory=set)

    def copied(self) -> Organization:
        """The same facts, to be changed apart."""
        return Organization(
            self.name,
            self.mode,
            self.on_loss,
            self.default_role,
            {subject: replace(there) for subject, there in self.memberships.items()},
            dict(self.groups),
            dict(self.members),
            set(self.nestings),
            dict(self.resources),
            dict(self.assignments),
            set(self.set_aside),
        )


@dataclass
class World:
    """The environment with all organizations."""

    organizations: dict[str, Organization] = field(default_factory=dict)
    permissions: dict[tuple[str, str], tuple[bool, str]] = field(default_factory=dict)
    roles: dict[int, Role] = field(default_factory=dict)
    types: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    numbers: int = 0

    def copied(self) -> World:
        """The same facts, to be changed apart."""
        return World(
            {name: org.copied() for name, org in self.organizations.items()},
            dict(self.permissions),
            {number: replace(role) for number, role in self.roles.items()},
            dict(self.types),
            self.numbers,
        )

    def next_number(self) -> int:
        """Later things have higher numbers."""
        self.numbers += 1
        return self.numbers

    def role(self, level: str, slug: str) -> int | None:
        """The number of the role that an organization means by a name: its own, or that of all."""
        for number, role in self.roles.items():
            if role.slug == slug and role.level in (level, ENVIRONMENT):
                return number
        return None

    def has_permission(self, level: str, slug: str) -> bool:
        """Whether an organization knows a permission."""
        return (level, slug) in self.permissions or (ENVIRONMENT, slug) in self.permissions

    def is_critical(self, level: str, slug: str) -> bool:
        """Whether a permission that is known is critical."""
        found = self.permissions.get((level, slug)) or self.permissions[ENVIRONMENT, slug]
        return found[0]

    def parents_of_type(self, level: str, slug: str) -> frozenset[str] | None:
        """The types that a type may stand below (none: anywhere), or None for an unknown type."""
        return self.types.get((level, slug), self.types.get((ENVIRONMENT, slug)))

    def is_of(self, level: str) -> list[str]:
        """The organizations that a level concerns."""
        return list(self.organizations) if level == ENVIRONMENT else [level]


def is_past(until: int | None, now: int) -> bool:
    """Past from that instant on."""
    return until is not None and until <= now
