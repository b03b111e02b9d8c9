"""Each way to a decision leads past the decision log, whatever decides and whatever comes of it."""

from __future__ import annotations

import inspect
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

import psycopg
import pytest

from rescind import Authority, Decision, DecisionLog, changes
from rescind.decision.questions import Questions
from rescind.decision.router import DecisionRouter
from rescind.decision_log import DecisionRecorder, unlogged
from rescind.errors import RescindError, StoreUnavailable
from rescind.model import Microseconds, Question
from tests.conftest import ENGINES
from tests.contract.world import WORLD

Answer = Decision | list[Decision] | None
Ask = Callable[[Authority, Any, Any], Answer]
"""Asks a question (subject, permission, resource) of an authority, or in a transaction."""

ROADS: dict[str, Ask] = {
    "check": lambda a, q, _: a.check(*q),
    "check live": lambda a, q, _: a.check(*q, assurance="live"),
    "check at_least": lambda a, q, _: a.check(*q, at_least=a.check("user:x", "y").token),
    "check explain": lambda a, q, _: a.check(*q, explain=True),
    "check within": lambda a, q, c: a.check(*q, within=c),
    "check_many": lambda a, q, _: a.check_many([q, q]),
    "check_many live": lambda a, q, _: a.check_many([q, q], assurance="live"),
    "check_many within": lambda a, q, c: a.check_many([q, q], within=c),
    "recall": lambda a, q, _: a.recall([q, q]),
    "explain": lambda a, q, _: a.explain(*q),
    "explain within": lambda a, q, c: a.explain(*q, within=c),
}
KINDS = {
    "allowed": ("user:ada", "write", "doc:1"),
    "denied": ("user:bob", "write", "doc:1"),
    "on the organization": ("user:bob", "read", None),
    "a bare id": ("ada", "write", "doc:1"),
    "critical": ("agent:bot", "purge", "folder:b"),
    "critical denied": ("user:bob", "purge", "folder:b"),
    "unknown subject": ("user:eve", "read", "doc:1"),
    "unknown permission": ("user:ada", "fly", "doc:1"),
    "unknown resource": ("user:ada", "read", "doc:9"),
    "no name": ("ada\n", "read", "doc:1"),
}

MADE_AT = ("decision_point", "revision")


@pytest.fixture(scope="module", params=[(e, i) for e in ENGINES for i in (False, True)])
def acme(
    request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]
) -> Iterator[tuple[Authority, Any]]:
    """An authority on each engine, with memory and without; and a connection of a caller's own."""
    engine, index = request.param
    database = new_shared_database(engine)
    connect: Any = sqlite3.connect if engine == "sqlite" else psycopg.connect
    with Authority.open(database, organization="acme", index=index) as authority:
        authority.apply(WORLD)
        if index:
            authority.load()
        with closing(connect(database.removeprefix("sqlite:///"))) as connection:
            if engine == "sqlite":
                connection.execute("BEGIN")
            yield authority, connection


class Logged:
    """What one block logs."""

    def __init__(self, authority: Authority, selected: str = "all") -> None:
        self.lines: list[Mapping[str, Any]] = []
        self._authority = authority
        options = DecisionLog(selected, to=self.lines.append, close_seconds=30.0)
        self.recorder = DecisionRecorder(options, self._explain, authority.instruments)

    def _explain(self, question: Question, now: int) -> Decision:
        router = DecisionRouter(
            self._authority.store,
            None,
            lambda: Microseconds(now),
            check_seconds=30.0,
            instruments=self._authority.instruments,
        )
        return router.explanation(question, now)

    def __enter__(self) -> Logged:
        self._authority.decision_log = self.recorder
        return self

    def __exit__(self, *_: object) -> None:
        self._authority.decision_log = None
        self.recorder.close()
        self.lines = [line for line in self.lines if "event" not in line]


def outcome(authority: Authority, ask: Ask, question: Any, connection: Any) -> list[Any]:
    """What is to be in the log: of each decision its answer, or the error's code."""
    try:
        found = ask(authority, question, connection)
    except RescindError as error:
        return [(None, error.code, None, None)]
    decisions = [found] if isinstance(found, Decision) else found or []
    return [(d.allowed, d.reason.value, d.point.value, d.token) for d in decisions]


def unlogged_roads(acme: tuple[Authority, Any], *kinds: str) -> set[str]:
    """The roads on which a line is missing, or there are too many, or they say something else."""
    authority, connection = acme
    found = set()
    for road, ask in ROADS.items():
        for kind in kinds or KINDS:
            question = KINDS[kind]
            with unlogged():
                expected = outcome(authority, ask, question, connection)
            with Logged(authority) as logged:
                outcome(authority, ask, question, connection)
            lines = [line for line in logged.lines if line["subject"] != "user:x"]
            told = [
                (line["allowed"], line.get("error") or line["reason"], *map(line.get, MADE_AT))
                for line in lines
            ]
            if len(expected) == 1 and "many" in road:
                expected *= 2  # each question of a batch failed
            names = {(line["subject"], line["permission"], line["resource"]) for line in lines}
            subject = "user:ada" if question[0] == "ada" else question[0]
            asked = {(subject, question[1], question[2] or "organization")} if expected else set()
            if told != expected or names != asked:
                found.add(road)
    return found


