"""The hot paths take no more work than was accepted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from rescind import Authority
from rescind.http.server.entry import HttpEntry
from rescind.propagation.work import Work
from tests.counts import baselines
from tests.counts.baselines import TOLERANCE, UNKNOWN_TOLERANCE, accepted, regressions, renew
from tests.counts.paths import Cost, Counts, measured

ENTRANCES: dict[str, tuple[type, str]] = {
    "check from memory": (Authority, "check"),
    "check in SQL": (Authority, "check"),
    "inline change": (Authority, "apply"),
    "chunk": (Work, "step"),
    "check over HTTP": (HttpEntry, "at_once"),
}


@pytest.fixture(scope="module")
def counts(new_shared_database: Callable[[str], str]) -> Counts:
    """What the paths cost now."""
    return measured(new_shared_database("sqlite"))


def test_no_path_takes_more_than_was_accepted(counts: Counts) -> None:
    """At most a fifth more instructions, or steps of SQLite; what grew is named, with how to accept it."""
    before, tolerance = accepted()
    assert before.keys() == counts.keys() == ENTRANCES.keys()
    grown = regressions(counts, before, tolerance)
    assert not grown, "\n".join(grown)


def test_counts_do_not_change_by_themselves(
    counts: Counts, new_database: Callable[[str], str]
) -> None:
    """Measured again, on another file, they are the same, but for a few instructions."""
    again = measured(new_database("sqlite"))
    for path, cost in counts.items():
        for one, other in zip(cost, again[path], strict=True):
            assert abs(one - other) <= max(one, other) * 0.02, path


def test_control_a_needless_loop(
    counts: Counts, new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a loop of a fifth of its instructions added to its entrance, each path is named."""
    for entrance in set(ENTRANCES.values()):
        dearest = max(counts[path].python for path, place in ENTRANCES.items() if place == entrance)
        _slow_down(monkeypatch, *entrance, turns=dearest // 4)
    grown = regressions(measured(new_database("sqlite")), counts, TOLERANCE)
    assert {line.partition(":")[0] for line in grown} == ENTRANCES.keys()


def _slow_down(monkeypatch: pytest.MonkeyPatch, place: type, name: str, *, turns: int) -> None:
    real = getattr(place, name)

    def slower(*arguments: Any, **options: Any) -> Any:
        for _ in range(turns):
            pass
        return real(*arguments, **options)

    monkeypatch.setattr(place, name, slower)


# --- the baselines --------------------------------------------------------------------------------

BEFORE: Counts = {"a path": Cost(python=100, sqlite=50), "another": Cost(python=10, sqlite=0)}


def test_what_is_said_of_a_regression() -> None:
    """Which path, what it was, what it is, and how to accept that; a fifth is within the tolerance."""
    assert regressions({**BEFORE, "a path": Cost(120, 60)}, BEFORE, TOLERANCE) == []
    assert regressions({**BEFORE, "a path": Cost(121, 20)}, BEFORE, TOLERANCE) == [
        "a path: 100 bytecode instructions became 121 (+21%; at most +20% is accepted). Take the cost back,"
        " or accept it: `make counts`, and commit tests/counts/baselines.json."
    ]
    assert len(regressions({**BEFORE, "another": Cost(10, 1)}, BEFORE, TOLERANCE)) == 1


def test_a_version_without_a_baseline(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """It is compared with the nearest version, with more room; renewing one version keeps the others."""
    file = tmp_path / "baselines.json"
    file.write_text(json.dumps({"3.9": {"a path": {"python": 1, "sqlite": 1}}}), "utf-8")
    monkeypatch.setattr(baselines, "FILE", file)
    renew(BEFORE)
    assert accepted() == (BEFORE, TOLERANCE)
    assert accepted("3.10")[1] == accepted("3.99")[1] == UNKNOWN_TOLERANCE
    assert accepted("3.9")[0] == {"a path": Cost(1, 1)}
