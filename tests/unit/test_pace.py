"""How large chunks become, on a store where a chunk costs so much and each pair so much more."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rescind.propagation import pace as module
from rescind.propagation.pace import (
    CALM_SECONDS,
    CALM_TARGETS,
    HASTE_SECONDS,
    HASTE_TARGETS,
    LATE,
    LEAST_PAIRS,
    MOST_PAIRS,
    START_PAIRS,
    Pace,
)

ENGINES = sorted(HASTE_TARGETS)
TARGET_MS = 20.0
TARGET = TARGET_MS / 1e3
chunk_costs = st.floats(0.0, 0.4)
pair_costs = st.floats(2e-7, 2e-5)


engines = st.sampled_from(ENGINES)


class Steps:
    """Chunks of a job without end. Each takes that part of the least target, and so much more for each pair;
    between them passes the pause.
    """

    def __init__(self, engine: str, chunk: float, pair: float, *, pause: float = 0.0) -> None:
        self.haste = HASTE_TARGETS[engine]
        self.chunk, self.pair, self.pause = chunk * self.haste * TARGET, pair, pause
        self.now = 1_000.0
        self.pace = Pace(engine, TARGET_MS, clock=lambda: self.now)

    def take(self, waiting: Iterable[int]) -> list[float]:
        """How long each chunk takes, while so many are seen to wait at its end."""
        return [self._one(count) for count in waiting]

    def take_until(self, until: float) -> list[float]:
        """The same, with nobody waiting, until so much time has passed."""
        taken, start = [], self.now
        while self.now - start < until:
            taken.append(self._one(0))
        return taken

    def bound(self, targets: float) -> float:
        """What a chunk takes at the most under such a target: late, or as few pairs as there may be."""
        return max(LATE * targets * TARGET, self.chunk + self.pair * 2 * LEAST_PAIRS)

    def _one(self, waiting: int) -> float:
        seconds = self.chunk + self.pair * self.pace.pairs
        self.now += seconds + self.pause
        self.pace.learn(seconds, waiting, is_full=True)
        return seconds


@given(engines, chunk_costs, pair_costs)
def test_chunks_are_short_from_the_next_one_on_when_somebody_waits(
    engine: str, chunk: float, pair: float
) -> None:
    """However long they were, few chunks after somebody was seen they take a part of the target."""
    steps = Steps(engine, chunk, pair)
    steps.take([0] * 100)
    assert max(steps.take([1] * 50)[3:]) <= steps.bound(steps.haste)


@given(engines, chunk_costs, pair_costs, st.floats(0.01, 0.9 * HASTE_SECONDS))
def test_chunks_stay_short_where_somebody_comes_with_pauses(
    engine: str, chunk: float, pair: float, every: float
) -> None:
    """Somebody seen every so many seconds keeps all chunks short, however many are done in between."""
    steps = Steps(engine, chunk, pair, pause=0.002)
    steps.take([0] * 100)
    steps.take([1] * 10)
    for _ in range(5):
        assert max(steps.take_until(every)) <= steps.bound(steps.haste)
        steps.take([1])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("is_guarded", [True, False])
def test_what_lately_means_is_what_keeps_them_short(
    is_guarded: bool, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: where only who waits at this moment counts, chunks grow between one look and the next."""
    if not is_guarded:
        monkeypatch.setattr(module, "HASTE_SECONDS", 0.0)
        monkeypatch.setattr(module, "CALM_SECONDS", 0.0)
    steps = Steps(engine, 0.2, 2e-7, pause=0.002)
    steps.take([1] * 10)
    taken = max(steps.take_until(1.0))
    assert (taken <= steps.bound(steps.haste)) == is_guarded


@given(engines, chunk_costs, pair_costs)
def test_chunks_keep_to_the_target_until_nobody_has_been_seen_for_long(
    engine: str, chunk: float, pair: float
) -> None:
    """After the haste and before the calm, a chunk takes the target."""
    steps = Steps(engine, chunk, pair)
    steps.take([1] * 10)
    taken = steps.take_until(0.99 * CALM_SECONDS - LATE * TARGET)
    assert max(taken) <= steps.bound(1.0)
    assert taken[-1] >= TARGET / 2 or steps.pace.pairs == MOST_PAIRS


