"""The access reviews of `Authority`: start one, read its lines, and carry out what was decided."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rescind import decision_log, history, model
from rescind.errors import OrganizationNotFound, PreconditionFailed, StoreConflict

if TYPE_CHECKING:
    from rescind.changes import Change
    from rescind.decision_log import LastUsed
    from rescind.history.reviews import ReviewedLines
    from rescind.model import (
        Difference,
        KeptHeads,
        LineDecision,
        LogHead,
        Microseconds,
        OrganizationId,
        Receipt,
        Review,
        ReviewCounts,
        ReviewLine,
        ReviewOutcome,
        Revision,
        VerifiedReview,
    )
    from rescind.settings import Settings
    from rescind.store import Store
    from rescind.store.rows.actions import ServiceAction


class AccessReviews(ABC):
    """What `Authority` does with access reviews.

    A review is the organization as it was when the review was started: it can be read again later, and has
    the same lines, for as long as the log reaches back to it. Each method raises OrganizationNotFound, and
    ReviewNotFound where a review is named.
    """

    store: Store
    settings: Settings

    @abstractmethod
    def _named(self, organization: str | None) -> OrganizationId: ...

    @abstractmethod
    def _now(self) -> Microseconds: ...

    @abstractmethod
    def preview(
        self,
        changes: Sequence[Change],
        *,
        organization: str | None = None,
        if_revision: str | None = None,
        force: bool = False,
        only_at: str | None = None,
    ) -> Difference: ...

    @abstractmethod
    def _apply_rest(
        self,
        rest: Sequence[Change],
        asked: Sequence[Change],
        *,
        actor: str,
        reason: str,
        idempotency_key: str | None,
        organization: str,
        at: Revision | None,
        action: ServiceAction | None = None,
    ) -> tuple[Receipt, bool]: ...

    def start_review(
        self,
        review: str,
        *,
        actor: str = "unknown",
        request: str = "",
        organization: str | None = None,
        **only: Any,
    ) -> Review:
        """Start a review of who has what now. Nothing is copied. The log of service actions has it, with the
        digests of the log that its lines follow from, so that `verify_reviews` can prove it.

        `only` narrows it: `subject`, `group` (chains through it), `role`, `resource` (on it, above and below
        it), `permission`, `critical=True`. What it names must exist, else the review would be empty and look
        like a proof: raises RoleNotFound and the like. Raises ReviewExists, MalformedId and InvalidArgument.
        """
        name, actor = self._named(organization), model.require_text("actor", actor)
        checked = history.reviews.review_name(review)
        chosen = history.review_starting.checked_filter(**only)
        request = model.require_text("request", request)
        by = {"actor": actor, "request": request}
        return history.review_starting.start(
            self.store, name, checked, chosen, now=self._now(), **by
        )

    def list_reviews(
        self, *, life: int | None = None, organization: str | None = None
    ) -> list[Review]:
        """The organization's reviews, by name; if it was deleted, those of the last one that had its name.

        `life` means another one of these, by its number in the order of their creation, from 1.
        """
        return history.reviews.listed(self.store, self._named(organization), life)

    def find_review(
        self, review: str, *, life: int | None = None, organization: str | None = None
    ) -> Review:
        """One review, of the organization or another `life` of its name, as in `list_reviews`."""
        name = self._named(organization)
        return history.reviews.find(self.store, name, history.reviews.review_name(review), life)

    def review_lines(
        self,
        review: str,
        *,
        after: str | None = None,
        used: LastUsed | None = None,
        life: int | None = None,
        organization: str | None = None,
    ) -> Iterator[ReviewLine]:
        """The lines of a review, or those after one, always the same in the same order.

        One line is one way by which one subject has one role on one resource: by an assignment of its own, or
        through a group that it is in itself. Memory is that of the organization's facts, however many lines
        there are. `used`, read from a decision log, tells when a line was last used; `life` is as in
        `list_reviews`. Raises PastUnavailable where the log does not reach back, and InvalidArgument for
        `after`.
        """
        after = None if after is None else model.require_text("after", after)
        if used is not None:
            history.review_run.listed("used", [used], decision_log.LastUsed)
        found = self.find_review(review, life=life, organization=organization)
        return self._reviewed(found, used).lines(after)

    def count_review(
        self, review: str, *, life: int | None = None, organization: str | None = None
    ) -> ReviewCounts:
        """How many lines a review has, of how many subjects, and how many of them need a closer look."""
        found = self.find_review(review, life=life, organization=organization)
        return self._reviewed(found).counted()

    def review_lines_of(
        self, review: str, lines: Sequence[str], *, organization: str | None = None
    ) -> dict[str, ReviewLine]:
        """Those of the lines that have these ids."""
        reviewed = self._reviewed(self.find_review(review, organization=organization))
        ways = reviewed.of(history.review_run.listed("lines", lines, str))
        return dict(zip(ways, reviewed.shown(ways.values()), strict=True))

    def apply_review(
        self,
        review: str,
        decisions: Sequence[LineDecision],
        *,
        actor: str = "unknown",
        comment: str = "",
        dry_run: bool = False,
        request: str = "",
        organization: str | None = None,
    ) -> ReviewOutcome:
        """Revoke the lines that are to be revoked, as one batch; with `dry_run`, say what that would do.

        Lines whose facts have changed since the review do not apply: they are `stale`, and the others are
        revoked. The same decisions applied again have one effect. The log has the review's name and the
        comments as the reason; the log of service actions has a digest of all decisions, those to keep
        included. Raises BadInput, naming the lines, for contradictions and for what the facts
        do not permit, such as taking a required role from its last holder: then nothing is done.
        """
        decisions = history.review_run.checked_decisions(decisions)
        found = self.find_review(review, organization=organization)
        if found.organization_deleted_at is not None:
            raise OrganizationNotFound(organization=found.organization)
        actor, comment = model.require_text("actor", actor), model.require_text("comment", comment)
        request = model.require_text("request", request)
        dry_run = model.require_flag("dry_run", dry_run)
        run = history.review_run.ReviewRun(
            self, found, decisions, history.revocations.reason_of(found, decisions, comment)
        )
        for _ in range(history.review_run.ATTEMPTS):
            try:
                return run.attempt(actor, request, dry_run=dry_run)
            except PreconditionFailed:
                continue
        why = "others kept changing it; try again"
        raise StoreConflict(organization=found.organization, why=why)

    def verify_reviews(
        self,
        review: str | None = None,
        *,
        decisions: Sequence[LineDecision] | None = None,
        heads: KeptHeads | Iterable[LogHead] | None = None,
        life: int | None = None,
        organization: str | None = None,
    ) -> list[VerifiedReview]:
        """Whether a review, or each of all, is as it was when it was started; if not, what differs first.

        Its row is compared with the log of service actions, its lines with the change log, replayed without
        snapshots; the chains of both are verified. `decisions` of a named review must have been applied, with
        the same comments. `heads` were kept elsewhere: each log must still have its own. `life` is as in
        `list_reviews`. A review that an earlier version started cannot be verified: it does not fit.
        """
        name = self._named(organization)
        if decisions is not None:
            decisions = history.review_run.checked_decisions(decisions)
        return history.review_verify.verified_reviews(
            self.store,
            name,
            None if review is None else history.reviews.review_name(review),
            life=life,
            decisions=decisions,
            heads=history.log_proof.kept_heads(heads),
            most_facts=self.settings.past_most_facts,
        )

    def _reviewed(self, review: Review, used: LastUsed | None = None) -> ReviewedLines:
        return history.reviews.ReviewedLines(
            self.store, review, used, self.settings.past_most_facts
        )
