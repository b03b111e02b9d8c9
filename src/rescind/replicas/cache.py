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
from rescind.replicas.cached_index import CachedIndex, Freshness, State
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
        self, store: Store, settings: Settings, keeper: Callable[[IndexCache], Freshness]
    ) -> None:
        self.store, self.settings = store, settings
        self._make_keeper = keeper
        forks.set_up(self)

    def set_up(self) -> None:
        """As in a new process: nothing is held, and nobody knows of it; a lease is no other process's."""
        self.holdings: dict[str, CachedIndex] = {}
        self._wanted: dict[str, None] = {}
        self._loading: set[str] = set()
        self._loaders = 0
        self._left_over: set[int] = set()
        self._lock = threading.Lock()
        self._rows = threading.Lock()
        self.keeper = self._make_keeper(self)
        self.look = self.keeper.look
        self._is_started = False
        self._is_closed = False

    def load(self, organization: str) -> bool:
        """Hold an organization; what is held already stays. Says whether there is one of that name.

        Raises a StoreError; then it is not held.
        """
        with self._lock:
            if not self._is_started:
                self.keeper.start()
                self._is_started = True
        if organization in self.holdings:
            return True
        found = self.store.fetch("find_organization", {"organization": organization})
        if not found:
            return False
        try:
            index, revision = built(self.store, found[0][0])
        except Gone:
            return False
        holding = CachedIndex(organization, index, revision)
        with self._rows:
            if self._is_closed or organization in self.holdings:
                return not self._is_closed
            self.keeper.hold(index.o, revision)
            self.holdings[organization] = holding
        try:
            self.catch_up(holding)
            if holding.revision != revision:
                with self._rows:  # not where it was let go of meanwhile: nobody would acknowledge
                    if self.holdings.get(organization) is holding:
                        self.keeper.hold(index.o, holding.revision)
        except BaseException:
            self.drop(holding)
            raise
        return True

    def catch_up(self, holding: CachedIndex) -> None:
        """Bring a holding to the state of its facts now, or let go of it where that cannot be.

        When this returns, no check that starts is answered by an older state. Raises a StoreError;
        then the state is what it was, with its expiry.
        """
        with holding.busy:
            if self.holdings.get(holding.name) is not holding:
                return
            expiry = self.keeper.expiry()  # before the log is read: what comes later is not in it
            try:
                tail = read_tail(self.store, holding.index, holding.revision)
            except (Gone, TooFarBehind):
                self._let_go(holding)
                return
            except OtherServer:
                self._leave_server(holding)
                return
            if tail is not None:
                holding.state = None
                try:
                    with holding.index.lock:
                        tail.apply(holding.index)
                except BaseException:
                    self._let_go(holding)
                    raise
                holding.revision = tail.revision
                if tail.revokes:
                    holding.revoked_at = tail.revision.organization
            if holding.index.server != self.keeper.server:
                self._leave_server(holding)
            elif expiry > 0:
                holding.state = State(holding.index, holding.revision, expiry)

    def prolong(self, holding: CachedIndex, revision: Revision, expiry: float) -> bool:
        """Let a holding be answered from for longer, if it is at that revision or past it.

        The revision must have been read after the lease that gives the expiry was renewed.
        """
        with holding.busy:
            if self.holdings.get(holding.name) is not holding:
                return True
            if holding.state is None or not holding.revision.covers(revision):
                return False
            if holding.index.server != self.keeper.server:
                return False
            holding.state = State(holding.index, holding.revision, expiry)
            return True

    def hold_anew(self) -> None:
        """Make it known again what is held, under another name."""
        with self._rows:
            for holding in self.holdings.values():
                self.keeper.hold(holding.index.o, holding.revision)

    def drop(self, holding: CachedIndex) -> None:
        """Hold it no longer."""
        with holding.busy:
            self._let_go(holding)

    def suspend(self) -> None:
        """Answer nothing from memory, until each holding has caught up."""
        for holding in tuple(self.holdings.values()):
            self.withdraw(holding)

    def withdraw(self, holding: CachedIndex) -> None:
        """When this returns, no check that starts is answered from this holding until it caught up with
        what is committed now.
        """
        with holding.busy:
            holding.state = None

    def evict(self) -> None:
        """Let go of those asked about longest ago, while all together are too large."""
        most = self.settings.index_megabytes * 1_000_000
        holdings = tuple(self.holdings.values())
        for holding in holdings:
            if holding.is_used:
                holding.is_used, holding.used_at = False, time.monotonic()
        total = sum(holding.index.facts.size() for holding in holdings)
        for holding in sorted(holdings, key=lambda holding: holding.used_at)[:-1]:
            if total <= most:
                return
            total -= holding.index.facts.size()
            self.drop(holding)

    def close(self) -> None:
        """Hold nothing, for good."""
        with self._lock:
            self._is_closed = True
        for holding in tuple(self.holdings.values()):
            self.drop(holding)
        self.keeper.close()

    def keep_up(self, o: int) -> None:
        """Bring what this process holds of an organization (0: of all) to the facts as they are."""
        for holding in tuple(self.holdings.values()):
            if o in (0, holding.index.o):
                self.catch_up(holding)

    def _leave_server(self, holding: CachedIndex) -> None:
        """The lease, the log and memory are not of one server: another one was promoted, say. Let go of it,
        and ask on connections that are made anew.
        """
        log.warning("organization %s is let go of: another server answers", holding.name)
        self._let_go(holding)
        self.store.reconnect()

    def _let_go(self, holding: CachedIndex) -> None:
        holding.state = None
        with self._rows:
            if self.holdings.get(holding.name) is holding:
                del self.holdings[holding.name]
                self._release(holding.index.o)

    def release_left_over(self) -> None:
        """Try again to make it known of what is not held any more."""
        with self._rows:
            for o in self._left_over - {holding.index.o for holding in self.holdings.values()}:
                self._release(o)

    def _release(self, o: int) -> None:
        """A row that stays has every revocation of the organization wait, so it is kept in mind."""
        try:
            self.keeper.release(o)
            self._left_over.discard(o)
        except RescindError as error:
            self._left_over.add(o)
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
