"""A question inside the caller's own transaction: at the state that it sees, its own changes with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest

from rescind import Authority, changes
from rescind.decision import check as checking
from rescind.errors import (
    DecisionUnavailable,
    InvalidArgument,
    RescindError,
    RevisionUnavailable,
    StoreConflict,
    StoreError,
    UnsupportedConnection,
)
from rescind.model import DecisionPoint
from rescind.store.postgres import within as asking
from tests.contract.callers import GRANT, SETUP, Caller, caller

__all__ = ["caller"]

ADA = "user:ada"
TAKE = [changes.Unassign(role="reader", to=ADA)]
TEAM = [
    *SETUP,
    changes.CreateGroup(group="team"),
    changes.AddMembers(group="team", members=(ADA,)),
]
GIVE_TEAM = [changes.Assign(role="reader", to="group:team")]
TAKE_TEAM = [changes.Unassign(role="reader", to="group:team")]


def answers(authority: Authority, within: object) -> set[bool]:
    """What every question in the transaction says of whether Ada may read."""
    asked = {"within": within}
    return {
        bool(authority.check(ADA, "read", **asked)),
        bool(authority.check(ADA, "read", assurance="live", **asked)),
        bool(authority.check_many([(ADA, "read", None)] * 2, **asked)[1]),
        bool(authority.explain(ADA, "read", **asked)),
        "read" in authority.permissions_of(ADA, **asked).items,
        "organization" in authority.resources_of(ADA, "read", **asked).items,
        ADA in authority.who_can("read", **asked).items,
    }


def test_what_was_just_granted_and_revoked(authority: Authority, caller: Caller) -> None:
    """The transaction's own changes are seen in it and nowhere else; after a rollback they are gone."""
    caller.execute("INSERT INTO theirs VALUES (1)")
    asked: dict[str, Any] = {"within": caller.within}
    assert not authority.check(ADA, "read", **asked)
    receipt = authority.apply(GRANT, within=caller.within)
    assert answers(authority, caller.within) == {True}
    assert authority.check(ADA, "read", at_least=receipt.token, **asked)
    assert not authority.check(ADA, "read")
    authority.apply(TAKE, within=caller.within)
    assert not authority.check(ADA, "read", **asked)
    authority.apply(GRANT, within=caller.within)
    caller.rollback()
    assert not authority.check(ADA, "read", **asked)
    caller.rollback()
    authority.apply(GRANT, within=caller.within)
    caller.commit()
    assert authority.check(ADA, "read")


def test_an_organization_made_in_the_transaction(authority: Authority, caller: Caller) -> None:
    """Also one that nobody else has seen yet."""
    name = {"organization": "new", "within": caller.within}
    asked = (ADA, "read")
    assert authority.check(*asked, **name).reason == "unknown_organization"  # type: ignore[arg-type]
    authority.apply([*SETUP, *GRANT], **name)  # type: ignore[arg-type]
    assert authority.check(*asked, **name)  # type: ignore[arg-type]
    assert [bool(each) for each in authority.check_many([(*asked, None)], **name)] == [True]  # type: ignore[arg-type]
    caller.rollback()
    assert authority.check(*asked, organization="new").reason == "unknown_organization"


def connect(database: str, **options: Any) -> Any:
    if database.startswith("sqlite"):
        return sqlite3.connect(database.removeprefix("sqlite:///"))
    return psycopg.connect(database, **options)


@pytest.mark.parametrize("mode", ["multiple", "single"])
def test_background_work_of_the_same_transaction(
    authority: Authority, database: str, mode: Any
) -> None:
    """What takes the background route is seen as well: an answer is never behind the facts."""
    authority.apply([*TEAM, changes.SetRoleMode(mode=mode)])
    with closing(connect(database)) as connection:
        for batch, expected in ((GIVE_TEAM, True), (TAKE_TEAM, False), (GIVE_TEAM, True)):
            receipt = authority.apply(batch, route="background", within=connection)
            assert receipt.settled_at is None
            assert answers(authority, connection) == {expected}
            found = authority.check(ADA, "read", within=connection)
            assert found.point is DecisionPoint.LIVE
        connection.rollback()
        authority.apply(GIVE_TEAM, route="inline", within=connection)
        assert authority.check(ADA, "read", within=connection).point is DecisionPoint.EFFECTIVE


