"""How much may be done inline: what pairs have cost, within bounds; and what was too large a moment ago."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rescind import Route, changes
from rescind.changes import Change
from rescind.propagation import budget as module
from rescind.propagation.budget import (
    BACKGROUND,
    CHEAPEST,
    DEAREST,
    ESTIMATE_PAIRS,
    NO_LIMIT,
    REMEMBERED_SECONDS,
    START_SECONDS_PER_PAIR,
    TELLING_PAIRS,
    Budget,
    Costs,
    forced,
    why,
)
from rescind.settings import Settings
from rescind.store.retries import OverBudget

FREE = Settings(
    inline_budget_ms=50.0,
    inline_most_pairs=10**9,
    critical_inline_budget_ms=250.0,
    critical_inline_most_pairs=10**9,
)


def allows(costs: Costs, seconds_per_pair: float) -> bool:
    """Whether what may be done inline is what such a cost gives, to a pair."""
    found = costs.budget()
    wanted = (0.05 / seconds_per_pair, 0.25 / seconds_per_pair)
    return (found.pairs, found.critical_pairs) == pytest.approx(wanted, rel=1e-6, abs=1.01)


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_what_a_pair_costs_is_learned(engine: str) -> None:
    """From large changes, by a fifth of the difference each time, without what small ones cost."""
    costs = Costs(engine, FREE)
    start = START_SECONDS_PER_PAIR[engine]
    assert allows(costs, start)
    costs.learn(TELLING_PAIRS - 1, 1.0)
    assert allows(costs, start)
    costs.learn(TELLING_PAIRS - 1, 0.6)  # a change costs 0.2, then 0.28
    costs.learn(TELLING_PAIRS, 0.28 + TELLING_PAIRS * 4 * start)
    assert allows(costs, start + 0.2 * 3 * start)


@given(
    st.lists(
        st.tuples(st.integers(TELLING_PAIRS, 10**6), st.floats(0.0, 10.0)), min_size=1, max_size=20
    )
)
def test_what_a_pair_costs_is_within_bounds(measured: list[tuple[int, float]]) -> None:
    """Whatever is measured; and it goes on to where the measurements are."""
    costs = Costs("sqlite", FREE)
    for pairs, seconds in measured:
        costs.learn(pairs, seconds)
        found = costs.budget().pairs
        assert 0.05 / DEAREST - 1 <= found <= 0.05 / CHEAPEST + 1
    for _ in range(200):
        costs.learn(*measured[-1])
    pairs, seconds = measured[-1]
    assert allows(costs, min(max(seconds / pairs, CHEAPEST), DEAREST))


def test_less_than_a_change_costs_is_nothing() -> None:
    """A large change that took less than small ones do says that pairs are cheap."""
    costs = Costs("sqlite", FREE)
    for _ in range(100):
        costs.learn(0, 1.0)
    for _ in range(200):
        costs.learn(TELLING_PAIRS, 0.5)
    assert allows(costs, CHEAPEST)


def test_never_more_than_the_settings_say() -> None:
    """However cheap pairs are, and each of the two for itself."""
    settings = Settings(inline_most_pairs=11, critical_inline_most_pairs=12)
    assert Costs("sqlite", settings).budget() == Budget(11, 12)
    settings = Settings(inline_most_pairs=10**9, critical_inline_most_pairs=12)
    found = Costs("sqlite", settings).budget()
    assert found.pairs == pytest.approx(10_000, abs=1)
    assert (found.critical_pairs, found.waits, found.is_background) == (12, False, False)


@pytest.mark.parametrize(
    ("budget", "most"),
    [
        (Budget(5, 9), 10),
        (Budget(9, 5), 10),
        (Budget(0, 0), 1),
        (BACKGROUND, ESTIMATE_PAIRS),
        (Budget(900, 900, is_background=True), ESTIMATE_PAIRS),
        (Budget(NO_LIMIT, NO_LIMIT), ESTIMATE_PAIRS),
        (Budget(NO_LIMIT - 1, 0), NO_LIMIT),
    ],
)
def test_counting_ends_where_it_does_not_matter(budget: Budget, most: int) -> None:
    """One pair beyond what is allowed; about as many as are told of where nothing depends on them."""
    assert budget.most == most


def test_a_forced_route() -> None:
    """Has no limit inline but the one that is given, and waits for the group's job; or is background."""
    assert forced(Route.INLINE) == Budget(NO_LIMIT, NO_LIMIT, waits=True)
    assert forced(Route.INLINE, 7) == Budget(7, 7, waits=True)
    assert forced(Route.INLINE, 0) == Budget(0, 0, waits=True)
    assert forced(Route.BACKGROUND) == forced(Route.BACKGROUND, 7) == BACKGROUND
    assert Budget(0, 0, waits=False, is_background=True) == BACKGROUND


