"""When a revocation is enforced everywhere: every replica acknowledged it, or its lease has expired.

Owns the wait after a commit. A replica cannot answer from its cache past its lease, nor renew the lease
without reading the log. So it is enough to wait for a lease's length on the local clock, counted from when
the replica's row was read. If the rows cannot be read, the wait counts from the commit.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from rescind import forks
from rescind.errors import RescindError, StoreError, ThreadsExhausted
from rescind.model import (
    ENVIRONMENT_NUMBER,
    EnforcedReplica,
    Enforcement,
    OrganizationNumber,
    ReplicaOutcome,
    Revision,
    plain_name,
)
from rescind.replicas.cache import IndexCache
from rescind.replicas.clock import CLOCK, clock
from rescind.replicas.enforced_times import EnforcedTimes
from rescind.replicas.lease import Replica, own_name
from rescind.settings import Settings
from rescind.store import Store
from rescind.store.rows.replicas import FORGET_SILENT_REPLICA, LIST_LEASES, LeaseRow
from rescind.threads import started

POLL_SECONDS: Final = 0.02
"""How often acknowledgements are read, in case a notification was lost."""
LEAST_POLL_SECONDS: Final = 0.002
NEWEST: Final = 2**63 - 1
"""No revision is newer."""
LISTEN_SECONDS: Final = 0.2
"""How long, at most, closing waits for the thread."""

pause = time.sleep
log = logging.getLogger(__name__)


def wait_seconds(ttl: float, settings: Settings) -> float:
    """How long to wait for a lease of so many seconds, on a clock that may be off by `clock_drift`."""
    return ttl * (1 + settings.clock_drift) + settings.lease_grace_seconds


@dataclass(slots=True)
class Lease:
    """A replica that may still answer from an older state, until `deadline` at the latest."""

    replica: str
    name: str
    beat: int
    deadline: float


@dataclass(slots=True)
class Trace:
    """What each replica did, while an enforcement goes on."""

    start: float
    replicas: list[EnforcedReplica] = field(default_factory=list)
    are_known: bool = True
    has_followed: bool = True
    """Whether this process's own cache is at the change; else it answers nothing from it."""

    def note(
        self, lease: Lease | LeaseRow, outcome: ReplicaOutcome, *, is_own: bool = False
    ) -> None:
        """A replica answers from no older state, as of now."""
        took = 0.0 if outcome is ReplicaOutcome.CURRENT else clock(CLOCK) - self.start
        names = plain_name(lease.replica), plain_name(lease.name)
        self.replicas.append(EnforcedReplica(*names, outcome, round(took * 1e3, 3), is_own))

    def done(self, began_at: datetime | None) -> Enforcement:
        """The record, now that no replica is left."""
        seconds = round(clock(CLOCK) - self.start, 6)  # as the log keeps it
        return Enforcement(seconds, tuple(self.replicas), 0, self.are_known, began_at)


