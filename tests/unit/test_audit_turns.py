"""The background audit's steps, by a clock that only reads and waits advance: pace, checkpoints, rounds."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from rescind.errors import PendingMoved, StoreUnavailable
from rescind.propagation import background_audit as module
from rescind.propagation.audit import MEMBERSHIPS_A_READ
from rescind.propagation.background_audit import (
    FACTS,
    LEASE_SECONDS,
    LEAST_ROWS,
    LOOK_SECONDS,
    ROUNDS_KEPT,
    BackgroundAudit,
)
from rescind.propagation.comparison import LAST, Comparison, Difference
from rescind.settings import Settings
from rescind.store.rows.audit import AuditedRow
from rescind.store.rows.audit_rounds import FIND_AUDIT_ORGANIZATION, READ_AUDIT_ROUND

SETTINGS = Settings(audit_rows_per_second=1_000, audit_pause_seconds=100.0)
NAME = AuditedRow("acme", "multiple")  # type: ignore[arg-type]
WRONG = Difference(3, -1, missing=2, surplus=1)  # type: ignore[arg-type]
DRIFT = SimpleNamespace(
    organization="acme", group="g", missing=2, surplus=1, examples=["one", "two"], repaired=0
)
DRIFT.is_drift = True
Seen = tuple[str, dict[str, Any]]


def compared(rows: int, *, following: int | None = None, memberships: int = 1, **more: Any) -> Any:
    return Comparison(NAME, following, memberships, effective_roles=5, rows=rows, **more)  # type: ignore[arg-type]


class Round:
    """The database of one round, and what an audit asks of it."""

    def __init__(
        self,
        patch: pytest.MonkeyPatch,
        *reads: Any,
        settings: Settings = SETTINGS,
        facts: Any = None,
    ) -> None:
        self.now = 100.0
        self.reads = list(reads)
        self.asked: list[tuple[int, int, int]] = []
        self.did: list[Seen] = []
        self.how: list[dict[str, Any]] = []
        self.rounds: list[Any] = []
        self.organizations = [4, 9]
        self.has_lease, self.is_moved = 1, False
        self.repaired: list[Any] = []
        patch.setattr(module, "compare", self.compare)
        patch.setattr(module, "OrganizationAudit", self.audit_of)
        self.audit = BackgroundAudit(self, settings, facts=facts, clock=lambda: self.now)  # type: ignore[arg-type]

    def fetch(self, query: Any, params: dict[str, Any]) -> list[Any]:
        if query is READ_AUDIT_ROUND:
            return self.rounds[-1:]
        assert query is FIND_AUDIT_ORGANIZATION
        there = [o for o in self.organizations if o >= params["o"]]
        return [SimpleNamespace(organization=o, name="acme") for o in there[:1]]

    def compare(self, _: Any, o: int, *, first: int, memberships: int) -> Any:
        self.asked.append((o, first, memberships))
        self.now += 0.125
        return self.reads.pop(0)

    def audit_of(self, _: Any, o: int, name: str) -> Any:
        assert name == "acme"
        unsure = SimpleNamespace(**{**vars(DRIFT), "is_drift": False})
        groups = {-1: DRIFT, None: unsure}

        def repair(drifting: list[Difference], *, actor: str) -> None:
            self.repaired.append((o, drifting, actor))
            groups[-1] = SimpleNamespace(**{**vars(DRIFT), "repaired": 3})

        return SimpleNamespace(groups=groups, o=o, note=lambda _: None, repair=repair)

    def transact(self, body: Any, **how: Any) -> None:
        self.how.append(how)
        body(self)

    # as a transaction

    def run(self, query: str, **names: Any) -> None:
        self.did.append((query, names))
        if query == "begin_audit_round":
            self.rounds.append(row(len(self.rounds) + 1))

    def count_expected(self, query: str, *_: Any, or_refuse: str, **names: Any) -> None:
        assert or_refuse == "refuse_audit_moved"
        if self.is_moved:
            raise PendingMoved(group="x")
        self.did.append((query, names))

    def rows_written(self, query: str, **names: Any) -> Any:
        self.did.append((query, names))
        return lambda: self.has_lease

    # what it did

    def of(self, query: str) -> list[dict[str, Any]]:
        return [names for did, names in self.did if did == query]

    def clear(self) -> list[str]:
        did, self.did = self.did, []
        return [query for query, _ in did]


def row(
    number: int = 1, completed: float | None = None, now: float = 1_000.0, at: Any = (0, 0)
) -> Any:
    return SimpleNamespace(
        round=number,
        completed_at=None if completed is None else int(completed * 1e6),
        organization=at[0],
        membership=at[1],
        now=int(now * 1e6),
    )


@pytest.mark.parametrize(
    ("completed", "waits"), [(990.0, LOOK_SECONDS), (910.0, 10.0), (901.0, 1.0), (900.0, None)]
)
def test_between_rounds(
    monkeypatch: pytest.MonkeyPatch, completed: float, waits: float | None
) -> None:
    """It waits for the pause to be over, but looks at times; nothing is claimed before."""
    audit = Round(monkeypatch, compared(10, following=1))
    audit.rounds = [row(1, completed)]
    seconds = audit.audit.step()
    if waits is not None:
        assert seconds == waits
        assert audit.clear() == []
        return
    assert audit.clear() == ["claim_task", "begin_audit_round"]
    assert audit.asked == [(4, 0, 1)]


def test_the_round_that_is_under_way_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it was; none is begun beside it. While another process is at it, it is left."""
    audit = Round(monkeypatch, compared(10, following=8))
    audit.rounds = [row(7, at=(4, 6))]
    audit.has_lease = 0
    assert audit.audit.step() == LOOK_SECONDS
    assert audit.clear() == ["claim_task"]
    audit.has_lease = 1
    audit.audit.step()
    assert audit.clear() == ["claim_task"]
    assert audit.asked == [(4, 6, 1)]
    assert audit.audit.progress is not None
    assert (audit.audit.progress.round, audit.audit.progress.membership) == (7, 8)


