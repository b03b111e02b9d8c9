"""A replica's lease, step by step: a server, a cache and a clock that note what they are asked, in order."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from rescind.errors import StoreUnavailable, ThreadsExhausted
from rescind.model import ENVIRONMENT_NUMBER, Direction, OrganizationNumber, Revision
from rescind.replicas import enforcement
from rescind.replicas import lease as module
from rescind.replicas.enforcement import Acknowledgements
from rescind.replicas.lease import (
    MOST_BACKOFF_SECONDS,
    News,
    Replica,
    backoff_seconds,
)
from rescind.settings import Settings
from rescind.store.rows.index import TAIL_REVISIONS
from rescind.store.rows.replicas import (
    ACKNOWLEDGE,
    FORGET_REPLICA,
    HOLD_ORGANIZATION,
    REGISTER_REPLICA,
    RELEASE_ORGANIZATION,
    RENEW_LEASE,
)

TTL = 2.0
NAMES = {
    ACKNOWLEDGE: "acknowledge",
    FORGET_REPLICA: "forget",
    HOLD_ORGANIZATION: "hold",
    REGISTER_REPLICA: "register",
    RELEASE_ORGANIZATION: "release",
    RENEW_LEASE: "renew",
    TAIL_REVISIONS: "revisions",
}


@dataclass
class Cached:
    """A cached organization: what a replica knows of it."""

    number: int
    at: tuple[int, int] = (5, 1)
    revoked_at: int = 5
    acknowledged: int = 5

    @property
    def index(self) -> Any:
        return SimpleNamespace(organization=self.number)

    @property
    def revision(self) -> Revision:
        return Revision(self.number, *self.at)


@dataclass
class World:
    """The server, the cache and the thread of a replica."""

    replica: Replica = field(init=False)

    now: float = 100.0
    server: str = "s"
    revisions: dict[int, int] = field(default_factory=lambda: {0: 1, 7: 5, 8: 5})
    answered_by: dict[str, str] = field(default_factory=dict)
    takes: dict[str, float] = field(default_factory=dict)
    did: list[Any] = field(default_factory=list)
    cached: list[Cached] = field(default_factory=list)
    can_extend: bool = True
    is_polled: bool = False
    heard: list[Any] = field(default_factory=list)
    errors: dict[str, Exception] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    stops_after: int = 1
    """Waits of the thread, beside those for news, after which it is told to stop."""
    settings = Settings(lease_seconds=TTL, listen_poll_ms=250.0)
    engine = "postgres"

    # the server

    def fetch(self, query: Any, params: dict[str, Any]) -> list[Any]:
        name = NAMES[query]
        self.now += self.takes.get(name, 0.0)
        shown = {key: v for key, v in params.items() if key not in ("replica", "name")}
        self.did.append((name, *shown.values()))
        if name in self.errors:
            raise self.errors[name]
        server = self.answered_by.get(name, self.server)
        if name == "revisions":
            listed = json.loads(params["organizations"])
            return [
                SimpleNamespace(organization=o, revision=self.revisions[o], server=server)
                for o in listed
                if o in self.revisions
            ]
        return [SimpleNamespace(server=server)] if server else []

    def listen(self, channel: str) -> Any:
        assert channel == "rescind_changed"
        return self

    def wait(self, seconds: float) -> Any:
        self.did.append(("waited", round(seconds, 6)))
        self.now += seconds
        heard = self.heard.pop(0)
        if not self.heard:
            self.event.set()
        return heard

    def close(self) -> None:
        self.did.append("closed")

    def reconnect(self) -> None:
        self.did.append("reconnected")

    # the cache

    @property
    def indexes(self) -> dict[int, Cached]:
        return {cached.number: cached for cached in self.cached}

    def suspend(self) -> None:
        self.did.append("suspended")

    def register_all(self) -> None:
        self.did.append("registered all")

    def unregister_stale(self) -> None:
        self.did.append("unregistered stale")

    def evict(self) -> None:
        self.did.append("evicted")

    def withdraw(self, cached: Cached) -> None:
        self.did.append(("withdrew", cached.number))

    def catch_up(self, cached: Cached) -> None:
        self.did.append(("caught up", cached.number))

    def extend(self, cached: Cached, revision: Revision, expiry: float) -> bool:
        at = (revision.incarnation, revision.organization, revision.environment)
        self.did.append(("extended", cached.number, at, expiry))
        return self.can_extend

    # its thread

    def __post_init__(self) -> None:
        world = self

        class Event(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                assert timeout is not None
                world.waits.append(round(timeout, 6))
                world.now += timeout
                world.waited()
                if len(world.waits) >= world.stops_after:
                    self.set()
                return self.is_set()

        self.event = Event()

    def waited(self) -> None:
        """What happens meanwhile."""

    def begin(self, run: Callable[[], None], name: str) -> Any:
        assert name == "rescind-replica"
        self.thread = run
        return SimpleNamespace(join=lambda: self.did.append("joined"))

    def run(self, *heard: Any) -> list[Any]:
        """What the thread does until it is told to stop: after it heard this, or after waits."""
        self.heard = list(heard)
        self.waits.clear()
        self.event.clear()
        self.thread()
        return self.clear()

    def clear(self) -> list[Any]:
        did, self.did = self.did, []
        return did


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """One whose replica has a lease since now, and listens."""
    made = World()
    monkeypatch.setattr(module, "clock", lambda _: made.now)
    monkeypatch.setattr(module, "threading", SimpleNamespace(Event=lambda: made.event))
    monkeypatch.setattr(module, "started", made.begin)
    made.replica = Replica(made, made)  # type: ignore[arg-type]
    made.replica.start()
    made.run([])
    return made


def test_a_lease_begins_once_everything_is_registered(world: World) -> None:
    """It counts from before it was asked for; until all is registered there is none. Then all catch up."""
    world.cached = [Cached(7), Cached(8)]
    world.takes = {"register": 0.5, "revisions": 0.25}
    seen: list[float] = []
    world.register_all = lambda: seen.append(world.replica.expiry())  # type: ignore[method-assign]
    before, was = world.now, world.replica.id
    world.replica.start()
    assert world.clear() == [
        "suspended",
        ("register", int(TTL * 1e6)),
        ("revisions", "[0]"),
        ("hold", 0, 1),
        ("caught up", 7),
        ("caught up", 8),
    ]
    assert seen == [0.0]
    assert world.replica.expiry() == before + TTL
    assert world.replica.id != was


@pytest.mark.parametrize("step", ["hold", "revisions"])
def test_no_lease_where_another_server_answers(world: World, step: str) -> None:
    """Then it connects anew, and nothing is answered from memory."""
    world.answered_by = {step: "other"}
    with pytest.raises(StoreUnavailable):
        world.replica.start()
    assert "reconnected" in world.clear()
    assert world.replica.expiry() == 0.0


@pytest.mark.parametrize("answer", ["other", ""])
def test_an_organization_is_registered_where_the_lease_is(world: World, answer: str) -> None:
    """With its revision; elsewhere, or where nobody knows the replica, it is an error."""
    world.replica.register(OrganizationNumber(7), Revision(7, 5, 1))
    assert world.clear() == [("hold", 7, 5)]
    world.replica.unregister(OrganizationNumber(7))
    assert world.clear() == [("release", 7)]
    world.answered_by = {"hold": answer}
    with pytest.raises(StoreUnavailable):
        world.replica.register(OrganizationNumber(7), Revision(7, 5, 1))
    assert world.clear() == [("hold", 7, 5), "reconnected"]


def test_a_renewed_lease_counts_from_before_the_renewal(world: World) -> None:
    """Then every organization is brought to what is committed, until the new expiry."""
    world.cached = [Cached(7), Cached(9)]
    world.takes = {"renew": 0.5, "revisions": 0.5}
    world.revisions[0] = 4
    before = world.now
    did = world.run([])
    assert world.replica.expiry() == before + TTL
    assert did[:-2] == [
        ("renew",),
        ("revisions", "[0, 7, 9]"),
        ("extended", 7, (7, 5, 4), before + TTL),
        ("extended", 9, (9, 2**62, 4), before + TTL),
        ("caught up", 7),
        ("caught up", 9),
        ("acknowledge", 0, 4),
        "unregistered stale",
    ]
    assert did[-2:] == ["evicted", ("waited", 0.0)]
    world.cached = [Cached(7, at=(5, 4))]
    world.can_extend = False
    did = world.run([])
    assert ("caught up", 7) in did
    assert not [one for one in did if one[0] == "acknowledge"]


@pytest.mark.parametrize("answer", ["other", ""])
def test_a_lease_that_another_has_is_lost(world: World, answer: str) -> None:
    """It stays as it was: what was read before it ends may be answered until then. Then a new one is asked
    for, under another id, and everything is read again.
    """
    world.answered_by = {"renew": answer}
    before, was = world.replica.expiry(), world.replica.id
    world.now += 0.5
    assert world.run() == [("renew",), "reconnected", "closed"]
    assert world.waits == [0.04]
    assert world.replica.expiry() == before
    world.answered_by = {}
    did = world.run([])
    assert did[:2] == ["suspended", ("register", int(TTL * 1e6))]
    assert did[did.index(("renew",)) + 1] == "suspended"
    assert world.replica.id != was
    assert world.run([])[:2] == [("renew",), ("revisions", "[0]")]


def test_a_server_that_is_away_is_waited_for(world: World) -> None:
    """Longer each time, until it answers; then everything is read again, under the same lease."""
    world.errors = {"renew": StoreUnavailable(database="x")}
    world.stops_after = 3
    assert world.run() == [("renew",)] * 3
    assert world.waits == [0.04, 0.08, 0.16]
    world.errors = {}
    did = world.run([])
    assert did[:3] == [("renew",), "suspended", ("revisions", "[0]")]
    world.errors, world.stops_after = {"renew": StoreUnavailable(database="x")}, 1
    world.run()
    assert world.waits == [0.04]


def test_after_a_bug_nothing_is_answered(world: World) -> None:
    """From memory, until it works again."""
    world.errors = {"renew": ValueError("a bug")}
    assert world.run() == [("renew",), "suspended"]
    assert world.waits == [MOST_BACKOFF_SECONDS]
    world.errors = {}
    assert world.run([])[:2] == [("renew",), ("revisions", "[0]")]


def news(o: int, revision: int, *, revokes: bool = True) -> News:
    direction = Direction.REVOKES if revokes else Direction.GRANTS
    return News.of(f"{o} {revision} {direction.value}")


def test_a_revocation_is_acknowledged_before_it_is_read(world: World) -> None:
    """Of who is at an older state; who is at it already, or is another organization, answers on."""
    world.cached = [Cached(7), Cached(8)]
    world.replica.follow([news(7, 6)])
    assert world.clear() == [("withdrew", 7), ("acknowledge", 7, 6), ("caught up", 7)]
    assert [cached.acknowledged for cached in world.cached] == [6, 5]
    world.replica.follow([news(7, 5), news(8, 4)])
    assert world.clear() == [("caught up", 7), ("caught up", 8)]
    world.replica.follow([news(9, 6), news(8, 6, revokes=False)])
    assert world.clear() == [("caught up", 8)]


def test_a_revocation_for_all_organizations(world: World) -> None:
    """Everything is withdrawn, then it is acknowledged, once; then all that is older catches up."""
    world.cached = [Cached(7), Cached(8, at=(5, 3))]
    world.replica.follow([news(0, 3)])
    assert world.clear() == ["suspended", ("acknowledge", 0, 3), ("caught up", 7)]
    world.cached = [Cached(7, at=(5, 3))]
    world.replica.follow([news(0, 2, revokes=False)])
    assert world.clear() == []
    world.replica.follow([news(0, 4, revokes=False), news(0, 3, revokes=False)])
    assert world.clear() == [("caught up", 7), ("acknowledge", 0, 4)]


@pytest.mark.parametrize(
    ("revoked_at", "acknowledged", "told"), [(5, 4, True), (5, 5, False), (4, 5, False)]
)
def test_what_is_acknowledged_after_reading(
    world: World, revoked_at: int, acknowledged: int, told: bool
) -> None:
    """The state that is answered, where a revocation up to it was not yet told of."""
    cached = Cached(7, at=(6, 1), revoked_at=revoked_at, acknowledged=acknowledged)
    world.cached = [cached]
    world.replica.follow([])
    assert world.clear() == told * [("acknowledge", 7, 6)]
    assert cached.acknowledged == (6 if told else acknowledged)


def test_renewals_are_a_quarter_of_a_lease_apart(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between them it listens, for short times; where news were lost it renews and reads at once."""
    monkeypatch.setattr(module, "LISTEN_SECONDS", 0.125)
    world.takes = {"renew": 0.0625}
    did = [
        one if isinstance(one, str) else one[:2]
        for one in world.run([], [], [], [], ["7 6 grants"], None, [])
    ]
    short = ("waited", 0.125)
    assert [one for one in did if one[0] in ("renew", "waited") or one == "evicted"] == [
        *(("renew",), "evicted", short, short, short, ("waited", 0.0625)),
        *(("renew",), "evicted", short, short),
        *(("renew",), "evicted", short),
    ]


