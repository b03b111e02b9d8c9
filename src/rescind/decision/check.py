"""Checks on the store: from effective roles, or live from the facts.

One query answers, at one state of the facts: the leanest that is likely to. Where its row says that it
cannot, another one is asked, and answers at its own, later state. An unknown subject, permission or resource
is a deny with a reason; a failing store raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rescind.errors import InvalidToken, RevisionUnavailable, StoreConflict
from rescind.model import (
    Decision,
    DecisionPoint,
    IdRule,
    OrganizationId,
    Question,
    Reason,
    Revision,
    Seals,
    SubjectId,
    canonical_subject,
)
from rescind.store import Params, Rows, Store

UNDECIDED: Final = 4
"""The verdict of a query on effective roles where the facts have to say: something is pending."""
EFFECTIVE: Final = {mode: f"check_effective_{mode}" for mode in ("multiple", "single")}
LIVE: Final = {mode: f"check_live_{mode}" for mode in ("multiple", "single")}
STATE_ATTEMPTS: Final = 8
"""To read one state of an organization in a caller's transaction at READ COMMITTED."""


class Guesses:
    """What organizations and permissions turned out to be, to choose the leanest query at first.

    A wrong guess costs a second query, never a wrong answer: the row says what it was made for.
    """

    def __init__(self) -> None:
        self._modes: dict[str, str] = {}
        self._critical: set[str] = set()

    def query(self, question: Question, live: bool) -> str:
        """The query that is likely to decide a question."""
        queries = LIVE if live or question.permission in self._critical else EFFECTIVE
        return queries[self._modes.get(question.organization, "multiple")]

    def better(self, question: Question, query: str, row: tuple[Any, ...]) -> str | None:
        """The query to ask instead, where the row does not decide the question; then remember better.

        From effective roles to the facts, from those to the query for all modes: never back.
        """
        is_critical, mode = row[5], row[8]
        if query == LIVE[mode]:
            return None
        if query == EFFECTIVE[mode] and not is_critical:
            return LIVE[mode] if row[7] == UNDECIDED else None
        for known in (self._modes, self._critical):
            if len(known) > 65_536:
                known.clear()
        self._modes[question.organization] = mode
        if is_critical:
            self._critical.add(question.permission)
        return "check"


def respelled(store: Store, question: Question, *, within: object = None) -> Question | None:
    """The question with its subject as the organization keeps it, where that is another spelling.

    A subject that is there is spelled so: only one that is unknown need be asked for again.
    """
    spelled = _canonical(question)
    if spelled == question or not folds_ids(store, question.organization, within=within):
        return None
    return spelled


def folds_ids(store: Store, organization: OrganizationId, *, within: object = None) -> bool:
    """Whether an organization takes spellings that differ by case or composition as one id."""
    rows = store.fetch("read_id_rule", {"organization": organization}, within=within)
    return bool(rows) and rows[0][0] == IdRule.CASEFOLD


def _canonical(question: Question) -> Question:
    return question._replace(subject=SubjectId(canonical_subject(question.subject)))


def check(
    store: Store,
    question: Question,
    *,
    live: bool,
    now: int,
    at_least: Revision | None,
    guesses: Guesses,
    within: object = None,
) -> Decision:
    """Decide at a state no older than the call's start, or as the caller's transaction sees it."""
    params = parameters(question, live=live, now=now)
    query = guesses.query(question, live)
    rows = store.fetch(query, params, within=within)
    while rows and query != "check" and (better := guesses.better(question, query, rows[0])):
        query = better
        rows = store.fetch(query, params, within=within)
    decision = decided(rows, live or query in LIVE.values(), at_least, store.seals)
    if decision.reason is Reason.UNKNOWN_SUBJECT:
        other = respelled(store, question, within=within)
        if other is not None:
            options: dict[str, Any] = {"live": live, "now": now, "at_least": at_least}
            return check(store, other, guesses=guesses, within=within, **options)
    return decision


def check_many(
    store: Store,
    questions: list[Question],
    *,
    live: bool,
    now: int,
    at_least: Revision | None,
    within: object = None,
) -> list[Decision]:
    """Decide all of them at one state of the facts."""
    asked = [("check", parameters(question, live=live, now=now)) for question in questions]
    answers = store.fetch_many(asked) if within is None else _at_one_state(store, asked, within)
    decisions = [decided(rows, live, at_least, store.seals) for rows in answers]
    unknown = {
        question
        for question, decision in zip(questions, decisions, strict=True)
        if decision.reason is Reason.UNKNOWN_SUBJECT and _canonical(question) != question
    }
    if not unknown or not folds_ids(store, questions[0].organization, within=within):
        return decisions
    spelled = [_canonical(question) if question in unknown else question for question in questions]
    return check_many(store, spelled, live=live, now=now, at_least=at_least, within=within)


def _at_one_state(store: Store, asked: Sequence[tuple[str, Params]], within: object) -> list[Rows]:
    """The rows of checks in one organization, all of which saw it at the same revision.

    At READ COMMITTED a change may be committed between two of them; then they are asked again. Raises
    StoreConflict where that goes on.
    """
    for _ in range(STATE_ATTEMPTS):
        answers = store.fetch_many(asked, within=within)
        if len({rows[0][:3] if rows else None for rows in answers}) <= 1:
            return answers
    raise kept_changing()


def kept_changing() -> StoreConflict:
    """What is raised where no two reads of an organization saw it at the same revision."""
    hint = "Ask again, fewer questions at a time or in a transaction at REPEATABLE READ."
    return StoreConflict(why="the organization kept changing", hint=hint)


def parameters(question: Question, *, live: bool, now: int) -> dict[str, Any]:
    """A question as the query takes it."""
    organization, subject, permission, resource = question
    return {
        "organization": organization,
        "subject": subject,
        "permission": permission,
        "resource": resource,
        "live": live,
        "now": now,
    }


def decided(rows: Rows, live: bool, at_least: Revision | None, seals: Seals) -> Decision:
    """The decision that the query's row says."""
    if not rows:
        point = DecisionPoint.LIVE if live else DecisionPoint.EFFECTIVE
        if at_least is not None:
            raise InvalidToken(token=at_least.token())
        return Decision(
            allowed=False, reason=Reason.UNKNOWN_ORGANIZATION, point=point, revision=None
        )
    o, number, environment, membership, active, critical, resource, verdict, _ = rows[0]
    revision = seals.revision(o, number, environment)
    if at_least is not None:
        require(revision, at_least)
    allowed = verdict in (1, 2)
    if allowed:
        reason = Reason.ALLOWED
    elif membership is None:
        reason = Reason.UNKNOWN_SUBJECT
    elif not active:
        reason = Reason.DEACTIVATED
    elif critical is None:
        reason = Reason.UNKNOWN_PERMISSION
    elif resource is None:
        reason = Reason.UNKNOWN_RESOURCE
    else:
        reason = Reason.NO_ROLE
    is_live = live or critical or verdict in (2, 3)
    point = DecisionPoint.LIVE if is_live else DecisionPoint.EFFECTIVE
    return Decision(allowed=allowed, reason=reason, point=point, revision=revision)


def require(revision: Revision, at_least: Revision) -> None:
    """Raise unless a read at `revision` is of the same organization and as fresh as was asked for."""
    if revision.incarnation != at_least.incarnation:
        raise InvalidToken(token=at_least.token())
    if not revision.covers(at_least):
        raise RevisionUnavailable(store_has=revision.organization, asked=at_least.organization)
