"""How large chunks become, on a store where a chunk costs so much and each pair so much more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rescind.propagation.pace import CALM_CHUNKS, CALM_TARGETS, HASTE_TARGETS, LEAST_PAIRS, Pace

TARGET_MS = 20.0
TARGET = TARGET_MS / 1e3
chunk_costs = st.floats(0.0, 2e-3)
pair_costs = st.floats(2e-7, 2e-5)


def _last_seconds(pace: Pace, chunk: float, pair: float, waiting: list[int]) -> list[float]:
    taken = []
    for count in waiting:
        taken.append(chunk + pair * pace.pairs)
        pace.learn(taken[-1], count)
    return taken[-50:]


@given(chunk_costs, pair_costs)
def test_chunks_stay_short_while_somebody_waits(chunk: float, pair: float) -> None:
    """However long they were, chunks come down to a part of the target, or to the least size."""
    pace = Pace(TARGET_MS)
    _last_seconds(pace, chunk, pair, [0] * 500)
    taken = _last_seconds(pace, chunk, pair, [1] * 100)
    least = chunk + pair * 2 * LEAST_PAIRS
    assert max(taken) <= max(1.5 * 1.5 * HASTE_TARGETS * TARGET, least)


@given(chunk_costs, pair_costs, st.integers(1, CALM_CHUNKS))
def test_chunks_keep_to_the_target_where_somebody_waits_now_and_then(
    chunk: float, pair: float, every: int
) -> None:
    """One wait in so many chunks is enough to keep all of them near the target."""
    pace = Pace(TARGET_MS)
    waiting = [int(number % every == 0) for number in range(600)]
    assert max(_last_seconds(pace, chunk, pair, waiting)) <= 1.5 * TARGET + 1_000 * pair


@given(chunk_costs, pair_costs)
def test_chunks_grow_where_nobody_waits_and_no_further_than_told(chunk: float, pair: float) -> None:
    """Where nobody waits they get near the larger target, and not beyond what one step adds."""
    pace = Pace(TARGET_MS)
    taken = _last_seconds(pace, chunk, pair, [0] * 1_000)
    assert max(taken) <= 1.5 * CALM_TARGETS * TARGET
    assert min(taken) >= CALM_TARGETS * TARGET / 2 or pace.pairs == 500_000