def test_where_nothing_can_be_heard_it_asks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As often as set, and less often where asking takes long: a fifth of its time. Not where it stops."""
    monkeypatch.setattr(world, "is_polled", True)
    monkeypatch.setattr(world, "settings", replace(world.settings, lease_seconds=8.0))
    world.replica = Replica(world, world)  # type: ignore[arg-type]
    world.replica.start()
    world.clear()
    world.stops_after = 4

    def slower() -> None:
        if len(world.waits) == 2:
            world.takes["revisions"] = 0.0625

    world.waited = slower  # type: ignore[method-assign]
    did = world.run()
    assert world.waits == [0.25, 0.25, 0.3125, 0.3125]
    assert len([one for one in did if one[0] == "revisions"]) == 4


def test_how_long_it_waits_after_failures() -> None:
    """Twice as long each time, and never longer than a second."""
    assert [backoff_seconds(failures) for failures in (1, 2, 3)] == [0.04, 0.08, 0.16]
    assert backoff_seconds(6) == backoff_seconds(10_000) == MOST_BACKOFF_SECONDS


def test_the_lease_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is closed, if it began; and where no thread can renew it, at once."""
    world.replica.close()
    assert world.clear() == ["joined", ("forget",), "closed"]
    Replica(world, world).close()  # type: ignore[arg-type]
    assert world.clear() == []

    def none(*_: Any) -> Any:
        raise ThreadsExhausted(why="no more")

    monkeypatch.setattr(module, "started", none)
    with pytest.raises(ThreadsExhausted):
        world.replica.start()
    assert world.clear()[-1] == ("forget",)
    assert world.replica.expiry() == 0.0


