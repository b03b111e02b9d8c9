"""A server that stands still, or a network that swallows everything: each call ends, and says what is known.

Nothing is cut: the connection stays open, and only the silence tells.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, SIGSTOP

import psycopg
import pytest

from rescind import Authority, changes
from rescind.errors import (
    DecisionUnavailable,
    OutcomeUnknown,
    StoreError,
    StoreUnavailable,
    TimedOut,
)
from rescind.settings import Settings
from rescind.store.postgres import PostgresStore, connection
from tests.faults.gate import Gate
from tests.faults.small import CHANGE, FACTS, MEMBERS, PLACES, opened, prepare
from tests.state import may

NAME, KEY = "acme", "once"
ASKED = (MEMBERS[0], "read", PLACES[0])
SHORT = Settings(silence_seconds=0.3)
SHORT_IN_BULK = Settings(silence_seconds=0.3, bulk_silence_seconds=0.6)
FOR_EVER = Settings(silence_seconds=1e6)

NOTHING_NEW = [changes.CreateGroup(group="team")]
"""After it, a change need not ask for anything before it is sent."""

CALLS: dict[str, Callable[[Authority], object]] = {
    "check": lambda far: far.check(*ASKED),
    "live check": lambda far: far.check(*ASKED, assurance="live"),
    "check_many": lambda far: far.check_many([ASKED]),
    "explain": lambda far: far.explain(*ASKED),
    "who_can": lambda far: far.who_can("read", PLACES[0]),
    "pending": lambda far: far.pending(),
    "preview": lambda far: far.preview(CHANGE),
    "log": lambda far: list(far.log()),
    "the caller's transaction": lambda far: _within(far),
}


def _within(far: Authority) -> None:
    with suppress(ZeroDivisionError), far.store.connection() as theirs:
        far.apply(CHANGE, within=theirs)
        raise ZeroDivisionError


class Line:
    """The same database near, and by way of a gate."""

    def __init__(self, database: str) -> None:
        parts = psycopg.conninfo.conninfo_to_dict(database)
        self.gate = Gate(str(Path(str(parts["host"])) / ".s.PGSQL.5432"))
        prepare(database)
        self.near = opened(database, NAME)
        self.url = self.gate.url(str(parts["dbname"]))
        self.near.apply(FACTS, route="inline")

    def far(self, settings: Settings) -> Authority:
        """An authority by way of the gate, over one connection."""
        return opened(PostgresStore(self.url, connections=1, settings=settings), NAME)

    def close(self) -> None:
        """End it, whatever state it is in."""
        self.gate.open()
        self.near.close()
        self.gate.close()


@pytest.fixture
def line(new_database: Callable[[str], str]) -> Iterator[Line]:
    """On a fresh database."""
    made = Line(new_database("postgres"))
    yield made
    made.close()


def test_a_network_that_swallows_everything(line: Line) -> None:
    """Whatever is asked is answered by an error; once the network is there again, all is as before."""
    with line.far(SHORT) as far:
        for call in CALLS.values():
            call(far)
            line.gate.stall()
            with pytest.raises(StoreUnavailable):
                call(far)
            line.gate.open()
            assert may(far, *ASKED)


SLOWLY = "SELECT 0, 0, TRUE FROM pg_sleep(1)"
CANCELLED = "SELECT 0, 0, TRUE FROM pg_cancel_backend(pg_backend_pid())"


@pytest.mark.parametrize("sql", [SLOWLY, CANCELLED])
def test_an_answer_that_takes_too_long(line: Line, sql: str) -> None:
    """Says so: the database is there. (Control: a store that is closed is said to be unavailable.)"""
    with line.far(SHORT) as far:
        assert far.who_can("read", PLACES[0]).items
        kept = dict(far.store.queries)  # type: ignore[attr-defined]
        far.store.queries.update(dict.fromkeys(("stream_members", "check_live_multiple"), sql))  # type: ignore[attr-defined]
        for ask in (far.who_can, lambda *names: far.check(MEMBERS[0], *names, assurance="live")):
            with pytest.raises(TimedOut, match="no answer in time"):
                ask("read", PLACES[0])
        far.store.queries.update(kept)  # type: ignore[attr-defined]
        assert far.who_can("read", PLACES[0]).items
        far.close()
        with pytest.raises(DecisionUnavailable) as raised:
            far.who_can("read", PLACES[0])
    assert not isinstance(raised.value, TimedOut)


def test_without_the_bound(line: Line) -> None:
    """Control: without it a call is still there when others have long been told, and ends only with
    the answer.
    """
    with line.far(FOR_EVER) as patient, line.far(SHORT) as bounded, ThreadPoolExecutor(1) as pool:
        assert may(patient, *ASKED)
        assert may(bounded, *ASKED)
        line.gate.stall()
        waiting = pool.submit(patient.check, *ASKED)
        try:
            with pytest.raises(StoreUnavailable):
                bounded.check(*ASKED)
            assert not waiting.done()
        finally:
            line.gate.open()
        assert waiting.result()


def test_a_commit_that_is_not_answered(line: Line) -> None:
    """What was asked to be committed is unknown; the same key tells it, and has one effect."""
    with line.far(SHORT) as far:  # the first change with a key looks for earlier owners of the name
        assert not far.apply(NOTHING_NEW, idempotency_key="before").changed
        line.gate.stall()
        with pytest.raises(OutcomeUnknown):
            far.apply(CHANGE, idempotency_key=KEY)
        line.gate.open()
        receipt = line.near.apply(CHANGE, idempotency_key=KEY)  # waits for the first try's lock
        assert (receipt.changed, receipt.revision.organization) == (True, 2)
        assert not may(far, *ASKED)
    assert [entry.revision for entry in line.near.log()] == [1, 2]


def test_a_connection_that_cannot_be_made(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that accepts and says nothing is not waited for when a store is opened."""
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 1.0)
    line.gate.stall()
    with pytest.raises(StoreUnavailable):
        PostgresStore(line.url, settings=SHORT)


