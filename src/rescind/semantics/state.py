"""All facts of one organization, or of the environment, as plain values keyed by names. Pure, no I/O.

A fact says since which revision it is there (`since`: made, or made again after it ended or expired) and
which revision altered it last (`changed`). Revisions are those of the organization; in an `EnvironmentState`
those of the environment. 0 stands for a revision before the log that is kept.

Facts are immutable. A state is not: replay puts facts into its tables. `copy` copies the tables alone.
What has expired is still there, as in the store, until a change takes it away.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import msgspec

from rescind.model import (
    ROOT,
    IdRule,
    OnLoss,
    RoleMode,
)
from rescind.semantics import access

if TYPE_CHECKING:
    from rescind.semantics.state_links import Links

PlaceKey: TypeAlias = tuple[str, str]
"""Subject and group."""
NestingKey: TypeAlias = tuple[str, str]
"""The group, and the one that it is in."""
AssignmentKey: TypeAlias = tuple[str, str, str]
"""Holder (a subject, or a group as `group:…`), role and resource."""
SetAsideKey: TypeAlias = tuple[str, str]
"""Subject and role."""


class Rank(NamedTuple):
    """Orders roles by when they were defined, those of the environment among an organization's own."""

    environment: int
    """The environment's revision when it was defined; -1 before the log that is kept."""
    revision: int
    """The organization's; 0 for a role of the environment. Before the log: the role's number in the store."""
    place: int = 0
    """In the batch."""


