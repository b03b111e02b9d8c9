"""Snapshots of organizations, so that a question about the past replays a part of the log alone.

One is kept after every 1,000 changes, but at most one for each day of the log, unless there are ten times as
many changes in a day. Each is made of the one before by replay, not from the tables, so that the audit by
replay stays independent of them. The exception is a log that cannot be replayed, such as one that an older
version made by other rules: then one is made of the tables, and the past can be asked from there on.
"""

from __future__ import annotations

import hashlib
import logging
import random
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from rescind.errors import PastTooLarge, PastUnavailable, RescindError
from rescind.history.moments import recorded_at_of
from rescind.history.replaying import FACTS, EnvironmentReplay, OrganizationReplay
from rescind.history.tables import read_environment, read_states
from rescind.model import ENVIRONMENT_NUMBER, Microseconds, OrganizationId, OrganizationNumber
from rescind.propagation.task_lease import TaskLease
from rescind.propagation.worker import Stop
from rescind.semantics.state import EnvironmentState, OrganizationState
from rescind.semantics.state_bytes import FORMAT, to_bytes
from rescind.settings import Settings
from rescind.store import Store, Transaction
from rescind.store.rows.deletion import WEIGH_ORGANIZATION
from rescind.store.rows.past import FIND_SNAPSHOT_PLACE, LIST_DUE_SNAPSHOTS, DueSnapshotRow

TASK: Final = "snapshots"
LEASE_SECONDS: Final = 60.0
"""How long a process that died keeps others from going on."""
LOOK_SECONDS: Final = 60.0
"""How often organizations with a due snapshot are looked for."""
CHANGES_A_STEP: Final = 250
"""Changes that are replayed at a time."""
SHARE: Final = 0.2
"""Of the time, that is spent at work while there is any."""
DAY: Final = 86_400_000_000
"""Microseconds."""
MOST: Final = 10
"""How many times `snapshot_changes` there may be between two snapshots in a day."""
RETRY_SECONDS: Final = 86_400.0
"""How long an organization whose log cannot be replayed is left alone."""

log = logging.getLogger(__name__)


