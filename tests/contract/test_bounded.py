"""However many threads ask, and of however many organizations: connections and threads are few."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rescind import Authority, changes
from rescind.errors import ThreadsExhausted
from rescind.model import DecisionPoint
from rescind.replicas import cache as memories
from rescind.store.pool import Checkout, Pool
from rescind.store.sqlite.connections import MOST_READERS
from tests.contract.world import WORLD

WAIT_SECONDS = 30
QUESTION = ("user:ada", "read")
REQUESTS = 200
NOWHERE = tuple(f"nowhere-{number}" for number in range(60))


@pytest.fixture
def acme(authority: Authority) -> Authority:
    authority.apply(WORLD)
    return authority


@pytest.fixture
def held(database: str) -> Iterator[Authority]:
    """One that answers out of memory."""
    with Authority.open(database, organization="acme", index=True) as authority:
        authority.apply(WORLD)
        yield authority


def in_threads(count: int, ask: Callable[[], object], *, together: bool) -> list[object]:
    """What each of so many threads finds, one after another or all at once."""
    found: list[object] = []
    begin = threading.Barrier(count if together else 1)

    def run() -> None:
        begin.wait(WAIT_SECONDS)
        found.append(ask())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
        if not together:
            thread.join(WAIT_SECONDS)
    for thread in threads:
        thread.join(WAIT_SECONDS)
    return found


def lines(authority: Authority) -> int:
    """Connections that a store has open for reading."""
    store: Any = authority.store
    pool = store.readers if store.engine == "sqlite" else store.pool
    return len(pool.connections())


@pytest.mark.parametrize("is_returned", [True, False])
def test_a_thread_for_each_request(
    acme: Authority, monkeypatch: pytest.MonkeyPatch, is_returned: bool
) -> None:
    """Threads that ask and end leave nothing open. Control: where each keeps what it was lent, all is."""
    kept: list[Any] = []
    give_back = Checkout.release
    if not is_returned:
        monkeypatch.setattr(Checkout, "release", lambda loan: kept.append(loan))
        monkeypatch.setattr(Pool, "has_room", lambda *_: True)
    before, asked = len(os.listdir("/proc/self/fd")), REQUESTS if is_returned else 20
    found = in_threads(asked, lambda: acme.check(*QUESTION).allowed, together=False)
    assert found == [True] * asked
    assert (lines(acme) <= 2) is is_returned
    assert (len(os.listdir("/proc/self/fd")) <= before + 4) is is_returned
    for loan in kept:
        give_back(loan)


def test_many_threads_at_once(acme: Authority) -> None:
    """They share a few connections; each is answered."""
    found = in_threads(64, lambda: acme.check(*QUESTION).allowed, together=True)
    assert found == [True] * 64
    assert lines(acme) <= MOST_READERS


class Stuck:
    """Organizations are looked for in vain, until told to go on."""

    def __init__(self, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
        self._fetch, self.go = authority.store.fetch, threading.Event()
        monkeypatch.setattr(authority.store, "fetch", self._wait)

    def _wait(self, name: Any, params: Any, **options: Any) -> Any:
        if str(name) == "find_organization":
            assert self.go.wait(WAIT_SECONDS)
        return self._fetch(name, params, **options)


def loaders() -> int:
    return sum(thread.name == "rescind-load" for thread in threading.enumerate())


@pytest.mark.parametrize("most", [memories.MOST_LOADERS, 1_000])
def test_organizations_that_do_not_exist(
    held: Authority, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Checks of many of them are answered while two threads look for them, and one that exists is loaded in
    its turn. Control: without the bound there is a thread for each.
    """
    monkeypatch.setattr(memories, "MOST_LOADERS", most)
    stuck = Stuck(held, monkeypatch)
    try:
        for name in NOWHERE:
            assert not held.check(*QUESTION, organization=name)
        assert held.check(*QUESTION)
        assert (loaders() <= memories.MOST_LOADERS < len(NOWHERE)) is (most < len(NOWHERE))
    finally:
        stuck.go.set()
    deadline = threading.Event()
    while held.check(*QUESTION).point is not DecisionPoint.INDEX:
        assert not deadline.wait(0.001)
    while loaders():
        deadline.wait(0.001)
    assert not held.cache.wanted  # type: ignore[union-attr]


def test_no_more_than_so_many_wait_to_be_loaded(
    held: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked about beyond that is answered by the store, and not kept in mind."""
    monkeypatch.setattr(memories, "MOST_WANTED", 5)
    stuck = Stuck(held, monkeypatch)
    for name in NOWHERE:
        held.check(*QUESTION, organization=name)
    assert len(held.cache.wanted) == 5  # type: ignore[union-attr]
    stuck.go.set()


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)


def test_where_there_can_be_no_more_threads(acme: Authority, no_threads: None) -> None:
    """Changes are recorded and enforced; what needs a thread says so."""
    receipt = acme.apply([changes.RemoveMembers(group="eng", members=("user:ada",))])
    assert receipt.enforced_at
    workers = acme.workers(concurrency=2)
    with pytest.raises(ThreadsExhausted):
        workers.start()
    workers.stop()


def test_no_thread_to_load_an_organization(held: Authority, no_threads: None) -> None:
    """The store answers, and nothing is left behind that makes revocations wait."""
    assert held.check(*QUESTION)
    if held.store.engine == "postgres":
        with pytest.raises(ThreadsExhausted):
            held.load()
        (found,) = held.store.fetch("find_organization", {"organization": "acme"})
        assert held.store.fetch("list_leases", {"o": found[0]}) == []
        assert held.check(*QUESTION).point is not DecisionPoint.INDEX
    else:
        assert held.load()
