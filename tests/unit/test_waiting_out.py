"""How long a revocation waits for who says nothing: TTL·(1+ε)+δ by its own clock, which is a fake here."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import pytest

from rescind.errors import StoreUnavailable
from rescind.model import Revision
from rescind.replicas import enforcement
from rescind.replicas.enforcement import NEWEST, POLL_SECONDS, Acknowledgements, Enforcer
from rescind.settings import Settings
from rescind.store.postgres import PostgresStore
from rescind.store.rows import Query
from rescind.store.rows.replicas import FORGET_SILENT_REPLICA, LIST_LEASES, LeaseRow

REVISION = Revision(1, 7, 0)
TTL = 8.0
OWN_TTL = 2.0
BOUNDS = {  # by hand: TTL·(1+ε)+δ
    (0.01, 0.05): 8.13,
    (0.5, 0.0): 12.0,
    (0.0, 1.0): 9.0,
    (0.25, 0.5): 10.5,
}
OWN_BOUNDS = {(0.01, 0.05): 2.07, (0.5, 0.0): 3.0, (0.0, 1.0): 3.0, (0.25, 0.5): 3.0}


class World:
    """A clock that goes on while somebody waits or reads, and a database with leases in it."""

    engine = "postgres"
    capabilities = PostgresStore.capabilities

    def __init__(self) -> None:
        self.now = 1_000.0
        self.leases: dict[str, tuple[float, int, int]] = {}
        """Of each replica: its TTL, how often it renewed, and the revision it acknowledged."""
        self.read_seconds = 0.0
        self.is_down = False
        self.reads: list[float] = []
        self.forgotten: list[str] = []
        self.acknowledges_at: dict[str, float] = {}

    def clock(self, _: int) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def fetch(self, query: Query[Any], params: Any) -> list[LeaseRow]:
        if query is FORGET_SILENT_REPLICA:
            self.forgotten.append(params["replica"])
            return []
        assert query is LIST_LEASES
        self.now += self.read_seconds
        self.reads.append(self.now)
        if self.is_down:
            raise StoreUnavailable(database="test")
        return [
            LeaseRow(replica, f"host:{replica}", int(ttl * 1e6), beat, acknowledged)
            for replica, (ttl, beat, acknowledged) in self.leases.items()
        ]

    # what was heard of acknowledgements

    def listen(self) -> None: ...

    def wait(self, _: Revision, replicas: Iterable[str], seconds: float) -> set[str]:
        self.now += seconds
        times = self.acknowledges_at
        return {replica for replica in replicas if times.get(replica, self.now + 1) <= self.now}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """With the enforcer's clock and pauses in it."""
    made = World()
    monkeypatch.setattr(enforcement, "clock", made.clock)
    monkeypatch.setattr(enforcement, "pause", made.pause)
    return made


def enforcer_of(world: World, drift: float, grace: float, cache: Any = None) -> Enforcer:
    """Of a process with such settings."""
    settings = Settings(lease_seconds=OWN_TTL, clock_drift=drift, lease_grace_seconds=grace)
    return Enforcer(world, settings, cache, acknowledgements=world)  # type: ignore[arg-type]


@pytest.mark.parametrize(("drift", "grace"), BOUNDS)
def test_a_silent_replica(world: World, drift: float, grace: float) -> None:
    """Is waited for as long as its lease lasts on a clock that is off by ε, and δ; then it is forgotten."""
    world.leases["r"] = (TTL, 5, 6)
    world.read_seconds = 0.7
    done = enforcer_of(world, drift, grace).enforce(REVISION)
    assert done.waited_out == ("host:r",)
    assert world.now - world.reads[0] >= BOUNDS[drift, grace] - 1e-6
    assert done.seconds <= BOUNDS[drift, grace] + 2 * world.read_seconds + POLL_SECONDS
    assert world.forgotten == ["r"]


@pytest.mark.parametrize(("drift", "grace"), BOUNDS)
def test_the_wait_counts_from_reading_the_leases(world: World, drift: float, grace: float) -> None:
    """Exactly, where reading takes no time: not from an earlier moment, and not longer."""
    world.leases["r"] = (TTL, 5, 6)
    done = enforcer_of(world, drift, grace).enforce(REVISION)
    assert done.seconds == pytest.approx(BOUNDS[drift, grace])