@given(engines, chunk_costs, pair_costs, st.booleans())
def test_chunks_grow_where_nobody_waits_and_no_further_than_told(
    engine: str, chunk: float, pair: float, was_seen: bool
) -> None:
    """Where nobody was seen at all, or not for long, they get near the larger target, and soon."""
    steps = Steps(engine, chunk, pair)
    if was_seen:
        steps.take([1] * 10)
        steps.now += CALM_SECONDS
    taken = steps.take([0] * 200)
    assert max(taken) <= steps.bound(CALM_TARGETS)
    assert min(taken[20:]) >= CALM_TARGETS * TARGET / 2 or steps.pace.pairs == MOST_PAIRS


@given(st.lists(st.floats(0.0, TARGET), max_size=50))
def test_the_ends_of_small_jobs_do_not_make_the_chunks_of_large_ones_longer(
    ends: list[float],
) -> None:
    """What a job takes that is smaller than a chunk says nothing of how long a whole chunk would take."""
    pace = Pace("sqlite", TARGET_MS)
    for seconds in ends:
        pace.learn(seconds, 0, is_full=False)
    assert pace.pairs == START_PAIRS
    pace.learn(10.0, 0, is_full=False)
    assert pace.pairs < START_PAIRS


@given(st.floats(0.0, 1e3), st.integers(0, 3), st.booleans())
def test_a_chunk_is_never_empty_nor_without_bounds(
    seconds: float, waiting: int, is_full: bool
) -> None:
    """Whatever a chunk took, once or again and again, the next one is within the bounds."""
    pace = Pace("sqlite", TARGET_MS)
    for _ in range(30):
        pace.learn(seconds, waiting, is_full=is_full)
        assert LEAST_PAIRS <= pace.pairs <= MOST_PAIRS


@pytest.mark.parametrize(
    ("seconds", "is_full", "pairs"),
    [
        (0.0, True, 4_000),
        (0.0249, True, 4_000),
        (0.025, True, 2_250),
        (0.0499, True, 2_250),
        (0.05, True, 2_000),
        (0.075, True, 2_000),
        (0.0751, True, 1_331),
        (0.1, True, 1_000),
        (0.0, False, 2_000),
        (0.0499, False, 2_000),
        (0.2, False, 500),
        (50.0, True, LEAST_PAIRS),
    ],
)
def test_one_chunk_where_nobody_waits(seconds: float, is_full: bool, pairs: int) -> None:
    """The next is twice as large, or larger by an eighth, or the same, or as much smaller as it was late. The
    target is 50 ms.
    """
    pace = Pace("sqlite", TARGET_MS)
    pace.learn(seconds, 0, is_full=is_full)
    assert pace.pairs == pairs


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("passed", "targets"),
    [
        (0.0, None),
        (HASTE_SECONDS - 0.25, None),
        (HASTE_SECONDS, 1.0),
        (CALM_SECONDS - 0.25, 1.0),
        (CALM_SECONDS, CALM_TARGETS),
    ],
)
def test_the_target_after_somebody_was_seen(
    engine: str, passed: float, targets: float | None
) -> None:
    """A part of it for two seconds, the whole until ten, then a multiple: by when somebody was last seen."""
    now = 1_000.0
    pace = Pace(engine, TARGET_MS, clock=lambda: now)
    pace.learn(0.0, 1, is_full=False)
    now += 5.0
    pace.learn(0.0, 2, is_full=False)
    now += passed
    wanted = (HASTE_TARGETS[engine] if targets is None else targets) * TARGET
    pace.learn(wanted * 1.4, 0, is_full=True)
    assert pace.pairs == START_PAIRS
    pace.learn(wanted * 2.0, 0, is_full=True)
    assert pace.pairs == pytest.approx(START_PAIRS / 2, abs=1)


def test_small_chunks_grow_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """By one pair at least; and never beyond the most."""
    monkeypatch.setattr(module, "LEAST_PAIRS", 1)
    pace = Pace("sqlite", TARGET_MS)
    pace.pairs = 3
    pace.learn(0.03, 0, is_full=True)
    assert pace.pairs == 4
    pace.pairs = MOST_PAIRS - 1
    pace.learn(0.03, 0, is_full=True)
    assert pace.pairs == MOST_PAIRS