# --- acknowledgements -----------------------------------------------------------------------------


class Told:
    """What a replica's acknowledgements are heard from, and the thread that does."""

    def __init__(self, patch: pytest.MonkeyPatch, *outcomes: Any, is_polled: bool = False) -> None:
        self.outcomes, self.is_polled = list(outcomes), is_polled
        self.did: list[str] = []
        self.waits: list[float] = []
        self.threads: list[Callable[[], None]] = []
        events = SimpleNamespace(Condition=threading.Condition)
        events.Event = lambda: SimpleNamespace(wait=self.waits.append)
        patch.setattr(enforcement, "threading", events)
        patch.setattr(enforcement, "started", self.begin)
        self.heard = Acknowledgements(self)  # type: ignore[arg-type]

    def listen(self, channel: str) -> Any:
        assert channel == "rescind_acknowledged"
        return self

    def begin(self, run: Callable[[], None], name: str) -> Any:
        assert name == "rescind-acknowledged"
        self.threads.append(run)
        return SimpleNamespace(join=lambda: self.did.append("joined"))

    def wait(self, seconds: float) -> Any:
        assert seconds == enforcement.LISTEN_SECONDS
        outcome = self.outcomes.pop(0)
        if not self.outcomes:
            self.heard.close()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def close(self) -> None:
        self.did.append("closed")

    def run(self) -> Acknowledgements:
        self.heard.listen()
        self.threads[0]()
        return self.heard


