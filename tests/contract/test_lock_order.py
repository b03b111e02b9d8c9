"""The cache's locks are taken in the order that `rescind.replicas.cache` documents."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, Final

import pytest

from rescind import Authority, changes
from rescind.index.index import Index
from rescind.replicas.cache import IndexCache
from rescind.replicas.cached_index import CachedIndex
from rescind.replicas.enforced_times import EnforcedTimes
from rescind.replicas.enforcement import Acknowledgements
from tests.contract.world import WORLD

RANKS: Final = {"load": 1, "update": 2, "registry": 3, "index": 3, "heard": 3, "times": 3}
LEAVE = changes.RemoveMembers(group="eng", members=("user:ada",))
JOIN = changes.AddMembers(group="eng", members=("user:ada",))


class WrongOrder(AssertionError):
    """A lock was taken while one of the same or a later rank was held."""


class Locks:
    """What threads took: pairs of (held, taken), and violations, also those of background threads."""

    def __init__(self) -> None:
        self._held = threading.local()
        self.taken: set[str] = set()
        self.pairs: set[tuple[str, str]] = set()
        self.violations: list[tuple[str, str]] = []

    @property
    def held(self) -> list[str]:
        """The locks of the calling thread."""
        if not hasattr(self._held, "names"):
            self._held.names = []
        names: list[str] = self._held.names
        return names

    def require_order(self, name: str) -> None:
        """Raises WrongOrder before a thread that holds another lock would wait for this one."""
        self.taken.add(name)
        for other in self.held:
            self.pairs.add((other, name))
            if RANKS[other] >= RANKS[name]:
                self.violations.append((other, name))
                raise WrongOrder((other, name))


class OrderedLock:
    """A lock that refuses to be taken in the wrong order."""

    def __init__(self, name: str, locks: Locks) -> None:
        self._name, self._locks, self._lock = name, locks, threading.Lock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As a lock's."""
        self._locks.require_order(self._name)
        is_taken = self._lock.acquire(blocking, timeout)
        if is_taken:
            self._locks.held.append(self._name)
        return is_taken

    def release(self) -> None:
        """As a lock's."""
        self._locks.held.remove(self._name)
        self._lock.release()

    def _is_owned(self) -> bool:
        """For a condition on this lock."""
        return self._name in self._locks.held

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


@pytest.fixture
def locks(monkeypatch: pytest.MonkeyPatch) -> Locks:
    """Every lock of the list is an ordered one from now on."""
    made = Locks()

    def replace(owner: type, method: str, **names: str) -> None:
        real = getattr(owner, method)

        def wrapped(self: Any, *args: Any) -> None:
            real(self, *args)
            for attribute, name in names.items():
                lock: Any = OrderedLock(name, made)
                if isinstance(getattr(self, attribute), threading.Condition):
                    lock = threading.Condition(lock)
                setattr(self, attribute, lock)

        monkeypatch.setattr(owner, method, wrapped)

    replace(IndexCache, "reinit_after_fork", load_lock="load", registry_lock="registry")
    replace(CachedIndex, "__init__", update_lock="update")
    replace(Index, "__init__", mutex="index")
    replace(Acknowledgements, "reinit_after_fork", changed="heard")
    replace(EnforcedTimes, "reinit_after_fork", lock="times")
    return made


@pytest.fixture
def cached(database: str, locks: Locks) -> Iterator[Authority]:
    """An authority with `acme` cached, on each engine in turn, whose locks are ordered."""
    with Authority.open(database, organization="acme", index=True) as opened:
        opened.apply(WORLD)
        assert opened.load()
        yield opened


def _use_everything(cached: Authority, other: Authority) -> None:
    """Checks, lists, changes here and elsewhere, both ways; a new registration, evicting, deleting."""
    cache = cached.cache
    assert cache is not None
    for _ in range(2):
        for authority, change in ((cached, LEAVE), (other, JOIN), (other, LEAVE), (cached, JOIN)):
            authority.apply([change])
            cached.check("user:ada", "write", "doc:1")
            cached.explain("user:ada", "write", "doc:1")
            cached.who_can("write", "doc:1")
    cache.suspend()
    cache.register_all()
    cache.refresh(0)
    cache.unregister_stale()
    cached.check("user:nobody", "write", "doc:1", organization="elsewhere")  # is queued for loading
    cached.apply([changes.CreateOrganization()], organization="brief")
    assert cached.load(organization="brief")
    cache.evict()
    cache.drop(cache.indexes["brief"])


def test_locks_are_taken_in_order(cached: Authority, database: str, locks: Locks) -> None:
    """By all threads, through all that a cache does, until it is closed."""
    with Authority.open(database, organization="acme") as other:
        _use_everything(cached, other)
    cached.close()
    assert locks.violations == []
    assert {("update", "index"), ("update", "registry")} <= locks.pairs
    assert {"load", "update", "registry", "index"} <= locks.taken


def test_control_the_wrong_order(cached: Authority, locks: Locks) -> None:
    """Control: a lock of a later rank first, or two of one rank, and the order is refused."""
    cache = cached.cache
    assert cache is not None
    index = cache.indexes["acme"]
    with pytest.raises(WrongOrder), cache.registry_lock:
        cache.withdraw(index)
    with pytest.raises(WrongOrder), index.update_lock:
        cache.want("elsewhere")
    with pytest.raises(WrongOrder), index.index.lock, cache.registry_lock:
        pass
    assert locks.violations == [("registry", "update"), ("update", "load"), ("index", "registry")]