def test_memory_is_never_asked(database: str) -> None:
    """An index holds the committed state; the transaction is asked nevertheless. (Control: the same question
    without `within` is answered from memory.)
    """
    with (
        Authority.open(database, organization="acme", index=True) as authority,
        closing(connect(database)) as connection,
    ):
        authority.apply(SETUP)
        authority.load()
        authority.apply(GRANT, within=connection)
        assert answers(authority, connection) == {True}
        assert authority.check(ADA, "read").point is DecisionPoint.INDEX
        assert not authority.check(ADA, "read")
        connection.rollback()


def test_a_misfit_is_refused(authority: Authority) -> None:
    """An object that is no connection to this engine is named in the error."""
    with pytest.raises(UnsupportedConnection, match=r"builtins\.object"):
        authority.check(ADA, "read", within=object())


def test_a_closed_connection(authority: Authority, database: str) -> None:
    """There is no decision then."""
    connection = connect(database)
    connection.close()
    for ask in (authority.check, authority.explain, authority.resources_of):
        with pytest.raises(DecisionUnavailable):
            ask(ADA, "read", within=connection)  # type: ignore[operator]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_without_a_transaction_sqlite_answers_at_one_state(
    authority: Authority, database: str
) -> None:
    """And leaves none open."""
    authority.apply([*SETUP, *GRANT])
    with closing(connect(database)) as connection:
        assert answers(authority, connection) == {True}
        assert not connection.in_transaction


@pytest.mark.parametrize("engine", ["postgres"])
def test_without_a_transaction_postgres_refuses(authority: Authority, database: str) -> None:
    """As for a change: every statement would be a transaction of its own."""
    authority.apply([*SETUP, *GRANT])
    with closing(connect(database, autocommit=True)) as connection:
        with pytest.raises(InvalidArgument, match="Open a transaction"):
            authority.check(ADA, "read", within=connection)
        with connection.transaction():
            assert answers(authority, connection) == {True}


# --- the transaction stays as it was --------------------------------------------------------------


@contextmanager
def written(database: str) -> Iterator[psycopg.Connection[Any]]:
    """A transaction that has written something, and a savepoint named as a change's after that."""
    with closing(psycopg.connect(database)) as connection:
        connection.execute("CREATE TEMPORARY TABLE theirs (id integer)")
        connection.commit()
        connection.execute("INSERT INTO theirs VALUES (1)")
        yield connection


def rows(connection: psycopg.Connection[Any]) -> int:
    return len(connection.execute("SELECT id FROM theirs").fetchall())


FAILING = "SELECT 1 / 0 FROM rescind.organization WHERE slug = %(organization)s"


def fail(authority: Authority, names: Sequence[str]) -> None:
    """Make those queries fail in the server."""
    queries = authority.store.queries  # type: ignore[attr-defined]
    queries.update(dict.fromkeys(names, FAILING))


