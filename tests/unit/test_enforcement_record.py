"""The enforcement record: what each replica did, as it is kept, and that a lost note is never a false one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from rescind.errors import StoreUnavailable
from rescind.http.answers import EnforcementResponse
from rescind.model import (
    EnforcedReplica,
    Enforcement,
    EnforcementOutcome,
    Microseconds,
    ReplicaOutcome,
    decode_enforcement,
    encode_enforcement,
    plain_name,
)
from rescind.model.enforcement import MOST_NAME_LENGTH, MOST_REPLICAS
from rescind.replicas import enforced_times
from rescind.replicas.enforced_times import EnforcedTimes
from rescind.replicas.enforcement import Enforcer
from rescind.transfer.evidence import enforcement_object
from tests.unit.test_waiting_out import REVISION, TTL, World, enforcer_of
from tests.unit.test_waiting_out import world as world  # a fixture

BEGAN = datetime(2026, 11, 28, 9, 30, 0, 123456, tzinfo=UTC)
HOSTILE = {
    "newline": "web\n1:7",
    "escape": "\x1b[31mred\x1b[0m:7",
    "bidi": "a\u202eb\u2066:7",
    "nul": "a\x00b:7",
    "surrogate": "a\ud800:7",
    "long": "h" * 10_000 + ":4211",
    "separator": "a\u2028b\x85:7",
    "nothing": "",
}


def replicas_of(done: Enforcement) -> dict[str, tuple[ReplicaOutcome, float]]:
    return {each.replica: (each.outcome, each.milliseconds) for each in done.replicas}


def test_each_replica_is_told_with_what_it_did(world: World) -> None:
    """One that was up to date, one that acknowledged, and one that was waited out; and after how long."""
    world.leases = {"a": (TTL, 5, 7), "b": (TTL, 5, 6), "c": (TTL, 5, 6)}
    world.acknowledges_at["b"] = world.now + 1.0
    done = enforcer_of(world, 0.0, 0.0).enforce(REVISION, began_at=BEGAN)
    told = replicas_of(done)
    assert told["a"] == (ReplicaOutcome.CURRENT, 0.0)
    assert told["b"][0] is ReplicaOutcome.ACKNOWLEDGED
    assert told["b"][1] == pytest.approx(1_000, abs=25)
    assert told["c"][0] is ReplicaOutcome.WAITED_OUT
    assert told["c"][1] == pytest.approx(TTL * 1_000, abs=25)
    assert done.waited_out == ("host:c",)
    assert done.outcome is EnforcementOutcome.WAITED_OUT
    assert done.began_at == BEGAN
    assert done.seconds * 1e3 + 0.001 >= max(each.milliseconds for each in done.replicas)


def test_a_replica_that_gives_the_organization_up(world: World) -> None:
    """Did not acknowledge, and is not said to have; one whose row says so did."""
    world.leases = {"a": (TTL, 5, 6), "b": (TTL, 5, 6)}
    enforcer = enforcer_of(world, 0.0, 0.0)
    heard = world.wait

    def wait(*given: Any) -> set[str]:
        del world.leases["a"]
        world.leases["b"] = (TTL, 5, 7)
        world.wait = heard  # type: ignore[method-assign]
        return heard(*given)

    world.wait = wait  # type: ignore[method-assign]
    told = replicas_of(enforcer.enforce(REVISION))
    assert told["a"][0] is ReplicaOutcome.RELEASED
    assert told["b"][0] is ReplicaOutcome.ACKNOWLEDGED


def test_replicas_that_cannot_be_read_are_not_known(world: World) -> None:
    """An empty list would say that there were none."""
    world.is_down = True
    done = enforcer_of(world, 0.0, 0.0).enforce(REVISION)
    assert done.replicas == ()
    assert not done.are_replicas_known
    assert done.outcome is EnforcementOutcome.WAITED_OUT


@pytest.mark.parametrize("can_follow", [True, False])
def test_a_cache_that_cannot_follow_its_own_change(
    world: World, monkeypatch: pytest.MonkeyPatch, can_follow: bool
) -> None:
    """Is suspended, and not said to have acknowledged; one that follows has."""
    suspended: list[bool] = []

    def refresh(_: int) -> None:
        if not can_follow:
            raise StoreUnavailable(database="test")

    cache = SimpleNamespace(refresh=refresh, suspend=lambda: suspended.append(True))
    enforcer = enforcer_of(world, 0.0, 0.0, cache)
    monkeypatch.setattr(Enforcer, "own_id", lambda _: "own")
    world.leases["own"] = (TTL, 5, 6)
    (own,) = enforcer.enforce(REVISION).replicas
    assert own.is_own
    assert suspended == ([] if can_follow else [True])
    expected = ReplicaOutcome.ACKNOWLEDGED if can_follow else ReplicaOutcome.RELEASED
    assert own.outcome is expected


def test_without_a_replica(world: World) -> None:
    """It was alone."""
    done = enforcer_of(world, 0.0, 0.0).enforce(REVISION)
    assert done.outcome is EnforcementOutcome.ALONE
    assert done.are_replicas_known


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names_come_out_harmless(world: World, name: str) -> None:
    """In the record and out of the store: short, printable, on one line."""
    world.leases["r"] = (TTL, 5, 7)
    enforcer = enforcer_of(world, 0.0, 0.0)
    fetch = world.fetch
    world.fetch = lambda *given: [row._replace(name=name) for row in fetch(*given)]  # type: ignore[method-assign]
    (told,) = enforcer.enforce(REVISION).replicas
    assert told.name.isprintable()
    assert len(told.name) <= MOST_NAME_LENGTH
    assert told.process == (4211 if "4211" in name else 7 if name else None)
    record = Enforcement(0.0, (EnforcedReplica(name[:3], name, ReplicaOutcome.CURRENT, 0.0),))
    kept = decode_enforcement(encode_enforcement(record))
    assert kept is not None
    assert kept.replicas[0].name == plain_name(name)


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names_in_the_store_come_out_harmless(name: str) -> None:
    """Also of a row that another program wrote; what is no text at all is no record."""
    row = [1, None, 0, True, 0, [[name, name, "current", 0, False]]]
    kept = decode_enforcement(json.dumps(row))
    assert (kept is None) == ("\ud800" in name)
    for each in () if kept is None else kept.replicas:
        assert each.name == each.replica == plain_name(name)


def made(count: int) -> Enforcement:
    replicas = (
        EnforcedReplica(
            f"{n:016x}",
            f"web-{n}:{n}",
            ReplicaOutcome.WAITED_OUT if n == 3 else ReplicaOutcome.ACKNOWLEDGED,
            float(n),
            n == 1,
        )
        for n in range(count)
    )
    return Enforcement(2.5, tuple(replicas), 0, True, BEGAN)


@pytest.mark.parametrize("count", [0, 1, 2, MOST_REPLICAS])
def test_what_is_kept_is_what_was(count: int) -> None:
    """Nothing is lost on the way into the store and back."""
    assert decode_enforcement(encode_enforcement(made(count))) == made(count)


@pytest.mark.parametrize("count", [0, 3])
def test_http_and_evidence_have_one_form(count: int) -> None:
    """Each tells every field of the record, by the same names."""
    answer = msgspec.json.encode(EnforcementResponse.of(made(count)))
    assert json.loads(answer) == enforcement_object(made(count))


def test_what_is_kept_is_bounded() -> None:
    """Of many replicas, this process, those waited out and the slowest are kept; others are counted."""
    done = made(5_000)
    text = encode_enforcement(done)
    assert len(text) < MOST_REPLICAS * (2 * MOST_NAME_LENGTH + 60)
    kept = decode_enforcement(text)
    assert kept is not None
    assert len(kept.replicas) == MOST_REPLICAS
    assert kept.others == 5_000 - MOST_REPLICAS
    assert kept.waited_out == ("web-3:3",)
    assert kept.replicas[0].is_own
    assert kept.replicas[2].milliseconds == 4_999.0
    assert encode_enforcement(kept) == text, "and again it says the same"


@pytest.mark.parametrize(
    "text", [None, "", "{}", "[]", "[2,null,0,true,0,[]]", "[1,1e99,0]", "x" * 99]
)
def test_what_cannot_be_read_is_no_record(text: str | None) -> None:
    """Rather than half of one."""
    assert decode_enforcement(text) is None


class Kept:
    """A store that keeps the notes it is given, while it is up."""

    def __init__(self) -> None:
        self.is_down = False
        self.writes: list[list[dict[str, Any]]] = []

    def execute_alone(self, name: str, params: dict[str, str]) -> None:
        assert name == "record_enforced"
        if self.is_down:
            raise StoreUnavailable(database="test")
        self.writes.append(json.loads(params["notes"]))


@pytest.fixture
def kept() -> Kept:
    """What is written."""
    return Kept()


@pytest.fixture
def times(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> EnforcedTimes:
    """Notes that are written when the test says so."""
    monkeypatch.setattr(enforced_times, "started", lambda *_: None)
    return EnforcedTimes(kept)  # type: ignore[arg-type]


def test_a_reader_that_was_first_does_not_lose_the_record(times: EnforcedTimes, kept: Kept) -> None:
    """It has no record: the time it saw stays, and how is what the revoking call says."""
    times.note(1, 7, Microseconds(100))
    times.note(1, 7, Microseconds(120), made(1))
    times.note(1, 7, Microseconds(130), made(2))
    assert times.noted(1, 7) == 100
    assert times.enforcement(1, 7) == made(1)
    times.flush()
    (((note,),),) = (kept.writes,)
    assert note["at"] == 100
    assert decode_enforcement(note["record"]) == made(1)
    assert times.enforcement(1, 7) is None


def test_what_is_noted_while_it_is_written_is_written_next(
    times: EnforcedTimes, kept: Kept
) -> None:
    """A record that comes while the time alone is on its way is not forgotten with it."""
    store: Any = kept
    written = store.execute_alone

    def write(name: str, params: dict[str, str]) -> None:
        store.execute_alone = written
        times.note(1, 7, Microseconds(120), made(1))
        written(name, params)

    store.execute_alone = write
    times.note(1, 7, Microseconds(100))
    times.flush()
    assert times.enforcement(1, 7) == made(1)
    times.flush()
    assert [[note["record"] is None for note in notes] for notes in store.writes] == [
        [True],
        [False],
    ]


def test_an_outage_keeps_what_it_can(
    times: EnforcedTimes, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records up to a bound, then times alone, and all are written when the store is back, some at a time."""
    monkeypatch.setattr(enforced_times, "MOST_RECORDS", 5)
    monkeypatch.setattr(enforced_times, "MOST_A_WRITE", 3)
    store: Any = kept
    store.is_down = True
    for revision in range(8):
        times.note(1, revision, Microseconds(revision), made(1))
        times.flush()
    store.is_down = False
    times.flush()
    assert [len(notes) for notes in store.writes] == [3, 3, 2]
    records = [note["record"] is not None for notes in store.writes for note in notes]
    assert records == [True] * 5 + [False] * 3
