"""Freshness on a database server: this process answers from its cache under a lease in the database.

Owns the lease and its thread. The guarantee rests on this order (`docs/protocol`): renew the lease in the
database, read the log, bring the indexes up to it, and only then answer from them until the lease expires.
The lease's length counts from before the renewal was sent. Acknowledgements follow.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import threading
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

from rescind.errors import RescindError, StoreUnavailable, ThreadsExhausted
from rescind.model import (
    ENVIRONMENT_NUMBER,
    Direction,
    OrganizationNumber,
    Revision,
    plain_name,
)
from rescind.replicas.cache import IndexCache
from rescind.replicas.clock import CLOCK, clock
from rescind.store import Listener, Store
from rescind.store.rows.index import TAIL_REVISIONS
from rescind.store.rows.replicas import (
    ACKNOWLEDGE,
    FORGET_REPLICA,
    HOLD_ORGANIZATION,
    REGISTER_REPLICA,
    RELEASE_ORGANIZATION,
    RENEW_LEASE,
    ServerRow,
)
from rescind.threads import started

RENEWALS_PER_LEASE = 4
LEAST_BACKOFF_SECONDS = 0.02
MOST_BACKOFF_SECONDS = 1.0
LISTEN_SECONDS = 0.1
"""How long, at most, closing waits for the thread."""
ANOTHER_SERVER = "another server answers than the one that has the lease"
LOOKING_SHARE = 0.2
"""How much of its time the thread asks for changes, at most, where it cannot listen."""

log = logging.getLogger(__name__)


class News(NamedTuple):
    """A notification of another process's change."""

    organization: OrganizationNumber
    revision: int
    revokes: bool

    @classmethod
    def of(cls, payload: str) -> News:
        """Parse a payload."""
        number, revision, direction = payload.split()
        organization = OrganizationNumber(int(number))
        return cls(organization, int(revision), direction == Direction.REVOKES)


def own_name() -> str:
    """This process, for people: its host and process id."""
    return plain_name(f"{socket.gethostname()}:{os.getpid()}")


class LeaseLost(Exception):
    """Another process took this replica for dead, or another server answers: it registers anew."""


def backoff_seconds(failures: int) -> float:
    """The wait after so many failures in a row: doubled each time."""
    return float(min(LEAST_BACKOFF_SECONDS * 2 ** min(failures, 30), MOST_BACKOFF_SECONDS))


