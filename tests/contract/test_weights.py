"""A change is weighed by what it moves, not by how much it names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rescind import Authority, Receipt, Route, changes
from rescind.changes import Change
from rescind.settings import Settings
from tests.contract.world import FUTURE, WORLD

MANY = tuple(f"user:n{number}" for number in range(60))
ADA = ("user:ada",)


@pytest.fixture
def crowd(database: str) -> Iterator[Authority]:
    """A group of 60 and one, beside another that has nobody, where no more than 20 pairs are done inline."""
    settings = Settings(inline_most_pairs=20, critical_inline_most_pairs=20)
    with Authority.open(database, organization="acme", settings=settings) as opened:
        opened.apply(
            [
                *WORLD,
                *(changes.AddMembership(subject=subject) for subject in MANY),
                changes.AddMembers(group="staff", members=MANY),
                changes.NestGroup(group="staff", into="idle"),
            ],
            route="inline",
        )
        yield opened


SMALL: dict[str, tuple[Change, Change, int]] = {
    "all but one replaced": (
        changes.ReplaceMembers(group="staff", members=("user:bob", *MANY[1:])),
        changes.ReplaceMembers(group="staff", members=MANY),
        1,
    ),
    "members added again": (
        changes.AddMembers(group="staff", members=(*MANY, "agent:bot")),
        changes.AddMembers(group="staff", members=("user:cyd",)),
        1,
    ),
    "nobody of the group removed": (
        changes.RemoveMembers(group="eng", members=(*MANY, *ADA)),
        changes.RemoveMembers(group="eng", members=ADA),
        2,
    ),
    "nested again": (
        changes.NestGroup(group="staff", into="idle"),
        changes.NestGroup(group="staff", into="idle"),
        0,
    ),
    "given again, until another time": (
        changes.Assign(role="reader", to="group:staff", expires_at=FUTURE),
        changes.Assign(role="reader", to="group:staff"),
        0,
    ),
}


def _twice(authority: Authority, case: str) -> Iterator[Receipt]:
    for change in SMALL[case][:2]:
        yield authority.apply([change])


@pytest.mark.parametrize("case", SMALL)
def test_what_moves_little_is_inline(crowd: Authority, case: str) -> None:
    """However many it names; it says how much it moved, and a later one like it is inline too."""
    first, second = _twice(crowd, case)
    assert (first.route, second.route) == (Route.INLINE, Route.INLINE)
    assert first.fan_out == SMALL[case][2]
    assert second.route_reason.startswith(
        ("no effective roles", f"{second.fan_out} pair", "1 pair")
    )
    assert crowd.pending() == []


WEIGHED = {
    "all but one replaced": "weigh_members_missing",
    "members added again": "weigh_members_joining",
    "nobody of the group removed": "weigh_members",
    "nested again": "weigh_new_nesting",
    "given again, until another time": "weigh_given",
}


@pytest.mark.parametrize("case", SMALL)
def test_control_weighed_by_what_is_named(crowd: Authority, case: str) -> None:
    """What the test above would see if all that is named counted: the background, or a wrong figure."""
    store: Any = crowd.store
    sql = store.queries[WEIGHED[case]]
    store.queries[WEIGHED[case]] = sql.replace("AS pairs", "+ 61 AS pairs", 1)
    assert store.queries[WEIGHED[case]] != sql
    first, second = _twice(crowd, case)
    heavy = [r for r in (first, second) if r.fan_out > 2 or r.route_reason.startswith("asked for")]
    assert heavy
