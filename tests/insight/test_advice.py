"""Advice: from what was measured here, with its numbers; and without data it says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from rescind import Authority, changes
from rescind.errors import InvalidArgument, OrganizationNotFound
from rescind.insight import advice
from rescind.insight.advice import Advised, advise, forecast
from rescind.insight.cost_model import CostModel, costly_groups, fitted
from rescind.model import Enforcement, OrganizationId, Route, encode_enforcement, moment
from rescind.settings import Settings
from rescind.store.rows.targets import CostRow
from tests.conftest import ENGINES
from tests.contract.world import WORLD

START = 1_700_000_000_000_000
PER_CHANGE, PER_PAIR = 0.004, 5e-6
SETTINGS = Settings()


def inline(number: int, pairs: int, *, slower: float = 0.0, group: str = "eng") -> CostRow:
    """A revocation that took what the model says, and somewhat longer."""
    at = START + number * 1_000_000
    began = at + round((PER_CHANGE + PER_PAIR * pairs + slower) * 1e6)
    record = encode_enforcement(Enforcement(0.0, began_at=moment(began)))
    body = f'[{{"change":"remove_members","group":"{group}","members":["user:ada"]}}]'
    return CostRow(OrganizationId("acme"), at, at, "inline", pairs, 0, record, body)


def aside(number: int, pairs: int, seconds: float) -> CostRow:
    """A change whose rows followed in the background."""
    at = START + number * 1_000_000
    settled = at + round(seconds * 1e6)
    return CostRow(OrganizationId("acme"), at, settled, "background", 0, pairs, None, "[]")


USUAL = [
    *(inline(number, 10) for number in range(10)),
    *(inline(number, 5_000) for number in range(10, 20)),
]


@pytest.fixture(scope="module", params=ENGINES)
def store_of(
    request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]
) -> Iterator[Authority]:
    with Authority.open(new_shared_database(request.param), organization="acme") as opened:
        opened.apply(WORLD)
        yield opened


def kinds(found: list[CostRow], monkeypatch: pytest.MonkeyPatch, store: Authority) -> Advised:
    """The advice for a store whose log has these changes."""
    fetch = store.store.fetch

    def rows(query: object, *given: object, **named: object) -> object:
        return found if query is advice.COST_OF_CHANGES else fetch(query, *given, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(store.store, "fetch", rows)
    return advise(store.store, SETTINGS)


def test_the_model_finds_what_changes_cost() -> None:
    """A change, a pair and the background's speed, whatever outliers there are."""
    rows = [*USUAL, inline(30, 10, slower=9.0), *(aside(n, 100_000, 2.0) for n in range(100, 105))]
    model = fitted(rows)
    assert model.per_change == pytest.approx(PER_CHANGE + 10 * PER_PAIR, rel=0.01)
    assert model.per_pair == pytest.approx(PER_PAIR, rel=0.02)
    assert model.pairs_per_second == pytest.approx(50_000)
    assert model.inline_seconds(1_000_000) == pytest.approx(5.0, rel=0.02)
    assert model.pairs_within(0.05) == pytest.approx(9_190, rel=0.02)


def test_what_was_not_measured_is_none() -> None:
    """No number is made up: nothing on record, too few, or nothing but small changes."""
    for rows in ([], USUAL[:4], [row._replace(record=None) for row in USUAL]):
        model = fitted(rows)
        assert (model.per_change, model.per_pair, model.pairs_per_second) == (None, None, None)
        assert model.inline_seconds(5) is None
        assert model.settle_seconds(5) is None
    small = fitted(USUAL[:10])
    assert small.inline_seconds(50) is not None
    assert small.inline_seconds(50_000) is None


def test_a_deferred_enforcement_measures_nothing() -> None:
    """What passed until the caller asked for it is the caller's time."""
    row = inline(0, 10, slower=60.0)
    late = Enforcement(0.0, began_at=moment(row.recorded_at + 60_000_000), is_deferred=True)
    assert fitted([row._replace(record=encode_enforcement(late))]).samples == ()


