"""Checks in the store: from effective roles, or live from the facts.

Owns the choice of query and what its row means. The leanest query that is likely to decide goes first; if its
row cannot decide, another one answers, at its own, later state. What is unknown is denied with a reason; a
failing store raises.
"""

from __future__ import annotations

from typing import Any, Final

from rescind.decision.spelling import folds_ids, respelled, with_canonical_subject
from rescind.decision.states import STATE_ATTEMPTS, kept_changing, require_revision
from rescind.errors import InvalidToken
from rescind.instruments import Instruments
from rescind.model import (
    Decision,
    DecisionPoint,
    OrganizationNumber,
    Question,
    Reason,
    Revision,
    Seals,
)
from rescind.semantics.preconditions import first_unmet
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

UNDECIDED: Final = 4
"""The verdict of a query on effective roles while work is pending: the facts must decide."""
DISTRUSTED: Final = (2, 3)
"""The verdicts of what was decided from the facts. Unless that was asked for, or the permission is critical,
effective roles were not trusted."""
EFFECTIVE: Final = {"multiple": CHECK_EFFECTIVE_MULTIPLE, "single": CHECK_EFFECTIVE_SINGLE}
LIVE: Final = {"multiple": CHECK_LIVE_MULTIPLE, "single": CHECK_LIVE_SINGLE}


class QueryHints:
    """Role modes and critical permissions as last seen, to choose the leanest query; and the numbers of
    organizations, to ask one partition.

    An outdated hint costs a second query, never a wrong answer: the row has the actual values.
    """

    def __init__(self) -> None:
        self._modes: dict[str, str] = {}
        self._critical: set[str] = set()
        self._numbers: dict[str, OrganizationNumber] = {}

    def locate(self, question: Question, params: dict[str, Any]) -> None:
        """Add the organization's number to the parameters, if it is known."""
        if (number := self._numbers.get(question.organization)) is not None:
            params["o"] = number

    def is_misplaced(self, question: Question, params: dict[str, Any], row: CheckRow) -> bool:
        """Whether the partition of a former organization of that name was asked. Then the parameters name
        none any more.
        """
        asked = params.get("o")
        if asked == row.organization:
            return False
        if len(self._numbers) > 65_536:
            self._numbers.clear()
        self._numbers[question.organization] = row.organization
        if asked is None:
            return False
        del params["o"]
        return True

    def query(self, question: Question, live: bool) -> Query[CheckRow]:
        """The query that is likely to decide a question."""
        queries = LIVE if live or question.permission in self._critical else EFFECTIVE
        return queries[self._modes.get(question.organization, "multiple")]

    def better(
        self, question: Question, query: Query[CheckRow], row: CheckRow
    ) -> Query[CheckRow] | None:
        """The query to ask next if the row does not decide the question; updates the hints. Else None.

        From effective roles to the facts, then to the query for every role mode; never back.
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


def check(
    store: Store,
    question: Question,
    *,
    live: bool,
    now: int,
    at_least: Revision | None,
    hints: QueryHints,
    instruments: Instruments,
    within: object = None,
) -> Decision:
    """Decide at a state no older than the call's start, or as the caller's transaction sees it."""
    params = parameters(question, live=live, now=now)
    hints.locate(question, params)
    query = hints.query(question, live)

    def ask(query: Query[CheckRow]) -> list[CheckRow]:
        rows = store.fetch(query, params, within=within)
        if rows and hints.is_misplaced(question, params, rows[0]):
            rows = store.fetch(query, params, within=within)
        return rows

    with instruments.spans.span("sql_check"):
        rows = ask(query)
        while rows and query is not CHECK and (better := hints.better(question, query, rows[0])):
            query = better
            rows = ask(query)
    decision = decision_from(rows, live or query in LIVE.values(), at_least, store.seals)
    if decision.reason is Reason.UNKNOWN_SUBJECT:
        other = respelled(store, question, within=within)
        if other is not None:
            options: dict[str, Any] = {"live": live, "now": now, "at_least": at_least}
            options |= {"hints": hints, "instruments": instruments}
            return check(store, other, within=within, **options)
    count_decision(instruments, rows, live, decision)
    return decision


def check_many(
    store: Store,
    questions: list[Question],
    *,
    live: bool,
    now: int,
    at_least: Revision | None,
    instruments: Instruments,
    within: object = None,
) -> list[Decision]:
    """Decide all of them at one state of the facts."""
    asked: list[QueryWithParams[CheckRow]] = [
        (CHECK, parameters(question, live=live, now=now)) for question in questions
    ]
    answers = store.fetch_many(asked) if within is None else at_one_state(store, asked, within)
    decisions = [decision_from(rows, live, at_least, store.seals) for rows in answers]
    unknown = {
        question
        for question, decision in zip(questions, decisions, strict=True)
        if decision.reason is Reason.UNKNOWN_SUBJECT
        and with_canonical_subject(question) != question
    }
    if not unknown or not folds_ids(store, questions[0].organization, within=within):
        for rows, decision in zip(answers, decisions, strict=True):
            count_decision(instruments, rows, live, decision)
        return decisions
    spelled = [
        with_canonical_subject(question) if question in unknown else question
        for question in questions
    ]
    options: dict[str, Any] = {"live": live, "now": now, "at_least": at_least}
    return check_many(store, spelled, instruments=instruments, within=within, **options)


def at_one_state(
    store: Store, asked: list[QueryWithParams[CheckRow]], within: object
) -> list[list[CheckRow]]:
    """The rows of checks in one organization, all of which saw it at the same revision.

    At READ COMMITTED a change may be committed between two of them; then all are asked again. Raises
    StoreConflict after STATE_ATTEMPTS.
    """
    for _ in range(STATE_ATTEMPTS):
        answers = store.fetch_many(asked, within=within)
        if len({_state(rows) for rows in answers}) <= 1:
            return answers
    raise kept_changing()


def _state(rows: list[CheckRow]) -> tuple[int, int, int] | None:
    return (rows[0].organization, rows[0].revision, rows[0].environment) if rows else None


def result_of(decision: Decision) -> str:
    """The label under which a decision is counted."""
    return "allowed" if decision.allowed else "denied"


def count_decision(
    instruments: Instruments, rows: list[CheckRow], live: bool, decision: Decision
) -> None:
    """Count a decision from the store, made of these rows; `live` is whether the facts were asked for."""
    instruments.note_check(decision.point, result_of(decision))
    if not live and rows and rows[0].verdict in DISTRUSTED and not rows[0].critical:
        instruments.note_distrusted()


def parameters(question: Question, *, live: bool, now: int) -> dict[str, Any]:
    """The query's parameters for a question."""
    organization, subject, permission, resource = question
    return {
        "organization": organization,
        "subject": subject,
        "permission": permission,
        "resource": resource,
        "live": live,
        "now": now,
    }


def decision_from(
    rows: list[CheckRow], live: bool, at_least: Revision | None, seals: Seals
) -> Decision:
    """The decision in the query's row."""
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
        require_revision(revision, at_least)
    allowed = row.verdict in (1, 2)
    unmet = first_unmet(
        membership=row.membership is not None,
        active=bool(row.active),
        permission=row.critical is not None,
        resource=row.resource is not None,
    )
    reason = Reason.ALLOWED if allowed else unmet or Reason.NO_ROLE
    is_live = live or row.critical or row.verdict in (2, 3)
    point = DecisionPoint.LIVE if is_live else DecisionPoint.EFFECTIVE
    return Decision(
        allowed=allowed,
        reason=reason,
        point=point,
        revision=revision,
        is_critical=bool(row.critical),
    )
