"""What instruments show of a cache: how much it holds, and until when it may answer."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from rescind.replicas import measured
from rescind.replicas.measured import TURNS, CacheGauges, measure_cache


class Gauge:
    """Keeps what it was set to last."""

    def __init__(self) -> None:
        self.value: float | None = None

    def of(self) -> Gauge:
        return self

    def set(self, value: float) -> None:
        self.value = value


class Instruments:
    """Three gauges, and what is done at a refresh."""

    def __init__(self, *, is_on: bool = True) -> None:
        self.index_organizations, self.index_bytes = Gauge(), Gauge()
        self.lease_expires = Gauge()
        self.is_on = is_on
        self.refreshing: list[Any] = []
        self.on_refresh = self.refreshing.append

    def note_load(self, seconds: float) -> None:
        """Nothing."""

    def shown(self) -> tuple[float | None, ...]:
        return self.index_organizations.value, self.index_bytes.value, self.lease_expires.value


class Cached:
    """A cached organization of a size; counts how often that is estimated."""

    def __init__(self, name: str, size: int) -> None:
        self.name, self.index, self.revision = name, self, object()
        self.facts, self._size, self.estimated = self, size, 0

    def size(self) -> int:
        self.estimated += 1
        return self._size


def cache_of(*cached: Cached, expiry: float = math.inf) -> Any:
    return SimpleNamespace(
        indexes={one.name: one for one in cached},
        freshness=SimpleNamespace(expiry=lambda: expiry),
        on_loaded=None,
    )


def test_sizes_are_estimated_when_they_may_have_changed() -> None:
    """At another revision, of another index, and each once in so many refreshes; not of who is gone."""
    one, two = Cached("one", 10), Cached("two", 300)
    cache, shown = cache_of(one, two), Instruments()
    gauges = CacheGauges(cache, shown)  # type: ignore[arg-type]
    for _ in range(5):
        gauges.refresh()
        assert shown.shown()[:2] == (2, 310)
    # the second of them had its turn at the first refresh, when it was estimated anyway
    assert (one.estimated, two.estimated) == (1, 1)
    one._size, one.revision = 20, object()
    gauges.refresh()
    assert shown.shown()[:2] == (2, 320)
    cache.indexes["two"] = Cached("two", 4)
    cache.indexes["two"].revision = two.revision
    gauges.refresh()
    assert shown.shown()[:2] == (2, 24)
    one._size = 30
    for _ in range(TURNS):
        gauges.refresh()
    assert shown.shown()[:2] == (2, 34)
    assert one.estimated == 3
    del cache.indexes["two"]
    gauges.refresh()
    assert shown.shown()[:2] == (1, 30)


def test_an_empty_index_is_estimated_each_time() -> None:
    """0 is no estimate that is worth keeping."""
    one = Cached("one", 0)
    gauges = CacheGauges(cache_of(one), Instruments())  # type: ignore[arg-type]
    gauges.refresh()
    gauges.refresh()
    assert one.estimated == 2


def test_when_the_lease_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock of people; a lost one stays as it was; after a fork, and without one, there is none."""
    monkeypatch.setattr(measured, "clock", lambda _: 100.0)
    monkeypatch.setattr(measured, "time", SimpleNamespace(time=lambda: 5_000.0))
    cache, shown = cache_of(expiry=102.0), Instruments()
    gauges = CacheGauges(cache, shown)  # type: ignore[arg-type]
    gauges.refresh()
    assert shown.shown() == (0, 0, 5_002.0)
    cache.freshness.expiry = lambda: 0.0
    gauges.refresh()
    assert shown.shown()[2] == 5_002.0
    cache.freshness = SimpleNamespace(expiry=lambda: 0.0)
    gauges.refresh()
    assert shown.shown()[2] == 0.0
    cache.freshness.expiry = lambda: math.inf
    gauges.refresh()
    assert shown.shown()[2] == 0.0


@pytest.mark.parametrize("is_on", [True, False])
def test_nothing_is_measured_where_metrics_are_off(is_on: bool) -> None:
    """Else the cache tells how long loading takes, and each refresh asks it."""
    cache, shown = cache_of(Cached("one", 7)), Instruments(is_on=is_on)
    measure_cache(cache, shown)  # type: ignore[arg-type]
    assert (cache.on_loaded == shown.note_load) == is_on
    assert len(shown.refreshing) == is_on
    for refresh in shown.refreshing:
        refresh()
    assert shown.shown()[:2] == ((1, 7) if is_on else (None, None))
