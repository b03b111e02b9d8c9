"""The cache of organizations' indexes in this process, and how each is brought up to date.

Owns loading, catching up, withdrawing and evicting. Does not know what a question means, nor how long a lease
lasts: `freshness` decides until when an index may be answered from.

An organization's state is one immutable value: the index, its revision, and its expiry. A thread that brings
an index to a later revision removes the state first and sets a new one afterwards. Answers come from a state
alone (`cached_answers`).

Lock order. A thread that holds a lock takes only locks that come later here; it never holds two of one line.

1. `IndexCache.load_lock`: the queue of organizations to load, and starting `freshness`
2. `CachedIndex.update_lock`: one organization's state and revision; held while its log is read
3. leaves, under which no lock of this list is taken: `IndexCache.registry_lock` (which organizations are
   cached, and registered in the database), `Index.lock` (facts), `Acknowledgements.changed`,
   `EnforcedTimes.lock`

`FileWatch` has no lock. `tests/contract/test_lock_order.py` asserts this order.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from rescind import forks
from rescind.errors import RescindError, ThreadsExhausted
from rescind.index.build import OrganizationGone, build_index
from rescind.index.follow import OtherServer, TooFarBehind, read_tail
from rescind.model import ENVIRONMENT_NUMBER, OrganizationNumber, Revision
from rescind.replicas.cached_index import CachedIndex, State
from rescind.replicas.freshness import Freshness
from rescind.settings import Settings
from rescind.store import Store
from rescind.store.rows.organizations import FIND_ORGANIZATION
from rescind.threads import started

MOST_LOADERS: Final = 2
"""Threads that load organizations in the background."""
MOST_WANTED: Final = 1_000
"""Organizations that may be queued for loading."""

log = logging.getLogger(__name__)


class IndexCache:
    """The cached indexes of this process. Safe to use from many threads; empty after a fork."""

    def __init__(
        self, store: Store, settings: Settings, make_freshness: Callable[[IndexCache], Freshness]
    ) -> None:
        self.store, self.settings = store, settings
        self._make_freshness = make_freshness
        self.on_loaded: Callable[[float], None] | None = None
        """Told the seconds that it took to load an organization."""
        forks.reinit_after_fork(self)

    def reinit_after_fork(self) -> None:
        """Start empty and unregistered, as in a new process: the lease belongs to the parent."""
        self.indexes: dict[str, CachedIndex] = {}
        self.wanted: dict[str, None] = {}
        self._loading: set[str] = set()
        self._loaders = 0
        self._stale_registrations: set[OrganizationNumber] = set()
        self.load_lock = threading.Lock()
        self.registry_lock = threading.Lock()
        self.freshness = self._make_freshness(self)
        self.ensure_fresh = self.freshness.ensure_fresh
        self._is_started = False
        self._is_closed = False

    def load(self, organization: str) -> bool:
        """Cache an organization, unless it is cached already. Returns False if it does not exist.

        Raises a StoreError; then it is not cached.
        """
        with self.load_lock:
            if not self._is_started:
                self.freshness.start()
                self._is_started = True
        if organization in self.indexes:
            return True
        start = time.perf_counter()
        found = self.store.fetch(FIND_ORGANIZATION, {"organization": organization})
        if not found:
            return False
        try:
            index, revision = build_index(self.store, found[0].organization)
        except OrganizationGone:
            return False
        cached = CachedIndex(organization, index, revision)
        with self.registry_lock:
            if self._is_closed or organization in self.indexes:
                return not self._is_closed
            self.freshness.register(index.organization, revision)
            self.indexes[organization] = cached
        try:
            self.catch_up(cached)
            if cached.revision != revision:
                with (
                    self.registry_lock
                ):  # not if it was dropped meanwhile: nobody would acknowledge
                    if self.indexes.get(organization) is cached:
                        self.freshness.register(index.organization, cached.revision)
        except BaseException:
            self.drop(cached)
            raise
        if self.on_loaded is not None:
            self.on_loaded(time.perf_counter() - start)
        return True

    def catch_up(self, cached: CachedIndex) -> None:
        """Bring a cached index to the current revision, or drop it where that is not possible.

        When this returns, no check that starts is answered by an older state. Raises a StoreError;
        then the state and its expiry are unchanged.
        """
        with cached.update_lock:
            if self.indexes.get(cached.name) is not cached:
                return
            # before the log: a state must not get an expiry that was renewed after its log was read
            expiry = self.freshness.expiry()
            try:
                tail = read_tail(self.store, cached.index, cached.revision)
            except (OrganizationGone, TooFarBehind):
                self._drop(cached)
                return
            except OtherServer:
                self._leave_server(cached)
                return
            if tail is not None:
                cached.state = None
                try:
                    with cached.index.lock:
                        tail.apply(cached.index)
                except BaseException:
                    self._drop(cached)
                    raise
                cached.revision = tail.revision
                if tail.revokes:
                    cached.revoked_at = tail.revision.organization
            if cached.index.server != self.freshness.server:
                self._leave_server(cached)
            elif expiry > 0:
                cached.state = State(cached.index, cached.revision, expiry)

    def extend(self, cached: CachedIndex, revision: Revision, expiry: float) -> bool:
        """Move a cached index's expiry, if it is at `revision` or later. Returns False if it must catch up.

        `revision` must have been read after the lease that gives `expiry` was renewed.
        """
        with cached.update_lock:
            if self.indexes.get(cached.name) is not cached:
                return True
            if cached.state is None or not cached.revision.covers(revision):
                return False
            if cached.index.server != self.freshness.server:
                return False
            cached.state = State(cached.index, cached.revision, expiry)
            return True

    def register_all(self) -> None:
        """Register every cached organization again, under a new replica id."""
        with self.registry_lock:
            for cached in self.indexes.values():
                self.freshness.register(cached.index.organization, cached.revision)

    def drop(self, cached: CachedIndex) -> None:
        """Remove an organization from the cache."""
        with cached.update_lock:
            self._drop(cached)

    def suspend(self) -> None:
        """Withdraw every cached index until it has caught up."""
        for cached in tuple(self.indexes.values()):
            self.withdraw(cached)

    def withdraw(self, cached: CachedIndex) -> None:
        """When this returns, no check that starts is answered from this index until it has caught up with
        everything that is committed now.
        """
        with cached.update_lock:
            cached.state = None

    def evict(self) -> None:
        """Drop the least recently used organizations while the cache exceeds `index_megabytes`."""
        most = self.settings.index_megabytes * 1_000_000
        indexes = tuple(self.indexes.values())
        for cached in indexes:
            if cached.is_used:
                cached.is_used, cached.used_at = False, time.monotonic()
        total = sum(cached.index.facts.size() for cached in indexes)
        for cached in sorted(indexes, key=lambda cached: cached.used_at)[:-1]:
            if total <= most:
                return
            total -= cached.index.facts.size()
            self.drop(cached)

    def close(self) -> None:
        """Drop everything and cache nothing more."""
        with self.load_lock:
            self._is_closed = True
        for cached in tuple(self.indexes.values()):
            self.drop(cached)
        self.freshness.close()

    def refresh(self, organization: OrganizationNumber) -> None:
        """Bring the cached index of an organization (0: every cached index) to the current revision."""
        for cached in tuple(self.indexes.values()):
            if organization in (ENVIRONMENT_NUMBER, cached.index.organization):
                self.catch_up(cached)

    def _leave_server(self, cached: CachedIndex) -> None:
        """Drop an index that was read from another server than the lease or the log, or from a state that was
        lost (after a failover, or when a back-up was restored).

        Then reconnect, so that the next read asks the current server.
        """
        log.warning(
            "organization %s is dropped from the cache: another server answers, or a back-up was restored",
            cached.name,
        )
        self._drop(cached)
        self.store.reconnect()

    def _drop(self, cached: CachedIndex) -> None:
        cached.state = None
        with self.registry_lock:
            if self.indexes.get(cached.name) is cached:
                del self.indexes[cached.name]
                self._unregister(cached.index.organization)

    def unregister_stale(self) -> None:
        """Retry unregistering organizations that are no longer cached."""
        with self.registry_lock:
            for o in self._stale_registrations - {
                cached.index.organization for cached in self.indexes.values()
            }:
                self._unregister(o)

    def _unregister(self, organization: OrganizationNumber) -> None:
        """Remove the registration. If that fails it is retried: a row left behind delays every revocation."""
        try:
            self.freshness.unregister(organization)
            self._stale_registrations.discard(organization)
        except RescindError as error:
            self._stale_registrations.add(organization)
            log.warning("organization %d is still registered as cached: %s", organization, error)

    def want(self, organization: str) -> None:
        """Queue an organization for loading by another thread; until then the store decides.

        If the queue is full, the organization is skipped; its next check queues it.
        """
        with self.load_lock:
            is_known = organization in self.wanted or organization in self._loading
            if self._is_closed or is_known or len(self.wanted) >= MOST_WANTED:
                return
            self.wanted[organization] = None
            if self._loaders >= MOST_LOADERS:
                return
            self._loaders += 1
        try:
            started(self._load_wanted, "rescind-load")
        except ThreadsExhausted as error:
            log.warning("organization %s is not cached: %s", organization, error)
            with self.load_lock:
                self._loaders -= 1
                self.wanted.pop(organization, None)

    def _load_wanted(self) -> None:
        while (organization := self._next_wanted()) is not None:
            try:
                self.load(organization)
                self.evict()
            except RescindError as error:
                log.warning("organization %s is not cached: %s", organization, error)
            except Exception:
                log.exception("organization %s is not cached", organization)
            finally:
                with self.load_lock:
                    self._loading.discard(organization)

    def _next_wanted(self) -> str | None:
        """The organization that was queued first; None ends the calling thread."""
        with self.load_lock:
            organization = None if self._is_closed else next(iter(self.wanted), None)
            if organization is None:
                self._loaders -= 1
            else:
                del self.wanted[organization]
                self._loading.add(organization)
            return organization
