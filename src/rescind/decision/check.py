"""Checks on the store: from effective roles, or live from the facts.

One query answers, at one state of the facts: the leanest that is likely to. Where its row says that it
cannot, another one is asked, and answers at its own, later state. An unknown subject, permission or resource
is a deny with a reason; a failing store raises.
"""

from __future__ import annotations

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
from rescind.store import Store
from rescind.store.rows import Query, QueryWithParams
from rescind.store.rows.decisions import (
    CHECK,
    CHECK_EFFECTIVE_MULTIPLE,
    CHECK_EFFECTIVE_SINGLE,
    CHECK_LIVE_MULTIPLE,
    CHECK_LIVE_SINGLE,
    CheckRow,
)
from rescind.store.rows.organizations import READ_ID_RULE

UNDECIDED: Final = 4
"""The verdict of a query on effective roles where the facts have to say: something is pending."""
EFFECTIVE: Final = {"multiple": CHECK_EFFECTIVE_MULTIPLE, "single": CHECK_EFFECTIVE_SINGLE}
LIVE: Final = {"multiple": CHECK_LIVE_MULTIPLE, "single": CHECK_LIVE_SINGLE}
STATE_ATTEMPTS: Final = 8
"""To read one state of an organization in a caller's transaction at READ COMMITTED."""


class Guesses:
    """What organizations and permissions turned out to be, to choose the leanest query at first.

    A wrong guess costs a second query, never a wrong answer: the row says what it was made for.
    """

    def __init__(self) -> None:
        self._modes: dict[str, str] = {}
        self._critical: set[str] = set()

    def query(self, question: Question, live: bool) -> Query[CheckRow]:
        """The query that is likely to decide a question."""
        queries = LIVE if live or question.permission in self._critical else EFFECTIVE
        return queries[self._modes.get(question.organization, "multiple")]

    def better(
        self, question: Question, query: Query[CheckRow], row: CheckRow
    ) -> Query[CheckRow] | None:
        """The query to ask instead, where the row does not decide the question; then remember better.

        From effective roles to the facts, from those to the query for all modes: never back.
        """
        mode = row.role_mode
        if query is LIVE[mode]:
            return None
        if query is EFFECTIVE[mode] and not row.critical:
            return LIVE[mode] if row.verdict == UNDECIDED else None
        for known in (self._modes, self._critical):
            if len(known) > 65_536:
                known.clear()
        self._modes[question.organization] = mode
        if row.critical:
            self._critical.add(question.permission)
        return CHECK


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
    rows = store.fetch(READ_ID_RULE, {"organization": organization}, within=within)
    return bool(rows) and rows[0].id_rule == IdRule.CASEFOLD


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
    while rows and query is not CHECK and (better := guesses.better(question, query, rows[0])):
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
    asked: list[QueryWithParams[CheckRow]] = [
        (CHECK, parameters(question, live=live, now=now)) for question in questions
    ]
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


def _at_one_state(
    store: Store, asked: list[QueryWithParams[CheckRow]], within: object
) -> list[list[CheckRow]]:
    """The rows of checks in one organization, all of which saw it at the same revision.

    At READ COMMITTED a change may be committed between two of them; then they are asked again. Raises
    StoreConflict where that goes on.
    """
    for _ in range(STATE_ATTEMPTS):
        answers = store.fetch_many(asked, within=within)
        if len({_state(rows) for rows in answers}) <= 1:
            return answers
    raise kept_changing()


def _state(rows: list[CheckRow]) -> tuple[int, int, int] | None:
    return (rows[0].organization, rows[0].revision, rows[0].environment) if rows else None


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


def decided(rows: list[CheckRow], live: bool, at_least: Revision | None, seals: Seals) -> Decision:
    """The decision that the query's row says."""
    if not rows:
        point = DecisionPoint.LIVE if live else DecisionPoint.EFFECTIVE
        if at_least is not None:
            raise InvalidToken(token=at_least.token())
        return Decision(
            allowed=False, reason=Reason.UNKNOWN_ORGANIZATION, point=point, revision=None
        )
    (row,) = rows
    revision = seals.revision(row.organization, row.revision, row.environment)
    if at_least is not None:
        require(revision, at_least)
    allowed = row.verdict in (1, 2)
    if allowed:
        reason = Reason.ALLOWED
    elif row.membership is None:
        reason = Reason.UNKNOWN_SUBJECT
    elif not row.active:
        reason = Reason.DEACTIVATED
    elif row.critical is None:
        reason = Reason.UNKNOWN_PERMISSION
    elif row.resource is None:
        reason = Reason.UNKNOWN_RESOURCE
    else:
        reason = Reason.NO_ROLE
    is_live = live or row.critical or row.verdict in (2, 3)
    point = DecisionPoint.LIVE if is_live else DecisionPoint.EFFECTIVE
    return Decision(allowed=allowed, reason=reason, point=point, revision=revision)


def require(revision: Revision, at_least: Revision) -> None:
    """Raise unless a read at `revision` is of the same organization and as fresh as was asked for."""
    if revision.incarnation != at_least.incarnation:
        raise InvalidToken(token=at_least.token())
    if not revision.covers(at_least):
        raise RevisionUnavailable(store_has=revision.organization, asked=at_least.organization)
