"""Decisions from cached indexes.

Owns the rule that makes such a decision safe: take the organization's state, evaluate, then verify that the
state is still current and has not expired. Otherwise there is no answer, and the caller asks the store.
Does not know how an index is kept current (`cache`, `freshness`), nor what a question means (`decision`).

There are two kinds of question: checks (`decide_many`) and reads of the index for lists and explanations
(`read`). `decide` is `decide_many` for one question, unrolled because it is the fast path.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, TypeAlias, TypeVar, cast

from rescind.index import Index
from rescind.index.index import ALLOWED, REASONS
from rescind.instruments import Instruments
from rescind.model import Decision, Revision
from rescind.replicas.cache import IndexCache
from rescind.replicas.cached_index import CachedIndex, State
from rescind.replicas.clock import CLOCK, clock
from rescind.semantics.access import ROOT

T = TypeVar("T")
Steps: TypeAlias = Generator[None, None, T]
"""Reads an index in steps. Between two of them other threads may have the index's lock."""
ATTEMPTS: Final = 2
"""Attempts to answer while the index keeps changing. After that the store decides."""
ONCE: Final = (1,)
"""One attempt, for names that are not validated. A constant: making a range is slower."""
TURN_SECONDS: Final = 0.001
"""How long a read may keep the index's lock before it lets other threads have it."""
PAUSE_SECONDS: Final = 0.000_05
"""Pause between two turns; other threads may also be waiting for the processor."""
TOKEN_POLL_SECONDS: Final = 0.000_5
pause = time.sleep


class CachedAnswers:
    """Answers from an IndexCache. Safe to use from many threads. `now` is in microseconds since 1970, UTC.

    Raises a StoreError if the cache must read the store and cannot: never an outdated answer.
    """

    def __init__(
        self, cache: IndexCache, now: Callable[[], int], instruments: Instruments | None = None
    ) -> None:
        self._cache, self._now = cache, now
        results = ("allowed" if verdict == ALLOWED else "denied" for verdict in range(len(REASONS)))
        self._counted = None if instruments is None else instruments.ticks(results)
        """What counts a check, by its verdict."""

    def shared_freshness(self) -> AbstractContextManager[None]:
        """In the `with` block, this thread is answered at the state at its beginning, or a later one."""
        return self._cache.freshness.shared_freshness()

    def decide(
        self, organization: Any, subject: Any, permission: Any, resource: Any
    ) -> Decision | None:
        """The fast path of `decide_many`, for one question whose names are not validated."""
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
        try:
            verdict = state.index.verdict(subject, permission, resource, self._now)
        except TypeError:  # no name: a list, say
            return None
        if cached.state is not state and not still_holds(cached, state):
            return None
        if verdict is None or clock(CLOCK) >= state.expiry:
            return None
        counted = self._counted
        if counted is not None:
            counted[verdict]()
        return state.answers[verdict]

    def decide_many(
        self,
        organization: Any,
        questions: Sequence[tuple[Any, Any, Any]],
        at_least: Revision | None = None,
        *,
        validated: bool = False,
    ) -> list[Decision] | None:
        """The decisions on (subject, permission, resource), all at one state; None if the store must decide.

        The store must decide if the organization is not cached at a state as fresh as `at_least`, if a
        permission is critical, or if the index changes during every attempt. Names that are not `validated`
        may be anything: then None is also the answer to an unknown name, and nothing is waited for or loaded.
        """
        cached, now = self._cached(organization, at_least, validated), self._now
        for _ in range(ATTEMPTS) if validated else ONCE:
            if cached is None:
                return None
            state = cached.state if at_least is None else _fresh(cached, at_least)
            if state is None:
                return None
            index = state.index
            verdict = index.resolved if validated else index.verdict
            try:
                verdicts = [verdict(s, p, ROOT if r is None else r, now) for s, p, r in questions]
            except (KeyError, TypeError, ValueError):
                if validated:
                    raise
                return None
            if cached.state is state or still_holds(cached, state):
                return self._answers(state, verdicts)
        return None

    def read(
        self,
        organization: str,
        steps: Callable[[Index, int], Steps[T | None]],
        at_least: Revision | None = None,
    ) -> tuple[T, Revision] | None:
        """What `steps` finds in the index, given the time in microseconds, and at which revision.

        The steps run under the index's lock, and all see the same facts. None if the store must answer:
        as for `decide_many`, or because the steps came to None.
        """
        cached = self._cached(organization, at_least, True)
        for _ in range(ATTEMPTS):
            if cached is None or (state := _fresh(cached, at_least)) is None:
                return None
            try:
                result = _in_turns(cached, state, steps, self._now)
            except Overtaken:
                continue
            if still_holds(cached, state):
                if result is None or clock(CLOCK) >= state.expiry:
                    return None
                return result, state.revision
        return None

    def _answers(self, state: State, verdicts: list[int | None]) -> list[Decision] | None:
        """A state's decisions, unless it has expired or one of them is for the store."""
        if None in verdicts or clock(CLOCK) >= state.expiry:
            return None
        answers, counted = state.answers, self._counted
        decided = cast("list[int]", verdicts)
        if counted is not None:
            for verdict in decided:
                counted[verdict]()
        return [answers[verdict] for verdict in decided]

    def _cached(
        self, organization: Any, at_least: Revision | None, load: bool
    ) -> CachedIndex | None:
        """An organization's cached index, after waiting up to `token_wait_ms` for a revision.

        Where there is none, it is loaded in the background if `load`.
        """
        cache = self._cache
        if cache.ensure_fresh is not None:
            cache.ensure_fresh()
        try:
            cached = cache.indexes[organization]
        except (KeyError, TypeError):
            if load:
                cache.want(organization)
            return None
        cached.is_used = True
        if at_least is not None:
            deadline = time.monotonic() + cache.settings.token_wait_ms / 1e3
            while time.monotonic() < deadline and _is_awaited(cached.state, at_least):
                time.sleep(TOKEN_POLL_SECONDS)
        return cached


