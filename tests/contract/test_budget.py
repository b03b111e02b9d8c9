"""How much a batch may do inline: its steps together, not each by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rescind import Authority, Route, changes
from rescind.settings import Settings
from tests.state import may

BUDGET = 100
MEMBERS, GIVEN = 30, 10
SUBJECTS = tuple(f"user:{n}" for n in range(MEMBERS))
ROLES = tuple(f"r{n}" for n in range(GIVEN))


@pytest.fixture
def authority(database: str) -> Iterator[Authority]:
    """For a group of which each assignment is far within the budget, and all of them are not."""
    settings = Settings(inline_most_pairs=BUDGET, critical_inline_most_pairs=BUDGET)
    with Authority.open(database, organization="acme", settings=settings) as opened:
        opened.apply(
            [
                changes.CreateOrganization(),
                changes.DefinePermission(permission="read"),
                *(changes.DefineRole(role=role, permissions=("read",)) for role in ROLES),
                changes.CreateGroup(group="all"),
                *(changes.AddMembership(subject=subject) for subject in SUBJECTS),
                changes.AddMembers(group="all", members=SUBJECTS),
            ]
        )
        yield opened


def give(count: int) -> list[changes.Change]:
    """So many assignments, each a change."""
    return [changes.Assign(role=role, to="group:all") for role in ROLES[:count]]


def test_a_batch_within_the_budget(authority: Authority) -> None:
    """Is inline, up to the budget."""
    receipt = authority.apply(give(BUDGET // MEMBERS))
    assert (receipt.route, receipt.fan_out) == (Route.INLINE, BUDGET // MEMBERS * MEMBERS)


def test_a_batch_over_the_budget(authority: Authority) -> None:
    """Leaves work behind, whatever each of its changes weighs; asked for, it is inline all the same."""
    receipt = authority.apply(give(GIVEN))
    assert (receipt.route, receipt.settled_at) == (Route.BACKGROUND, None)
    assert may(authority, SUBJECTS[0], "read")
    authority.reconcile("all")
    take: list[changes.Change] = [changes.Unassign(role=role, to="group:all") for role in ROLES]
    receipt = authority.apply(take, route="inline")
    assert (receipt.route, receipt.fan_out) == (Route.INLINE, GIVEN * MEMBERS)


@pytest.mark.parametrize("most", [GIVEN * MEMBERS, GIVEN * MEMBERS - 1])
def test_a_cap_on_what_is_asked_for(authority: Authority, most: int) -> None:
    """Inline up to the cap; over it some of its steps are left, and denied all the same."""
    authority.apply(give(GIVEN), route="inline")
    take: list[changes.Change] = [changes.Unassign(role=role, to="group:all") for role in ROLES]
    receipt = authority.apply(take, route="inline", inline_most_pairs=most)
    is_within = most == GIVEN * MEMBERS
    assert receipt.route is (Route.INLINE if is_within else Route.BACKGROUND)
    assert (receipt.settled_at is not None) == is_within
    assert not may(authority, SUBJECTS[0], "read")


def test_what_is_left_to_the_background_is_off_no_budget(authority: Authority) -> None:
    """A step that is too large by itself leaves those after it inline."""
    authority.apply(give(GIVEN), route="inline")
    authority.apply([changes.CreateGroup(group="few"), changes.Assign(role="r0", to="group:few")])
    large = changes.RemoveMembers(group="all", members=SUBJECTS)
    small = changes.AddMembers(group="few", members=SUBJECTS[:2])
    receipt = authority.apply([large, small])
    assert receipt.route is Route.BACKGROUND
    assert {work.group for work in authority.pending()} == {"all"}
