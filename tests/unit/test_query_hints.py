"""Which query a check begins with, and which follows, by what earlier rows said."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from rescind.decision.check import (
    EFFECTIVE,
    LIVE,
    UNDECIDED,
    QueryHints,
    count_decision,
    decision_from,
)
from rescind.errors import InvalidToken, RevisionUnavailable
from rescind.model import DecisionPoint, Question, Reason, Revision
from rescind.store.rows.decisions import CHECK, CheckRow

QUESTION = Question("acme", "user:a", "read", "organization")  # type: ignore[arg-type]
OTHER = Question("other", "user:a", "write", "organization")  # type: ignore[arg-type]
MODES = ("multiple", "single")


class Seals:
    """Makes a revision of its numbers."""

    revision = Revision


def row(**given: Any) -> CheckRow:
    """Of an organization with all that a question names, at revision 5."""
    values: dict[str, Any] = dict.fromkeys(CheckRow._fields)
    values |= {"organization": 7, "revision": 5, "environment": 1, "role_mode": "multiple"}
    values |= {"membership": 3, "active": True, "critical": False, "resource": 0, "verdict": 0}
    return CheckRow(**{**values, **given})


def test_what_nobody_knows_begins_with_effective_roles() -> None:
    """Of an organization whose members have several roles; live, with the facts."""
    hints = QueryHints()
    assert hints.query(QUESTION, live=False) is EFFECTIVE["multiple"]
    assert hints.query(QUESTION, live=True) is LIVE["multiple"]


@pytest.mark.parametrize(("mode", "asked"), [*product(MODES, MODES)])
@pytest.mark.parametrize("verdict", [0, 1, UNDECIDED])
@pytest.mark.parametrize("critical", [False, True])
@pytest.mark.parametrize("is_live", [False, True])
def test_a_query_that_cannot_decide_is_followed_by_one_that_can(
    mode: str, asked: str, verdict: int, critical: bool, is_live: bool
) -> None:
    """Its row tells the role mode, and whether the permission is critical; the next is asked right."""
    hints = QueryHints()
    query = (LIVE if is_live else EFFECTIVE)[asked]
    better = hints.better(QUESTION, query, row(role_mode=mode, verdict=verdict, critical=critical))
    if asked != mode or (critical and not is_live):
        assert better is CHECK
        wanted = LIVE if critical else EFFECTIVE
        assert hints.query(QUESTION, live=False) is wanted[mode]
        assert hints.query(OTHER, live=False) is EFFECTIVE["multiple"]
        assert hints.query(OTHER._replace(permission="read"), live=False) is wanted["multiple"]  # type: ignore[arg-type]
        return
    assert better is (LIVE[mode] if verdict == UNDECIDED and not is_live else None)
    assert hints.query(QUESTION, live=False) is EFFECTIVE["multiple"]


def test_where_an_organization_is() -> None:
    """Its partition is asked from the second question on; where another has its name now, anew without."""
    hints, params = QueryHints(), dict[str, Any]()
    hints.locate(QUESTION, params)
    assert params == {}
    assert not hints.is_misplaced(QUESTION, params, row(organization=7))
    assert params == {}
    hints.locate(QUESTION, params)
    assert params == {"o": 7}
    assert not hints.is_misplaced(QUESTION, params, row(organization=7))
    assert hints.is_misplaced(QUESTION, params, row(organization=8))
    assert params == {}
    hints.locate(QUESTION, params)
    assert params == {"o": 8}
    elsewhere = dict[str, Any]()
    hints.locate(OTHER, elsewhere)
    assert elsewhere == {}


def test_what_is_remembered_of_questions_is_bounded() -> None:
    """Beyond the most, all are forgotten but the newest."""
    hints = QueryHints()
    most = 65_536

    def ask(number: int) -> None:
        name, permission = f"o{number}", f"p{number}"
        question = QUESTION._replace(organization=name, permission=permission)  # type: ignore[arg-type]
        hints.is_misplaced(question, {}, row(organization=number))
        hints.better(question, EFFECTIVE["multiple"], row(role_mode="single", critical=True))

    def known(number: int) -> tuple[bool, ...]:
        params = dict[str, Any]()
        other = QUESTION._replace(permission=f"p{number}")  # type: ignore[arg-type]
        own = QUESTION._replace(organization=f"o{number}")  # type: ignore[arg-type]
        hints.locate(own, params)
        is_critical = hints.query(other, live=False) is LIVE["multiple"]
        return bool(params), is_critical, hints.query(own, live=False) is EFFECTIVE["single"]

    for number in range(most + 1):
        ask(number)
    assert known(0) == known(most) == (True, True, True)
    ask(most + 1)
    assert known(0) == known(most) == (False, False, False)
    assert known(most + 1) == (True, True, True)
    ask(most + 2)
    assert known(most + 1) == (True, True, True)


@pytest.mark.parametrize("verdict", range(4))
@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("critical", [False, True, None])
def test_what_a_row_decides(verdict: int, live: bool, critical: bool | None) -> None:
    """1 and 2 allow, 2 and 3 are from the facts; what is critical is always."""
    found = decision_from([row(verdict=verdict, critical=critical)], live, None, Seals)  # type: ignore[arg-type]
    assert found.allowed == (verdict in (1, 2))
    is_live = live or bool(critical) or verdict in (2, 3)
    assert found.point is (DecisionPoint.LIVE if is_live else DecisionPoint.EFFECTIVE)
    denied = Reason.UNKNOWN_PERMISSION if critical is None else Reason.NO_ROLE
    assert found.reason is (Reason.ALLOWED if found.allowed else denied)
    assert found.is_critical is bool(critical)
    assert found.revision == Revision(7, 5, 1)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"membership": None, "active": None}, Reason.UNKNOWN_SUBJECT),
        ({"active": False}, Reason.DEACTIVATED),
        ({"resource": None}, Reason.UNKNOWN_RESOURCE),
        ({}, Reason.NO_ROLE),
    ],
)
def test_what_is_missing(given: dict[str, Any], reason: Reason) -> None:
    """Is the reason of a denial."""
    assert decision_from([row(**given)], False, None, Seals).reason is reason  # type: ignore[arg-type]


@pytest.mark.parametrize("live", [False, True])
def test_an_organization_that_is_not_there(live: bool) -> None:
    """Is denied; nothing can be as fresh as a token of it."""
    found = decision_from([], live, None, Seals)  # type: ignore[arg-type]
    assert (found.allowed, found.reason) == (False, Reason.UNKNOWN_ORGANIZATION)
    assert found.point is (DecisionPoint.LIVE if live else DecisionPoint.EFFECTIVE)
    assert found.revision is None


def test_a_state_that_is_too_old() -> None:
    """Decides nothing; one that is as fresh as asked for does."""
    assert decision_from([row()], False, Revision(7, 5, 1), Seals).reason is Reason.NO_ROLE  # type: ignore[arg-type]
    for at_least in (Revision(7, 6, 1), Revision(7, 5, 2)):
        with pytest.raises(RevisionUnavailable):
            decision_from([row()], False, at_least, Seals)  # type: ignore[arg-type]
    with pytest.raises(InvalidToken):
        decision_from([row()], False, Revision(8, 5, 1, "sealed"), Seals)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("live", "verdict", "critical", "is_told"),
    [
        (False, 2, False, True),
        (False, 3, False, True),
        (False, 1, False, False),
        (False, 0, False, False),
        (False, 2, True, False),
        (True, 2, False, False),
    ],
)
def test_what_was_not_trusted_is_counted(
    live: bool, verdict: int, critical: bool, is_told: bool
) -> None:
    """Where the facts decided, and neither the caller nor the permission wanted it so."""
    noted: list[Any] = []

    class Instruments:
        def note_check(self, *of: Any) -> None:
            noted.append(of)

        def note_distrusted(self) -> None:
            noted.append("distrusted")

    rows = [row(verdict=verdict, critical=critical)]
    decision = decision_from(rows, live, None, Seals)  # type: ignore[arg-type]
    count_decision(Instruments(), rows, live, decision)  # type: ignore[arg-type]
    result = "allowed" if verdict in (1, 2) else "denied"
    assert noted == [(decision.point, result), *(["distrusted"] if is_told else [])]
    noted.clear()
    count_decision(Instruments(), [], live, decision)  # type: ignore[arg-type]
    assert noted == [(decision.point, result)]
