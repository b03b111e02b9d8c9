"""Verifies access reviews: that their rows, their lines and what was applied of them are as they were logged.

A review rests on three hash chains: the log of service actions, which has its start and its applications; the
organization's change log, and that of `*`, which its lines follow from. All three are verified. Then the log
alone is replayed, because an export begins at a snapshot, and whoever writes SQL can alter a snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import zip_longest

from rescind.errors import InvalidArgument, PastUnavailable, ReviewNotFound
from rescind.history.actions import verified_actions
from rescind.history.heads import ACTIONS_NUMBER, listed_logs
from rescind.history.lives import Life, life_of
from rescind.history.log_replay import LogReplay, UnprovenSnapshot
from rescind.history.log_start import log_start
from rescind.history.review_actions import (
    APPLIED,
    STARTED,
    Applied,
    Started,
    UnreadableAction,
    decisions_digest,
    differing,
    digest_at,
    logged,
    read_detail,
)
from rescind.history.reviews import LineContent, ReviewedLines, review_of, rows_of
from rescind.history.revocations import beginning_of_reason
from rescind.history.verify import verified_log
from rescind.model import (
    ENVIRONMENT,
    ENVIRONMENT_NUMBER,
    AppliedDecisions,
    Fault,
    FaultKind,
    KeptHeads,
    LineDecision,
    OrganizationId,
    OrganizationNumber,
    Review,
    ReviewFault,
    ReviewFaultKind,
    VerifiedLog,
    VerifiedReview,
    moment,
)
from rescind.store import Store
from rescind.store.rows.log import ListedLogRow
from rescind.store.rows.reviews import (
    READ_CHANGE_HEADS,
    READ_REVIEW,
    ReviewActionRow,
    ReviewRow,
)


def verified_reviews(
    store: Store,
    organization: OrganizationId,
    name: str | None = None,
    *,
    life: int | None = None,
    decisions: Sequence[LineDecision] | None = None,
    heads: KeptHeads | None = None,
    most_facts: int = 0,
) -> list[VerifiedReview]:
    """As `AccessReviews.verify_reviews`."""
    if decisions is not None and name is None:
        raise InvalidArgument(what="decisions", hint="name the review that they are of")
    lived, _ = life_of(store, organization, life)
    digest = None if decisions is None else decisions_digest(decisions)
    proof = ReviewsProof(store, organization, lived, heads, digest, most_facts)
    found = proof.verified(name)
    if name is not None and not found:
        raise ReviewNotFound(organization=organization, review=name)
    return found


class _Unfit(Exception):
    """What does not fit about a review."""

    def __init__(self, kind: ReviewFaultKind, detail: str = "") -> None:
        super().__init__(kind, detail)
        self.fault = ReviewFault(kind, detail)


class _Verifying:
    """One review, and what was found of it so far."""

    def __init__(self, name: str, row: ReviewRow | None, actions: list[ReviewActionRow]) -> None:
        self.name, self.row, self.actions = name, row, actions
        self.starts: list[Started] = []
        self.applied: list[AppliedDecisions] = []
        self.lines = 0
        self.fault: ReviewFault | None = None
        try:
            self.starts = [read_detail(each, Started) for each in actions if each.kind == STARTED]
            self.applied = [_applied(each) for each in actions if each.kind == APPLIED]
        except UnreadableAction as error:
            self.fault = ReviewFault(ReviewFaultKind.ACTIONS_DIFFER, str(error))

    @property
    def state(self) -> tuple[int, int]:
        """The revisions of the organization and of `*` that are reviewed."""
        if not self.starts:
            return 0, 0
        return self.starts[0].revision, self.starts[0].environment_revision

    def require_row(self) -> tuple[ReviewRow, Started]:
        """The row, if it is as it was when the review was started. Raises _Unfit."""
        if not self.starts:
            raise _Unfit(ReviewFaultKind.UNRECORDED)
        if len(self.starts) > 1:
            raise _Unfit(ReviewFaultKind.STARTED_AGAIN)
        if self.row is None:
            raise _Unfit(ReviewFaultKind.MISSING)
        start = next(row for row in self.actions if row.kind == STARTED)
        if other := differing(self.row, start, self.starts[0]):
            raise _Unfit(ReviewFaultKind.ALTERED, other)
        return self.row, self.starts[0]


class ReviewsProof:
    """The reviews of one organization, and the logs that they rest on."""

    def __init__(
        self,
        store: Store,
        organization: OrganizationId,
        lived: Life,
        heads: KeptHeads | None,
        decisions: str | None,
        most_facts: int,
    ) -> None:
        """Raises InvalidArgument for heads of other logs alone: they would prove nothing."""
        self._store, self._organization, self._lived = store, organization, lived
        self._o: OrganizationNumber = lived.row.organization
        self._heads = KeptHeads() if heads is None else heads
        self._kept = self._heads.digests
        logs = {self._o, ENVIRONMENT_NUMBER, ACTIONS_NUMBER}
        if (
            self._kept
            and logs.isdisjoint(self._kept)
            and organization not in self._heads.names.values()
        ):
            hint = f"none of them is of a log that reviews of {organization} rest on"
            raise InvalidArgument(what="heads", hint=hint)
        self._decisions, self._most_facts = decisions, most_facts
        self._replay: LogReplay | None = None

    def verified(self, name: str | None) -> list[VerifiedReview]:
        """What is found of one review, or of all, by name."""
        rows = {row.name: row for row in self._rows(name)}
        actions = logged(self._store, self._o, name)
        found = [
            _Verifying(each, rows.get(each) or self._row(each), actions.get(each, []))
            for each in rows.keys() | actions.keys()
        ]
        # The log is replayed once, so those of older revisions come first.
        for review in sorted(found, key=lambda each: each.state):
            if review.fault is None:
                try:
                    self._verify(review)
                except _Unfit as error:
                    review.fault = error.fault
        return [self._result(review) for review in sorted(found, key=lambda each: each.name)]

    # --- within -----------------------------------------------------------------------------------

    def _rows(self, name: str | None) -> list[ReviewRow]:
        return rows_of(self._store, self._o) if name is None else self._found(name)

    def _found(self, name: str) -> list[ReviewRow]:
        return self._store.fetch(READ_REVIEW, {"o": self._o, "name": name})

    def _row(self, name: str) -> ReviewRow | None:
        """The row of a review that was started after the rows were read, if there is one."""
        return next(iter(self._found(name)), None)

    def _verify(self, review: _Verifying) -> None:
        """Raises _Unfit for the first thing that does not fit."""
        if (actions := self._actions) is not None and actions.fault is not None:
            bad = actions.fault
            detail = f"action {bad.revision}: {bad.meaning}"
            raise _Unfit(ReviewFaultKind.ACTIONS_DIFFER, detail)
        row, started = review.require_row()
        self._require_logs(started)
        self.compare_lines(review, review_of(self._organization, self._lived, row))
        for each in review.applied:
            self.require_change(review.name, each)
        if self._decisions not in (None, *(each.decisions for each in review.applied)):
            raise _Unfit(ReviewFaultKind.NEVER_APPLIED)

    # --- the logs ---------------------------------------------------------------------------------

    @cached_property
    def _actions(self) -> VerifiedLog | None:
        return verified_actions(self._store, self._kept.get(ACTIONS_NUMBER, {}))

    @cached_property
    def _logs(self) -> list[VerifiedLog]:
        """The organization's log and that of `*`; and what heads of the organization have no log any more."""
        named = list(listed_logs(self._store, self._organization))
        own = [log for log in named if log.organization == self._o]
        found = [self._log(log) for log in [*own, *listed_logs(self._store, ENVIRONMENT)]]
        there = {log.organization for log in named}
        for number, name in sorted(self._heads.names.items()):
            if name == self._organization and number not in there:
                fault = Fault(FaultKind.NO_ORGANIZATION, min(self._kept[number]))
                found.append(VerifiedLog(name, number, 0, 0, 0, "", 0, fault))
        return found

    def _log(self, log: ListedLogRow) -> VerifiedLog:
        found = verified_log(self._store, log, self._kept.get(log.organization, {}))
        if found.fits and self._heads.is_other_name(log.organization, log.name):
            fault = Fault(FaultKind.NAME_DIFFERS, max(self._kept[log.organization]))
            return replace(found, fault=fault)
        return found

    def _require_logs(self, started: Started) -> None:
        """Raises _Unfit unless the logs fit, and are those that the review was started on."""
        for log in self._logs:
            if log.fault is not None:
                where = f"revision {log.fault.revision} of {log.organization}"
                detail = f"{where}: {log.fault.meaning}"
                raise _Unfit(ReviewFaultKind.LOG_DIFFERS, detail)
        self.require_digest(self._o, started.revision, started.digest)
        self.require_digest(
            ENVIRONMENT_NUMBER, started.environment_revision, started.environment_digest
        )

    def require_digest(self, o: OrganizationNumber, revision: int, was: str | None) -> None:
        """Raises _Unfit unless a log has the digest at a revision that it had when a review was started."""
        if was is None:
            raise _Unfit(ReviewFaultKind.UNCHAINED)
        name = ENVIRONMENT if o == ENVIRONMENT_NUMBER else self._organization
        start = log_start(self._store, o)
        if start is not None and revision < start.revision:
            detail = f"{name}: up to {start.revision}, and the review is of {revision}"
            raise _Unfit(ReviewFaultKind.PRUNED, detail)
        if digest_at(self._store, o, revision) != was:
            detail = f"revision {revision} of {name} is another than when the review was started"
            raise _Unfit(ReviewFaultKind.LOG_DIFFERS, detail)

    def require_change(self, name: str, applied: AppliedDecisions) -> None:
        """Raises _Unfit unless the change that applied decisions is in the log, or was pruned."""
        start = log_start(self._store, self._o)
        if applied.revision is None or (start is not None and applied.revision <= start.revision):
            return
        asked = {"o": self._o, "revisions": f"[{applied.revision}]"}
        reasons = [row.reason for row in self._store.fetch(READ_CHANGE_HEADS, asked)]
        begins = beginning_of_reason(name)
        if not any(reason == begins or reason.startswith(f"{begins}:") for reason in reasons):
            detail = f"action {applied.action}: revision {applied.revision}"
            raise _Unfit(ReviewFaultKind.APPLICATION_DIFFERS, detail)

    # --- the lines --------------------------------------------------------------------------------

    def compare_lines(self, review: _Verifying, found: Review) -> None:
        """Raises _Unfit unless the lines that an export has are those that follow from the log alone."""
        store, most = self._store, self._most_facts
        try:
            if self._replay is None:
                self._replay = LogReplay(store, self._o, self._organization, most_facts=most)
            facts = self._replay.forward(found.revision, found.environment)
            exported = ReviewedLines(store, found, None, most)
        except UnprovenSnapshot as error:
            name = ENVIRONMENT if error.organization == ENVIRONMENT_NUMBER else self._organization
            detail = f"that of {name} at revision {error.revision}, behind which the log was pruned"
            kind = ReviewFaultKind.LINES_DIFFER if error.is_other else ReviewFaultKind.UNPROVEN
            raise _Unfit(kind, detail) from error
        except PastUnavailable as error:
            self._replay = None  # it stopped in the middle of a change
            raise _Unfit(ReviewFaultKind.NOT_REPLAYED, str(error)) from error
        proven = ReviewedLines(store, found, None, most, facts)
        for own, other in zip_longest(proven.contents(), exported.contents()):
            if own != other:
                detail = f"by the log {_shown(own)}, by the snapshot {_shown(other)}"
                raise _Unfit(ReviewFaultKind.LINES_DIFFER, detail)
            review.lines += 1

    def _result(self, review: _Verifying) -> VerifiedReview:
        logs = [self._actions, *self._logs]
        return VerifiedReview(
            organization=self._organization,
            review=review.name,
            revision=review.state[0],
            lines=review.lines,
            heads=sum(log.heads for log in logs if log is not None),
            applied=tuple(review.applied),
            fault=review.fault,
        )


def _applied(row: ReviewActionRow) -> AppliedDecisions:
    detail = read_detail(row, Applied)
    return AppliedDecisions(
        action=row.number,
        at=moment(row.recorded_at),
        actor=row.actor,
        decisions=detail.decisions,
        revision=detail.revision,
        revoked=detail.revoked,
        kept=detail.kept,
        stale=detail.stale,
    )


def _shown(line: LineContent | None) -> str:
    """A line in words. Different lines can have the same words."""
    if line is None:
        return "there is none"
    way = line.way
    through = f" through {' > '.join(way.chain)}" if way.chain else ""
    permissions = ", ".join(line.kind.permissions)
    state = "" if line.is_active else ", deactivated"
    since = f" since revision {way.since}"
    return f"{way.subject}{state} has {way.role} on {way.resource}{through}{since} ({permissions})"
