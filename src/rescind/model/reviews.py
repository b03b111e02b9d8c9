"""An access review: what it covers, its lines, and what a reviewer decides of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from rescind.model.enums import OrganizationId
from rescind.model.receipts import Difference, Receipt


class LineSource(StrEnum):
    """What gives the access of a line, and so what a decision to revoke takes away."""

    ASSIGNMENT = "assignment"
    """A role that the subject has itself. Revoking takes this assignment."""
    GROUP = "group"
    """The subject's own place in a group, the first of the chain. Revoking takes the subject out of it."""
    DEFAULT_ROLE = "default role"
    """The default role of a single-role organization. No line can take it."""


class Verdict(StrEnum):
    """What a reviewer decides of a line."""

    KEEP = "keep"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which lines a review has. With several conditions, all must hold.

    `group` means lines whose chain goes through it. `resource` means roles on it, above it and below it.
    `critical` means critical roles, and roles with a critical permission.
    """

    subject: str | None = None
    group: str | None = None
    role: str | None = None
    resource: str | None = None
    permission: str | None = None
    critical: bool = False

    def as_object(self) -> dict[str, Any]:
        """The conditions that are set."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class Review:
    """A review: the organization at a revision, seen at the time when the review was started.

    `environment` is the revision of all organizations' definitions that belongs to it. `life` counts the
    organizations that had the name, from 1; `organization_deleted_at` is None for the one that is there.
    """

    organization: OrganizationId
    name: str
    revision: int
    environment: int
    started_at: datetime
    actor: str
    filter: ReviewFilter = field(default_factory=ReviewFilter)
    life: int = 1
    organization_deleted_at: datetime | None = None


class ReviewCounts(NamedTuple):
    """How much there is to review: lines and subjects, lines of critical roles, lines of the deactivated."""

    lines: int
    subjects: int
    critical: int
    inactive: int


class ReviewLine(NamedTuple):
    """One way by which one subject has one role on one resource.

    `line` identifies it: two exports of a review have the same lines with the same ids. `chain` are the
    groups from the subject's own place up to the group that holds the role; empty for an assignment of the
    subject's own. `since`, `given_by` and `reason` are of the change that completed the chain; `changed_at`
    is when anything in it was altered last, the role's permissions included. They are None where the log does
    not have them. `expires_at` is when the first part of the chain ends. `counts` is false where the role
    gives nothing now: the subject is deactivated, or another role wins in a single-role organization.
    """

    line: str
    subject: str
    name: str | None
    is_active: bool
    role: str
    resource: str
    permissions: tuple[str, ...]
    is_critical: bool
    source: LineSource
    chain: tuple[str, ...]
    since: datetime | None
    given_by: str | None
    reason: str | None
    changed_at: datetime | None
    expires_at: datetime | None
    counts: bool
    last_used: str | None = None


class LineDecision(NamedTuple):
    """What was decided of a line, and where in a file that stands."""

    line: str
    verdict: Verdict
    comment: str = ""
    at: str = ""


class StaleLine(NamedTuple):
    """A line that was to be revoked and does not apply any more: the facts have changed since the review.

    `is_there` says that the same is there, given anew or under another id.
    """

    decision: LineDecision
    why: str
    is_there: bool = False


@dataclass(frozen=True, slots=True)
class ReviewOutcome:
    """What the decisions of a review do, or did.

    `revoked` are the lines that are taken away, `stale` those that do not apply any more. `difference` is
    what subjects gain and lose, exactly; `beyond` is what they lose that no revoked line gives; `retained` is
    what a revoked line gives and its subject has another way too. All three are (subject, permission,
    resource). `receipt` is none in a dry run, and where nothing was left to do. If it `is_repeated`, the same
    decisions were applied before, and that is what they did then.
    """

    review: Review
    revoked: tuple[LineDecision, ...]
    kept: int
    stale: tuple[StaleLine, ...]
    difference: Difference
    beyond: tuple[tuple[str, str, str], ...]
    retained: tuple[tuple[str, str, str], ...]
    receipt: Receipt | None = None
    is_repeated: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether every line that was to be revoked is."""
        return not self.stale
