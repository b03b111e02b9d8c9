"""The decisions of an access review on their way: which still apply, what they take away, and the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from rescind.changes import Change
from rescind.errors import (
    BadInput,
    InvalidArgument,
    PreconditionFailed,
    RescindError,
)
from rescind.history.access_reviews import AccessReviews
from rescind.history.population import Population
from rescind.history.review_actions import (
    APPLIED,
    Applied,
    UnreadableAction,
    action_of,
    decisions_digest,
    logged,
    read_detail,
)
from rescind.history.reviews import number_of
from rescind.history.revocations import (
    Revocation,
    beyond,
    changes_of,
    idempotency_key,
    refusal_of,
    require_none,
    revocations,
    sorted_out,
)
from rescind.history.states import replayed
from rescind.model import (
    Difference,
    LineDecision,
    Receipt,
    Review,
    ReviewOutcome,
    Revision,
    StaleLine,
    Verdict,
    require_text,
)
from rescind.store import Transaction
from rescind.store.contract import Counter
from rescind.store.rows.actions import ServiceAction
from rescind.store.rows.changes import READ_KEYED_OUTCOME
from rescind.store.rows.organizations import READ_REVISION
from rescind.store.rows.reviews import ReviewActionRow

T = TypeVar("T")
ATTEMPTS: Final = 16
"""How often decisions are tried while others change the organization between a look and the lock."""
NOTHING: Final = Difference((), ())


def listed(what: str, given: Any, kind: type[T]) -> list[T]:
    """The items of an argument. Raises InvalidArgument unless all are of one type."""
    is_listed = isinstance(given, Sequence) and not isinstance(given, str | bytes)
    if not is_listed or not all(isinstance(each, kind) for each in given):
        hint = f"Pass a list of {kind.__name__}"
        raise InvalidArgument(what=what, value=repr(given)[:60], hint=hint)
    return list(given)


def checked_decisions(given: Any) -> list[LineDecision]:
    """The decisions of an argument. Raises InvalidArgument for what is none, or decides neither way."""
    return [_checked(each) for each in listed("decisions", given, LineDecision)]


def _checked(decision: LineDecision) -> LineDecision:
    line = require_text("line", decision.line)
    comment = require_text("comment", decision.comment)
    try:
        verdict = Verdict(decision.verdict)
    except ValueError:
        hint = "Use Verdict.KEEP or Verdict.REVOKE"
        value = repr(decision.verdict)[:60]
        raise InvalidArgument(what="verdict", value=value, hint=hint) from None
    return LineDecision(line, verdict, comment, decision.at)


class ReviewRun:
    """One set of decisions, on its way to be carried out."""

    def __init__(
        self,
        authority: AccessReviews,
        review: Review,
        decisions: Sequence[LineDecision],
        reason: str,
    ) -> None:
        self._authority, self._review, self._reason = authority, review, reason
        self._digest = decisions_digest(decisions)
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
        self._o = number_of(authority.store, review.organization)

    def attempt(self, actor: str, request: str, *, dry_run: bool) -> ReviewOutcome:
        """Do it, if others do not change the organization meanwhile. Raises PreconditionFailed if they do.

        When this returns, the log of service actions has the decisions, unless it is a dry run.
        """
        self._by = actor, request
        done = self._attempted(actor, dry_run=dry_run)
        if not dry_run:
            self._require_logged(done)
        return done

    def _attempted(self, actor: str, *, dry_run: bool) -> ReviewOutcome:
        now, at = self._present()
        applying, stale = sorted_out(self._revoked, self._reviewed.population, now)
        key = self._key
        if self._revoked and self._is_used(key):
            if not applying:
                return self._repeated(
                    stale, None if dry_run else self._apply([], actor, at, key, None)[0]
                )
            key = f"{key}/{at.organization}"  # lines that did not apply then do now
        rest = changes_of(applying)
        if not rest:
            return self._outcome([], stale, NOTHING, None, None)
        difference = self._previewed(rest, applying, at)
        done, is_repeated = None, False
        if not dry_run:
            detail = self._detail(at.organization + 1, len(applying), len(stale))
            done, is_repeated = self._apply(rest, actor, at, key, detail)
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

    def _detail(self, revision: int | None, revoked: int, stale: int) -> Applied:
        """What is logged of an application, with the revision that it makes."""
        return Applied(
            decisions=self._digest,
            revision=revision,
            revoked=revoked,
            kept=self._kept,
            stale=stale,
        )

    def _action(self, detail: Applied) -> ServiceAction:
        actor, request = self._by
        name, now = self._review.name, self._authority._now()
        return action_of(name, detail, o=self._o, actor=actor, request=request, now=now)

    def _require_logged(self, done: ReviewOutcome) -> None:
        """Log decisions that no change took to the log: nothing was left to revoke, or others that kept other
        lines did it before. Those that are logged are not logged again.
        """
        receipt = done.receipt
        if receipt is not None and receipt.changed and not done.is_repeated:
            return
        store, name = self._authority.store, self._review.name
        for row in logged(store, self._o, name).get(name, ()):
            if row.kind == APPLIED and _digest_of(row) == self._digest:
                return
        revision = (
            receipt.revision.organization if receipt is not None and receipt.changed else None
        )
        action = self._action(self._detail(revision, len(done.revoked), len(done.stale)))

        def note(tx: Transaction) -> None:
            tx.count("find_review_row", Counter.ALTERED, o=self._o, name=name)
            tx.note_action(action)

        store.transact(note)

    def _apply(
        self, changes: list[Change], actor: str, at: Revision, key: str, detail: Applied | None
    ) -> tuple[Receipt, bool]:
        return self._authority._apply_rest(
            changes,
            self._asked,
            actor=actor,
            reason=self._reason,
            idempotency_key=key,
            organization=self._review.organization,
            at=at,
            action=None if detail is None else self._action(detail),
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


def _digest_of(row: ReviewActionRow) -> str | None:
    """The decisions of an application; None if its detail was altered."""
    try:
        return read_detail(row, Applied).decisions
    except UnreadableAction:
        return None