def in_one_step(
    read: Callable[[Index, int], T | None],
) -> Callable[[Index, int], Steps[T | None]]:
    """A short read of the index, for `CachedAnswers.read`: it keeps the lock until it is done."""

    def steps(index: Index, now: int) -> Steps[T | None]:
        yield from ()
        return read(index, now)

    return steps


class Overtaken(Exception):
    """The facts changed between two steps."""


def _in_turns(
    cached: CachedIndex,
    state: State,
    read: Callable[[Index, int], Steps[T | None]],
    now: Callable[[], int],
) -> T | None:
    """The result of the steps, run for TURN_SECONDS at a time under the index's lock. Raises Overtaken."""
    steps: Steps[T | None] | None = None
    while True:
        with state.index.lock:
            if not still_holds(cached, state):
                raise Overtaken
            end = time.perf_counter() + TURN_SECONDS
            steps = steps or read(state.index, now())
            try:
                next(steps)
                while time.perf_counter() < end:
                    next(steps)
            except StopIteration as done:
                return cast("T | None", done.value)
        pause(PAUSE_SECONDS)


def still_holds(cached: CachedIndex, state: State) -> bool:
    """Whether the index still has the facts that it had when the state was taken from it.

    An index only moves to later revisions, and has no state meanwhile. So another state of the same revision,
    which a renewed lease brings, has the same facts.
    """
    current = cached.state
    return current is state or (current is not None and current.revision == state.revision)


def _fresh(cached: CachedIndex, at_least: Revision | None) -> State | None:
    """The state, if it is as fresh as `at_least`."""
    state = cached.state
    if state is None or at_least is None:
        return state
    return state if _is_of(state, at_least) and state.revision.covers(at_least) else None


def _is_awaited(state: State | None, at_least: Revision) -> bool:
    """Whether waiting may help: the state is of the same organization, and older than `at_least`."""
    return state is None or (_is_of(state, at_least) and not state.revision.covers(at_least))


def _is_of(state: State, revision: Revision) -> bool:
    return state.revision.incarnation == revision.incarnation
