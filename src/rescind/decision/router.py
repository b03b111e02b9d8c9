"""Routes questions to decision points: a cached index if it may answer, else the store.

Names in questions are well formed here. With `within` a question is asked in the caller's own transaction,
and never answered from memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rescind import decision, model
from rescind.decision.check import QueryHints, check, check_many, result_of
from rescind.decision.spelling import folds_ids
from rescind.errors import (
    DecisionUnavailable,
    InvalidArgument,
    RevisionUnavailable,
    StoreError,
    StoreUnavailable,
)
from rescind.errors.database import REPEAT_TRANSACTION
from rescind.instruments import Instruments
from rescind.model import (
    Decision,
    DecisionPoint,
    GroupId,
    Microseconds,
    OrganizationId,
    Page,
    Question,
    Revision,
)
from rescind.store import Store
from rescind.waiting import NEVER, deadline_within, until

if TYPE_CHECKING:
    from rescind.replicas import CachedAnswers

MOST_QUICK: Final = 100
"""Questions of one request up to which the time limit of a check applies."""


class DecisionRouter:
    """Passes each question to its decision point.

    `at_least` is a revision token, `assurance` says `standard` or `live`. Raises InvalidToken,
    InvalidArgument, RevisionUnavailable, DecisionUnavailable or another StoreError.
    """

    def __init__(
        self,
        store: Store,
        recall: CachedAnswers | None,
        now: Callable[[], Microseconds],
        *,
        check_seconds: float,
        instruments: Instruments,
    ) -> None:
        self._store, self._recall, self._now = store, recall, now
        self._instruments = instruments
        self._deciding = {live: _Checking(instruments, is_live=live) for live in (False, True)}
        self._hints = QueryHints()
        self._seconds = check_seconds if store.capabilities.is_remote else NEVER

    def check(self, question: Question, *, at_least: str | None, assurance: str) -> Decision:
        """The decision at a state no older than this call's start.

        From memory, a replica may not know yet what was granted elsewhere, unless `at_least` names it.
        """
        live, now, token = _is_live(assurance), self._now(), self._revision(at_least)
        with self._deciding[live], until(deadline_within(self._seconds)):
            if self._recall is not None and not live:
                found = _from_cache(self._recall, [question], token)
                if found is not None:
                    return found[0]
                live = True
            return check(
                self._store,
                question,
                live=live,
                now=now,
                at_least=token,
                hints=self._hints,
                instruments=self._instruments,
            )

    def check_within(
        self, question: Question, *, at_least: str | None, assurance: str, within: object
    ) -> Decision:
        """The decision at the state that the caller's transaction sees."""
        live = _is_live(assurance)
        with self._deciding[live], _of_transaction(within):
            return check(
                self._store,
                question,
                live=live,
                now=self._now(),
                at_least=self._revision(at_least),
                hints=self._hints,
                instruments=self._instruments,
                within=within,
            )

    def check_many(
        self,
        questions: list[Question],
        *,
        at_least: str | None,
        assurance: str,
        within: object = None,
    ) -> list[Decision]:
        """A decision for each question, all at one state."""
        live, token = _is_live(assurance), self._revision(at_least)
        is_quick = len(questions) <= MOST_QUICK
        with (
            self._deciding[live],
            _of_transaction(within),
            until(deadline_within(self._seconds) if is_quick else NEVER),
        ):
            if self._recall is not None and not live and within is None:
                found = _from_cache(self._recall, questions, token)
                if found is not None:
                    return found
            return check_many(
                self._store,
                questions,
                live=live,
                now=self._now(),
                at_least=token,
                instruments=self._instruments,
                within=within,
            )

    def explain(
        self,
        question: Question,
        *,
        at_least: str | None,
        assurance: str,
        within: object = None,
    ) -> Decision:
        """The decision with its explanation, both of one state."""
        live, now, token = _is_live(assurance), self._now(), self._revision(at_least)
        with self._deciding[live], _of_transaction(within), until(deadline_within(self._seconds)):
            decided = decision.explain.explain(
                self._store,
                self._recall if within is None else None,
                question,
                live=live,
                now=now,
                at_least=token,
                within=within,
            )
        self._instruments.note_check(decided.point, result_of(decided))
        return decided

    def explanation(self, question: Question, now: int) -> Decision:
        """The decision from the facts, explained, at a time in microseconds. It is not counted as a check."""
        with DECIDING, until(deadline_within(self._seconds)):
            return decision.explain.explain(
                self._store, None, question, live=True, now=now, at_least=None
            )

    def page(
        self,
        query: str,
        question: Question,
        *,
        kind: str = "",
        limit: int = 100,
        cursor: str | None = None,
        at_least: str | None = None,
        assurance: str = "standard",
        within: object = None,
    ) -> Page:
        """One page of a list; its names begin with `kind`."""
        with DECIDING, _of_transaction(within):
            return decision.lists.page(
                self._store,
                self._recall if within is None else None,
                query,
                question,
                live=_is_live(assurance),
                now=self._now(),
                at_least=self._revision(at_least),
                limit=limit,
                cursor=cursor,
                kind=kind,
                within=within,
            )

    def holder(self, organization: OrganizationId, holder: str) -> str:
        """A subject, or `group:…`, in the spelling that the organization stores."""
        canonical = model.canonical_subject(holder)
        if canonical == holder:
            return holder
        return canonical if folds_ids(self._store, organization) else holder

    def group(self, organization: OrganizationId, group: GroupId) -> GroupId:
        """A group's id in the spelling that the organization stores."""
        canonical = model.canonical(group)
        if canonical == group:
            return group
        return GroupId(canonical) if folds_ids(self._store, organization) else group

    def _revision(self, token: str | None) -> Revision | None:
        return None if token is None else self._store.seals.parse(token)


def _from_cache(
    recall: CachedAnswers, questions: list[Question], at_least: Revision | None
) -> list[Decision] | None:
    """The decisions of the cached index, if it has all of them. All questions are of one organization."""
    if not questions:
        return None
    asked = [question[1:] for question in questions]
    return recall.decide_many(questions[0].organization, asked, at_least, validated=True)


class _Deciding:
    """Turns StoreUnavailable into DecisionUnavailable: no question is answered from an old state."""

    def __enter__(self) -> None:
        """Does nothing. This is a class because a generator's context manager takes longer than a check."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, StoreUnavailable) and not isinstance(error, DecisionUnavailable):
            raise DecisionUnavailable(**error.facts) from error


DECIDING: Final = _Deciding()
"""Wraps whatever computes a decision."""


class _Checking(_Deciding):
    """As `_Deciding`, around a check; counts a check that fails."""

    def __init__(self, instruments: Instruments, *, is_live: bool) -> None:
        self._instruments = instruments
        self._point = DecisionPoint.LIVE if is_live else DecisionPoint.EFFECTIVE

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, StoreError):
            self._instruments.note_check(self._point, "failed")
        super().__exit__(kind, error, trace)


@contextmanager
def _of_transaction(within: object) -> Iterator[None]:
    """In a caller's transaction, RevisionUnavailable gets the hint to repeat the transaction."""
    try:
        yield
    except RevisionUnavailable as error:
        if within is None:
            raise
        raise RevisionUnavailable(**{**error.facts, "hint": REPEAT_TRANSACTION}) from None


def _is_live(assurance: str) -> bool:
    if assurance not in ("standard", "live"):
        hint = "use 'standard' or 'live'"
        raise InvalidArgument(what="assurance", value=repr(assurance), hint=hint)
    return assurance == "live"
