"""The organizations that this process holds in memory, and answers from them.

An organization's state is one immutable value: the index, its revision, and until when it may be
answered from. A check takes that value, evaluates, and only then looks whether it still is the
organization's state and has not run out; otherwise there is no answer from memory. Who brings an index to
a later revision takes the state away first and puts a new one in its place afterwards.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, TypeVar

from rescind.decision import forks
from rescind.decision.check import Question
from rescind.decision.holding import Holding, Keeper, State
from rescind.decision.index import Index
from rescind.decision.tail import TooFarBehind, read_tail
from rescind.decision.whole import Gone, built
from rescind.errors import RescindError
from rescind.model import Decision, Revision
from rescind.settings import Settings
from rescind.store import Store

CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine sleeps."""
log = logging.getLogger(__name__)
clock = time.clock_gettime
T = TypeVar("T")


class Memory:
    """What this process holds. Safe to use from many threads; empty after a fork."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        keeper: Callable[[Memory], Keeper],
        now: Callable[[], int],
    ) -> None:
        self.store, self.settings = store, settings
        self._now = now
        self._make_keeper = keeper
        forks.set_up(self)

    def set_up(self) -> None:
        """As in a new process: nothing is held, and nobody knows of it; a lease is no other process's."""
        self.holdings: dict[str, Holding] = {}
        self._loading: set[str] = set()
        self._left_over: set[int] = set()
        self._lock = threading.Lock()
        self._rows = threading.Lock()
        self._keeper = self._make_keeper(self)
        self._look = self._keeper.look
        self._is_started = False
        self._is_closed = False

    # --- questions --------------------------------------------------------------------------------

    def together(self) -> AbstractContextManager[None]:
        """Questions of this thread while it lasts are answered by no older state than at its beginning."""
        return self._keeper.together()

    def decide(
        self, organization: Any, subject: Any, permission: Any, resource: Any
    ) -> Decision | None:
        """The answer, where these very names are there; else None. Takes nothing as well formed."""
        if self._look is not None:
            self._look()
        try:
            holding = self.holdings[organization]
        except (KeyError, TypeError):
            return None
        holding.is_used = True
        while (state := holding.state) is not None:
            verdict = state.index.verdict(subject, permission, resource, self._now)
            if holding.state is state:
                if verdict is None or clock(CLOCK) >= state.expiry:
                    return None
                return state.answers[verdict]
        return None

    def decide_many(
        self, organization: Any, questions: Sequence[tuple[Any, Any, Any]], root: str
    ) -> list[Decision] | None:
        """Answers, all at one state, where all those very names are there; None as for `decide`."""
        if self._look is not None:
            self._look()
        try:
            holding = self.holdings[organization]
            while (state := holding.state) is not None:
                verdict, now = state.index.verdict, self._now
                found = [verdict(s, p, root if r is None else r, now) for s, p, r in questions]
                if holding.state is state:
                    if None in found or clock(CLOCK) >= state.expiry:
                        return None
                    answers = state.answers
                    return [answers[verdict] for verdict in found if verdict is not None]
        except (KeyError, TypeError, ValueError):
            return None
        return None

    def answer(self, question: Question, at_least: Revision | None = None) -> Decision | None:
        """The answer to a question whose names are well formed, worked out where it must be.

        None where it is for the store to decide: the permission is critical, the organization is not
        held, or not at a state as fresh as was asked for.
        """
        found = self.answer_many([question], at_least)
        return None if found is None else found[0]

    def answer_many(
        self, questions: Sequence[Question], at_least: Revision | None = None
    ) -> list[Decision] | None:
        """Answers to questions about one organization, all at one state; None as for `answer`."""
        if not questions:
            return None
        if self._look is not None:
            self._look()
        holding = self._held(questions[0].organization)
        if holding is None:
            return None
        holding.is_used = True
        if at_least is not None:
            self._wait_for(holding, at_least)
        while (state := holding.state) is not None:
            if at_least is not None and not _covers(state.revision, at_least):
                return None
            verdicts = [self._verdict(state.index, question) for question in questions]
            if holding.state is state:
                if None in verdicts or clock(CLOCK) >= state.expiry:
                    return None
                answers = state.answers
                return [answers[verdict] for verdict in verdicts if verdict is not None]
        return None

    def consult(
        self,
        organization: str,
        ask: Callable[[Index, int], T | None],
        at_least: Revision | None = None,
    ) -> tuple[T, Revision] | None:
        """What `ask` finds out of the index, given the time of day in microseconds, and at which revision.

        None where that is for the store: `ask` says so by None, or it is as for `answer`.
        """
        if self._look is not None:
            self._look()
        holding = self._held(organization)
        if holding is None:
            return None
        holding.is_used = True
        if at_least is not None:
            self._wait_for(holding, at_least)
        while (state := holding.state) is not None:
            if at_least is not None and not _covers(state.revision, at_least):
                return None
            with state.index.lock:
                if holding.state is not state:
                    continue
                found = ask(state.index, self._now())
            if holding.state is state:
                if found is None or clock(CLOCK) >= state.expiry:
                    return None
                return found, state.revision
        return None

    def _verdict(self, index: Index, question: Question) -> int | None:
        _, subject, permission, resource = question
        verdict = index.verdict(subject, permission, resource, self._now)
        if verdict is None:
            verdict = index.resolved(subject, permission, resource, self._now)
        return verdict

    def _held(self, organization: str) -> Holding | None:
        holding = self.holdings.get(organization)
        if holding is None:
            self._want(organization)
        return holding

    def _wait_for(self, holding: Holding, at_least: Revision) -> None:
        """A moment, for a state that is on its way."""
        deadline = time.monotonic() + self.settings.token_wait_ms / 1e3
        while time.monotonic() < deadline:
            state = holding.state
            if state is not None and (
                state.revision.covers(at_least)
                or state.revision.incarnation != at_least.incarnation
            ):
                return
            time.sleep(0.000_5)

    # --- what is held -----------------------------------------------------------------------------

    def load(self, organization: str) -> bool:
        """Hold an organization; what is held already stays. Says whether there is one of that name.

        Raises a StoreError; then it is not held.
        """
        with self._lock:
            if not self._is_started:
                self._keeper.start()
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
        holding = Holding(organization, index, revision)
        with self._rows:
            if self._is_closed or organization in self.holdings:
                return not self._is_closed
            self._keeper.hold(index.o, revision)
            self.holdings[organization] = holding
        try:
            self.catch_up(holding)
            if holding.revision != revision:
                with self._rows:  # not where it was let go of meanwhile: nobody would acknowledge
                    if self.holdings.get(organization) is holding:
                        self._keeper.hold(index.o, holding.revision)
        except BaseException:
            self.drop(holding)
            raise
        return True

    def catch_up(self, holding: Holding) -> None:
        """Bring a holding to the state of its facts now, or let go of it where that cannot be.

        When this returns, no check that starts is answered by an older state. Raises a StoreError;
        then the state is what it was, with its expiry.
        """
        with holding.busy:
            if self.holdings.get(holding.name) is not holding:
                return
            expiry = self._keeper.expiry()  # before the log is read: what comes later is not in it
            try:
                tail = read_tail(self.store, holding.index, holding.revision)
            except (Gone, TooFarBehind):
                self._let_go(holding)
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
            if expiry > 0:
                holding.state = State(holding.index, holding.revision, expiry)

    def prolong(self, holding: Holding, revision: Revision, expiry: float) -> bool:
        """Let a holding be answered from for longer, if it is at that revision or past it.

        The revision must have been read after the lease that gives the expiry was renewed.
        """
        with holding.busy:
            if self.holdings.get(holding.name) is not holding:
                return True
            if holding.state is None or not holding.revision.covers(revision):
                return False
            holding.state = State(holding.index, holding.revision, expiry)
            return True

    def hold_anew(self) -> None:
        """Make it known again what is held, under another name."""
        with self._rows:
            for holding in self.holdings.values():
                self._keeper.hold(holding.index.o, holding.revision)

    def drop(self, holding: Holding) -> None:
        """Hold it no longer."""
        with holding.busy:
            self._let_go(holding)

    def suspend(self) -> None:
        """Answer nothing from memory, until each holding has caught up."""
        for holding in tuple(self.holdings.values()):
            self.withdraw(holding)

    def withdraw(self, holding: Holding) -> None:
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
        self._keeper.close()

    def keep_up(self, o: int) -> None:
        """Bring what this process holds of an organization (0: of all) to the facts as they are."""
        for holding in tuple(self.holdings.values()):
            if o in (0, holding.index.o):
                self.catch_up(holding)

    @property
    def keeper(self) -> Keeper:
        """What says how long memory is good for."""
        return self._keeper

    def _let_go(self, holding: Holding) -> None:
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
            self._keeper.release(o)
            self._left_over.discard(o)
        except RescindError as error:
            self._left_over.add(o)
            log.warning("organization %d is still known as held: %s", o, error)

    def _want(self, organization: str) -> None:
        """Have an organization loaded, by a thread of its own; until then checks go to the store."""
        with self._lock:
            if self._is_closed or organization in self._loading:
                return
            self._loading.add(organization)
        threading.Thread(
            target=self._load_wanted, args=(organization,), name="rescind-load", daemon=True
        ).start()

    def _load_wanted(self, organization: str) -> None:
        try:
            self.load(organization)
            self.evict()
        except RescindError as error:
            log.warning("organization %s is not held in memory: %s", organization, error)
        finally:
            with self._lock:
                self._loading.discard(organization)


def _covers(revision: Revision, at_least: Revision) -> bool:
    return revision.incarnation == at_least.incarnation and revision.covers(at_least)
