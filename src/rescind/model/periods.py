"""The history of access: from when to when, by which way, and by whose change."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class CauseKind(StrEnum):
    """What began or ended access."""

    CHANGE = "change"
    """A change of the organization."""
    ENVIRONMENT = "environment"
    """A change for all organizations, such as an edit of a role that is defined there."""
    EXPIRY = "expiry"
    """A time that was set before came; nobody changed anything then."""
    BEFORE = "before"
    """It was so already at that time, with which the answer begins; what came earlier was not looked at.
    With a `revision`: that change began it, which was pruned; the time is that with which the log begins.
    """


class Cause(NamedTuple):
    """What began or ended access: when, and which change. `revision` is that of the organization, or for
    ENVIRONMENT that of `*`; `actor` and `reason` are of that change.
    """

    kind: CauseKind
    at: datetime
    revision: int | None = None
    actor: str | None = None
    reason: str | None = None


class AccessPeriod(NamedTuple):
    """A time during which a subject had a role on a resource by one way.

    `chain` are the groups from the subject's own place up to the holder of the role, as they were when it
    began. `permissions` are those of the role, or only the one that was asked about. `ended` is None while
    it lasts, and if it lasted at `until`.
    """

    subject: str
    role: str
    resource: str
    chain: tuple[str, ...]
    is_default_role: bool
    permissions: tuple[str, ...]
    began: Cause
    ended: Cause | None


class OrganizationLife(NamedTuple):
    """One organization of those that have or had a name, numbered from 1 in the order of their creation."""

    number: int
    created_at: datetime
    deleted_at: datetime | None


class IdChange(NamedTuple):
    """A membership had another id up to a change; what it had then is told of that id."""

    former: str
    new: str
    revision: int
    at: datetime


class AccessHistory(NamedTuple):
    """Periods in the order in which they began. `next_after` goes on where a bounded answer stopped: then the
    periods that last at that revision come again, with the same beginning, or with BEFORE where that is too
    far back. None at the end. `life` is the organization that is told of, `lives` all that have or had its
    name. `id_changes` are those, of the subject or of everybody, that were looked at.
    """

    periods: tuple[AccessPeriod, ...]
    next_after: int | None
    life: OrganizationLife | None = None
    lives: tuple[OrganizationLife, ...] = ()
    id_changes: tuple[IdChange, ...] = ()
