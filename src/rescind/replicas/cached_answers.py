"""Answers from memory.

A check takes an organization's state, evaluates, and only then looks whether that still is the state of the
facts in memory and has not run out; otherwise there is no answer from memory. What is not held is asked
for, and until it is there the store decides. So does it where memory changes during each of two attempts:
nothing is tried for as long as memory keeps changing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, TypeVar, cast

from rescind.index import Index
from rescind.model import Decision, Question, Revision
from rescind.replicas.cache import IndexCache
from rescind.replicas.cached_index import CachedIndex, State
from rescind.replicas.clock import CLOCK, clock

T = TypeVar("T")
ATTEMPTS: Final = 2
"""To answer from memory while its state changes. After that the store decides."""
TURN_SECONDS: Final = 0.001
"""How long a list keeps the index from others."""
PAUSE_SECONDS: Final = 0.000_05
"""How long it lets others go first then, who may also be threads that want the processor."""
pause = time.sleep


class CachedAnswers:
    """What memory knows. Safe to use from many threads. `now` is the time of day in microseconds.

    Raises a StoreError where memory must look into the store and cannot: never a remembered answer.
    """

    def __init__(self, cache: IndexCache, now: Callable[[], int]) -> None:
        self._cache, self._now = cache, now

    def shared_freshness(self) -> AbstractContextManager[None]:
        """Questions of this thread while it lasts are answered by no older state than at its beginning."""
        return self._cache.freshness.shared_freshness()

    def decide(
        self, organization: Any, subject: Any, permission: Any, resource: Any
    ) -> Decision | None:
        """The answer, where these very names are there; else None. Takes nothing as well formed."""
        cache = self._cache
        if cache.ensure_fresh is not None:
            cache.ensure_fresh()
        try:
            cached = cache.indexes[organization]
        except (KeyError, TypeError):
            return None
        cached.is_used = True
        state = cached.state
        if state is None:
            return None
        verdict = state.index.verdict(subject, permission, resource, self._now)
        if cached.state is not state and not _still_holds(cached, state):
            return None
        if verdict is None or clock(CLOCK) >= state.expiry:
            return None
        return state.answers[verdict]

    def decide_many(
        self, organization: Any, questions: Sequence[tuple[Any, Any, Any]], root: str
    ) -> list[Decision] | None:
        """Answers, all at one state, where all those very names are there; None as for `decide`."""
        cache = self._cache
        if cache.ensure_fresh is not None:
            cache.ensure_fresh()
        try:
            cached = cache.indexes[organization]
            cached.is_used = True
            state = cached.state
            if state is None:
                return None
            verdict, now = state.index.verdict, self._now
            found = [verdict(s, p, root if r is None else r, now) for s, p, r in questions]
        except (KeyError, TypeError, ValueError):
            return None
        return _answers(state, found) if _still_holds(cached, state) else None

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
        cached = self._held(questions[0].organization, at_least) if questions else None
        for _ in range(ATTEMPTS):
            if cached is None or (state := _fresh(cached, at_least)) is None:
                return None
            verdicts = [self._verdict(state.index, question) for question in questions]
            if _still_holds(cached, state):
                return _answers(state, verdicts)
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
        cached = self._held(organization, at_least)
        for _ in range(ATTEMPTS):
            if cached is None or (state := _fresh(cached, at_least)) is None:
                return None
            with state.index.lock:
                found = ask(state.index, self._now()) if _still_holds(cached, state) else None
            if _still_holds(cached, state):
                if found is None or clock(CLOCK) >= state.expiry:
                    return None
                return found, state.revision
        return None

    def consult_in_turns(
        self,
        organization: str,
        ask: Callable[[Index, int], Generator[None, None, T | None]],
        at_least: Revision | None = None,
    ) -> tuple[T, Revision] | None:
        """As `consult`, where that takes long: between its steps others may have the index."""
        cached = self._held(organization, at_least)
        for _ in range(ATTEMPTS):
            if cached is None or (state := _fresh(cached, at_least)) is None:
                return None
            try:
                found = _in_turns(cached, state, ask(state.index, self._now()))
            except Overtaken:
                continue
            if _still_holds(cached, state):
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

    def _held(self, organization: str, at_least: Revision | None) -> CachedIndex | None:
        """What is held of an organization, after a moment for a state that is on its way."""
        cache = self._cache
        if cache.ensure_fresh is not None:
            cache.ensure_fresh()
        cached = cache.indexes.get(organization)
        if cached is None:
            cache.want(organization)
            return None
        cached.is_used = True
        if at_least is not None:
            deadline = time.monotonic() + cache.settings.token_wait_ms / 1e3
            while time.monotonic() < deadline and _is_awaited(cached.state, at_least):
                time.sleep(0.000_5)
        return cached


def _answers(state: State, verdicts: list[int | None]) -> list[Decision] | None:
    """A state's answers, unless it has run out or one of them is not its to give."""
    if None in verdicts or clock(CLOCK) >= state.expiry:
        return None
    answers = state.answers
    return [answers[verdict] for verdict in verdicts if verdict is not None]


class Overtaken(Exception):
    """The facts changed between two steps."""


def _in_turns(
    cached: CachedIndex, state: State, steps: Generator[None, None, T | None]
) -> T | None:
    """What the steps come to. The index is held for a turn at a time, and others go in between."""
    while True:
        with state.index.lock:
            if not _still_holds(cached, state):
                raise Overtaken
            end = time.perf_counter() + TURN_SECONDS
            try:
                next(steps)
                while time.perf_counter() < end:
                    next(steps)
            except StopIteration as done:
                return cast("T | None", done.value)
        pause(PAUSE_SECONDS)


def _still_holds(cached: CachedIndex, state: State) -> bool:
    """Whether the index is as it was when the state was taken from the cached.

    An index moves only to a later revision, and without a state in its place. So a state of the same
    revision, which a renewed lease puts there, is of the same facts.
    """
    current = cached.state
    return current is state or (current is not None and current.revision == state.revision)


def _fresh(cached: CachedIndex, at_least: Revision | None) -> State | None:
    """The state, if it is as fresh as was asked for."""
    state = cached.state
    if state is None or at_least is None:
        return state
    return state if _is_of(state, at_least) and state.revision.covers(at_least) else None


def _is_awaited(state: State | None, at_least: Revision) -> bool:
    """Whether it may soon be as fresh as was asked for: it is of the same organization, and older."""
    return state is None or (_is_of(state, at_least) and not state.revision.covers(at_least))


def _is_of(state: State, revision: Revision) -> bool:
    return state.revision.incarnation == revision.incarnation
