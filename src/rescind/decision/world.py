"""Facts from the store as an `access.World`: all of an organization, or what one question needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rescind.semantics.access import Assignment, Role, World
from rescind.store import Rows

WHOLE = (
    "read_memberships",
    "read_group_members",
    "read_nestings",
    "read_roles",
    "read_role_permissions",
    "read_resources",
    "read_assignments",
    "read_resets",
)
"""The queries that `whole` needs, each with the parameter `o`."""

SLICE = (
    "slice_members",
    "slice_nestings",
    "slice_resources",
    "slice_assignments",
    "slice_roles",
    "slice_resets",
)
"""The queries that `slice_of` needs, with the parameters `o`, `m`, `p` and `r`."""


def whole(settings: tuple[Any, ...], rows: Mapping[str, Rows]) -> World:
    """All facts of an organization; every name that its facts use is in it."""
    permissions: dict[int, set[str]] = {}
    for role, permission in rows["read_role_permissions"]:
        permissions.setdefault(role, set()).add(permission)
    return World(
        memberships={subject: bool(active) for subject, active, _ in rows["read_memberships"]},
        roles={
            slug: Role(frozenset(permissions.get(number, ())), priority, number)
            for slug, priority, number, *_ in rows["read_roles"]
        },
        **_common(settings, rows, "read", "group_members"),
    )


def slice_of(
    settings: tuple[Any, ...],
    rows: Mapping[str, Rows],
    *,
    subject: str,
    is_active: bool,
    permission: str,
) -> World:
    """The facts that decide one question: of roles, only whether they contain the permission."""
    return World(
        memberships={subject: is_active},
        roles={
            slug: Role(frozenset({permission} if contains else ()), priority, number)
            for slug, priority, number, contains in rows["slice_roles"]
        },
        **_common(settings, rows, "slice", "members"),
    )


def _common(
    settings: tuple[Any, ...], rows: Mapping[str, Rows], prefix: str, members: str
) -> dict[str, Any]:
    *_, role_mode, on_loss, default_role = settings
    assignments = {
        Assignment(holder, role, resource): until
        for holder, role, resource, until in rows[f"{prefix}_assignments"]
    }
    return {
        "members": {
            (subject, group): until for subject, group, until in rows[f"{prefix}_{members}"]
        },
        "nestings": set(rows[f"{prefix}_nestings"]),
        "resources": dict(rows[f"{prefix}_resources"]),
        "assignments": assignments,
        "is_single_role": role_mode == "single",
        "takes_next_highest": on_loss == "next-highest",
        "default_role": default_role,
        "resets": {(subject, role) for subject, role in rows[f"{prefix}_resets"]},
    }
