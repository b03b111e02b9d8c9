"""The access reviews of `Authority`: start one, read its lines, and carry out what was decided."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar

from rescind import model
from rescind.changes import Change
from rescind.decision_log import LastUsed
from rescind.errors import (
    BadInput,
    InvalidArgument,
    OrganizationNotFound,
    PreconditionFailed,
    RescindError,
    StoreConflict,
)
from rescind.history import reviews
from rescind.history.population import Population
from rescind.history.reviews import ReviewedLines
from rescind.history.revocations import (
    Revocation,
    beyond,
    changes_of,
    idempotency_key,
    reason_of,
    refusal_of,
    require_none,
    revocations,
    sorted_out,
)
from rescind.history.states import replayed
from rescind.model import (
    Difference,
    LineDecision,
    Microseconds,
    OrganizationId,
    Receipt,
    Review,
    ReviewCounts,
    ReviewLine,
    ReviewOutcome,
    Revision,
    StaleLine,
)
from rescind.settings import Settings
from rescind.store import Store
from rescind.store.rows.changes import READ_KEYED_OUTCOME
from rescind.store.rows.organizations import READ_REVISION

T = TypeVar("T")
ATTEMPTS: Final = 16
"""How often decisions are tried while others change the organization between a look and the lock."""
NOTHING: Final = Difference((), ())


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
    ) -> tuple[Receipt, bool]: ...

    def start_review(
        self,
        review: str,
        *,
        actor: str = "unknown",
        organization: str | None = None,
        **only: Any,
    ) -> Review:
        """Start a review of who has what now. Nothing is copied.

        `only` narrows it: `subject`, `group` (chains through it), `role`, `resource` (on it, above and below
        it), `permission`, `critical=True`. What it names must exist, else the review would be empty and look
        like a proof: raises RoleNotFound and the like. Raises ReviewExists, MalformedId and InvalidArgument.
        """
        name, actor = self._named(organization), model.require_text("actor", actor)
        checked = reviews.review_name(review)
        chosen = reviews.checked_filter(**only)
        return reviews.start(self.store, name, checked, chosen, actor=actor, now=self._now())

    def list_reviews(
        self, *, life: int | None = None, organization: str | None = None
    ) -> list[Review]:
        """The organization's reviews, by name; if it was deleted, those of the last one that had its name.

        `life` means another one of these, by its number in the order of their creation, from 1.
        """
        return reviews.listed(self.store, self._named(organization), life)

    def find_review(
        self, review: str, *, life: int | None = None, organization: str | None = None
    ) -> Review:
        """One review, of the organization or another `life` of its name, as in `list_reviews`."""
        name = self._named(organization)
        return reviews.find(self.store, name, reviews.review_name(review), life)

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
            _listed("used", [used], LastUsed)
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
        ways = reviewed.of(_listed("lines", lines, str))
        return dict(zip(ways, reviewed.shown(ways.values()), strict=True))

    def apply_review(
        self,
        review: str,
        decisions: Sequence[LineDecision],
        *,
        actor: str = "unknown",
        comment: str = "",
        dry_run: bool = False,
        organization: str | None = None,
    ) -> ReviewOutcome:
        """Revoke the lines that are to be revoked, as one batch; with `dry_run`, say what that would do.

        Lines whose facts have changed since the review do not apply: they are `stale`, and the others are
        revoked. The same decisions applied again have one effect. The log has the review's name and the
        comments as the reason. Raises BadInput, naming the lines, for contradictions and for what the facts
        do not permit, such as taking a required role from its last holder: then nothing is done.
        """
        decisions = _listed("decisions", decisions, LineDecision)
        found = self.find_review(review, organization=organization)
        if found.organization_deleted_at is not None:
            raise OrganizationNotFound(organization=found.organization)
        actor, comment = model.require_text("actor", actor), model.require_text("comment", comment)
        run = _Run(self, found, decisions, reason_of(found, decisions, comment))
        for _ in range(ATTEMPTS):
            try:
                return run.attempt(actor, dry_run=dry_run)
            except PreconditionFailed:
                continue
        why = "others kept changing it; try again"
        raise StoreConflict(organization=found.organization, why=why)

    def _reviewed(self, review: Review, used: LastUsed | None = None) -> ReviewedLines:
        return ReviewedLines(self.store, review, used, self.settings.past_most_facts)


def _listed(what: str, given: Any, kind: type[T]) -> list[T]:
    """The items of an argument. Raises InvalidArgument unless all are of one type."""
    is_listed = isinstance(given, Sequence) and not isinstance(given, str | bytes)
    if not is_listed or not all(isinstance(each, kind) for each in given):
        hint = f"Pass a list of {kind.__name__}"
        raise InvalidArgument(what=what, value=repr(given)[:60], hint=hint)
    return list(given)


class _Run:
    """One set of decisions, on its way to be carried out."""

    def __init__(
        self,
        authority: AccessReviews,
        review: Review,
        decisions: Sequence[LineDecision],
        reason: str,
    ) -> None:
        self._authority, self._review, self._reason = authority, review, reason
        self._reviewed = authority._reviewed(review)
        self._ways = self._reviewed.of(each.line for each in decisions)
        require_none(
            [
                BadInput(at=each.at or each.line, why=f"the review has no line {each.line[:60]!r}")
                for each in decisions
                if each.line not in self._ways
            ]
        )
        self._revoked, self._kept = revocations(self._ways, decisions)
        self._asked = changes_of(self._revoked)
        self._key = idempotency_key(self._reviewed.scope, self._revoked)
        self._o = reviews.number_of(authority.store, review.organization)

    def attempt(self, actor: str, *, dry_run: bool) -> ReviewOutcome:
        """Do it, if others do not change the organization meanwhile. Raises PreconditionFailed if they do."""
        now, at = self._present()
        applying, stale = sorted_out(self._revoked, self._reviewed.population, now)
        key = self._key
        if self._revoked and self._is_used(key):
            if not applying:
                return self._repeated(
                    stale, None if dry_run else self._apply([], actor, at, key)[0]
                )
            key = f"{key}/{at.organization}"  # lines that did not apply then do now
        rest = changes_of(applying)
        if not rest:
            return self._outcome([], stale, NOTHING, None, None)
        difference = self._previewed(rest, applying, at)
        done, is_repeated = None, False
        if not dry_run:
            done, is_repeated = self._apply(rest, actor, at, key)
        return self._outcome(applying, stale, difference, now, done, is_repeated=is_repeated)

    # --- within -----------------------------------------------------------------------------------

    def _present(self) -> tuple[Population, Revision]:
        """The organization as it is now."""
        store = self._authority.store
        (row,) = store.fetch(READ_REVISION, {"o": self._o})
        at = store.seals.revision(row.incarnation, row.organization, row.environment)
        most = self._authority.settings.past_most_facts
        state, environment = replayed(store, self._review.organization, at, most_facts=most)
        return Population(state, environment, self._authority._now()), at

    def _previewed(
        self, changes: list[Change], applying: list[Revocation], at: Revision
    ) -> Difference:
        name, token = self._review.organization, at.token()
        try:
            return self._authority.preview(changes, organization=name, if_revision=token)
        except PreconditionFailed:
            raise
        except RescindError as error:
            if error.retry:
                raise
            raise refusal_of(error, applying) from error

    def _repeated(self, stale: list[StaleLine], receipt: Receipt | None) -> ReviewOutcome:
        """These decisions were applied before. What was given again since is still there."""
        there = [each for each in stale if each.is_there]
        lines = {each.decision.line for each in there}
        revoked = [each for each in self._revoked if each.decision.line not in lines]
        return self._outcome(revoked, there, NOTHING, None, receipt, is_repeated=True)

    def _is_used(self, key: str) -> bool:
        """Whether these decisions were applied before."""
        params = {"o": self._o, "key": key}
        return bool(self._authority.store.fetch(READ_KEYED_OUTCOME, params))

    def _apply(
        self, changes: list[Change], actor: str, at: Revision, key: str
    ) -> tuple[Receipt, bool]:
        return self._authority._apply_rest(
            changes,
            self._asked,
            actor=actor,
            reason=self._reason,
            idempotency_key=key,
            organization=self._review.organization,
            at=at,
        )

    def _outcome(
        self,
        revoked: Sequence[Revocation],
        stale: Sequence[Any],
        difference: Difference,
        now: Population | None,
        receipt: Receipt | None,
        *,
        is_repeated: bool = False,
    ) -> ReviewOutcome:
        more: tuple[Any, Any] = ((), ())
        if now is not None:
            more = beyond(difference, revoked, self._reviewed.population, now)
        return ReviewOutcome(
            review=self._review,
            revoked=tuple(each.decision for each in revoked),
            kept=self._kept,
            stale=tuple(stale),
            difference=difference,
            beyond=more[0],
            retained=more[1],
            receipt=receipt,
            is_repeated=is_repeated,
        )