def test_work_that_takes_long(line: Line) -> None:
    """A change that was asked to be inline however large it is may take its time; another is given up."""
    with line.far(SHORT) as far:
        far.store.queries["refuse_nesting"] = (  # type: ignore[attr-defined]
            "SELECT '' AS code, '' AS fact, '' AS value FROM pg_sleep(1) AS p WHERE p IS NULL"
        )
        assert far.apply(CHANGE, route="inline").changed
        with pytest.raises(OutcomeUnknown):
            far.apply(CHANGE)


def test_an_answer_that_comes_in_parts(line: Line) -> None:
    """What comes late, or little by little, is waited for, however long it takes altogether."""
    with line.far(SHORT) as far:
        for name, sql in {
            "late": "SELECT 1 FROM pg_sleep(0.2)",
            "slow": "SELECT repeat('x', 10000), pg_sleep(0.1) FROM generate_series(1, 10)",
        }.items():
            far.store.queries[name] = sql  # type: ignore[attr-defined]
            assert far.store.fetch(name, {})


@pytest.mark.parametrize("route", ["inline", "background"])
def test_a_frozen_backend(line: Line, route: str) -> None:
    """The process in the server that serves a connection is stopped: who waits for it is told, and others
    go on by other connections.
    """
    with opened(
        PostgresStore(line.near.store.url, connections=1, settings=SHORT_IN_BULK), NAME
    ) as far:  # type: ignore[attr-defined]
        assert not far.apply(NOTHING_NEW).changed
        far.store.queries["process"] = "SELECT pg_backend_pid()"  # type: ignore[attr-defined]
        for call in (
            lambda: far.check(*ASKED),
            lambda: far.check(*ASKED, assurance="live"),
            lambda: far.apply(CHANGE, idempotency_key=KEY, route=route),
        ):
            ((process,),) = far.store.fetch("process", {})
            os.kill(process, SIGSTOP)
            try:
                with pytest.raises(StoreError) as raised:
                    call()
                assert isinstance(raised.value, (StoreUnavailable, OutcomeUnknown))
                assert may(far, *ASKED)
            finally:
                os.kill(process, SIGCONT)
        assert far.apply(CHANGE, idempotency_key=KEY).revision.organization == 2
        assert not may(far, *ASKED)


def test_a_listener_that_hears_nothing(line: Line) -> None:
    """Silence is no failure for who only listens, and is one for who asks."""
    with line.far(SHORT) as far:
        listener = far.store.listen("nothing")
        assert listener.wait(0) is None
        assert listener.wait(1) == []
        line.gate.stall()
        with pytest.raises(StoreUnavailable):
            listener.fetch("tail_revisions", {"organizations": "[]"})
        listener.close()
        line.gate.open()
