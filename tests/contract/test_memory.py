"""Answers from memory: as fresh as promised, held as asked, and never after the lease ran out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from rescind import Authority, DecisionPoint, Direction, changes
from rescind.errors import (
    DecisionUnavailable,
    InvalidArgument,
    InvalidToken,
    MalformedId,
    StoreUnavailable,
    UnsupportedConnection,
)
from rescind.replicas import cached_answers as recall_module
from rescind.replicas.cached_index import CachedIndex
from rescind.settings import Settings
from rescind.store.postgres import PostgresListener
from tests.contract.world import WORLD

QUESTION = ("user:ada", "write", "doc:1")
LEAVE = changes.RemoveMembers(group="eng", members=("user:ada",))
JOIN = changes.AddMembers(group="eng", members=("user:ada",))
SHORT = Settings(lease_seconds=0.4)


@pytest.fixture
def held(database: str) -> Iterator[Authority]:
    """An authority that holds `acme` in memory, on each engine in turn."""
    with Authority.open(database, organization="acme", index=True) as opened:
        opened.apply(WORLD)
        assert opened.load()
        yield opened


@pytest.fixture
def plain(held: Authority, database: str) -> Iterator[Authority]:
    """Another process's authority on the same database, as far as the first can tell."""
    with Authority.open(database, organization="acme") as opened:
        yield opened


@pytest.fixture
def replica(new_database: Callable[[str], str]) -> Iterator[tuple[str, Authority]]:
    """A replica on PostgreSQL under a short lease, and its database."""
    url = new_database("postgres")
    with Authority.open(url, organization="acme", settings=SHORT, index=True) as opened:
        opened.apply(WORLD)
        assert opened.load()
        yield url, opened


def test_what_is_held_is_answered_from_memory(held: Authority) -> None:
    """Checks alone and together, explanations and lists; the critical is decided live."""
    assert held.check(*QUESTION).point is DecisionPoint.INDEX
    assert held.check_many([QUESTION])[0].point is DecisionPoint.INDEX
    assert held.explain(*QUESTION).point is DecisionPoint.INDEX
    assert held.check("agent:bot", "purge", "folder:b").point is DecisionPoint.LIVE
    assert held.check(*QUESTION, assurance="live").point is DecisionPoint.LIVE
    assert held.who_can("write", "doc:1").items == ("user:ada",)


def test_many_are_asked_live_or_at_a_revision(held: Authority) -> None:
    """Each of these alone keeps what is in memory from being all that is looked at."""
    live = held.check_many([QUESTION], assurance="live")
    assert [decision.point for decision in live] == [DecisionPoint.LIVE]
    with pytest.raises(InvalidToken):
        held.check_many([QUESTION], at_least="none")
    with pytest.raises(UnsupportedConnection):
        held.check_many([QUESTION], within=object())


def test_names_are_taken_as_everywhere(held: Authority) -> None:
    """A bare subject is a user, no resource is the organization, and what is malformed is refused."""
    assert held.check("ada", "read")
    assert held.check("ada", "read", None).point is DecisionPoint.INDEX
    for malformed in ("robot:x", "", " x"):
        with pytest.raises(MalformedId):
            held.check(malformed, "read")
    for names in ({"organization": ""}, {"resource": ""}):
        with pytest.raises(MalformedId):
            held.check("user:ada", "read", **names)
    with pytest.raises(MalformedId):
        held.check_many([("user:ada", "read", "")])
    with pytest.raises(MalformedId):
        held.check(7, "read")  # type: ignore[arg-type]


def test_an_own_change_is_seen_at_once(held: Authority) -> None:
    """Grants and revocations of this process, by the next check."""
    for _ in range(20):
        held.apply([LEAVE])
        assert not held.check(*QUESTION)
        held.apply([JOIN])
        assert held.check(*QUESTION)


def test_a_revocation_of_another_process_is_seen_when_it_returns(
    held: Authority, plain: Authority
) -> None:
    """G1: and a grant, with its token."""
    for _ in range(20):
        assert plain.apply([LEAVE]).direction is Direction.REVOKES
        assert not held.check(*QUESTION)
        token = plain.apply([JOIN]).token
        assert held.check(*QUESTION, at_least=token)