class Settings(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is set for an organization. `*_since` are the revisions that set it."""

    name: str
    id_rule: IdRule = IdRule.EXACT
    role_mode: RoleMode = RoleMode.MULTIPLE
    on_loss: OnLoss = OnLoss.DEFAULT
    default_role: str | None = None
    since: int = 0
    changed: int = 0
    role_mode_since: int = 0
    default_role_since: int = 0


class Membership(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A subject's place in the organization."""

    is_active: bool
    name: str | None
    since: int
    changed: int


class Group(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An existing group."""

    name: str | None
    since: int
    changed: int


class Place(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A membership in a group, until a time; it stays after that time. None is never."""

    until: int | None
    since: int
    changed: int


class Nesting(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A group in another."""

    since: int
    changed: int


class Permission(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A permission that is defined here."""

    critical: bool
    description: str
    since: int
    changed: int


class Contained(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A permission in a role. A permission of the environment is meant as it was at that revision of the
    environment: it is in the role no more if it was deleted since, even if there is another of its name.
    """

    environment: int | None
    """None for a permission of the organization itself, and in the environment."""
    since: int


class Role(msgspec.Struct, frozen=True, array_like=True):
    """A role that is defined here. `Contents.permissions_of` says which permissions count."""

    permissions: dict[str, Contained]
    priority: int
    critical: bool
    required: bool
    name: str | None
    resource_type: str | None
    rank: Rank
    since: int
    changed: int


class ResourceType(msgspec.Struct, frozen=True, array_like=True):
    """A resource type that is defined here; no parents means anywhere."""

    parents: tuple[str, ...]
    since: int
    changed: int


class Resource(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A resource and what it is in; the organization itself is in nothing."""

    parent: str | None
    since: int
    changed: int


class Assigned(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A role given to a holder on a resource, until a time; it stays after that time. None is never."""

    until: int | None
    since: int
    changed: int


class SetAside(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A role that does not count for a subject after a loss. A role of the environment is meant as it was at
    that revision of the environment, as in `Contained`.
    """

    environment: int | None
    """None for a role of the organization itself."""
    since: int


@dataclass(slots=True)
class EnvironmentState:
    """What is defined for all organizations."""

    revision: int = 0
    """The last one that is in it."""
    recorded_at: int = 0
    """When that one was recorded."""
    permissions: dict[str, Permission] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    resource_types: dict[str, ResourceType] = field(default_factory=dict)

    def copy(self) -> EnvironmentState:
        """A state that changes of this one do not alter."""
        return replace(
            self,
            permissions=dict(self.permissions),
            roles=dict(self.roles),
            resource_types=dict(self.resource_types),
        )


@dataclass(slots=True)
class OrganizationState:
    """All facts of one organization. Without `settings` it does not exist: not yet, or not any more."""

    organization: str
    revision: int = 0
    """The last one that is in it."""
    environment: int = 0
    """The environment's revision when that one was recorded, as far as it is known."""
    recorded_at: int = 0
    """When that one was recorded."""
    settings: Settings | None = None
    memberships: dict[str, Membership] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    places: dict[PlaceKey, Place] = field(default_factory=dict)
    nestings: dict[NestingKey, Nesting] = field(default_factory=dict)
    permissions: dict[str, Permission] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    resource_types: dict[str, ResourceType] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    assignments: dict[AssignmentKey, Assigned] = field(default_factory=dict)
    set_aside: dict[SetAsideKey, SetAside] = field(default_factory=dict)
    links: Links | None = field(default=None, repr=False, compare=False)
    """How replay finds what hangs on a fact; made when it is needed, never kept. Alter no table while it is
    there, but by replay.
    """

    def copy(self) -> OrganizationState:
        """A state that changes of this one do not alter."""
        tables: dict[str, Any] = {n: dict(getattr(self, n)) for n in ORGANIZATION_TABLES}
        return replace(self, links=None, **tables)


ENVIRONMENT_TABLES: Final = ("permissions", "roles", "resource_types")
ORGANIZATION_TABLES: Final = (
    "memberships",
    "groups",
    "places",
    "nestings",
    *ENVIRONMENT_TABLES,
    "resources",
    "assignments",
    "set_aside",
)


def count_rows(state: OrganizationState) -> int:
    """How many facts a state has, but for the permissions in roles. Quick: it goes by the tables' sizes."""
    return (
        len(state.memberships)
        + len(state.groups)
        + len(state.places)
        + len(state.nestings)
        + len(state.permissions)
        + len(state.roles)
        + len(state.resource_types)
        + len(state.resources)
        + len(state.assignments)
        + len(state.set_aside)
    )


# --- what counts -----------------------------------------------------------------------------------


def roles_of(state: OrganizationState, environment: EnvironmentState) -> dict[str, Role]:
    """All roles that can be given in the organization, by name."""
    return {**environment.roles, **state.roles}


def permissions_of(role: Role, environment: EnvironmentState) -> frozenset[str]:
    """The permissions that a role contains, without those of the environment that were deleted since."""
    return frozenset(
        permission
        for permission, contained in role.permissions.items()
        if is_contained(permission, contained, environment)
    )


def is_contained(permission: str, contained: Contained, environment: EnvironmentState) -> bool:
    """Whether the permission that was meant is still there."""
    if contained.environment is None:
        return True
    shared = environment.permissions.get(permission)
    return shared is not None and shared.since <= contained.environment


def is_set_aside(
    state: OrganizationState, environment: EnvironmentState, subject: str, role: str
) -> bool:
    """Whether a role does not count for a subject, because it lost its winning role before."""
    found = state.set_aside.get((subject, role))
    if found is None:
        return False
    if found.environment is None:
        return role in state.roles
    shared = environment.roles.get(role)
    return shared is not None and shared.since <= found.environment


def world(state: OrganizationState, environment: EnvironmentState) -> access.World:
    """The facts as the reference semantics take them. A deleted organization's are none."""
    roles = roles_of(state, environment)
    ranks = {name: place for place, name in enumerate(sorted(roles, key=lambda n: roles[n].rank))}
    settings = state.settings
    return access.World(
        memberships={subject: fact.is_active for subject, fact in state.memberships.items()},
        members={key: fact.until for key, fact in state.places.items()},
        nestings=set(state.nestings),
        roles={
            name: access.Role(permissions_of(role, environment), role.priority, ranks[name])
            for name, role in roles.items()
        },
        resources={name: fact.parent for name, fact in state.resources.items()} or {ROOT: None},
        assignments={
            access.Assignment(holder, role, resource): fact.until
            for (holder, role, resource), fact in state.assignments.items()
        },
        is_single_role=settings is not None and settings.role_mode is RoleMode.SINGLE,
        takes_next_highest=settings is not None and settings.on_loss is OnLoss.NEXT_HIGHEST,
        default_role=None if settings is None else settings.default_role,
        resets={key for key in state.set_aside if is_set_aside(state, environment, *key)},
    )
