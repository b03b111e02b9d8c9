"""The change log as it is read: entries, and how each hangs in its hash chain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from rescind.model.enforcement import Enforcement, EnforcementStatus
from rescind.model.enums import Direction, Route


class Content(NamedTuple):
    """What is digested of a change, in the order of the canonical form."""

    organization: int
    revision: int
    recorded_at: int
    """Microseconds since 1970."""
    granted: int
    revoked: int
    estimated: int
    caused_by: int | None
    environment: int | None
    """The revision of `*`, all organizations, at the commit; none in changes of an older version."""
    actor: str
    reason: str
    idempotency_key: str | None
    direction: str
    route: str
    body: str
    """The changes, as JSON."""


@dataclass(frozen=True, slots=True)
class ChainLink:
    """How a change hangs in the hash chain of its organization's log."""

    content: Content
    """What is digested of it."""
    previous: str | None
    """The digest before it, as 64 hexadecimal digits; None if that is not known."""
    digest: str | None
    """Its own, as the log has it; None while an older version's change is not chained yet."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One change as recorded: who, why, when, what, and its direction."""

    organization: str
    revision: int
    recorded_at: datetime
    actor: str
    reason: str
    direction: Direction
    route: Route
    fan_out: int
    idempotency_key: str | None
    enforced_at: datetime | None
    """By when no check allowed what it revoked; none while that is not known to hold."""
    settled_at: datetime | None
    changes: str
    """A JSON list."""
    enforcement: Enforcement | None = None
    """Which replicas held the organization, and what each did; none if that is not recorded."""
    caused_by: int | None = None
    """The revision of `*`, all organizations, that caused the change."""
    link: ChainLink | None = None
    """Its place in the hash chain."""

    @property
    def enforcement_status(self) -> EnforcementStatus:
        """What the log knows of its enforcement."""
        if self.direction is Direction.GRANTS:
            return EnforcementStatus.NOTHING_REVOKED
        if self.enforced_at is None:
            return EnforcementStatus.OPEN
        is_recorded = self.enforcement is not None
        return EnforcementStatus.RECORDED if is_recorded else EnforcementStatus.NOT_RECORDED


class LogPage(NamedTuple):
    """Part of the log, oldest first; `next_after` is None at its end.

    A page may be shorter than asked for, and even empty, where few changes are about what was asked for.
    """

    items: tuple[LogEntry, ...]
    next_after: int | None