class Enforcer:
    """Waits for the replicas of a database that many processes share."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        cache: IndexCache | None,
        *,
        acknowledgements: Acknowledgements | None = None,
    ) -> None:
        self._store, self._settings, self._cache = store, settings, cache
        self.acknowledgements = acknowledgements or Acknowledgements(store)
        self._seen: dict[str, tuple[int, float]] = {}
        self.times = EnforcedTimes(store)

    def enforce(
        self,
        revision: Revision,
        read: list[LeaseRow] | None = None,
        *,
        organization: str = "",
        began_at: datetime | None = None,
    ) -> Enforcement:
        """When this returns, no check that starts anywhere is answered by an older state.

        Takes at most a lease's length, clock drift and grace. `revision` must be committed, and the
        leases `read`, if given, must have been read after that.
        """
        if not self._store.capabilities.has_replicas:
            return self._of_file(revision, organization, began_at)
        trace = Trace(start := clock(CLOCK))
        trace.has_followed = self.follow(revision)
        leases = self._leases(revision, trace, read)
        if leases:
            self.acknowledgements.listen()
        while leases:
            now = clock(CLOCK)
            silent = {name: lease for name, lease in leases.items() if lease.deadline <= now}
            for replica, lease in silent.items():
                del leases[replica]
                trace.note(lease, ReplicaOutcome.WAITED_OUT)
            self._forget(silent)
            if not leases:
                break
            first = min(lease.deadline for lease in leases.values())
            pause = min(POLL_SECONDS, max(now - start, LEAST_POLL_SECONDS), first - now)
            heard = self.acknowledgements.wait(revision, leases, pause)
            for replica in heard:
                trace.note(leases.pop(replica), ReplicaOutcome.ACKNOWLEDGED)
            if not heard:
                self._look_again(revision, leases, trace)
        return trace.done(began_at)

    def _of_file(
        self, revision: Revision, organization: str, began_at: datetime | None
    ) -> Enforcement:
        """Every check asks the file whether another process wrote, so no process is waited for. Others'
        caches are not known; this process's own is.
        """
        indexes = {} if self._cache is None else self._cache.indexes
        if organization not in indexes and not (
            revision.incarnation == ENVIRONMENT_NUMBER and indexes
        ):
            return Enforcement(0.0, began_at=began_at)
        name = plain_name(own_name())
        own = EnforcedReplica("", name, ReplicaOutcome.CURRENT, 0.0, is_own=True)
        return Enforcement(0.0, (own,), began_at=began_at)

    def enforced_up_to(self, organization: OrganizationNumber) -> int:
        """The revision of an organization up to which all that is committed is enforced: no check that starts
        anywhere is answered by an older state. Does not wait.
        """
        if not self._store.capabilities.has_replicas:
            return NEWEST
        self.follow(Revision(organization, 0, 0))
        rows = self._behind(Revision(organization, NEWEST, NEWEST))
        return min((row.acknowledged for row in rows if not self._is_over(row)), default=NEWEST)

    def _is_over(self, row: LeaseRow) -> bool:
        """Whether a lease has expired: not renewed for its length, clock drift and grace, as seen here."""
        now = clock(CLOCK)
        if len(self._seen) > 10_000:
            self._seen.clear()
        seen, since = self._seen.get(row.replica, (row.beat, now))
        if seen != row.beat:
            since = now
        self._seen[row.replica] = (row.beat, since)
        if now < since + wait_seconds(row.ttl / 1e6, self._settings):
            return False
        self._forget({row.replica: Lease(row.replica, row.name, row.beat, now)})
        self._seen.pop(row.replica, None)
        return True

    def close(self) -> None:
        """Stop listening, and write the enforced times that are noted."""
        self.acknowledgements.close()
        self.times.close()

    def follow(self, revision: Revision) -> bool:
        """When this returns, this authority answers from no older state. If the cache cannot follow a
        committed change, it answers nothing until it can, the change stands, and this returns False.
        """
        if self._cache is None:
            return True
        try:
            self._cache.refresh(revision.incarnation)
        except StoreError as error:
            log.warning("nothing is answered from the cache until it has caught up: %s", error)
            self._cache.suspend()
            return False
        return True

    def _leases(
        self, revision: Revision, trace: Trace, read: list[LeaseRow] | None
    ) -> dict[str, Lease]:
        """The replicas that cache the organization at an older state; others that cache it are noted. If they
        cannot be read for the length of a lease, every such lease has expired and there is none to wait for.
        """
        bound = trace.start + wait_seconds(self._settings.lease_seconds, self._settings)
        while True:
            try:
                rows = self._held(revision) if read is None else read
            except StoreError as error:
                if clock(CLOCK) >= bound:
                    trace.are_known = False
                    return {}
                log.warning("replicas cannot be read, so they are waited out: %s", error)
                pause(POLL_SECONDS)
                continue
            now, own = clock(CLOCK), self.own_id()
            leases: dict[str, Lease] = {}
            for row in rows:
                if row.replica == own:
                    has_followed = trace.has_followed
                    did = ReplicaOutcome.ACKNOWLEDGED if has_followed else ReplicaOutcome.RELEASED
                    trace.note(row, did, is_own=True)
                elif row.acknowledged >= revision.organization:
                    trace.note(row, ReplicaOutcome.CURRENT)
                else:
                    deadline = now + wait_seconds(row.ttl / 1e6, self._settings)
                    leases[row.replica] = Lease(row.replica, row.name, row.beat, deadline)
            return leases

    def _held(self, revision: Revision) -> list[LeaseRow]:
        """The replicas that cache the organization."""
        return self._store.fetch(LIST_LEASES, {"o": revision.incarnation})

    def _behind(self, revision: Revision) -> list[LeaseRow]:
        """The other replicas that cache the organization and have not acknowledged the revision."""
        return [
            row
            for row in self._held(revision)
            if row.acknowledged < revision.organization and row.replica != self.own_id()
        ]

    def own_id(self) -> str:
        """This process's own replica; empty if it is none."""
        freshness = self._cache.freshness if self._cache is not None else None
        return freshness.id if isinstance(freshness, Replica) else ""

    def _look_again(self, revision: Revision, leases: dict[str, Lease], trace: Trace) -> None:
        try:
            held = {row.replica: row.acknowledged for row in self._held(revision)}
        except StoreError:
            return  # their leases expire all the same
        for replica in tuple(leases):
            acknowledged = held.get(replica)
            if acknowledged is None:
                trace.note(leases.pop(replica), ReplicaOutcome.RELEASED)
            elif acknowledged >= revision.organization:
                trace.note(leases.pop(replica), ReplicaOutcome.ACKNOWLEDGED)

    def _forget(self, silent: dict[str, Lease]) -> None:
        try:
            for replica, lease in silent.items():
                params = {"replica": replica, "beat": lease.beat}
                self._store.fetch(FORGET_SILENT_REPLICA, params)
        except RescindError as error:
            log.warning("rows of silent replicas stay: %s", error)


