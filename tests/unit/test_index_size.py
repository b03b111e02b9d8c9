"""What an index says that it takes is about what it takes, whatever it is made of."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from rescind.index import Index, sizes
from rescind.index.assignments import Held
from rescind.index.catalog import Role

COUNT = 3_000
LEAST, MOST = 0.8, 4.0
"""How much of what is measured is estimated."""


def _memberships(index: Index, name: str = "user:{}") -> None:
    for number in range(1, COUNT):
        index.facts.put_membership(number, name.format(number), active=True)


def _long_names(index: Index) -> None:
    _memberships(index, "user:{}" + "é" * 245)


def _groups(index: Index) -> None:
    for number in range(COUNT):
        index.facts.put_group(-number - 1, f"group-{number}")


def _nested(index: Index) -> None:
    """In a chain, with a few members in different places of it."""
    _groups(index)
    for number in range(1, COUNT):
        index.facts.set_nesting(-number, -number - 1, holds=True)
    for number in range(1, 30):
        index.facts.put_membership(number, f"user:{number}", active=True)
        index.facts.set_member(number, -number, holds=True)


def _places(index: Index, until: int | None = None) -> None:
    for group in range(100):
        index.facts.put_group(-group - 1, f"group-{group}")
    for m in range(1, COUNT // 100):
        index.facts.put_membership(m, f"user:{m}", active=True)
        for group in range(100):
            late = None if until is None else until + m * 1_000 + group
            index.facts.set_member(m, -group - 1, holds=True, until=late)


def _late_places(index: Index) -> None:
    _places(index, 10**15)


def _resources(index: Index) -> None:
    index.facts.put_membership(1, "user:1", active=True)
    for number in range(1, COUNT):
        above = number - 1 if number % 20 else 0
        index.facts.put_resource(number, f"doc:{number}", above)


def _assignments(index: Index) -> None:
    _resources(index)
    _places(index)
    index.facts.own.put_role(1, Role("reader", 0, frozenset({1})))
    for number in range(1, COUNT):
        index.facts.set_assignment(Held(-(number % 100) - 1, 1, number), holds=True)


def _roles(index: Index) -> None:
    """A group each, on one resource."""
    _groups(index)
    index.facts.put_membership(1, "user:1", active=True)
    for number in range(1, COUNT):
        index.facts.own.put_role(number, Role(f"role-{number}", 0, frozenset({1})))
        index.facts.set_assignment(Held(-number, number, 0), holds=True)


def _permissions(index: Index) -> None:
    for number in range(2, COUNT):
        index.facts.own.put_permission(number, f"permission-{number}", critical=False)
    for number in range(1, 30):
        index.facts.own.put_role(number, Role(f"r{number}", 0, frozenset(range(number, 100))))


SHAPES = (
    _memberships,
    _long_names,
    _groups,
    _nested,
    _places,
    _late_places,
    _resources,
    _assignments,
    _roles,
    _permissions,
)


def _share(fill: Callable[[Index], None]) -> float:
    """What an index that was asked about everything says that it takes, as a share of what it does."""
    tracemalloc.start()
    try:
        index = Index(1)
        index.facts.put_resource(0, "organization", None)
        index.facts.own.put_permission(1, "read", critical=False)
        fill(index)
        anybody = next(iter(index.facts.memberships), "")
        for subject in index.facts.memberships:
            index.resolved(subject, "read", "organization", lambda: 0)
        for resource in index.facts.resources:
            index.resolved(anybody, "read", resource, lambda: 0)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return index.facts.size() / taken


@pytest.mark.parametrize("fill", SHAPES, ids=lambda fill: fill.__name__)
def test_about_what_it_takes(fill: Callable[[Index], None]) -> None:
    """Neither much less nor many times as much."""
    assert LEAST < _share(fill) < MOST


@pytest.mark.parametrize(
    ("part", "fill"),
    [("GROUP_BYTES", _groups), ("NESTING_BYTES", _nested), ("REACHED_BYTES", _nested)],
)
def test_control_without_a_part(
    part: str, fill: Callable[[Index], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: where a part is not counted, too little is said of what is made of it."""
    monkeypatch.setattr(sizes, part, 0)
    assert _share(fill) < LEAST