def test_a_round_that_another_has_just_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is not gone on with."""
    audit = Round(monkeypatch)
    audit.run = lambda *_, **__: audit.rounds.append(row(2, 1_000.0))  # type: ignore[method-assign]
    assert audit.audit.step() == LOOK_SECONDS
    assert audit.audit.progress is None


def test_it_keeps_to_its_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read rests for as long as its rows take, less the time that it took; the next one is twice as large,
    or as large as fits in half a second.
    """
    reads = [
        compared(2, following=1),
        compared(250, following=2),
        compared(400, following=3, memberships=2),
        compared(8_000, following=4, memberships=3),
        compared(100, following=5, memberships=0),
        compared(10, following=6),
        compared(10, following=7),
    ]
    audit = Round(monkeypatch, *reads)
    rests = []
    for _ in reads:
        seconds = audit.audit.step()
        rests.append(seconds)
        audit.now += seconds
    assert rests == pytest.approx([0.0, 0.125, 0.275, 7.875, 0.0, 0.0, 0.0])
    assert [of for *_, of in audit.asked] == [1, 2, 2, 2, 1, 2, 4]
    assert LEAST_ROWS == 10


def test_a_read_is_never_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few rows memberships have."""
    reads = [compared(10, following=n, memberships=2**n) for n in range(1, 14)]
    audit = Round(monkeypatch, *reads)
    for _ in reads:
        audit.audit.step()
    most = [of for *_, of in audit.asked]
    assert most == [min(2**n, MEMBERSHIPS_A_READ) for n in range(13)]


def test_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """About each second, with all that was counted since the last, from there to here; renewing the lease."""
    unsettled = [WRONG, replace(WRONG, missing=0, surplus=4)]
    audit = Round(
        monkeypatch,
        compared(300, following=2, memberships=2, unsettled=unsettled),
        compared(300, following=5, memberships=3),
        compared(300, memberships=1),
        compared(300, following=7, memberships=4),
        compared(700, following=8, memberships=1),
    )
    for _ in range(5):
        seconds = audit.audit.step()
        audit.now += seconds
    advanced = audit.of("advance_audit")
    assert advanced == [
        {
            "round": 1,
            "from_o": 0,
            "from_m": 0,
            "o": 5,
            "m": 0,
            "organizations": 1,
            "memberships": 6,
            "effective_roles": 15,
            "missing": 0,
            "surplus": 0,
            "unsettled": 7,
            "is_complete": False,
        },
        {
            "round": 1,
            "from_o": 5,
            "from_m": 0,
            "o": 9,
            "m": 8,
            "organizations": 0,
            "memberships": 5,
            "effective_roles": 10,
            "missing": 0,
            "surplus": 0,
            "unsettled": 0,
            "is_complete": False,
        },
    ]
    assert audit.of("end_audit_drift") == [{"round": 1, "first": 4, "last": 4}]
    claims = [names["microseconds"] / 1e6 for names in audit.of("claim_task")]
    assert claims == [LEASE_SECONDS, LEASE_SECONDS + 0.3, LEASE_SECONDS + 0.7]
    assert [of[:2] for of in audit.asked] == [(4, 0), (4, 2), (4, 5), (9, 0), (9, 7)]
    assert {how.get("durable") for how in audit.how} == {None, False}


def test_the_end_of_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not seen again has ended, what is old is forgotten, and others may begin the next."""
    audit = Round(monkeypatch, compared(10), compared(10))
    audit.audit.step()
    audit.audit.step()
    audit.clear()
    assert audit.audit.step() == LOOK_SECONDS
    assert [query for query, _ in audit.did] == [
        "advance_audit",
        "end_audit_drift",
        "end_audit_drift",
        "end_audit_drift",
        "forget_audit_drift",
        "forget_audit_rounds",
        "release_task",
    ]
    (advanced,) = audit.of("advance_audit")
    assert (advanced["is_complete"], advanced["organizations"]) == (True, 2)
    spans = [(names["first"], names["last"]) for names in audit.of("end_audit_drift")]
    assert spans == [(4, 4), (9, 9), (0, LAST)]
    assert audit.of("forget_audit_rounds") == [{"round": 1, "kept": ROUNDS_KEPT}]
    assert audit.audit.progress is None