class Replica:
    """Freshness of a shared database. One thread renews the lease, listens and acknowledges."""

    ensure_fresh = None

    def __init__(self, cache: IndexCache, store: Store) -> None:
        self._cache, self._store = cache, store
        self._ttl = cache.settings.lease_seconds
        self._poll_seconds = cache.settings.listen_poll_ms / 1e3
        self._expiry = 0.0
        self._stop = threading.Event()
        self.news: Listener | None = None
        self._thread: threading.Thread | None = None
        self._environment = -1
        self._is_known = self._was_cut = False
        self._failures = 0
        self.id = self.server = ""

    # --- Freshness --------------------------------------------------------------------------------

    def shared_freshness(self) -> AbstractContextManager[None]:
        """Nothing to share: the expiry suffices."""
        return nullcontext()

    def start(self) -> None:
        """Register as a replica, with a lease. Raises a StoreError."""
        self._begin()
        try:
            self._thread = started(self._run, "rescind-replica")
        except ThreadsExhausted:
            self._expiry = 0.0
            self._give_up()
            raise

    def expiry(self) -> float:
        """When the lease, as last renewed, expires."""
        return self._expiry

    def register(self, organization: OrganizationNumber, revision: Revision) -> None:
        """From now on, revoking changes of the organization wait for this replica."""
        known = {"o": organization, "replica": self.id, "revision": revision.organization}
        self._require_own(self._store.fetch(HOLD_ORGANIZATION, known))

    def _require_own(self, rows: list[ServerRow]) -> None:
        """Raises StoreUnavailable unless the server that has the lease answered."""
        if [row.server for row in rows] != [self.server]:
            self._store.reconnect()
            raise StoreUnavailable(why=ANOTHER_SERVER)

    def unregister(self, organization: OrganizationNumber) -> None:
        """From now on, no change of the organization waits for this replica."""
        self._store.fetch(RELEASE_ORGANIZATION, {"o": organization, "replica": self.id})

    def stop(self) -> None:
        """Renew the lease no more, and follow no change. What is cached is answered from until it expires."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        """Give up the lease, so that no change waits for it."""
        self.stop()
        if self._thread is not None:
            self._give_up()
        if self.news is not None:
            self.news.close()

    def _give_up(self) -> None:
        try:
            self._store.fetch(FORGET_REPLICA, {"replica": self.id})
        except RescindError as error:
            log.warning("the lease could not be given up and will expire: %s", error)

    # --- the lease --------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Register under a new id, with every cached organization; only then the lease begins."""
        self._is_known, self._expiry = False, 0.0
        self._cache.suspend()
        self.id = secrets.token_hex(8)
        before = clock(CLOCK)
        names = {"replica": self.id, "name": own_name(), "ttl": int(self._ttl * 1e6)}
        (registered,) = self._store.fetch(REGISTER_REPLICA, names)
        self.server = registered.server
        self._environment = self._revisions([0])[0]
        known = {"o": 0, "replica": self.id, "revision": self._environment}
        self._require_own(self._store.fetch(HOLD_ORGANIZATION, known))
        self._cache.register_all()
        self._is_known, self._expiry = True, before + self._ttl
        for cached in tuple(self._cache.indexes.values()):
            self._cache.catch_up(cached)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if not self._is_known:
                    self._begin()
                self._serve()
            except LeaseLost:
                log.warning("replica %s has lost its lease; it registers anew", self.id)
                self._is_known = False
                self._reconnect()
                self._back_off()
            except RescindError as error:
                log.warning("replica %s cannot renew its lease: %s", self.id, error)
                self._back_off()
            except Exception:
                log.exception("replica %s answers nothing from its cache for now", self.id)
                self._cache.suspend()
                self._stop.wait(MOST_BACKOFF_SECONDS)

    def _reconnect(self) -> None:
        """Reconnect to wherever the database is now."""
        self._store.reconnect()
        if self.news is not None:
            self.news.close()

    def _back_off(self) -> None:
        self._was_cut = True
        self._failures += 1
        self._stop.wait(backoff_seconds(self._failures))

    def _serve(self) -> None:
        """Renew the lease, then listen until it is time to do so again. Where nothing can be heard, ask."""
        if self.news is None:
            self.news = self._store.listen("rescind_changed")
        due, most = 0.0, self._poll_seconds if self.news.is_polled else LISTEN_SECONDS
        while not self._stop.is_set():
            if clock(CLOCK) >= due:
                due = clock(CLOCK) + self._ttl / RENEWALS_PER_LEASE
                self._renew()
                self._failures = 0
                self._cache.evict()
            seconds = min(max(due - clock(CLOCK), 0.0), most)
            if self.news.is_polled:
                self._stop.wait(seconds)
                if clock(CLOCK) < due and not self._stop.is_set():
                    most = max(self._poll_seconds, self._look() / LOOKING_SHARE)
                continue
            heard = self.news.wait(seconds)
            if heard is None:
                due = 0.0  # notifications were lost: renew and read the log now
            elif heard:
                self.follow([News.of(payload) for payload in heard])

    def _look(self) -> float:
        """Follow what others have changed, as `follow` does when it hears of it. Returns how long it took."""
        start = clock(CLOCK)
        self._bring_up(self._expiry)
        return clock(CLOCK) - start

    def _renew(self) -> None:
        """Renew the lease. Only facts read after this may be answered from until its new expiry."""
        assert self.news is not None
        before = clock(CLOCK)
        renewed = self.news.fetch(RENEW_LEASE, {"replica": self.id})
        if [row.server for row in renewed] != [self.server]:
            raise LeaseLost
        self._expiry = before + self._ttl
        if self._was_cut:  # a back-up may have been restored meanwhile: read every log again
            self._cache.suspend()
            self._was_cut = False
        self._bring_up(self._expiry)

    def _bring_up(self, expiry: float) -> None:
        """Bring every cached index to what is committed now, and acknowledge. `expiry` is that of the newest
        renewal, which has ended.
        """
        indexes = tuple(self._cache.indexes.values())
        revisions = self._revisions(
            [ENVIRONMENT_NUMBER, *(cached.index.organization for cached in indexes)]
        )
        for cached in indexes:
            o = cached.index.organization
            revision = Revision(o, revisions.get(o, 2**62), revisions[ENVIRONMENT_NUMBER])
            if not self._cache.extend(cached, revision, expiry):
                self._cache.catch_up(cached)
        self._acknowledge_all(revisions[ENVIRONMENT_NUMBER])
        self._cache.unregister_stale()

    def follow(self, heard: list[News]) -> None:
        """Withdraw the organizations with revocations, acknowledge at once, and then catch up.

        Reading the log first would make the revoking process wait for every replica to do so.
        """
        environment = self._environment
        for news in heard:
            if news.organization == ENVIRONMENT_NUMBER:
                environment = max(environment, news.revision)
            if news.revokes:
                self._withdraw(news)
        changed = {news.organization for news in heard}
        for cached in tuple(self._cache.indexes.values()):
            if cached.index.organization in changed:
                self._cache.catch_up(cached)
        self._acknowledge_all(environment)

    def _withdraw(self, news: News) -> None:
        if news.organization == ENVIRONMENT_NUMBER:
            self._cache.suspend()
            self.acknowledge(ENVIRONMENT_NUMBER, news.revision)
            self._environment = max(self._environment, news.revision)
            return
        for cached in tuple(self._cache.indexes.values()):
            if (
                cached.index.organization == news.organization
                and cached.revision.organization < news.revision
            ):
                self._cache.withdraw(cached)
                self.acknowledge(news.organization, news.revision)
                cached.acknowledged = max(cached.acknowledged, news.revision)

    def _acknowledge_all(self, environment: int) -> None:
        """Acknowledge the revisions that every check now sees, where a revoking process may be waiting.

        `environment` is a revision of the definitions shared by all organizations, read before.
        """
        assert self.news is not None
        for cached in tuple(self._cache.indexes.values()):
            if cached.revision.environment < environment:
                self._cache.catch_up(cached)
            revision = cached.revision.organization
            if cached.acknowledged < cached.revoked_at:
                self.acknowledge(cached.index.organization, revision)
                cached.acknowledged = revision
        if self._environment < environment:
            self.acknowledge(ENVIRONMENT_NUMBER, environment)
            self._environment = environment

    def acknowledge(self, organization: OrganizationNumber, revision: int) -> None:
        """Tell who waits that no check is answered by an older state of the organization."""
        assert self.news is not None
        self.news.fetch(ACKNOWLEDGE, {"o": organization, "replica": self.id, "revision": revision})

    def _revisions(self, organizations: list[int]) -> dict[int, int]:
        """The revisions on the server that has the lease. Behind a pooler another one may answer, whose older
        revisions would keep alive what was revoked: raises StoreUnavailable then.
        """
        source = self.news or self._store
        rows = source.fetch(TAIL_REVISIONS, {"organizations": json.dumps(organizations)})
        if any(row.server != self.server for row in rows):
            self._reconnect()
            raise StoreUnavailable(why=ANOTHER_SERVER)
        return {row.organization: row.revision for row in rows}