class Acknowledgements:
    """Acknowledgements heard as notifications. A hint: the rows in the database are the truth."""

    def __init__(self, store: Store) -> None:
        self._store = store
        forks.reinit_after_fork(self)

    def reinit_after_fork(self) -> None:
        """Start without a listening thread, as in a new process."""
        self.changed = threading.Condition()
        self._revisions: dict[tuple[str, int], int] = {}
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def listen(self) -> None:
        """Start the listening thread, unless it runs already."""
        with self.changed:
            if self._thread is not None or self._is_closed:
                return
            try:
                self._thread = started(self._run, "rescind-acknowledged")
            except ThreadsExhausted as error:
                log.warning("acknowledgements are not heard, only read: %s", error)

    def wait(self, revision: Revision, replicas: Iterable[str], seconds: float) -> set[str]:
        """The replicas that acknowledged the revision, as soon as there is one; none if time is up."""
        asked = list(replicas)

        def found() -> set[str]:
            known = self._revisions
            o, number = revision.incarnation, revision.organization
            return {replica for replica in asked if known.get((replica, o), -1) >= number}

        with self.changed:
            self.changed.wait_for(found, max(seconds, 0.0))
            return found()

    def close(self) -> None:
        """Stop listening."""
        self._is_closed = True
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        news = self._store.listen("rescind_acknowledged")
        while not (self._is_closed or news.is_polled):
            try:
                self._note(news.wait(LISTEN_SECONDS) or [])
            except RescindError as error:
                log.warning("acknowledgements are not heard, only read: %s", error)
                threading.Event().wait(1.0)
        news.close()

    def _note(self, payloads: list[str]) -> None:
        with self.changed:
            if len(self._revisions) > 100_000:
                self._revisions.clear()
            for payload in payloads:
                replica, o, number = payload.split()
                key = (replica, int(o))
                self._revisions[key] = max(int(number), self._revisions.get(key, -1))
            self.changed.notify_all()
