"""Reads what the service tells of logs, background work, the history of access and reviews. As `answers`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct

from rescind.client.answers import ReceiptAnswer, reader, receipt_of, struct_of
from rescind.model import (
    AccessHistory,
    AccessPeriod,
    Action,
    Cause,
    CauseKind,
    Difference,
    Direction,
    Enforcement,
    EnforcementStatus,
    IdChange,
    LineDecision,
    LineSource,
    LogEntry,
    LogHead,
    LogPage,
    OrganizationId,
    OrganizationLife,
    PendingWork,
    Review,
    ReviewFilter,
    ReviewLine,
    ReviewOutcome,
    Route,
    StaleLine,
    VerifiedLog,
    VerifiedReview,
)

# --- the log --------------------------------------------------------------------------------------------


class LogEntryAnswer(Struct):
    """A change as recorded."""

    organization: str
    number: int
    recorded_at: datetime
    enforced_at: datetime | None
    settled_at: datetime | None
    actor: str
    reason: str
    direction: Direction
    route: Route
    fan_out: int
    idempotency_key: str | None
    changes: Raw
    enforcement_status: EnforcementStatus
    enforcement: Enforcement | None
    caused_by: int | None


class LogAnswer(Struct):
    """A page of the log."""

    changes: list[LogEntryAnswer]
    next_after: int | None


def _entry(told: LogEntryAnswer) -> LogEntry:
    return LogEntry(
        organization=told.organization,
        revision=told.number,
        recorded_at=told.recorded_at,
        actor=told.actor,
        reason=told.reason,
        direction=told.direction,
        route=told.route,
        fan_out=told.fan_out,
        idempotency_key=told.idempotency_key,
        enforced_at=told.enforced_at,
        settled_at=told.settled_at,
        changes=bytes(told.changes).decode(),
        enforcement=told.enforcement,
        caused_by=told.caused_by,
    )


log_page = reader(
    LogAnswer, lambda told: LogPage(tuple(map(_entry, told.changes)), told.next_after)
)


class ActionsAnswer(Struct):
    """A page of the log of service actions."""

    actions: tuple[Action, ...]
    next_after: int | None


class HeadsAnswer(Struct):
    """Heads of logs."""

    heads: tuple[LogHead, ...]


class VerifiedAnswer(Struct):
    """What was found of logs."""

    logs: tuple[VerifiedLog, ...]


actions = reader(ActionsAnswer, lambda told: (told.actions, told.next_after))
log_heads = reader(HeadsAnswer, lambda told: (told.heads, None))
verified_logs = reader(VerifiedAnswer, lambda told: (told.logs, None))

# --- background work ------------------------------------------------------------------------------------


class PendingItemAnswer(Struct):
    """Work that is not settled."""

    organization: str | None
    group: str | None
    group_number: int | None
    kind: str
    subject: str | None
    direction: Direction
    is_critical: bool
    done: int
    total: int | None
    lag_seconds: float
    attempts: int
    waits_seconds: float
    is_parked: bool
    since: int
    number: int


class PendingAnswer(Struct):
    """All of it."""

    pending: list[PendingItemAnswer]


class ChangedAnswer(Struct):
    """Whether anything was altered."""

    changed: bool


def _work(told: PendingItemAnswer) -> PendingWork:
    fields = {name: getattr(told, name) for name in told.__struct_fields__ if name != "number"}
    fields["group_number"] = -(told.group_number or 0)
    return PendingWork(**fields, revision=told.number, last_error=None, organization_number=0)


pending = reader(PendingAnswer, lambda told: list(map(_work, told.pending)))
changed = reader(ChangedAnswer, lambda told: told.changed)

# --- the history of access ------------------------------------------------------------------------------

_CauseAnswer: Any = struct_of(Cause, kind=CauseKind)
_PeriodAnswer: Any = struct_of(AccessPeriod, began=_CauseAnswer, ended=_CauseAnswer | None)


class LifeAnswer(Struct):
    """An organization that has or had the name."""

    life: int
    created_at: datetime
    deleted_at: datetime | None


class IdChangeAnswer(Struct):
    """A membership had another id up to a change."""

    former: str
    new: str
    revision: int
    at: datetime


class HistoryAnswer(Struct):
    """The history of access, or a part of it."""

    periods: list[_PeriodAnswer]
    next_after: int | None
    life: int | None
    lives: list[LifeAnswer]
    id_changes: list[IdChangeAnswer]


def _cause(told: Any) -> Cause:
    return Cause(*msgspec.structs.astuple(told))


def _history(told: HistoryAnswer) -> AccessHistory:
    lives = tuple(OrganizationLife(*msgspec.structs.astuple(each)) for each in told.lives)
    periods = tuple(
        AccessPeriod(*msgspec.structs.astuple(each))._replace(
            began=_cause(each.began),
            ended=None if each.ended is None else _cause(each.ended),
        )
        for each in told.periods
    )
    found = next((life for life in lives if life.number == told.life), None)
    renamed = tuple(IdChange(*msgspec.structs.astuple(each)) for each in told.id_changes)
    return AccessHistory(periods, told.next_after, found, lives, renamed)


access_history = reader(HistoryAnswer, _history)

# --- reviews --------------------------------------------------------------------------------------------


class ReviewAnswer(Struct):
    """A review. A key that is bound to an organization is not told its `life`."""

    review: str
    organization: OrganizationId
    revision: int
    environment_revision: int
    started_at: datetime
    actor: str
    only: ReviewFilter
    life: int | None
    organization_deleted_at: datetime | None


class ReviewsAnswer(Struct):
    """All of them."""

    reviews: list[ReviewAnswer]


class VerifiedReviewsAnswer(Struct):
    """What was found of reviews."""

    reviews: list[VerifiedReview]


class StaleAnswer(Struct):
    """A line that does not apply any more."""

    line: str
    why: str
    is_there: bool = False


class OutcomeAnswer(Struct):
    """What decisions did."""

    is_repeated: bool
    revoked: list[str]
    kept: int
    stale: list[StaleAnswer]
    granted: tuple[tuple[str, str, str], ...]
    lost: tuple[tuple[str, str, str], ...]
    beyond: tuple[tuple[str, str, str], ...]
    retained: tuple[tuple[str, str, str], ...]
    receipt: ReceiptAnswer | None


class LineAnswer(Struct):
    """A line of a review, as its file has it."""

    line: str
    subject: str
    name: str | None
    active: bool
    role: str
    resource: str
    permissions: tuple[str, ...]
    critical: bool
    given: LineSource
    through: tuple[str, ...]
    since: datetime | None
    given_by: str | None
    reason: str | None
    changed_at: datetime | None
    expires_at: datetime | None
    counts: bool


def _review(told: ReviewAnswer) -> Review:
    return Review(
        organization=told.organization,
        name=told.review,
        revision=told.revision,
        environment=told.environment_revision,
        started_at=told.started_at,
        actor=told.actor,
        filter=told.only,
        life=told.life or 0,
        organization_deleted_at=told.organization_deleted_at,
    )


def _line(told: LineAnswer) -> tuple[ReviewLine, str]:
    fields = msgspec.structs.astuple(told)
    return ReviewLine(*fields), told.line


def outcome_of(
    review: Review, decisions: Sequence[LineDecision]
) -> Callable[[bytes], ReviewOutcome]:
    """What reads the outcome of decisions on a review's lines."""
    by_line = {each.line: each for each in decisions}

    def made(told: OutcomeAnswer) -> ReviewOutcome:
        return ReviewOutcome(
            review=review,
            revoked=tuple(by_line[line] for line in told.revoked),
            kept=told.kept,
            stale=tuple(
                StaleLine(by_line[each.line], each.why, each.is_there) for each in told.stale
            ),
            difference=Difference(told.granted, told.lost),
            beyond=told.beyond,
            retained=told.retained,
            receipt=None if told.receipt is None else receipt_of(told.receipt),
            is_repeated=told.is_repeated,
        )

    return reader(OutcomeAnswer, made)


review = reader(ReviewAnswer, _review)
reviews = reader(ReviewsAnswer, lambda told: list(map(_review, told.reviews)))
review_line = reader(LineAnswer, _line)
verified_reviews = reader(VerifiedReviewsAnswer, lambda told: told.reviews)
