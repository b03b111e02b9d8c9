"""The contract of a store, on every engine: atomic, durable, as fresh as right now."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg
import pytest

from rescind import Authority, changes
from rescind.changes import Change
from rescind.errors import GroupNotFound, InvalidArgument, StoreUnavailable
from rescind.store import Store, Transaction, open_store
from rescind.store.contract import Counter, LockCost
from rescind.store.probe import ProbedQueries
from rescind.store.retries import KeyTaken, PlanStale
from tests.contract.world import WORLD
from tests.probe import Probe
from tests.sql import ours
from tests.state import dump

GRANT = changes.Assign(role="owner", to="user:cyd")


class Stopped(Exception):
    """Stands for whatever may be raised between two statements."""


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """A store on a fresh database."""
    opened = open_store(database)
    yield opened
    opened.close()


def _statements(probe: Probe, run: Callable[[], Any]) -> list[str]:
    seen: list[str] = []
    probe.before = seen.append
    run()
    probe.before = None
    return seen


def _apply_until(authority: Authority, probe: Probe, change: Change, at: int) -> str:
    """Apply the change, but stop before the statement of that number; its name."""
    seen: list[str] = []

    def stop(name: str) -> None:
        seen.append(name)
        if len(seen) == at:
            raise Stopped

    probe.before = stop
    with pytest.raises(Stopped):
        authority.apply([change], idempotency_key="k")
    probe.before = None
    return seen[-1]


def test_stopped_anywhere_nothing_is_written(acme: Authority, probe: Probe) -> None:
    """Whichever statement an exception comes before, the commit included, all is as it was; after the
    commit all is done.
    """
    change = changes.DeleteGroup(group="staff", cascade=True)
    before = dump(acme)
    for at in itertools.count(1):
        name = _apply_until(acme, probe, change, at)
        if name == "committed":
            break
        assert dump(acme) == before, f"stopped before {name}"
    assert at > 10
    assert not acme.check("user:bob", "read")
    assert acme.apply([change], idempotency_key="k").revision.organization == 2


def test_statements_are_announced_in_order(acme: Authority, probe: Probe) -> None:
    """From the lock to the log, then the commit; nothing is announced of what only reads."""
    names = _statements(probe, lambda: acme.apply([GRANT], idempotency_key="k"))
    assert names[0] in ("begin", "check_plan")
    assert names[-2:] == ["commit", "committed"]
    for first, then in (
        ("claim_key", "refuse_given"),
        ("refuse_given", "insert_assignments"),
        ("insert_assignments", "extend_for_subject"),
    ):
        assert names.index(first) < names.index(then)
    assert _statements(probe, lambda: acme.check("ada", "read")) == []


def test_without_keep_nothing_stays(acme: Authority) -> None:
    """What is observed on the way is what would have been."""
    before = dump(acme)
    o = acme.check("ada", "read").revision.incarnation
    seen: list[Any] = []

    def look(tx: Transaction) -> None:
        tx.lock(number=o, organization="acme", mode="multiple")
        tx.run("rename_group", o=o, group="eng", name="Other", search_name="")
        seen.append(tx.read_later("read_groups", o=o))

    acme.store.transact(look, commit=False)
    assert ("eng", "Other") in seen[0]()
    assert dump(acme) == before


def test_counters_add_up_and_start_at_zero(acme: Authority) -> None:
    """Of one change: rows written and rows read, for each counter named."""
    o = acme.check("ada", "read").revision.incarnation
    acme.store.queries["tallied"] = ours(
        acme, "SELECT rescind.tallied('altered'), rescind.tallied('revokes')"
    )
    for _ in range(2):
        seen: list[Any] = []

        def count(tx: Transaction, seen: list[Any] = seen) -> None:
            tx.lock(number=o, organization="acme", mode="multiple")
            tx.count(
                "rename_group", Counter.ALTERED, o=o, group="eng", name="Other", search_name=""
            )
            tx.count(
                "rename_group", Counter.ALTERED, o=o, group="none", name="Other", search_name=""
            )
            tx.count("read_groups", Counter.ALTERED, Counter.REVOKES, o=o)
            seen.append(tx.read_later("tallied"))

        acme.store.transact(count, commit=False)
        assert seen[0]() == [(4, 3)]


def test_what_a_statement_wrote_is_told_afterwards(acme: Authority) -> None:
    """How many rows each wrote, also none, whether or not the transaction may be lost with the machine."""
    o = acme.check("ada", "read").revision.incarnation
    for name, durable in (("Once", False), ("Twice", True)):
        seen: list[Callable[[], int]] = []

        def rename(tx: Transaction, name: str = name, seen: list[Callable[[], int]] = seen) -> None:
            seen += [
                tx.rows_written("rename_group", o=o, group=group, name=name, search_name="")
                for group in ("eng", "none")
            ]

        acme.store.transact(rename, yields=True, durable=durable)
        assert [rows() for rows in seen] == [1, 0]
        assert ("eng", name) in acme.store.fetch("read_groups", {"o": o})


def test_a_stale_plan_is_told(acme: Authority) -> None:
    """An organization that is not there, is named otherwise, or has another mode."""
    o = acme.check("ada", "read").revision.incarnation
    for number, name, mode in (
        (o, "acme", "single"),
        (o, "other", "multiple"),
        (99, "acme", "single"),
    ):

        def begin(tx: Transaction, planned: tuple[int, str, str] = (number, name, mode)) -> None:
            tx.lock(number=planned[0], organization=planned[1], mode=planned[2])

        with pytest.raises(PlanStale):
            acme.store.transact(begin)


def test_a_key_is_taken_once(acme: Authority) -> None:
    """The second claim fails, and what came before it in that transaction is undone."""
    acme.apply([GRANT], idempotency_key="k")
    o = acme.check("ada", "read").revision.incarnation
    before = dump(acme)

    def claim(tx: Transaction) -> None:
        tx.run("rename_group", o=o, group="eng", name="Other", search_name="")
        tx.run("claim_key", o=o, key="k", digest="d", now=0)

    with pytest.raises(KeyTaken):
        acme.store.transact(claim)
    assert dump(acme) == before


def test_two_processes_worth_of_stores_see_each_other(database: str) -> None:
    """What one has committed the other reads at once, also after a change of name or mode."""
    with (
        Authority.open(database, organization="acme") as one,
        Authority.open(database, organization="acme") as other,
    ):
        one.apply(WORLD)
        assert other.check("ada", "read")
        other.apply([changes.Unassign(role="reader", to="group:staff")])
        assert not one.check("ada", "read")
        one.apply([changes.SetRoleMode(mode="single")])
        other.apply([changes.SetDefaultRole(role="reader")])
        assert one.check("cyd", "read")
        one.apply([changes.DeleteOrganization(cascade=True)])
        assert other.apply(WORLD).changed
        assert one.check("ada", "read")


class Interrupted:
    """Two questions; between reading the one and the other, something happens."""

    def __init__(self, question: tuple[str, Any], then: Callable[[], Any]) -> None:
        self.question, self.then = question, then

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        yield self.question
        self.then()
        yield self.question


@pytest.mark.parametrize("is_isolated", [True, False])
def test_many_questions_are_of_one_snapshot(
    database: str, monkeypatch: pytest.MonkeyPatch, is_isolated: bool
) -> None:
    """A change between two of them is in neither; without the snapshot it would be in one."""
    with (
        Authority.open(database, organization="acme") as one,
        Authority.open(database, organization="acme") as other,
    ):
        one.apply(WORLD)
        o = one.check("ada", "read").revision.incarnation
        monkeypatch.setattr(psycopg.Connection, "pipeline", lambda _: contextlib.nullcontext())
        if not is_isolated:
            _take_the_snapshot_out(one.store, monkeypatch)
        rename = changes.RenameGroup(group="eng", name="Other")
        asked = Interrupted(("read_groups", {"o": o}), lambda: other.apply([rename]))
        first, second = one.store.fetch_many(asked)  # type: ignore[arg-type]
        assert (first == second) is is_isolated
        assert ("eng", "Other") not in first


def _take_the_snapshot_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    if store.engine == "sqlite":

        class Plain:
            """A connection that never begins a transaction."""

            in_transaction = False

            def __init__(self, connection: Any) -> None:
                self._connection = connection

            def execute(self, sql: str, *params: Any) -> Any:
                return self._connection.execute("SELECT 1" if sql in ENDS else sql, *params)

            def close(self) -> None:
                self._connection.close()

        for line in store.readers.free:  # type: ignore[attr-defined]
            line.connection = Plain(line.connection)
        return
    execute = psycopg.Connection.execute

    def weakened(connection: Any, query: Any, *args: Any, **more: Any) -> Any:
        if isinstance(query, str):
            query = query.replace("REPEATABLE READ", "READ COMMITTED")
        return execute(connection, query, *args, **more)

    monkeypatch.setattr(psycopg.Connection, "execute", weakened)


ENDS = ("BEGIN", "COMMIT")


def test_threads_share_a_store(acme: Authority) -> None:
    """Changes and questions from many threads: every change has a revision of its own."""
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for n in range(10):
                acme.apply([changes.CreateGroup(group=f"g{number}-{n}")])
                assert acme.check("ada", "read")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert [entry.revision for entry in acme.log()] == list(range(1, 42))


@pytest.mark.parametrize(
    "url", ["mysql://localhost/x", "rescind://x", "sqlite:///nowhere/at/all.db", "nowhere.db"]
)
def test_what_cannot_be_opened_says_so(url: str) -> None:
    """Another engine is named as wrong, a missing file is not made."""
    with pytest.raises((InvalidArgument, StoreUnavailable)):
        open_store(url)
    assert not os.path.exists("nowhere.db")


def test_nobody_answers(database: str) -> None:
    """A database or server that is not there is unavailable, at once."""
    wrong = database + "x" if database.startswith("sqlite") else "postgresql://127.0.0.1:1/x"
    with pytest.raises(StoreUnavailable):
        open_store(wrong)


def test_after_an_error_within_a_read_the_store_is_usable(acme: Authority) -> None:
    """A refused change in one thread leaves the connections good."""
    for _ in range(20):
        with pytest.raises(GroupNotFound):
            acme.apply([changes.RenameGroup(group="none", name="x")])
        assert acme.check("ada", "read")


def test_what_a_transaction_costs_others_is_told(store: Store) -> None:
    """How long it has taken up to there, who waits for a lock, and the revision that is committed."""
    with Authority(store, organization="acme") as authority, ThreadPoolExecutor(1) as pool:
        made = authority.apply([changes.CreateOrganization()]).revision
        held: list[Callable[[], LockCost]] = []

        def measure(tx: Transaction) -> None:
            held.append(tx.lock_cost(number=made.incarnation))
            tx.run("lock_organization", o=made.incarnation)
            held.append(tx.lock_cost(number=made.incarnation))

        store.transact(measure)
        first, second = (measured() for measured in held)
        assert 0 <= first.seconds < second.seconds
        assert (first.waiting, first.revision) == (0, made.organization)
        with store.connection() as connection:
            lock = (
                "SELECT 1 FROM rescind.organization FOR UPDATE"
                if store.engine == "postgres"
                else ""
            )
            connection.execute(lock)  # type: ignore[attr-defined]
            late = pool.submit(authority.apply, [changes.CreateGroup(group="eng")])
            while not store.waiting():
                assert not late.done()
            if store.engine == "postgres":
                store.transact(lambda tx: held.append(tx.lock_cost(number=made.incarnation)))
                assert held[-1]().waiting == 1
        assert late.result(30).changed
        store.transact(lambda tx: held.append(tx.lock_cost(number=made.incarnation)))
        last = held[-1]()
        assert (last.waiting, last.revision) == (0, made.organization + 1)


# --- the probe ------------------------------------------------------------------------------------


def test_without_a_probe_nothing_is_asked(store: Any) -> None:
    """Its queries are a plain dict. Control: with a probe they ask it."""
    assert store.probe is None
    assert not isinstance(store.queries, ProbedQueries)
    url = store.path if store.engine == "sqlite" else store.url
    with closing(open_store(url, probe=Probe())) as probed:
        assert isinstance(probed.queries, ProbedQueries)  # type: ignore[attr-defined]
