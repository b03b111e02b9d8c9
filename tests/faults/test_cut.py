"""The connection to PostgreSQL is cut at a commit: nobody is told what is not known; a retry tells it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from rescind import Authority
from rescind.errors import OutcomeUnknown, StoreUnavailable
from rescind.store.postgres import PostgresStore
from tests.faults.proxy import Cut, CuttingProxy
from tests.faults.small import (
    CHANGE,
    FACTS,
    MEMBERS,
    PLACES,
    opened,
    prepare,
    require_settled,
    rows,
    settle,
)
from tests.state import may

NAME, KEY = "acme", "once"
AT_COMMIT = [Cut.BEFORE_COMMIT, Cut.AFTER_COMMIT]


class Line:
    """The same database near, and by way of a proxy."""

    def __init__(self, database: str) -> None:
        parts = psycopg.conninfo.conninfo_to_dict(database)
        self.proxy = CuttingProxy(str(Path(str(parts["host"])) / ".s.PGSQL.5432"))
        prepare(database)
        self.near = opened(database, NAME)
        far = PostgresStore(self.proxy.url(str(parts["dbname"])), connections=1)
        self.far = opened(far, NAME)
        self.near.apply(FACTS, route="inline")


@pytest.fixture
def line(new_database: Callable[[str], str]) -> Iterator[Line]:
    """On a fresh database."""
    made = Line(new_database("postgres"))
    yield made
    made.near.close()
    made.far.close()
    made.proxy.close()


@pytest.mark.parametrize("route", ["inline", "background"])
@pytest.mark.parametrize("cut", AT_COMMIT)
def test_a_change(line: Line, cut: Cut, route: str) -> None:
    """The outcome is unknown, never a success; the same key tells it, and has one effect."""
    before = rows(line.near, NAME)
    line.proxy.cut = cut
    with pytest.raises(OutcomeUnknown) as raised:
        line.far.apply(CHANGE, idempotency_key=KEY, route=route)
    assert raised.value.retry
    is_there = cut is Cut.AFTER_COMMIT
    assert (rows(line.near, NAME) != before) == is_there
    receipt = line.far.apply(CHANGE, idempotency_key=KEY, route=route)
    assert (receipt.changed, receipt.revision.organization, receipt.route) == (True, 2, route)
    assert not may(line.far, MEMBERS[0], "read", PLACES[0])
    settle(line.far)
    require_settled(line.near, NAME)
    assert [entry.revision for entry in line.near.log()] == [1, 2]


@pytest.mark.parametrize("cut", AT_COMMIT)
def test_without_a_key(line: Line, cut: Cut) -> None:
    """Control: a repeated change without a key cannot be told from another one."""
    line.proxy.cut = cut
    with pytest.raises(OutcomeUnknown):
        line.far.apply(CHANGE)
    assert line.far.apply(CHANGE).changed == (cut is Cut.BEFORE_COMMIT)


@pytest.mark.parametrize("cut", AT_COMMIT)
def test_a_chunk(line: Line, cut: Cut) -> None:
    """A worker whose chunk may or may not be committed reads where it is, and goes on."""
    line.near.apply(CHANGE, route="background")
    line.proxy.cut = cut
    with pytest.raises(OutcomeUnknown):
        line.far.reconcile("team")
    settle(line.far)
    require_settled(line.near, NAME)


def test_a_question(line: Line) -> None:
    """A question that gets no answer is an error: nobody is let in, and nobody is told no."""
    asked = (MEMBERS[0], "read", PLACES[0])
    asks: list[Callable[[Authority], object]] = [
        lambda far: far.check(*asked),
        lambda far: far.check(*asked, assurance="live"),
        lambda far: far.check_many([asked]),
        lambda far: far.explain(*asked),
        lambda far: far.who_can("read", PLACES[0]),
        lambda far: far.pending(),
    ]
    for ask in asks:
        ask(line.far)
        line.proxy.cut = Cut.ANSWER
        with pytest.raises(StoreUnavailable):
            ask(line.far)
        assert line.proxy.cut is Cut.NEVER