def test_a_repeated_revocation_waits_as_the_first_one_does(
    replica: tuple[str, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it altered nothing is said only when what it asks for is real everywhere."""
    url, held = replica
    monkeypatch.setattr(PostgresListener, "wait", _hear_nothing)
    with Authority.open(url, organization="acme", settings=SHORT) as plain:
        plain.apply([LEAVE], wait="recorded")
        assert plain.apply([LEAVE]).changed is False
        assert not held.check(*QUESTION)


def test_recorded_is_not_enforced(replica: tuple[str, Authority]) -> None:
    """`wait="recorded"` returns without waiting; enforcing it afterwards does."""
    url, held = replica
    with Authority.open(url, organization="acme", settings=SHORT) as plain:
        receipt = plain.apply([LEAVE], wait="recorded")
        assert receipt.enforced_at is None
        assert receipt.enforce().enforced_at is not None
        assert not held.check(*QUESTION)
        with pytest.raises(InvalidArgument):
            plain.apply([JOIN], wait="never")  # type: ignore[arg-type]


def test_a_silent_replica_is_waited_out_and_forgotten(replica: tuple[str, Authority]) -> None:
    """G2: the receipt names it; the next revocation does not wait for it."""
    url, held = replica
    freshness = held.cache.freshness
    freshness.stop()
    assert held.check(*QUESTION), "it still answers, under its lease"
    with Authority.open(url, organization="acme", settings=SHORT) as plain:
        receipt = plain.apply([LEAVE])
        assert receipt.waited_out == (f"{os.uname().nodename}:{os.getpid()}",)
        assert receipt.enforcement_seconds >= SHORT.lease_seconds
        assert not held.check(*QUESTION)
        assert held.check(*QUESTION).point is DecisionPoint.LIVE
        plain.apply([JOIN])
        assert plain.apply([LEAVE]).waited_out == ()


def test_without_its_expiry_a_silent_replica_would_allow(
    replica: tuple[str, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the lease."""
    url, held = replica
    freshness = held.cache.freshness
    freshness.stop()
    monkeypatch.setattr(recall_module, "clock", lambda _: 0.0)
    with Authority.open(url, organization="acme", settings=SHORT) as plain:
        plain.store.fetch("forget_replica", {"replica": freshness.id})
        plain.apply([LEAVE])
    assert held.check(*QUESTION)


def test_neither_lease_nor_database_is_an_error(
    replica: tuple[str, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    """G6: never a remembered allow."""
    _, held = replica
    for way in ("fetch", "fetch_many", "snapshot"):
        monkeypatch.setattr(held.store, way, _unreachable)
    held.cache.suspend()
    for ask in (
        lambda: held.check(*QUESTION),
        lambda: held.check_many([QUESTION]),
        lambda: held.explain(*QUESTION),
    ):
        with pytest.raises(DecisionUnavailable):
            ask()


def test_a_change_stands_though_memory_cannot_follow(
    held: Authority, plain: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is committed returns; nothing is answered from memory until it has caught up."""
    held.apply([LEAVE])
    with monkeypatch.context() as patch:
        patch.setattr(type(held.store), "snapshot", _unreachable)
        assert held.apply([JOIN]).changed
        assert held.apply([changes.RenameGroup(group="eng", name="E")]).changed
        assert [cached.state for cached in held.cache.indexes.values()] == [None]
    assert plain.check(*QUESTION)
    assert held.check(*QUESTION)


def test_an_organization_let_go_of_while_it_is_loaded_keeps_nobody_waiting(
    replica: tuple[str, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No row says that it is held, so no revocation waits for an acknowledgement that nobody sends."""
    url, held = replica
    cache, follow = held.cache, held.cache.catch_up
    cache.drop(cache.indexes["acme"])

    def be_let_go_of(cached: CachedIndex) -> None:
        with Authority.open(url, organization="acme", settings=SHORT) as plain:
            plain.apply([LEAVE], wait="recorded")
        follow(cached)
        cache.drop(cached)

    monkeypatch.setattr(cache, "catch_up", be_let_go_of)
    held.load()
    o = held.store.fetch("find_organization", {"organization": "acme"})[0][0]
    assert held.store.fetch("list_leases", {"o": o}) == []


def test_what_could_not_be_released_is_released_later(
    replica: tuple[str, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the next renewal of the lease that can."""
    _, held = replica
    o = held.cache.indexes["acme"].index.organization
    with monkeypatch.context() as patch:
        patch.setattr(held.cache.freshness, "unregister", _unreachable)
        held.cache.drop(held.cache.indexes["acme"])
        assert held.store.fetch("list_leases", {"o": o}) != []
    _until(lambda: held.store.fetch("list_leases", {"o": o}) == [])


def test_a_replica_taken_for_dead_begins_anew(replica: tuple[str, Authority]) -> None:
    """Under another name, and with all that it held."""
    url, held = replica
    freshness = held.cache.freshness
    before = freshness.id
    held.store.fetch("forget_replica", {"replica": before})
    _until(lambda: freshness.id != before and held.check(*QUESTION).point is DecisionPoint.INDEX)
    with Authority.open(url, organization="acme", settings=SHORT) as plain:
        assert plain.apply([LEAVE]).waited_out == ()
        assert not held.check(*QUESTION)


def test_what_is_too_large_is_let_go_of(database: str) -> None:
    """Who was asked about longest ago goes first; its checks go to the store."""
    tiny = replace(Settings(), index_megabytes=0)
    with Authority.open(database, settings=tiny, index=True) as authority:
        for name in ("one", "two"):
            authority.apply(WORLD, organization=name)
            assert authority.load(name)
            authority.check(*QUESTION, organization=name)
            authority.cache.evict()
        assert set(authority.cache.indexes) == {"two"}
        assert authority.check(*QUESTION, organization="one")


def test_who_is_asked_about_by_many_at_a_time_is_kept(database: str) -> None:
    """Batches count as checks do when it is weighed whose organization goes first."""
    with Authority.open(database, index=True) as authority:
        for name in ("one", "two"):
            authority.apply(WORLD, organization=name)
            assert authority.load(name)
        cache = authority.cache
        for cached in cache.indexes.values():
            cached.is_used, cached.used_at = False, time.monotonic()
        assert authority.recall([QUESTION], organization="one") is not None
        # Not before: the thread that renews the lease evicts too, at any time.
        cache.settings = replace(Settings(), index_megabytes=0)
        cache.evict()
        assert set(cache.indexes) == {"one"}


def test_a_deleted_organization_is_not_remembered(held: Authority, plain: Authority) -> None:
    """And one that is made again under its name is another."""
    token = plain.apply([LEAVE]).token
    plain.apply([changes.DeleteOrganization(cascade=True)])
    assert held.check(*QUESTION).reason == "unknown_organization"
    plain.apply(WORLD)
    assert held.check(*QUESTION)
    with pytest.raises(InvalidToken):
        held.check(*QUESTION, at_least=token)


def test_an_organization_is_loaded_when_it_is_first_asked_about(database: str) -> None:
    """Until then, checks are decided by the store."""
    with Authority.open(database, organization="acme", index=True) as authority:
        assert not authority.load()
        authority.apply(WORLD)
        assert authority.check(*QUESTION)
        _until(lambda: authority.check(*QUESTION).point is DecisionPoint.INDEX)


def test_a_forked_process_holds_nothing(replica: tuple[str, Authority]) -> None:
    """A lease belongs to a process: the child begins with nothing, and the parent goes on."""
    _, held = replica
    child = os.fork()
    if child == 0:
        is_empty = not held.cache.indexes and held.cache.freshness.id == ""
        os._exit(0 if is_empty else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert held.check(*QUESTION).point is DecisionPoint.INDEX


def test_without_an_index_there_is_nothing_to_load(authority: Authority) -> None:
    """It says how to have one."""
    with pytest.raises(InvalidArgument, match="index=True"):
        authority.load()


def _hear_nothing(self: PostgresListener, seconds: float) -> list[str]:
    time.sleep(min(seconds, 0.02))
    return []


def _unreachable(*_: object, **__: object) -> None:
    raise StoreUnavailable(database="acme")


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)
