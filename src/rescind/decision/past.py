"""Answers about the past, from an index of the facts as they were. Does not know where these come from.

They have the form of decisions, but decide nothing: their decision point is `past`, and they are not counted.
Critical permissions are answered like others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from rescind.decision.explain import explained, in_memory
from rescind.decision.lists import past_page
from rescind.errors import InvalidArgument, OrganizationNotFound
from rescind.index import Index
from rescind.index.index import ALLOWED, REASONS
from rescind.model import (
    At,
    Decision,
    DecisionPoint,
    Microseconds,
    OrganizationId,
    Page,
    Question,
    Reason,
    Revision,
    Seals,
)

ALONE: Final = (
    "an answer about the past is no access decision: ask without {at_least}, assurance and within"
)


class PastState:
    """An organization as it was. Without an index, it was deleted. Expiry is judged at `now`."""

    __slots__ = ("answers", "clock", "index", "now", "revision")

    def __init__(self, index: Index | None, revision: Revision, now: Microseconds) -> None:
        self.index, self.revision, self.now = index, revision, now
        self.clock: Callable[[], int] = lambda: now
        self.answers = tuple(
            _decision(verdict == ALLOWED, reason, revision)
            for verdict, reason in enumerate(REASONS)
        )


class PastAnswers:
    """Answers questions at a time, given what finds the state of an organization then.

    Raises what `find` raises.
    """

    def __init__(self, seals: Seals, find: Callable[[OrganizationId, At], PastState]) -> None:
        self._seals, self._find = seals, find

    @staticmethod
    def require_alone(at_least: object, assurance: str, within: object) -> None:
        """Raise InvalidArgument for what belongs to access decisions."""
        if at_least is not None or assurance != "standard" or within is not None:
            raise InvalidArgument(what="at", hint=ALONE)

    def check(self, question: Question, at: At) -> Decision:
        """Whether the subject could."""
        return _answer(self._find(question.organization, at), question)

    def check_many(self, questions: Sequence[Question], at: At) -> list[Decision]:
        """Whether each subject could, all at one state. The questions are of one organization."""
        if not questions:
            return []
        state = self._find(questions[0].organization, at)
        return [_answer(state, question) for question in questions]

    def explain(self, question: Question, at: At) -> Decision:
        """Why the subject could, or what was missing."""
        state = self._find(question.organization, at)
        if state.index is None:
            return explained(_of_deleted(state), question, None, state.now)
        with state.index.lock:
            found = in_memory(question, state.index, state.now)
        assert found is not None
        reason, world, now, question = found
        decision = _decision(reason is Reason.ALLOWED, reason, state.revision)
        return explained(decision, question, world, now)

    def page(self, query: str, question: Question, at: At, **options: Any) -> Page:
        """One page of a list. Raises OrganizationNotFound if the organization was deleted."""
        self.require_alone(
            options.pop("at_least", None),
            options.pop("assurance", "standard"),
            options.pop("within", None),
        )
        state = self._find(question.organization, at)
        if state.index is None:
            raise OrganizationNotFound(organization=question.organization)
        index, revision, now = state.index, state.revision, state.now
        return past_page(index, revision, self._seals, query, question, now=now, **options)


def _answer(state: PastState, question: Question) -> Decision:
    index = state.index
    if index is None:
        return _of_deleted(state)
    verdict = index.resolved(question.subject, question.permission, question.resource, state.clock)
    assert verdict is not None
    return state.answers[verdict]


def _of_deleted(state: PastState) -> Decision:
    return _decision(False, Reason.UNKNOWN_ORGANIZATION, state.revision)


def _decision(allowed: bool, reason: Reason, revision: Revision) -> Decision:
    return Decision(allowed=allowed, reason=reason, point=DecisionPoint.PAST, revision=revision)