@pytest.mark.parametrize(("drift", "grace"), BOUNDS)
def test_a_replica_with_a_slow_clock(world: World, drift: float, grace: float) -> None:
    """One that renewed when the leases were read, and whose clock is slower by ε, cannot answer any more."""
    world.leases["r"] = (TTL, 5, 6)
    enforcer_of(world, drift, grace).enforce(REVISION)
    assert world.now + 1e-6 >= world.reads[0] + TTL * (1 + drift) + grace


WITHOUT = {
    "ε": lambda ttl, settings: ttl + settings.lease_grace_seconds,
    "δ": lambda ttl, settings: ttl * (1 + settings.clock_drift),
    "both": lambda ttl, _: ttl,
}


@pytest.mark.parametrize("what", WITHOUT)
def test_control_without_a_part_of_the_bound(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Control: without ε, without δ or without both, such a replica may still answer."""
    world.leases["r"] = (TTL, 5, 6)
    enforcer = enforcer_of(world, 0.25, 0.5)
    monkeypatch.setattr(enforcement, "wait_seconds", WITHOUT[what])
    enforcer.enforce(REVISION)
    assert world.now < world.reads[0] + TTL * 1.25 + 0.5


@pytest.mark.parametrize(("drift", "grace"), OWN_BOUNDS)
def test_leases_that_cannot_be_read(world: World, drift: float, grace: float) -> None:
    """Are waited out from the commit on: whoever held one has lost it by then, or read the log."""
    world.is_down = True
    done = enforcer_of(world, drift, grace).enforce(REVISION)
    bound = OWN_BOUNDS[drift, grace]
    assert bound - 1e-6 <= done.seconds <= bound + POLL_SECONDS + 1e-6


@pytest.mark.parametrize("what", WITHOUT)
def test_control_unread_leases_without_a_part_of_the_bound(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Control: the same parts are needed there."""
    world.is_down = True
    enforcer = enforcer_of(world, 0.25, 0.4)
    monkeypatch.setattr(enforcement, "wait_seconds", WITHOUT[what])
    assert enforcer.enforce(REVISION).seconds < OWN_TTL * 1.25 + 0.4 - POLL_SECONDS


def test_an_acknowledgement_ends_the_wait(world: World) -> None:
    """And who acknowledged before is not waited for at all."""
    world.leases = {"r": (TTL, 5, 6), "s": (TTL, 5, 7)}
    world.acknowledges_at["r"] = world.now + 1.0
    done = enforcer_of(world, 0.01, 0.05).enforce(REVISION)
    assert done.waited_out == ()
    assert 1.0 <= done.seconds <= 1.0 + POLL_SECONDS + 1e-6


@pytest.mark.parametrize(("drift", "grace"), BOUNDS)
def test_when_a_change_of_another_process_was_enforced(
    world: World, drift: float, grace: float
) -> None:
    """A lease counts as over only when it was seen not renewed for as long; a renewal begins that anew."""
    enforcer = enforcer_of(world, drift, grace)
    world.leases["r"] = (TTL, 5, 6)
    assert enforcer.enforced_up_to(1) == 6
    world.now += TTL / 2
    world.leases["r"] = (TTL, 6, 6)
    assert enforcer.enforced_up_to(1) == 6
    world.now += BOUNDS[drift, grace] - 1e-3
    assert enforcer.enforced_up_to(1) == 6
    world.now += 2e-3
    assert enforcer.enforced_up_to(1) == NEWEST
    assert world.forgotten == ["r"]


class Telling:
    """A store whose listener hears these notifications, and then no more."""

    def __init__(self, *payloads: str) -> None:
        self.payloads = list(payloads)
        self.is_polled = False
        self.has_ended = threading.Event()

    def listen(self, _: str) -> Telling:
        return self

    def wait(self, _: float) -> list[str]:
        self.is_polled = True
        return self.payloads

    def close(self) -> None:
        self.has_ended.set()


def test_who_is_heard() -> None:
    """Who acknowledged this revision of this organization, or a newer one, whatever it said after that."""
    store = Telling("newer 1 9", "newer 1 6", "older 1 6", "other 2 7", "same 1 7")
    with closing(Acknowledgements(store)) as acknowledgements:  # type: ignore[arg-type]
        acknowledgements.listen()
        assert store.has_ended.wait(60)
        asked = ("newer", "older", "other", "same", "silent")
        assert acknowledgements.wait(REVISION, asked, 0.0) == {"newer", "same"}
        assert acknowledgements.wait(REVISION, ("older", "silent"), 0.0) == set()
