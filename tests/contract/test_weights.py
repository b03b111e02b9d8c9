"""A change is weighed by what it moves, not by how much it names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rescind import Authority, Receipt, Route, changes
from rescind.changes import Change
from rescind.settings import Settings
from tests.contract.world import FUTURE, WORLD
from tests.sql import ours

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


PENDING: list[Change] = [
    changes.DefineRole(role=f"r{number}", permissions=("read",)) for number in range(30)
]


def _given_in_the_background(authority: Authority) -> None:
    """Two roles of 60 members that no worker has come to yet."""
    authority.apply(PENDING)
    for role in ("r1", "r2"):
        authority.apply([changes.Assign(role=role, to="group:staff")], route="background")


def _made_by(authority: Authority, change: Change) -> int:
    """How many effective roles a change makes or unmakes at once."""
    o = authority.store.fetch("plan", {"organization": "acme"})[0][0]
    store: Any = authority.store
    store.queries["effective"] = ours(
        store,
        "SELECT membership, assignment FROM rescind.effective_role WHERE organization = "
        + ("%(o)s" if store.engine == "postgres" else ":o"),
    )
    before = set(store.fetch("effective", {"o": o}))
    authority.apply([change])
    return len(before ^ set(store.fetch("effective", {"o": o})))


CAPPED: dict[str, Change] = {
    "replaced": changes.ReplaceMembers(group="staff", members=("user:bob", *MANY, "user:cyd")),
    "added": changes.AddMembers(group="staff", members=(*MANY, "user:cyd")),
}
OF_THOSE_WHO_JOIN = {
    "replaced": ("extend_for_members_missing", "p.expires_at <= "),
    "added": ("extend_for_members_joining", "COALESCE(p.expires_at, 9223372036854775807) < "),
}


@pytest.mark.parametrize("case", CAPPED)
def test_the_cap_holds_while_work_is_pending(crowd: Authority, case: str) -> None:
    """A change makes its own effective roles, and leaves those to the work that is pending for them."""
    _given_in_the_background(crowd)
    assert _made_by(crowd, CAPPED[case]) == 3
    for work in crowd.pending():
        crowd.reconcile(work)
    assert len(crowd.who_can("read").items) == len(MANY) + 3


@pytest.mark.parametrize("case", CAPPED)
def test_control_made_for_all_that_are_named(crowd: Authority, case: str) -> None:
    """What the test above would see if those who are in the group had theirs made as well."""
    _given_in_the_background(crowd)
    store: Any = crowd.store
    query, condition = OF_THOSE_WHO_JOIN[case]
    sql = store.queries[query]
    store.queries[query] = sql.replace(condition, f"TRUE OR {condition}")
    assert store.queries[query] != sql
    assert _made_by(crowd, CAPPED[case]) > 100


@pytest.mark.parametrize("is_weighed", [True, False], ids=["weighed", "control"])
def test_what_was_taken_back_and_is_still_there_counts(crowd: Authority, is_weighed: bool) -> None:
    """Rows that a worker has still to unmake are too many for one change as well. Control: not if only what
    the group holds now is counted.
    """
    crowd.apply(PENDING)
    given = tuple(changes.Given(role=f"r{number}") for number in range(30))
    crowd.apply([changes.ReplaceAssignments(to="group:eng", assignments=given)], route="inline")
    crowd.apply([changes.ReplaceAssignments(to="group:eng", assignments=())], route="background")
    if not is_weighed:
        store: Any = crowd.store
        sql = store.queries["weigh_members"]
        store.queries["weigh_members"] = sql.replace("a.ended IS NOT NULL", "a.ended IS NULL")
    made = _made_by(crowd, changes.RemoveMembers(group="eng", members=ADA))
    assert (made == 0) == is_weighed