@pytest.mark.parametrize("engine", ["postgres"])
def test_a_query_that_fails(
    authority: Authority, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a StoreError, and the transaction goes on with what it had written. (Control: without a savepoint
    it is aborted.)
    """
    authority.apply(SETUP)
    fail(authority, ["check", "check_effective_multiple", "list_names", "read_asked"])
    questions: list[Callable[..., Any]] = [
        authority.check,
        authority.explain,
        authority.permissions_of,
        lambda *asked, **options: authority.check_many([(*asked, None)], **options),
    ]
    with written(database) as connection:
        for ask in questions:
            with pytest.raises(StoreError, match="division by zero"):
                ask(ADA, "read", within=connection) if ask != authority.permissions_of else ask(
                    ADA, within=connection
                )
            assert rows(connection) == 1
        for name in ("SAVE", "RELEASE", "RESTORE"):
            monkeypatch.setattr(asking, name, "SELECT 1")
        with pytest.raises(StoreError, match="division by zero"):
            authority.check(ADA, "read", within=connection)
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            rows(connection)


@pytest.mark.parametrize("engine", ["postgres"])
def test_nothing_is_compiled_for_a_question(authority: Authority, database: str) -> None:
    """And the transaction's own setting is as it was, also after a question that failed."""
    store: Any = authority.store
    store.queries["setting"] = "SELECT current_setting('jit')"
    store.queries["failing"] = "SELECT 1 / 0"
    with written(database) as connection:
        for setting in ("on", "off"):
            connection.execute(f"SET LOCAL jit = {setting}")
            assert store.fetch("setting", {}, within=connection) == [("off",)]
            with pytest.raises(StoreError):
                store.fetch("failing", {}, within=connection)
            assert connection.execute("SHOW jit").fetchone() == (setting,)


@pytest.mark.parametrize("engine", ["postgres"])
def test_a_plan_that_cannot_be_read_leaves_the_transaction(
    authority: Authority, database: str
) -> None:
    """Nor does a change end the caller's transaction where what it must know first cannot be read."""
    fail(authority, ["plan"])
    authority.store.queries["plan"] = "SELECT 1 / 0"  # type: ignore[attr-defined]
    with written(database) as connection:
        with pytest.raises(StoreError, match="division by zero"):
            authority.apply(SETUP, within=connection)
        assert rows(connection) == 1


@pytest.mark.parametrize("engine", ["postgres"])
@pytest.mark.parametrize("off", [(), ("has_failed",), ("is_saved",), ("has_failed", "is_saved")])
def test_an_aborted_transaction_stays_aborted(
    authority: Authority, database: str, monkeypatch: pytest.MonkeyPatch, off: Sequence[str]
) -> None:
    """It is an error of ours, and nothing is rolled back to an older savepoint. Either guard is enough.
    (Control: without both, what was written after that savepoint is lost, and the transaction goes on.)
    """
    authority.apply(SETUP)
    for guard in off:
        monkeypatch.setattr(asking, guard, lambda _, guard=guard: guard == "is_saved")
    with written(database) as connection:
        connection.execute(asking.SAVE)
        connection.execute("INSERT INTO theirs VALUES (2)")
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / 0")
        with pytest.raises(RescindError, match="aborted"):
            authority.check(ADA, "read", within=connection)
        if len(off) == 2:
            assert rows(connection) == 1
            return
        with pytest.raises(RescindError, match="aborted"):
            authority.apply(GRANT, within=connection)
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            rows(connection)


# --- isolation levels -----------------------------------------------------------------------------

LEVELS = list(psycopg.IsolationLevel)[1:]
KEEPING = LEVELS[1:]
"""A snapshot for the whole transaction."""


@pytest.fixture
def at_level(authority: Authority, database: str) -> Iterator[Callable[[Any], Any]]:
    """A caller's connection at a level, in a transaction that has read something."""
    authority.apply([*SETUP, *GRANT])
    with closing(connect(database)) as connection:

        def begin(level: Any) -> Any:
            connection.rollback()
            connection.isolation_level = level
            connection.execute("SELECT 1 FROM rescind.organization LIMIT 1")
            return connection

        yield begin


@pytest.mark.parametrize("engine", ["postgres"])
@pytest.mark.parametrize("level", LEVELS)
def test_what_others_commit_meanwhile(
    authority: Authority, at_level: Callable[[Any], Any], level: Any
) -> None:
    """At READ COMMITTED it is seen; at the levels with a snapshot it is not, and a token says so."""
    connection = at_level(level)
    receipt = authority.apply(TAKE)
    assert answers(authority, connection) == {level in KEEPING}
    if level in KEEPING:
        for ask in (authority.check, authority.explain):
            with pytest.raises(RevisionUnavailable, match="Roll your transaction back"):
                ask(ADA, "read", at_least=receipt.token, within=connection)
    assert answers(authority, connection) == {level in KEEPING}
    connection.rollback()
    assert not authority.check(ADA, "read", at_least=receipt.token, within=connection)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_what_others_commit_after_a_read_transaction_began(
    authority: Authority, database: str
) -> None:
    """SQLite keeps one state for a transaction, and so a question in it sees that."""
    authority.apply([*SETUP, *GRANT])
    with closing(connect(database)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM rescind_organization").fetchall()
        receipt = authority.apply(TAKE)
        assert answers(authority, connection) == {True}
        with pytest.raises(RevisionUnavailable):
            authority.check(ADA, "read", at_least=receipt.token, within=connection)
        connection.rollback()
        assert answers(authority, connection) == {False}


class Between:
    """Calls back before the nth statement of each read on the caller's connection."""

    def __init__(self, act: Callable[[], Any], times: int) -> None:
        self.act, self.left = act, times

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = asking.new_cursor
        count = 0

        def cursor(connection: Any) -> Any:
            nonlocal count
            count += 1
            if count % 2 == 0 and self.left > 0:
                self.left -= 1
                with connection.pipeline():  # at its end, what was sent has been answered
                    pass
                self.act()
            return real(connection)

        monkeypatch.setattr(asking, "new_cursor", cursor)


@pytest.mark.parametrize("engine", ["postgres"])
@pytest.mark.parametrize("times", [1, 100])
def test_many_at_one_state_at_read_committed(
    authority: Authority,
    at_level: Callable[[Any], Any],
    monkeypatch: pytest.MonkeyPatch,
    times: int,
) -> None:
    """Where a change is committed between two of them they are asked again, and at last it is a conflict.
    (Control: the two answers of one attempt differ.)
    """
    connection = at_level(LEVELS[0])
    batches = [GRANT, TAKE] * (times + 1)
    asked = [(ADA, "read", None)] * 2
    with monkeypatch.context() as patch:
        patch.setattr(
            checking,
            "at_one_state",
            lambda store, all_, within: store.fetch_many(all_, within=within),
        )
        Between(lambda: authority.apply(batches.pop()), 1).install(patch)
        assert len({bool(each) for each in authority.check_many(asked, within=connection)}) == 2
    Between(lambda: authority.apply(batches.pop()), times).install(monkeypatch)
    if times == 1:
        assert len({bool(each) for each in authority.check_many(asked, within=connection)}) == 1
        return
    with pytest.raises(StoreConflict, match="kept changing"):
        authority.check_many(asked, within=connection)
    with pytest.raises(StoreConflict, match="kept changing"):
        authority.explain(ADA, "read", within=connection)
    with pytest.raises(StoreConflict, match="kept changing"):
        authority.who_can("read", within=connection)


@pytest.mark.parametrize("engine", ["postgres"])
@pytest.mark.parametrize("level", KEEPING)
def test_a_snapshot_that_nothing_overtook(
    authority: Authority, at_level: Callable[[Any], Any], level: Any
) -> None:
    """Who locks the organization's row first has the state that is committed, or a serialization failure."""
    fresh = "SELECT revision FROM rescind.organization WHERE slug IN ('acme', '*') ORDER BY id FOR SHARE"
    connection = at_level(level)
    connection.execute(fresh)
    assert authority.check(ADA, "read", within=connection)
    connection = at_level(level)
    authority.apply(TAKE)
    with pytest.raises(psycopg.errors.SerializationFailure):
        connection.execute(fresh)


def test_statements(authority: Authority, database: str) -> None:
    """A check in a transaction is one round trip of one query, as elsewhere."""
    authority.apply([*SETUP, *GRANT])
    with closing(connect(database)) as connection:
        sent: list[str] = []
        store = authority.store
        real = store.fetch_many
        store.fetch_many = lambda asked, **options: (  # type: ignore[method-assign]
            sent.extend(str(query) for query, _ in asked),
            real(asked, **options),
        )[1]
        assert authority.check(ADA, "read", within=connection)
        assert sent == ["check_effective_multiple"]
