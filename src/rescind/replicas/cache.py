"""The organizations that this process holds in memory, and how they are kept at the state of their facts.

An organization's state is one immutable value: the index, its revision, and until when it may be
answered from. Who brings an index to a later revision takes the state away first and puts a new one in
its place afterwards; answers come from a state alone (`recall`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from rescind import forks
from rescind.errors import RescindError, ThreadsExhausted
from rescind.index.build import Gone, built
from rescind.index.follow import OtherServer, TooFarBehind, read_tail
from rescind.model import Revision
from rescind.replicas.cached_index import CachedIndex, State
from rescind.replicas.freshness import Freshness
from rescind.settings import Settings
from rescind.store import Store
from rescind.threads import started

MOST_LOADERS: Final = 2
"""Threads that load organizations which were asked about."""
MOST_WANTED: Final = 1_000
"""Organizations that wait to be loaded."""

log = logging.getLogger(__name__)


class IndexCache:
    """What this process holds. Safe to use from many threads; empty after a fork."""

    def __init__(
        self, store: Store, settings: Settings, make_freshness: Callable[[IndexCache], Freshness]
    ) -> None:
        self.store, self.settings = store, settings
        self._make_freshness = make_freshness
        forks.reinit_after_fork(self)

    def reinit_after_fork(self) -> None:
        """As in a new process: nothing is held, and nobody knows of it; a lease is no other process's."""
        self.indexes: dict[str, CachedIndex] = {}
        self._wanted: dict[str, None] = {}
        self._loading: set[str] = set()
        self._loaders = 0
        self._stale_registrations: set[int] = set()
        self._lock = threading.Lock()
        self._registry_lock = threading.Lock()
        self.freshness = self._make_freshness(self)
        self.ensure_fresh = self.freshness.ensure_fresh
        self._is_started = False
        self._is_closed = False

    def load(self, organization: str) -> bool:
        """Hold an organization; what is held already stays. Says whether there is one of that name.

        Raises a StoreError; then it is not held.
        """
        with self._lock:
            if not self._is_started:
                self.freshness.start()
                self._is_started = True
        if organization in self.indexes:
            return True
        found = self.store.fetch("find_organization", {"organization": organization})
        if not found:
            return False
        try:
            index, revision = built(self.store, found[0][0])
        except Gone:
            return False
        cached = CachedIndex(organization, index, revision)
        with self._registry_lock:
            if self._is_closed or organization in self.indexes:
                return not self._is_closed
            self.freshness.register(index.o, revision)
            self.indexes[organization] = cached
        try:
            self.catch_up(cached)
            if cached.revision != revision:
                with (
                    self._registry_lock
                ):  # not where it was let go of meanwhile: nobody would acknowledge
                    if self.indexes.get(organization) is cached:
                        self.freshness.register(index.o, cached.revision)
        except BaseException:
            self.drop(cached)
            raise
        return True

    def catch_up(self, cached: CachedIndex) -> None:
        """Bring a holding to the state of its facts now, or let go of it where that cannot be.

        When this returns, no check that starts is answered by an older state. Raises a StoreError;
        then the state is what it was, with its expiry.
        """
        with cached.update_lock:
            if self.indexes.get(cached.name) is not cached:
                return
            expiry = (
                self.freshness.expiry()
            )  # before the log is read: what comes later is not in it
            try:
                tail = read_tail(self.store, cached.index, cached.revision)
            except (Gone, TooFarBehind):
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
        """Let a holding be answered from for longer, if it is at that revision or past it.

        The revision must have been read after the lease that gives the expiry was renewed.
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
        """Make it known again what is held, under another name."""
        with self._registry_lock:
            for cached in self.indexes.values():
                self.freshness.register(cached.index.o, cached.revision)

    def drop(self, cached: CachedIndex) -> None:
        """Hold it no longer."""
        with cached.update_lock:
            self._drop(cached)

    def suspend(self) -> None:
        """Answer nothing from memory, until each holding has caught up."""
        for cached in tuple(self.indexes.values()):
            self.withdraw(cached)

    def withdraw(self, cached: CachedIndex) -> None:
        """When this returns, no check that starts is answered from this cached until it caught up with
        what is committed now.
        """
        with cached.update_lock:
            cached.state = None

    def evict(self) -> None:
        """Let go of those asked about longest ago, while all together are too large."""
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
        """Hold nothing, for good."""
        with self._lock:
            self._is_closed = True
        for cached in tuple(self.indexes.values()):
            self.drop(cached)
        self.freshness.close()

    def refresh(self, o: int) -> None:
        """Bring what this process holds of an organization (0: of all) to the facts as they are."""
        for cached in tuple(self.indexes.values()):
            if o in (0, cached.index.o):
                self.catch_up(cached)

    def _leave_server(self, cached: CachedIndex) -> None:
        """The lease, the log and memory are not of one server: another one was promoted, say. Let go of it,
        and ask on connections that are made anew.
        """
        log.warning("organization %s is let go of: another server answers", cached.name)
        self._drop(cached)
        self.store.reconnect()

    def _drop(self, cached: CachedIndex) -> None:
        cached.state = None
        with self._registry_lock:
            if self.indexes.get(cached.name) is cached:
                del self.indexes[cached.name]
                self._unregister(cached.index.o)

    def unregister_stale(self) -> None:
        """Try again to make it known of what is not held any more."""
        with self._registry_lock:
            for o in self._stale_registrations - {
                cached.index.o for cached in self.indexes.values()
            }:
                self._unregister(o)

    def _unregister(self, o: int) -> None:
        """A row that stays has every revocation of the organization wait, so it is kept in mind."""
        try:
            self.freshness.unregister(o)
            self._stale_registrations.discard(o)
        except RescindError as error:
            self._stale_registrations.add(o)
            log.warning("organization %d is still known as held: %s", o, error)

    def want(self, organization: str) -> None:
        """Have an organization loaded by another thread; until then checks go to the store.

        Where many wait to be loaded already it is left to the next check of it.
        """
        with self._lock:
            is_known = organization in self._wanted or organization in self._loading
            if self._is_closed or is_known or len(self._wanted) >= MOST_WANTED:
                return
            self._wanted[organization] = None
            if self._loaders >= MOST_LOADERS:
                return
            self._loaders += 1
        try:
            started(self._load_wanted, "rescind-load")
        except ThreadsExhausted as error:
            log.warning("organization %s is not held in memory: %s", organization, error)
            with self._lock:
                self._loaders -= 1
                self._wanted.pop(organization, None)

    def _load_wanted(self) -> None:
        while (organization := self._next_wanted()) is not None:
            try:
                self.load(organization)
                self.evict()
            except RescindError as error:
                log.warning("organization %s is not held in memory: %s", organization, error)
            except Exception:
                log.exception("organization %s is not held in memory", organization)
            finally:
                with self._lock:
                    self._loading.discard(organization)

    def _next_wanted(self) -> str | None:
        """The one that is wanted for longest; where there is none, the thread that asks ends."""
        with self._lock:
            organization = None if self._is_closed else next(iter(self._wanted), None)
            if organization is None:
                self._loaders -= 1
            else:
                del self._wanted[organization]
                self._loading.add(organization)
            return organization
