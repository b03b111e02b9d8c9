"""Every retry has a bound: it gives up and says so, or asks elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from rescind import Authority, DecisionPoint, changes
from rescind.decision.check import EFFECTIVE, LIVE, UNDECIDED, QueryHints
from rescind.errors import PendingMoved, StoreConflict
from rescind.index.index import Index
from rescind.model import (
    Decision,
    MembershipNumber,
    OrganizationNumber,
    Question,
    ResourceNumber,
    Revision,
)
from rescind.propagation import reconcile
from rescind.propagation.audit import audit
from rescind.propagation.work import Work
from rescind.replicas import cached_answers as recall
from rescind.replicas.cached_index import CachedIndex, State
from rescind.replicas.lease import backoff_seconds
from rescind.store.retries import PLAN_ATTEMPTS, OverBudget, PlanStale
from rescind.store.rows import Query
from rescind.store.rows.decisions import CHECK, CheckRow
from rescind.store.sqlite import write_queue
from tests.contract.test_audit import by_hand, given, of
from tests.contract.world import WORLD
from tests.probe import Probe

QUESTION = ("user:ada", "write", "doc:1")
BATCH = [QUESTION, ("user:bob", "read", "doc:2"), ("user:cyd", "write", "doc:2")]
LEAVE = changes.RemoveMembers(group="eng", members=("user:ada",))


@pytest.fixture
def held(database: str) -> Iterator[Authority]:
    """An authority that holds `acme` in memory, on each engine in turn."""
    with Authority.open(database, organization="acme", index=True) as opened:
        opened.apply(WORLD)
        assert opened.load()
        yield opened


# --- memory ---------------------------------------------------------------------------------------


def _beside_each_verdict(
    monkeypatch: pytest.MonkeyPatch, cached: CachedIndex, beside: Callable[[CachedIndex], State]
) -> list[str]:
    """Puts another state in the place of the cached index's in the middle of each verdict."""
    asked: list[str] = []
    real = Index.verdict

    def verdict(self: Index, subject: str, *rest: Any) -> int | None:
        asked.append(subject)
        cached.state = beside(cached)
        return real(self, subject, *rest)

    monkeypatch.setattr(Index, "verdict", verdict)
    return asked


def _renewed(cached: CachedIndex) -> State:
    """What a renewed lease puts there."""
    return State(cached.index, cached.revision, float("inf"))


def _changed(cached: CachedIndex) -> State:
    """What a change of the facts puts there."""
    was = cached.revision
    cached.revision = Revision(was.incarnation, was.organization + 1, was.environment)
    return State(cached.index, cached.revision, float("inf"))


