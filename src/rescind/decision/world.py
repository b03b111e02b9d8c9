"""Facts from the store as an `access.World`: all of an organization, or what one question needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from rescind.semantics.access import Assignment, Role, World
from rescind.store.rows import Answers, Query
from rescind.store.rows.facts import (
    READ_ASSIGNMENTS,
    READ_GROUP_MEMBERS,
    READ_MEMBERSHIPS,
    READ_NESTINGS,
    READ_RESETS,
    READ_RESOURCES,
    READ_ROLE_PERMISSIONS,
    READ_ROLES,
    SLICE_ASSIGNMENTS,
    SLICE_MEMBERS,
    SLICE_NESTINGS,
    SLICE_RESETS,
    SLICE_RESOURCES,
    SLICE_ROLES,
    AssignmentFact,
    MemberFact,
    NestingFact,
    ResetFact,
    ResourceFact,
    SettingsRow,
)

WHOLE: Final[tuple[Query[Any], ...]] = (
    READ_MEMBERSHIPS,
    READ_GROUP_MEMBERS,
    READ_NESTINGS,
    READ_ROLES,
    READ_ROLE_PERMISSIONS,
    READ_RESOURCES,
    READ_ASSIGNMENTS,
    READ_RESETS,
)
"""The queries that `whole` needs, each with the parameter `o`."""

SLICE: Final[tuple[Query[Any], ...]] = (
    SLICE_MEMBERS,
    SLICE_NESTINGS,
    SLICE_RESOURCES,
    SLICE_ASSIGNMENTS,
    SLICE_ROLES,
    SLICE_RESETS,
)
"""The queries that `slice_of` needs, with the parameters `o`, `m`, `p` and `r`."""


def whole(settings: SettingsRow, facts: Answers) -> World:
    """All facts of an organization; every name that its facts use is in it."""
    permissions: dict[int, set[str]] = {}
    for row in facts[READ_ROLE_PERMISSIONS]:
        permissions.setdefault(row.role, set()).add(row.permission)
    return _world(
        settings,
        memberships={row.subject: bool(row.active) for row in facts[READ_MEMBERSHIPS]},
        roles={
            row.role: Role(frozenset(permissions.get(row.number, ())), row.priority, row.number)
            for row in facts[READ_ROLES]
        },
        members=facts[READ_GROUP_MEMBERS],
        nestings=facts[READ_NESTINGS],
        resources=facts[READ_RESOURCES],
        assignments=facts[READ_ASSIGNMENTS],
        resets=facts[READ_RESETS],
    )


def slice_of(
    settings: SettingsRow, facts: Answers, *, subject: str, is_active: bool, permission: str
) -> World:
    """The facts that decide one question. Roles tell only whether they contain the permission."""
    return _world(
        settings,
        memberships={subject: is_active},
        roles={
            row.role: Role(
                frozenset({permission} if row.is_asked else ()), row.priority, row.number
            )
            for row in facts[SLICE_ROLES]
        },
        members=facts[SLICE_MEMBERS],
        nestings=facts[SLICE_NESTINGS],
        resources=facts[SLICE_RESOURCES],
        assignments=facts[SLICE_ASSIGNMENTS],
        resets=facts[SLICE_RESETS],
    )


def _world(
    settings: SettingsRow,
    *,
    memberships: dict[str, bool],
    roles: dict[str, Role],
    members: Iterable[MemberFact],
    nestings: Iterable[NestingFact],
    resources: Iterable[ResourceFact],
    assignments: Iterable[AssignmentFact],
    resets: Iterable[ResetFact],
) -> World:
    return World(
        memberships=memberships,
        roles=roles,
        members={(row.subject, row.group): row.expires_at for row in members},
        nestings={(row.child, row.parent) for row in nestings},
        resources={row.resource: row.parent for row in resources},
        assignments={
            Assignment(row.holder, row.role, row.resource): row.expires_at for row in assignments
        },
        is_single_role=settings.role_mode == "single",
        takes_next_highest=settings.on_loss == "next-highest",
        default_role=settings.default_role,
        resets={(row.subject, row.role) for row in resets},
    )