@pytest.mark.parametrize("is_moved", [True, False])
def test_another_process_goes_on(monkeypatch: pytest.MonkeyPatch, is_moved: bool) -> None:
    """Where it has the round, or the lease, this one leaves it."""
    audit = Round(monkeypatch, compared(10, following=1), compared(2_000, following=2))
    audit.audit.step()
    audit.is_moved, audit.has_lease = is_moved, int(is_moved)
    assert audit.audit.step() == LOOK_SECONDS
    assert audit.audit.progress is None


@pytest.mark.parametrize("repairs", [True, False])
def test_what_is_wrong_is_kept_at_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, repairs: bool
) -> None:
    """Before the next checkpoint, in a way that a crash does not undo; it is repaired where that is set."""
    settings = replace(SETTINGS, audit_repair=repairs)
    read = compared(10, following=1, drifting=[WRONG])
    audit = Round(monkeypatch, read, settings=settings)
    audit.audit.step()
    (advanced,) = audit.of("advance_audit")
    assert (advanced["missing"], advanced["surplus"]) == (2, 1)
    (entry,) = audit.of("record_audit_drift")
    assert entry == {"round": 1, "o": 4, "g": -1, "missing": 2, "surplus": 1, "example": "one"}
    assert [how.get("durable") for how in audit.how if "durable" in how] == [False, True]
    assert [r.message for r in caplog.records] == [
        "drift: organization acme, group g: 2 missing, 1 surplus (one; two)"
    ]
    assert audit.repaired == repairs * [(4, [WRONG], "background audit")]
    assert audit.of("note_drift_repaired") == repairs * [
        {"o": 4, "g": -1, "round": 1, "repaired": 3}
    ]
    assert audit.of("note_round_repaired") == repairs * [{"round": 1, "repaired": 3}]
    assert audit.audit.progress is not None


def test_facts_that_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each organization once it is done, and at the end of what all organizations have."""
    looked: list[Any] = []
    differing = SimpleNamespace(**{**vars(DRIFT), "group": None, "examples": []})

    def facts(o: int, name: str) -> tuple[int, Any]:
        looked.append((o, name))
        return 400, differing if o == 9 else None

    audit = Round(monkeypatch, compared(10, following=1), compared(100), compared(10), facts=facts)
    rests = [audit.audit.step() for _ in range(4)]
    assert looked == [(4, "acme"), (9, "acme"), (0, "*")]
    assert rests == pytest.approx([0.0, 0.375, 0.285, LOOK_SECONDS])
    (entry,) = audit.of("record_audit_drift")
    assert entry == {"round": 1, "o": 9, "g": FACTS, "missing": 2, "surplus": 1, "example": ""}


def test_errors_in_a_row(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Each wait is twice as long, and none longer than the next look; then it leaves a checkpoint."""
    audit = Round(monkeypatch)
    outcomes: list[Any] = [StoreUnavailable(database="x"), ValueError("a bug"), 0.5, KeyError("k")]
    outcomes += [KeyError("k")] * 5
    waits: list[float] = []

    def step() -> float:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return float(outcome)

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return not outcomes

    monkeypatch.setattr(module.random, "uniform", lambda least, most: least + most)
    monkeypatch.setattr(audit.audit, "step", step)
    audit.audit.run(SimpleNamespace(wait=wait))  # type: ignore[arg-type]
    assert waits == [7.0, 2.0, 4.0, 0.5, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert [bool(record.exc_info) for record in caplog.records] == [False, *[True] * 7]
    assert audit.clear() == []
    idle = BackgroundAudit(audit, replace(SETTINGS, audit_rows_per_second=0))  # type: ignore[arg-type]
    waits.clear()
    idle.run(SimpleNamespace(wait=wait))  # type: ignore[arg-type]
    assert waits == []


def test_leaving(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint is moved and the lease let go; without a round there is nothing to leave."""
    audit = Round(monkeypatch, compared(10, following=3))
    stops = iter([True, False, True])
    stop: Any = SimpleNamespace(wait=lambda _: next(stops))
    audit.audit.run(stop)
    assert audit.clear() == []
    audit.audit.run(stop)
    began = ["claim_task", "begin_audit_round"]
    assert audit.clear() == [*began, "advance_audit", "claim_task", "release_task"]