def test_stay_inline(store_of: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every change is short."""
    found = kinds(USUAL, monkeypatch, store_of)
    assert [each.kind for each in found.items][:1] == ["stay_inline"]
    assert found.items[0].numbers["changes"] == 20


def test_send_large_grants_to_the_background(
    store_of: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the pairs on that this store does not do within the budget."""
    rows = [*USUAL, *(inline(number, 40_000) for number in range(30, 36))]
    (first, *_) = kinds(rows, monkeypatch, store_of).items
    assert first.kind == "background_above"
    assert first.numbers["pairs"] == pytest.approx(9_190, rel=0.05)
    assert "6 of 26 changes" in first.text


@pytest.mark.parametrize(
    ("slower", "kind"), [(0.0, None), (0.015, "shorten_chunks"), (0.2, "fewer_workers")]
)
def test_changes_beside_background_work(
    store_of: Authority, monkeypatch: pytest.MonkeyPatch, slower: float, kind: str | None
) -> None:
    """Slower by up to a chunk: shorten chunks; by more: fewer workers; no slower: neither."""
    beside = [inline(number, 10, slower=slower) for number in range(40, 50)]
    rows = [*(inline(number, 10) for number in range(10)), *beside, aside(39, 9_000, 20.0)]
    found = {each.kind for each in kinds(rows, monkeypatch, store_of).items}
    assert found & {"shorten_chunks", "fewer_workers"} == ({kind} if kind else set())


def test_costly_groups(store_of: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that most of the pairs are of, by name; of small ones nothing is said."""
    rows = [*(inline(n, 900, group="all") for n in range(9)), *(inline(n, 1) for n in range(9))]
    by_group, total = costly_groups(rows)
    assert (by_group["acme", "all"], total) == (8_100, 8_109)
    costly = [e for e in kinds(rows, monkeypatch, store_of).items if e.kind == "costly_group"]
    assert [each.numbers["group"] for each in costly] == ["all"]


def test_a_target_at_risk(store_of: Authority) -> None:
    """Of real changes: a target that none can meet."""
    now = store_of.apply(revoking()[:1]).recorded_at
    store_of.apply(revoking()[1:])
    store_of.enforcer.times.flush()
    strict = replace(SETTINGS, revocation_target_seconds=1e-6)
    found = advise(store_of.store, strict, now=now + timedelta(hours=1))
    assert "target_at_risk" in [each.kind for each in found.items]
    assert advise(store_of.store, strict, now=now - timedelta(days=900)).items == ()


def revoking() -> list[changes.Change]:
    leave = changes.RemoveMembers(group="eng", members=("user:ada",))
    return [leave, changes.AddMembers(group="eng", members=("user:ada",))]


def test_no_fact_is_written(store_of: Authority) -> None:
    """Advice measures, and decides nothing."""
    before = list(store_of.log())
    found = advise(store_of.store, SETTINGS)
    forecast(store_of.store, found.model, SETTINGS, members=5, assignments=5, rtt_ms=20)
    assert list(store_of.log()) == before


def test_forecasts(store_of: Authority) -> None:
    """By the route that the budget has; a slower network costs its round trip, on a server."""
    model = fitted([*USUAL, *(aside(n, 100_000, 2.0) for n in range(100, 105))])
    asked = {"store": store_of.store, "model": model, "settings": SETTINGS}
    small = forecast(members=10, assignments=10, **asked)  # type: ignore[arg-type]
    assert (small.route, small.pairs) == (Route.INLINE, 100)
    assert small.returns_seconds == small.settled_seconds == small.inline_seconds
    large = forecast(members=5_000, assignments=5_000, **asked)  # type: ignore[arg-type]
    assert (large.route, large.pairs) == (Route.BACKGROUND, 25_000_000)
    assert large.inline_seconds == pytest.approx(125, rel=0.02)
    assert large.settled_seconds == pytest.approx(500)
    assert large.returns_seconds == pytest.approx(PER_CHANGE, rel=0.05)
    far = forecast(members=10, assignments=10, rtt_ms=1_000, **asked)  # type: ignore[arg-type]
    assert far.returns_seconds is not None
    is_server = store_of.store.engine == "postgres"
    assert (far.returns_seconds > 0.5) == is_server
    assert (far.measured_rtt_ms is not None) == is_server
    none = forecast(store_of.store, fitted([]), SETTINGS, members=10, assignments=10)
    assert (none.route, none.returns_seconds, none.settled_seconds) == (None, None, None)


@pytest.mark.parametrize(
    "wrong", [{"members": -1}, {"assignments": 10**10}, {"rtt_ms": float("nan")}]
)
def test_what_cannot_be_is_refused(store_of: Authority, wrong: dict[str, float]) -> None:
    """With what is wrong."""
    asked = {"members": 1, "assignments": 1, **wrong}
    model: CostModel = fitted([])
    with pytest.raises(InvalidArgument):
        forecast(store_of.store, model, SETTINGS, **asked)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument):
        advise(store_of.store, SETTINGS, window_seconds=-1)
    with pytest.raises(OrganizationNotFound):
        advise(store_of.store, SETTINGS, organization="nowhere")