def test_a_lease_renewed_during_a_batch_does_not_begin_it_again(
    held: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each question is answered once and out of memory, though the lease is renewed during each."""
    asked = _beside_each_verdict(monkeypatch, held.cache.indexes["acme"], _renewed)
    found = held.check_many(BATCH)
    assert [bool(decision) for decision in found] == [True, True, False]
    assert {decision.point for decision in found} == {DecisionPoint.INDEX}
    assert held.check(*QUESTION).point is DecisionPoint.INDEX
    assert held.explain(*QUESTION).point is DecisionPoint.INDEX
    assert len(asked) <= 2 * (len(BATCH) + 1)  # where names are worked out first, it is asked twice


def test_control_where_only_the_same_state_counts(
    held: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: without the rule of the same revision, nothing is answered out of memory then."""
    _beside_each_verdict(monkeypatch, held.cache.indexes["acme"], _renewed)
    monkeypatch.setattr(recall, "still_holds", lambda cached, state: cached.state is state)
    assert DecisionPoint.INDEX not in _ask_all(held)


def _ask_all(held: Authority) -> list[DecisionPoint]:
    """The decision points of a check and a batch."""
    found: list[Decision] = [held.check(*QUESTION), *held.check_many(BATCH)]
    return [decision.point for decision in found]


def test_memory_that_changes_during_each_attempt(
    held: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After two attempts the store decides: one check and a batch are answered, from the tables."""
    asked = _beside_each_verdict(monkeypatch, held.cache.indexes["acme"], _changed)
    assert DecisionPoint.INDEX not in _ask_all(held)
    most = 1 + recall.ATTEMPTS  # at once, and then as well-formed names
    assert len(asked) <= 2 * most * (1 + len(BATCH))


def test_control_without_the_bound_of_attempts(
    held: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: with more attempts it tries for as long as memory changes."""
    monkeypatch.setattr(recall, "ATTEMPTS", 1_000)
    asked = _beside_each_verdict(monkeypatch, held.cache.indexes["acme"], _changed)
    assert DecisionPoint.INDEX not in _ask_all(held)
    assert len(asked) > 1_000


def test_an_answer_of_a_state_that_was_withdrawn(
    held: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A renewal stands for the same facts; a state taken away does not."""
    cached = held.cache.indexes["acme"]
    real = Index.verdict

    def verdict(self: Index, *question: Any) -> int | None:
        cached.state = None
        return real(self, *question)

    monkeypatch.setattr(Index, "verdict", verdict)
    assert held.check(*QUESTION).point is DecisionPoint.LIVE


class ChangingLock:
    """An index's lock, before which somebody always changes the organization."""

    def __init__(self, cached: CachedIndex) -> None:
        self.lock, self.cached, self.taken = cached.index.mutex, cached, 0

    def __enter__(self) -> None:
        self.taken += 1
        self.cached.state = _changed(self.cached)
        self.lock.__enter__()

    def __exit__(self, *raised: object) -> None:
        self.lock.__exit__(*raised)  # type: ignore[arg-type]


def test_a_list_of_memory_that_keeps_changing(
    held: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists and explanations give up as checks do."""
    cached = held.cache.indexes["acme"]
    lock = ChangingLock(cached)
    monkeypatch.setattr(cached.index, "mutex", lock)
    assert held.who_can("write", "doc:1").items == ("user:ada",)
    assert held.explain(*QUESTION).point is not DecisionPoint.INDEX
    assert lock.taken == 2 * recall.ATTEMPTS


def test_a_replica_that_is_always_taken_for_dead() -> None:
    """It begins anew less and less often, until it can renew its lease."""
    waited = [backoff_seconds(failures) for failures in range(1, 41)]
    assert waited == sorted(waited)
    assert waited[0] < 0.1 < 0.9 < waited[-1] <= 1.0


# --- the store ------------------------------------------------------------------------------------


def test_a_check_is_asked_three_times_at_most() -> None:
    """Whatever rows each query finds, and whichever way the organization's mode goes back and forth."""
    question = Question("acme", *QUESTION)  # type: ignore[arg-type]
    one = OrganizationNumber(1)
    row = CheckRow(one, 1, 1, MembershipNumber(1), True, False, ResourceNumber(1), 0, "multiple")
    rows = [
        row._replace(critical=critical, verdict=verdict, role_mode=mode)
        for critical in (False, True)
        for mode in ("multiple", "single")
        for verdict in (0, 1, UNDECIDED)
    ]

    def deepest(query: Query[CheckRow], depth: int) -> int:
        assert depth < 10, "it goes on"
        better = [QueryHints().better(question, query, row) for row in rows]
        further = [deepest(each, depth + 1) for each in better if each not in (None, CHECK)]
        return max([depth, *further, depth + 1 if CHECK in better else 0])

    for queries in (EFFECTIVE, LIVE):
        for query in queries.values():
            assert deepest(query, 1) <= 3


def _at(statement: str, error: Exception, asked: list[str]) -> Callable[[str], None]:
    """Raises at each such statement."""

    def fail(name: str) -> None:
        if name == statement:
            asked.append(name)
            raise error

    return fail


def _always(error: Exception, asked: list[Any]) -> Callable[..., Any]:
    def fail(*given: Any, **_: Any) -> None:
        asked.append(given)
        raise error

    return fail


@pytest.mark.parametrize(
    "error",
    [PlanStale(), OverBudget(step=0, pairs=1, is_busy=False)],
    ids=lambda e: type(e).__name__,
)
def test_a_plan_that_is_always_overtaken(
    acme: Authority, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A change is a conflict then, and nothing of it is done."""
    asked: list[Any] = []
    monkeypatch.setattr(acme.store, "transact", _always(error, asked))
    with pytest.raises(StoreConflict):
        acme.apply([LEAVE])
    assert len(asked) == PLAN_ATTEMPTS
    if isinstance(error, PlanStale):
        with pytest.raises(StoreConflict):
            acme.preview([LEAVE])
        assert len(asked) == 2 * PLAN_ATTEMPTS
    monkeypatch.undo()
    assert acme.check(*QUESTION)


def test_a_repair_whose_plan_is_always_overtaken(
    acme: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An audit says that it could not mend what it found."""
    by_hand(acme, f"DELETE FROM rescind.effective_role WHERE assignment = {given('owner')}")
    assert of("agent:bot")
    asked: list[Any] = []
    monkeypatch.setattr(acme.store, "transact", _always(PlanStale(), asked))
    with pytest.raises(StoreConflict):
        audit(acme.store, "acme", repair=True)
    assert len(asked) == PLAN_ATTEMPTS


OVERTAKEN = {
    "one group": changes.Unassign(role="writer", to="group:eng", on="folder:a"),
    "members": LEAVE,
}


@pytest.mark.parametrize("work", OVERTAKEN)
def test_work_that_is_always_overtaken(acme: Authority, probe: Probe, work: str) -> None:
    """Settling is a conflict then: a worker, or the next call, goes on from where it is."""
    acme.apply([OVERTAKEN[work]], route="background")
    asked: list[str] = []
    probe.before = _at("refuse_pending_moved", PendingMoved(), asked)
    with pytest.raises(StoreConflict):
        acme.reconcile("eng")
    assert len(asked) == reconcile.MOST_RESTARTS + 1
    probe.before = None
    acme.reconcile("eng")
    assert acme.pending() == []


def test_work_that_comes_while_others_is_settled(
    acme: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what was pending at the call is waited for, though something always is."""
    names = iter(f"user:late{n}" for n in range(10_000))
    real = Work.step

    def step(self: Work, *given: Any) -> Any:
        name = next(names)
        late = [
            changes.AddMembership(subject=name),
            changes.AddMembers(group="eng", members=(name,)),
        ]
        acme.apply(late, route="background")
        return real(self, *given)

    acme.apply([LEAVE], route="background")
    with monkeypatch.context() as patch:
        patch.setattr(Work, "step", step)
        acme.reconcile("eng")
    assert "user:ada" not in {work.subject for work in acme.pending()}
    assert acme.pending() != []


@pytest.mark.parametrize("engine", ["postgres"])
def test_a_transaction_that_always_conflicts(acme: Authority, probe: Probe) -> None:
    """PostgreSQL does it again eight times; who gives way, not at all."""
    asked: list[str] = []
    probe.before = _at("begin", StoreConflict(why="test"), asked)
    with pytest.raises(StoreConflict):
        acme.apply([LEAVE])
    assert len(asked) == 8
    probe.before = _at("commit", StoreConflict(why="test"), asked)
    with pytest.raises(StoreConflict):
        acme.store.transact(lambda _: None, yields=True)
    assert len(asked) == 9


class Crowd:
    """The turns at a file that some thread always waits for, until the last of so many looks."""

    def __init__(self, path: str, monkeypatch: pytest.MonkeyPatch, *, last: int = 1_000) -> None:
        self.turns, self.looks, self._last = write_queue.WriteQueue(path), 0, last
        self._wanted = ExitStack()
        self._wanted.enter_context(self.turns.announce_here())
        monkeypatch.setattr(write_queue.time, "monotonic", lambda: float(self.looks))
        monkeypatch.setattr(write_queue.time, "sleep", self._look)

    def _look(self, _: float) -> None:
        self.looks += 1
        if self.looks == self._last:
            self._wanted.close()


@pytest.fixture
def crowd(new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> Crowd:
    """At a fresh file."""
    return Crowd(new_database("sqlite").removeprefix("sqlite:///"), monkeypatch)


def test_giving_way_to_threads_that_always_want_the_file(crowd: Crowd) -> None:
    """Background work on SQLite goes on beside threads one of which always waits to write."""
    crowd.turns.yield_to_others()
    assert crowd.looks == 1


def test_control_without_the_bound_of_giving_way(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: it waits for as long as anybody wants the file."""
    monkeypatch.setattr(write_queue, "MOST_YIELD_HERE_SECONDS", float("inf"))
    crowd.turns.yield_to_others()
    assert crowd.looks == 1_000
