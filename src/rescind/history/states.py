"""States of the past: the newest snapshot up to a revision, and the changes after it, replayed.

`state_at` returns the facts. `PastStates` has indexes of them, for questions, and keeps those that were asked
about last.
"""

from __future__ import annotations

import reprlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

from rescind import forks
from rescind.decision.past import PastAnswers, PastState
from rescind.errors import DecisionUnavailable, InvalidArgument
from rescind.history.indexing import index_of
from rescind.history.moments import Moment, moment_of
from rescind.history.replaying import OrganizationReplay
from rescind.index import Index
from rescind.model import At, AtOf, Microseconds, OrganizationId, Revision
from rescind.semantics.state import EnvironmentState, OrganizationState
from rescind.settings import Settings
from rescind.store import Store

BUILT_AT_ONCE: Final = 2
"""States that one process makes at a time. Each takes a processor for up to a second, and memory."""
MOST_WAITING: Final = 8
"""Questions of one process that wait for that."""
WAIT_SECONDS: Final = 20.0
"""How long a question waits for its turn to have a state made."""
MOMENT_SECONDS: Final = 60.0
"""How long the state that a time means is remembered: a slow clock may record a change late."""
MOST_MOMENTS: Final = 1_000
STATE_BYTES: Final = 6_000
"""What a state takes at the least, also that of an organization that was deleted."""


def state_at(
    store: Store,
    organization: OrganizationId,
    at: At,
    now: Microseconds | None = None,
    *,
    most_facts: int = 0,
) -> tuple[OrganizationState, EnvironmentState, Revision]:
    """All facts of an organization and of the environment, as they were. They are the caller's.

    `at` is a time, a revision token, or a revision's number. Raises as `moment_of`, and a StoreError.
    """
    if now is None:
        now = Microseconds(time.time_ns() // 1_000)
    revision = moment_of(store, organization, at, now).revision
    return *replayed(store, organization, revision, most_facts=most_facts), revision


def replayed(
    store: Store, organization: OrganizationId, revision: Revision, *, most_facts: int
) -> tuple[OrganizationState, EnvironmentState]:
    """The facts at a revision of this organization; 0 is no limit to them.

    Raises PastUnavailable, PastTooLarge and a StoreError.
    """
    replay = OrganizationReplay(
        store,
        revision.incarnation,
        organization,
        up_to=revision.organization,
        most_facts=most_facts,
    )
    replay.forward(revision.organization)
    replay.environment.forward(revision.environment)
    return replay.state, replay.environment.state


class _Known(NamedTuple):
    """What an `at` means, and until when that is remembered."""

    state: PastState
    until: float


def past_answers(store: Store, now: Callable[[], Microseconds], settings: Settings) -> PastAnswers:
    """What answers questions about the past of a store."""
    return PastAnswers(store.seals, PastStates(store, now, settings).find)


class PastStates:
    """Finds states for questions. Safe to use from many threads."""

    def __init__(
        self, store: Store, now: Callable[[], Microseconds], settings: Settings | None = None
    ) -> None:
        settings = settings or Settings()
        self._store, self._now = store, now
        self._most_bytes = settings.past_megabytes * 1_000_000
        self._most_facts = settings.past_most_facts
        forks.reinit_after_fork(self)

    def reinit_after_fork(self) -> None:
        """Start with nothing kept, as in a new process."""
        self._lock = threading.Lock()
        self._waiting = 0
        self._turns = threading.BoundedSemaphore(BUILT_AT_ONCE)
        self.moments: OrderedDict[tuple[OrganizationId, At], _Known] = OrderedDict()
        self.indexes: OrderedDict[Revision, tuple[Index | None, int]] = OrderedDict()
        self._bytes = 0
        """Of all these, as estimated."""

    def find(self, organization: OrganizationId, at: At) -> PastState:
        """The organization as it was. Raises as `moment_of`; DecisionUnavailable if too many ask."""
        _require_hashable(at)
        key = (organization, at)
        with self._lock:
            known = self.moments.get(key)
        if known is not None and time.monotonic() < known.until:
            return known.state
        moment = moment_of(self._store, organization, at, self._now())
        state = PastState(self._index(organization, moment), moment.revision, moment.at)
        self.remember(key, state)
        return state

    def _index(self, organization: OrganizationId, moment: Moment) -> Index | None:
        revision = moment.revision
        found = self._kept(revision)
        if found is not None:
            return found[0]
        self._await_turn()
        try:
            found = self._kept(revision)
            if found is not None:
                return found[0]
            state, environment = replayed(
                self._store, organization, revision, most_facts=self._most_facts
            )
            exists = state.settings is not None
            index = index_of(revision.incarnation, state, environment) if exists else None
            self.keep(revision, index)
            return index
        finally:
            self._turns.release()

    def _await_turn(self) -> None:
        """Wait until a state may be made. Raises DecisionUnavailable if too many wait, or too long."""
        with self._lock:
            has_place = self._waiting < MOST_WAITING
            self._waiting += has_place
        if has_place:
            try:
                if self._turns.acquire(timeout=WAIT_SECONDS):
                    return
            finally:
                with self._lock:
                    self._waiting -= 1
        why = "others ask about the past at this moment"
        raise DecisionUnavailable(why=why, hint="Ask again shortly")

    def _kept(self, revision: Revision) -> tuple[Index | None, int] | None:
        with self._lock:
            found = self.indexes.get(revision)
            if found is not None:
                self.indexes.move_to_end(revision)
            return found

    def keep(self, revision: Revision, index: Index | None) -> None:
        """Keep an index. Those asked about longest ago go, but for this one."""
        size = STATE_BYTES + (0 if index is None else index.facts.size())
        with self._lock:
            if revision in self.indexes:
                return
            self.indexes[revision] = (index, size)
            self._bytes += size
            while len(self.indexes) > 1 and self._bytes > self._most_bytes:
                gone, (_, size) = self.indexes.popitem(last=False)
                self._bytes -= size
                for key in [k for k, known in self.moments.items() if known.state.revision == gone]:
                    del self.moments[key]

    def remember(self, key: tuple[OrganizationId, At], state: PastState) -> None:
        """Remember which state an `at` means, unless its index is not kept any more."""
        with self._lock:
            kept = self.indexes.get(state.revision)
            if kept is None or kept[0] is not state.index:
                return
            self.moments[key] = _Known(state, time.monotonic() + MOMENT_SECONDS)
            self.moments.move_to_end(key)
            if len(self.moments) > MOST_MOMENTS:
                self.moments.popitem(last=False)


def _require_hashable(at: object) -> None:
    """Raise InvalidArgument for what cannot be an `at`; a caller's program may not be type-checked."""
    if not isinstance(at, datetime | str | int | AtOf) or isinstance(at, bool):
        hint = "give a time with its offset, a revision token, or a revision's number"
        raise InvalidArgument(what="at", value=reprlib.repr(at), hint=hint)
