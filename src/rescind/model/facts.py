"""Recorded facts as lists show them, and a page of such a list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from rescind.model.revisions import Revision

Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True)
class FactPage(Generic[Fact]):
    """Part of a list of facts; `next_cursor` is None on the last page.

    A page may be shorter than its limit and not be the last. A cursor stays good while facts change: later
    pages hold what comes after it at the time.
    """

    items: tuple[Fact, ...]
    next_cursor: str | None
    revision: Revision


class GroupEntry(NamedTuple):
    """A group. In a list of somebody's groups, `since`, `by` and `expires_at` are of the place in it."""

    group: str
    name: str | None
    since: datetime | None = None
    by: str | None = None
    expires_at: datetime | None = None


class MemberEntry(NamedTuple):
    """A member of a group: a subject, or `group:…` for a group that is nested in it.

    `through` names the groups that hold the member itself: the group asked for, or groups below it. With
    several, `since` and `by` are of the oldest of these places and `expires_at` is when the last one ends.
    They are None where the log does not have them: places from before they were kept.
    """

    member: str
    is_active: bool
    through: tuple[str, ...]
    since: datetime | None
    by: str | None
    expires_at: datetime | None


class RoleEntry(NamedTuple):
    """A role. `is_shared`: it is defined for all organizations."""

    role: str
    name: str | None
    is_shared: bool
    priority: int
    is_critical: bool
    resource_type: str | None
    permissions: tuple[str, ...]


class PermissionEntry(NamedTuple):
    """A permission. `is_shared`: it is defined for all organizations."""

    permission: str
    description: str
    is_shared: bool
    is_critical: bool


class ResourceEntry(NamedTuple):
    """A resource and the one that it is below."""

    resource: str
    parent: str


class MembershipEntry(NamedTuple):
    """A subject's place in the organization. What a deactivated one has is kept, and denied."""

    subject: str
    name: str | None
    is_active: bool
    created_at: datetime


class AssignmentEntry(NamedTuple):
    """A role given to a subject or a group. `is_active` is false where that subject is deactivated.

    `since`, `by` and `reason` are of the change that gave it, None where the log does not have that any more.
    """

    holder: str
    role: str
    resource: str
    is_active: bool
    since: datetime | None
    by: str | None
    reason: str | None
    expires_at: datetime | None


class ExpiryEntry(NamedTuple):
    """What ends at a time: a place in a group (`group` is set), or an assignment (`role`, `resource`)."""

    expires_at: datetime
    holder: str
    group: str | None
    role: str | None
    resource: str | None
    is_active: bool
    since: datetime | None
    by: str | None