def test_who_has_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    """That revision or a later one of the organization; an older one, heard later, takes nothing back."""
    found = Told(monkeypatch, ["a 7 6", "b 7 5"], ["c 8 9", "a 7 2", "d 7 9"]).run()
    for revision, wanted in ((5, {"a", "b", "d"}), (6, {"a", "d"}), (7, {"d"}), (10, set())):
        assert found.wait(Revision(7, revision, 1), iter("abcd"), 0.0) == wanted
    assert found.wait(Revision(7, 5, 1), ["b"], -1.0) == {"b"}
    assert found.wait(Revision(8, 0, 1), ["b"], 0.0) == set()


@pytest.mark.parametrize("most", [100_000, 100_001])
def test_what_is_remembered_of_acknowledgements_is_bounded(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Beyond the most, all are forgotten: the rows in the database are the truth."""
    many = [f"r{number} 7 5" for number in range(most)]
    found = Told(monkeypatch, many, ["a 7 5"]).run()
    kept = found.wait(Revision(7, 5, 1), ["a", "r0", "r9"], 0.0)
    assert kept == ({"a", "r0", "r9"} if most == 100_000 else {"a"})


@pytest.mark.parametrize("is_polled", [False, True])
def test_listening_goes_on_whatever_happens(
    monkeypatch: pytest.MonkeyPatch, is_polled: bool
) -> None:
    """After an error it waits a second; what cannot be heard is not listened for."""
    outcomes: list[Any] = [["a 7 6"], StoreUnavailable(database="x"), None, ["b 7 6"]]
    told = Told(monkeypatch, *outcomes, is_polled=is_polled)
    found = told.run()
    assert told.did[-1] == "closed"
    assert told.waits == ([] if is_polled else [1.0])
    assert len(told.outcomes) == (4 if is_polled else 0)
    assert found.wait(Revision(7, 6, 1), "ab", 0.0) == (set() if is_polled else {"a", "b"})


def test_one_thread_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once; none after closing, and none where there can be no more threads."""
    told = Told(monkeypatch)
    told.heard.listen()
    told.heard.listen()
    assert len(told.threads) == 1
    told.heard.close()
    assert told.did == ["joined"]
    closed = Told(monkeypatch)
    closed.heard.close()
    closed.heard.listen()
    assert closed.threads == []

    def none(*_: Any) -> Any:
        raise ThreadsExhausted(why="no more")

    monkeypatch.setattr(enforcement, "started", none)
    closed.heard.listen()
    without = Acknowledgements(closed)  # type: ignore[arg-type]
    without.listen()
    without.close()
    assert closed.did == []


def test_the_environment_has_number_0() -> None:
    """What is asked for all organizations is asked of it."""
    assert ENVIRONMENT_NUMBER == 0
