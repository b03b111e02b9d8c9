"""The probe sees each guard of a revocation that its ways depend on, when that guard is off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from rescind import Authority
from rescind.insight.probe import (
    ORGANIZATION,
    AuthorityPoint,
    Limits,
    Measurement,
    Probe,
)
from rescind.insight.probe.ways import Way, ways
from rescind.model import DecisionPoint
from rescind.store import open_store
from tests.probe import Probe as StoreProbe
from tests.property.test_guards import UNMAKING

BRIEF = Limits(timeout_seconds=0.05, watch_seconds=0.02, expiry_seconds=0.2)
SEEN: Final = {
    "drop_for_members": "place in a group",
    "drop_for_nesting": "nesting",
    "pend_members_leaving": "place in a group, background",
    "pend_unnesting": "nesting, background",
}
"""Statements that alone keep what was taken away from being allowed, and a way that runs each."""
FENCED: Final = ("place in a group, background", "nesting, background")
"""Ways whose revocations nothing but the fence denies until background work is done."""
SPARE: Final = {
    "drop_for_ended": "role of a group",
    "drop_ended_of_group": "role of a group",
    "drop_ended_of_subject": "assignment",
    "drop_direct_for_ended": "assignment",
    "delete_effective_roles_of_membership": "membership",
    "pend_membership": "membership, background",
    "pend_ended_of_group": "role of a group, background",
    "shorten_for_members": "place in a group",
    "shorten_without_members": "place in a group",
    "shorten_without_nesting": "nesting",
}
"""Statements that a second guard makes up for: decisions join effective roles with assignments that are not
ended and memberships that are there; and no time of expiry is brought forward by any way.
"""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shared(request: pytest.FixtureRequest, new_shared_database: Any) -> str:
    """A database of all tests here: each uses names of its own."""
    return str(new_shared_database(request.param))


@contextmanager
def probing(database: str, *only: str, without: str = "") -> Iterator[Probe]:
    """A probe of some ways, that asks effective roles alone: memory is derived from the facts."""
    store = open_store(database, probe=StoreProbe())

    def some(round_id: str) -> list[Way]:
        return [way for way in ways(round_id) if way.name in only]

    with Authority(store, organization=ORGANIZATION) as authority:
        point = AuthorityPoint("database", authority, kind=DecisionPoint.EFFECTIVE)
        probe = Probe(authority, [point], limits=BRIEF, make_ways=some)
        probe.prepare()
        store_probe: Any = store
        store_probe.probe.omitted = {without}
        yield probe


def measured(database: str, way: str, without: str = "") -> Measurement:
    with probing(database, way, without=without) as probe:
        (done,) = probe.round()
    assert done.times[0].appearance is not None
    return done


@pytest.mark.parametrize(("guard", "way"), SEEN.items())
def test_sees_the_guard_that_is_off(shared: str, guard: str, way: str) -> None:
    """With the statement the way is clean; without it, checks that started after the return are allowed."""
    assert not measured(shared, way).violations
    late = measured(shared, way, without=guard)
    assert [violation.point for violation in late.violations] == ["database"]
    assert late.times[0].disappearance is None


@pytest.mark.parametrize("way", FENCED)
def test_sees_that_the_fence_is_off(shared: str, way: str) -> None:
    """Where pending work fences nothing, what it is about stays allowed until it is done."""
    with probing(shared, way) as probe:
        queries = probe.authority.store.queries  # type: ignore[attr-defined]
        for name, sql in list(dict.items(queries)):
            queries[name] = sql.replace("f.fence IN (0, m.id)", "f.fence IN (-1)")
        (done,) = probe.round()
    assert [violation.point for violation in done.violations] == ["database"]


@pytest.mark.parametrize(("guard", "way"), SPARE.items())
def test_spare_guards(shared: str, guard: str, way: str) -> None:
    """Without one of these nothing is allowed late: another guard holds. `test_guards` has their uses."""
    assert not measured(shared, way, without=guard).violations


def test_no_guard_is_forgotten(shared: str) -> None:
    """Every statement that unmakes or fences effective roles, and that some way runs, is tried above."""
    names = [way.name for way in ways("x")]
    with probing(shared, *names) as probe:
        probe.round()
        store: Any = probe.authority.store
        ran = store.probe.run
    tried = SEEN.keys() | SPARE.keys()
    pends = {name for name in ran if name.startswith("pend_")}
    assert (ran & UNMAKING.keys()) | pends == tried