def test_every_road_is_logged(acme: tuple[Authority, Any]) -> None:
    """Allowed, denied, unknown, critical or failed: one line for each decision, with its own words."""
    assert unlogged_roads(acme) == set()


ROADS_OF = {
    "note": {"check", "check live", "check at_least", "check explain", "check within", "explain"},
    "noted": {"check live", "check at_least", "check explain", "check within", "explain"},
    "noted_many": {"check_many", "check_many live", "check_many within"},
}


@pytest.mark.parametrize("method", ROADS_OF)
def test_the_control_without_one_road(
    acme: tuple[Authority, Any], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A road that is taken out is seen."""
    monkeypatch.setattr(
        DecisionRecorder,
        method,
        {
            "note": lambda *_: None,
            "noted": lambda _, decide, __: decide(),
            "noted_many": lambda _, decide, *__: decide(),
        }[method],
    )
    assert unlogged_roads(acme, "allowed") >= ROADS_OF[method]


def test_every_method_that_decides_is_a_road() -> None:
    """A method of `Authority` that returns a decision is asked above."""
    deciding = {
        name
        for name, method in inspect.getmembers(Questions, inspect.isfunction)
        if not name.startswith("_")
        and "Decision" in str(inspect.signature(method).return_annotation)
    }
    assert deciding == {road.split()[0] for road in ROADS}


def test_lists_are_no_decisions(acme: tuple[Authority, Any]) -> None:
    """And neither is what is asked for one, or about the past."""
    authority, _ = acme
    with unlogged():
        then = authority.check("user:ada", "read").token
    assert then is not None
    with Logged(authority) as logged:
        authority.who_can("read")
        authority.permissions_of("user:ada", "doc:1")
        authority.resources_of("user:ada", "read")
        assert authority.check("user:ada", "read", at=then)
        assert authority.explain("user:ada", "read", at=then)
        assert authority.check_many([("user:ada", "read", None)], at=then)[0]
        with unlogged():
            authority.check("user:ada", "read")
    assert logged.lines == []


def test_a_critical_decision_has_its_chain(acme: tuple[Authority, Any]) -> None:
    """Found by the writer, at the revision of the decision; not for one made in a transaction."""
    authority, connection = acme
    with Logged(authority, "critical") as logged:
        assert authority.check(*KINDS["critical"])
        assert authority.check(*KINDS["allowed"])
        assert not authority.check(*KINDS["critical denied"])
        assert authority.check(*KINDS["critical"], within=connection)
    first, denied, within = logged.lines
    assert (first["chain"]["role"], first["chain"]["assigned_on"]) == ("owner", "folder:b")
    assert (first["chains"], "chain_missing" in first) == (1, False)
    assert (denied["allowed"], "chain" in denied, "chain_missing" in denied) == (
        False,
        False,
        False,
    )
    assert (within["chain_missing"], "chain" in within) == ("in_transaction", False)


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ([changes.Assign(role="owner", to="user:cyd", on="folder:b")], "facts_changed"),
        ([changes.Unassign(role="owner", to="user:cyd", on="folder:b")], "facts_changed"),
        ([], None),
    ],
)
def test_a_chain_of_other_facts_is_not_told(
    acme: tuple[Authority, Any], change: list[Any], missing: str | None
) -> None:
    """Where the facts have changed before the writer came to it. (Control: they have not.)"""
    authority, connection = acme
    connection.rollback()
    with Logged(authority, "critical") as logged:
        writer = logged.recorder.writer
        writer.is_idle = False  # its thread does not begin
        assert authority.check(*KINDS["critical"])
        if change:
            authority.apply(change)
        writer.is_idle = True
        authority.check(*KINDS["critical denied"])
    assert logged.lines[0].get("chain_missing") == missing
    assert ("chain" in logged.lines[0]) == (missing is None)


def test_the_database_is_not_asked_too_often() -> None:
    """One chain for the same question at the same revision; none for a while after a failure."""
    from rescind.decision_log.chains import MOST_PER_SECOND, PAUSE_SECONDS, ChainFinder
    from rescind.decision_log.entries import Entry
    from rescind.decision_log.lines import line_of
    from rescind.model import DecisionPoint, Reason

    asked: list[Question] = []
    now = 0.0

    def explain(question: Question, _: int) -> Decision:
        asked.append(question)
        if question.subject == "user:none":
            raise StoreUnavailable()
        return decision

    decision = Decision(
        allowed=True,
        reason=Reason.ALLOWED,
        point=DecisionPoint.LIVE,
        revision=None,
        is_critical=True,
    )
    finder = ChainFinder(explain, lambda: now)

    def missing(subject: str) -> str | None:
        entry = Entry(0, ("acme", subject, "purge", None), decision, None, None, None)
        line = line_of(entry)
        finder.add_to(line, entry)
        return line.chain_missing

    assert {missing(f"user:{n}") for n in range(MOST_PER_SECOND)} == {"facts_changed"}
    assert (missing("user:more"), len(asked)) == ("too_many", MOST_PER_SECOND)
    now = 1.0
    assert (missing("user:none"), missing("user:1")) == ("unavailable", "unavailable")
    assert len(asked) == MOST_PER_SECOND + 1
    now = 1.0 + PAUSE_SECONDS
    assert missing("user:1") == "facts_changed"