class SnapshotWriter:
    """One process's part in it. Run it in a thread of its own."""

    def __init__(
        self,
        store: Store,
        settings: Settings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._settings, self._clock = store, settings or Settings(), clock
        self.lease = TaskLease(store, TASK)
        self._from = ENVIRONMENT_NUMBER
        self._work: SnapshotWork | None = None
        self._has_lease = False
        self._failed: dict[OrganizationNumber, float] = {}

    def run(self, stop: Stop) -> None:
        """Keep snapshots until told to stop, whatever goes wrong. Does nothing if they are switched off."""
        seconds = random.uniform(2, 5)  # noqa: S311 - so that short commands do not begin
        failures = 0
        while self._settings.snapshot_changes and not stop.wait(seconds):
            try:
                seconds, failures = self.step(), 0
            except Exception as error:
                failures += 1
                is_known = isinstance(error, RescindError)
                log.warning("snapshots wait: %s", error, exc_info=not is_known)
                self._work = None
                seconds = min(2.0 ** min(failures, 30), LOOK_SECONDS)
        self._leave()

    def step(self) -> float:
        """Replay some changes, if a snapshot is due and no other process is at it; keep it at its place.

        Says after how many seconds the next step is due. Raises a StoreError; then what was replayed since
        the last snapshot is replayed again.
        """
        start = self._clock()
        due = self._find() if self._work is None else None
        if self._work is None and due is None:
            self._leave()
            return LOOK_SECONDS
        if not self.lease.claim(LEASE_SECONDS):
            self._work, self._has_lease = None, False
            return LOOK_SECONDS
        self._has_lease = True
        if due is not None:  # with the lease: it reads the snapshot before
            self._work = self._begin(due)
            if self._work is None:
                return 0.0
        assert self._work is not None
        if self._forward(self._work):
            self._work = None
        return (self._clock() - start) * (1 / SHARE - 1)

    # --- within -----------------------------------------------------------------------------------

    def _find(self) -> _Due | None:
        """The next snapshot that is due. Looks at each organization in turn."""
        changes = self._settings.snapshot_changes
        limits = {"format": FORMAT, "changes": changes, "most": MOST * changes, "microseconds": DAY}
        while rows := self._store.fetch(LIST_DUE_SNAPSHOTS, {"o": self._from, **limits}):
            (row,) = rows
            if self._failed.get(row.organization, 0.0) <= self._clock():
                place = self._place(row)
                if place is not None:
                    self._from = row.organization
                    return _Due(row.organization, row.name, place)
            self._from = OrganizationNumber(row.organization + 1)
        self._from = ENVIRONMENT_NUMBER
        return None

    def _place(self, row: DueSnapshotRow) -> int | None:
        changes = self._settings.snapshot_changes
        params = {
            "o": row.organization,
            "taken": row.taken or 0,
            "changes": changes,
            "most": MOST * changes,
            "at": -(2**63) if row.taken_for is None else row.taken_for + DAY,
        }
        return self._store.fetch(FIND_SNAPSHOT_PLACE, params)[0].revision

    def _begin(self, due: _Due) -> SnapshotWork | None:
        """Read the snapshot before it; None for an organization that is too large."""
        try:
            return SnapshotWork(self._store, *due, self._settings.past_most_facts)
        except PastTooLarge as error:
            self._leave_alone(due.organization, error)
            return None

    def _leave_alone(self, o: OrganizationNumber, error: PastTooLarge) -> None:
        log.warning("no snapshot is kept: %s", error)
        self._failed[o] = self._clock() + RETRY_SECONDS
        self._from = OrganizationNumber(o + 1)

    def _forward(self, work: SnapshotWork) -> bool:
        """Do a part. Says whether the work is over: done, or it cannot be."""
        try:
            is_there = work.forward(CHANGES_A_STEP)
        except PastTooLarge as error:
            self._leave_alone(work.o, error)
            return True
        except RescindError as error:
            if error.retry:
                raise
            self._give_up(work, error)
            return True
        except Exception as error:
            self._give_up(work, error)
            return True
        if is_there:
            keep(self._store, work.o, work.state, source=work.source)
        return is_there

    def _give_up(self, work: SnapshotWork, error: Exception) -> None:
        told = None if isinstance(error, RescindError) else error
        log.error("the log of %s cannot be replayed: %s", work.name, error, exc_info=told)
        self._failed[work.o] = self._clock() + RETRY_SECONDS
        self._from = OrganizationNumber(work.o + 1)
        if not isinstance(error, PastUnavailable) or not self._has_room(work.o):
            return
        if state := _in_tables(self._store, work):
            keep(self._store, work.o, state, source=FACTS)
            log.error("a snapshot of %s was made of its tables", work.name)

    def _has_room(self, o: OrganizationNumber) -> bool:
        """Whether its facts of now may be held in memory."""
        most = self._settings.past_most_facts
        if not most or o == ENVIRONMENT_NUMBER:
            return True
        (weight,) = self._store.fetch(WEIGH_ORGANIZATION, {"o": o, "most": most, "takes": False})
        return weight.pairs <= most

    def _leave(self) -> None:
        """Let another process go on at once."""
        self._work = None
        if not self._has_lease:
            return
        self._has_lease = False
        try:
            self.lease.release()
        except RescindError as error:
            log.warning("the lease of snapshots was not released: %s", error)


class _Due(NamedTuple):
    """A snapshot that is to be made: of which organization, at which revision."""

    organization: OrganizationNumber
    name: OrganizationId
    place: int


class SnapshotWork:
    """A snapshot in the making: an organization, or the environment, on its way to a revision."""

    def __init__(
        self,
        store: Store,
        o: OrganizationNumber,
        name: OrganizationId,
        place: int,
        most_facts: int = 0,
    ) -> None:
        self.o, self.name, self.place = o, name, place
        self._replay: OrganizationReplay | EnvironmentReplay
        if o == ENVIRONMENT_NUMBER:
            self._replay = EnvironmentReplay(store, place)
        else:
            self._replay = OrganizationReplay(store, o, name, up_to=place, most_facts=most_facts)

    @property
    def state(self) -> OrganizationState | EnvironmentState:
        """The facts so far."""
        return self._replay.state

    @property
    def source(self) -> str:
        """Where these are from."""
        return self._replay.source

    def forward(self, changes: int) -> bool:
        """Replay some changes. Says whether the snapshot's revision is reached."""
        self._replay.forward(min(self.state.revision + changes, self.place))
        return self.state.revision >= self.place


def _in_tables(store: Store, work: SnapshotWork) -> OrganizationState | EnvironmentState | None:
    """The facts of now; None if the organization was deleted."""
    state: OrganizationState | EnvironmentState
    with store.snapshot() as snapshot:
        if work.o == ENVIRONMENT_NUMBER:
            state = read_environment(snapshot)
        else:
            state = read_states(snapshot, work.name, work.o).organization
            if state.settings is None:
                return None
    state.recorded_at = Microseconds(recorded_at_of(store, work.o, state.revision))
    return state


def keep(
    store: Store,
    o: OrganizationNumber,
    state: OrganizationState | EnvironmentState,
    *,
    source: str,
) -> None:
    """Keep a snapshot of a state. When this returns it is on disk. Raises a StoreError."""
    body = to_bytes(state)
    environment = state.revision if isinstance(state, EnvironmentState) else state.environment
    names = {
        "o": o,
        "revision": state.revision,
        "environment": environment,
        "recorded_at": state.recorded_at,
        "taken_at": Microseconds(time.time_ns() // 1_000),
        "source": source,
        "format": FORMAT,
        "digest": hashlib.sha256(body).digest(),
        "body": body,
    }

    def write(tx: Transaction) -> None:
        tx.run("keep_snapshot", **names)

    store.transact(write, yields=True)
