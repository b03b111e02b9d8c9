"""Lists from memory, page by page, on random facts: exactly what checks say, whatever is searched for it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rescind.decision.lists import indexed, source, streams
from rescind.decision.lists.indexed import Indexed
from rescind.decision.lists.pages import in_memory
from rescind.decision.lists.source import Asked, finished
from rescind.decision.lists.streams import BEGINNING
from rescind.index import Index, kinds, orders
from rescind.model import Question
from rescind.semantics import access
from tests.property.test_index_facts import (
    MEMBERS,
    NOW,
    PERMISSIONS,
    PLACES,
    Changed,
    Model,
    anew,
    one_change,
    resource,
    subject,
)

NOBODY = "user:none"


def pages(
    held: Index, query: str, of: tuple[str, str, str], now: int, limit: int, kind: str
) -> list[str]:
    """All pages of a list, together; each has no more than it may, and is in the order of numbers."""
    after, found, turns = BEGINNING, list[str](), 0
    question = Question("o", *of)  # type: ignore[arg-type]
    while True:
        page = finished(in_memory(held, query, question, Asked(after, limit, kind), now))
        assert page is not None
        numbers = list(page.names)
        assert numbers == sorted({*numbers})
        assert not numbers or numbers[0] > after
        found += [*page.names.values()][:limit]
        rest = numbers[limit - 1] if len(numbers) > limit else page.rest
        if rest is None:
            return found
        assert rest >= (after if not numbers else numbers[min(limit, len(numbers)) - 1])
        after, turns = rest, turns + 1
        assert turns < 50


def require_lists(held: Index, model: Model, limit: int, now: int) -> None:
    """Every list of every question."""
    world = model.world()

    def may(m: int, p: str, r: int) -> bool:
        return access.allowed(world, subject(m), p, resource(r), now)

    def want(query: str, of: tuple[str, str, str], kind: str, named: list[str]) -> None:
        found = pages(held, query, of, now, limit, kind)
        assert sorted(found) == sorted(n for n in named if n.startswith(kind)), (query, of, kind)

    for p, r, kind in itertools.product(PERMISSIONS, PLACES, ("", "user:", "agent:", "robot:")):
        named = [subject(m) for m in MEMBERS if may(m, p, r)]
        want("subjects", (NOBODY, p, resource(r)), kind, named)
    for m, p, kind in itertools.product(MEMBERS, PERMISSIONS, ("", "doc:", "file:", "none:")):
        named = [resource(r) for r in PLACES if may(m, p, r)]
        want("resources", (subject(m), p, "doc:none"), kind, named)
    for m, r in itertools.product(MEMBERS, PLACES):
        named = [p for p in PERMISSIONS if may(m, p, r)]
        want("permissions", (subject(m), "none", resource(r)), "", named)


SMALL: dict[Any, dict[str, int]] = {
    indexed: {"MOST_BELOW": 0, "MOST_PARENTS": 0, "MOST_STREAMS": 0},
    source: {"BUDGET": 0},
    streams: {"MOST_AT_FIRST": 0},
    Indexed: {"at_once": 1},
    kinds: {"FEW": 0},
    orders: {"SMALL": -1, "PART": 1},
}
WAYS: dict[str, dict[Any, dict[str, int]]] = {
    "as it is": {},
    "everything searched": SMALL,
    "below parents": {**SMALL, indexed: {"MOST_BELOW": 0}, Indexed: {"at_once": 2}},
    "a little": {
        indexed: {"MOST_BELOW": 1, "MOST_PARENTS": 1, "MOST_STREAMS": 1},
        source: {"BUDGET": 1},
        Indexed: {"at_once": 2},
        kinds: {"FEW": 1},
    },
}


def patched(way: str, body: Callable[[], None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for place, bounds in WAYS[way].items():
            for name, bound in bounds.items():
                patch.setattr(place, name, bound)
        body()


@pytest.mark.parametrize("way", WAYS)
def test_lists_are_what_checks_say(way: str) -> None:
    """Of whatever facts, at the instant of expiry too, with pages of any size, however they are found."""

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(one_change, min_size=8, max_size=30),
        st.booleans(),
        st.integers(1, 4),
        st.sampled_from(NOW),
    )
    def compare(listed: list[tuple[Any, ...]], is_single: bool, limit: int, now: int) -> None:
        model = Model(is_single=is_single)
        changed = Changed(anew(model), model)
        for one in listed:
            changed.apply(*one)
        require_lists(changed.index, model, limit, now)

    patched(way, compare)