LARGE = changes.AddMembers(group="all", members=("user:1",))
OTHERS: list[tuple[str, list[Change]]] = [
    ("other", [LARGE]),
    ("acme", [changes.AddMembers(group="few", members=("user:1",))]),
    ("acme", [changes.RemoveMembers(group="all", members=("user:1",))]),
    ("acme", [LARGE, LARGE]),
    ("acme", []),
]
SAME_KIND: list[tuple[Change, Change, Change]] = [
    (
        changes.Assign(role="r", to="group:g", on="doc:1"),
        changes.Assign(role="r", to="group:g", on="doc:2"),
        changes.Assign(role="s", to="group:g", on="doc:1"),
    ),
    (
        changes.Assign(role="r", to="group:g"),
        changes.Assign(role="r", to="group:g"),
        changes.Assign(role="r", to="group:h"),
    ),
    (
        changes.NestGroup(group="g", into="h"),
        changes.NestGroup(group="g", into="h"),
        changes.NestGroup(group="g", into="i"),
    ),
]


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time by the clock of what is remembered."""
    time = [1_000.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: time[0]))
    return time


def test_what_was_too_large_is_so_for_a_while(now: list[float]) -> None:
    """For the same kind of change in the same organization, and for no other."""
    costs = Costs("sqlite", FREE)
    assert not costs.is_large("acme", [LARGE])
    costs.remember_large("acme", [LARGE])
    assert costs.is_large("acme", [LARGE])
    assert not any(costs.is_large(*other) for other in OTHERS)
    now[0] += REMEMBERED_SECONDS - 0.001
    assert costs.is_large("acme", [LARGE])
    now[0] += 0.001
    assert not costs.is_large("acme", [LARGE])


@pytest.mark.parametrize(("large", "alike", "other"), SAME_KIND)
@pytest.mark.usefixtures("now")
def test_changes_of_one_kind_name_the_same(large: Change, alike: Change, other: Change) -> None:
    """The same role, group or parent, whatever the resource."""
    costs = Costs("sqlite", FREE)
    costs.remember_large("acme", [large])
    assert costs.is_large("acme", [alike])
    assert not costs.is_large("acme", [other])


@pytest.mark.usefixtures("now")
def test_a_batch_is_of_no_kind() -> None:
    """Its size says nothing about others."""
    costs = Costs("sqlite", FREE)
    costs.remember_large("acme", [LARGE, LARGE])
    costs.remember_large("acme", [])
    assert not any(costs.is_large(*other) for other in OTHERS)


@pytest.mark.usefixtures("now")
def test_what_is_remembered_of_large_changes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the most, all are forgotten but the newest."""
    monkeypatch.setattr(module, "MOST_REMEMBERED", 2)
    costs = Costs("sqlite", FREE)
    kept = []
    for number in range(5):
        costs.remember_large(f"o{number}", [LARGE])
        assert costs.is_large(f"o{number}", [LARGE])
        kept.append(sum(costs.is_large(f"o{n}", [LARGE]) for n in range(5)))
    assert kept == [1, 2, 3, 1, 2]


def _over(pairs: int, *, is_busy: bool = False) -> OverBudget:
    return OverBudget(step=0, pairs=pairs, is_busy=is_busy)


PLAIN = Budget(5, 5)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((PLAIN, [_over(9), _over(1)], 3), "9 pairs over the budget"),
        ((PLAIN, [_over(1)], 3), "1 pair over the budget"),
        ((BACKGROUND, [_over(0, is_busy=True), _over(9)], 3), "a job had the group"),
        ((BACKGROUND, [], 3), "asked for, or as large as one before; about 3 pairs"),
        ((forced(Route.INLINE), [], 3), "asked for"),
        ((forced(Route.INLINE), [], 0), "asked for"),
        ((PLAIN, [], 0), "no effective roles to move"),
        ((PLAIN, [], 1), "1 pair within the budget"),
    ],
)
def test_why_a_route_was_taken(given: tuple[Budget, Any, int], said: str) -> None:
    """In words."""
    assert why(*given) == said
