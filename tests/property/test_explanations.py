"""Explanations: all chains, each of which allows alone; without them nothing allows. Always bounded."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rescind.decision import explain
from rescind.decision.explain import MAX_CHAINS, chains, obstacles
from rescind.model import Chain, Question
from rescind.semantics import access
from rescind.semantics.access import ROOT, Assignment, Role, World
from rescind.semantics.ways import ways
from tests.steps import TooMany, steps

NOW = 10
ADA = "user:ada"
GROUPS = [f"g{n}" for n in range(6)]
QUESTION = Question("acme", ADA, "read", "doc:2")
ROLES = {"reader": Role(frozenset({"read"}), 1, 1), "writer": Role(frozenset({"write"}), 2, 2)}
RESOURCES = {ROOT: None, "doc:1": ROOT, "doc:2": "doc:1", "doc:3": ROOT}

untils = st.sampled_from((None, None, 5, 20))
edges = st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda edge: edge[0] < edge[1])
assigned = st.builds(
    Assignment,
    st.sampled_from((ADA, *(f"group:{group}" for group in GROUPS))),
    st.sampled_from(tuple(ROLES)),
    st.sampled_from(tuple(RESOURCES)),
)
worlds = st.builds(
    lambda members, nestings, assignments: World(
        memberships={ADA: True},
        members={(ADA, group): until for group, until in members.items()},
        nestings={(GROUPS[child], GROUPS[parent]) for child, parent in nestings},
        roles=dict(ROLES),
        resources=dict(RESOURCES),
        assignments=assignments,
    ),
    st.dictionaries(st.sampled_from(GROUPS), untils, max_size=4),
    st.sets(edges, max_size=12),
    st.dictionaries(assigned, untils, max_size=6),
)


def _all_ways(world: World, subject: str, now: int) -> Iterator[tuple[str, ...]]:
    """Every way up, as naively as can be."""
    yield ()
    fringe = [
        (group,)
        for (member, group), until in world.members.items()
        if member == subject and access.in_force(until, now)
    ]
    while fringe:
        way = fringe.pop()
        yield way
        fringe += [(*way, parent) for child, parent in world.nestings if child == way[-1]]


def _alone(world: World, chain: Chain) -> World:
    """The world with nothing but what the chain is made of."""
    alone = copy.deepcopy(world)
    holder = f"group:{chain.groups[-1]}" if chain.groups else chain.subject
    assignment = Assignment(holder, chain.role, chain.assigned_on)
    alone.assignments = {} if chain.is_default_role else {assignment: world.assignments[assignment]}
    alone.nestings = set(zip(chain.groups, chain.groups[1:], strict=False)) & world.nestings
    places = {(chain.subject, group) for group in chain.groups[:1]}
    alone.members = {place: until for place, until in world.members.items() if place in places}
    return alone


@settings(max_examples=150, deadline=None)
@given(worlds)
def test_chains_are_exactly_what_allows(world: World) -> None:
    """They are there exactly where the check allows; each alone allows; without all of them it denies."""
    found = list(chains(world, QUESTION, NOW))
    assert bool(found) == access.allowed(world, *QUESTION[1:], NOW)
    assert len(set(found)) == len(found)
    for chain in found:
        assert access.allowed(_alone(world, chain), *QUESTION[1:], NOW)
    without = copy.deepcopy(world)
    for chain in found:
        holder = f"group:{chain.groups[-1]}" if chain.groups else chain.subject
        without.assignments.pop(Assignment(holder, chain.role, chain.assigned_on), None)
    assert not access.allowed(without, *QUESTION[1:], NOW)


@settings(max_examples=150, deadline=None)
@given(
    worlds,
    st.sampled_from((None, *ROLES)),
    st.sets(st.tuples(st.just(ADA), st.sampled_from(tuple(ROLES)))),
)
def test_chains_of_the_one_role_that_counts(
    world: World, default_role: str | None, resets: set[tuple[str, str]]
) -> None:
    """In a single-role organization too: each alone allows, and nothing else that counts does."""
    world.is_single_role, world.default_role, world.resets = True, default_role, resets
    found = list(chains(world, QUESTION, NOW))
    assert bool(found) == access.allowed(world, *QUESTION[1:], NOW)
    for chain in found:
        alone = _alone(world, chain)
        alone.default_role = chain.role if chain.is_default_role else None
        assert access.allowed(alone, *QUESTION[1:], NOW)
    shown = {(chain.role, chain.assigned_on) for chain in found}
    line = access.ancestors(world, QUESTION.resource)
    left = access.counted(world, ADA, NOW) - shown
    assert not any(on in line and "read" in ROLES[role].permissions for role, on in left)


@settings(max_examples=150, deadline=None)
@given(worlds, st.data())
def test_what_named_links_give(world: World, data: st.DataObject) -> None:
    """One walk finds what a batch gave: the roles that some way with a link that it named leads to."""
    links = [*world.members, *world.nestings, *world.assignments]
    named = set(data.draw(st.lists(st.sampled_from(links), max_size=3))) if links else set()
    expected = {
        (ADA, assignment.role)
        for way in _all_ways(world, ADA, NOW)
        for assignment, until in world.assignments.items()
        if assignment.resource == ROOT
        and assignment.holder == (f"group:{way[-1]}" if way else ADA)
        and access.in_force(until, NOW)
        and not named.isdisjoint({assignment, *zip((ADA, *way), way, strict=False)})
    }
    assert access.given(world, named, NOW) == expected


@settings(max_examples=150, deadline=None)
@given(worlds, st.sets(st.sampled_from((ADA, *(f"group:{group}" for group in GROUPS)))))
def test_ways_are_all_that_lead_there(world: World, holders: set[str]) -> None:
    """The search that leaves out what leads nowhere finds what a walk of everything finds."""
    found = list(ways(world, ADA, NOW, holders))
    wanted = {
        way for way in _all_ways(world, ADA, NOW) if (f"group:{way[-1]}" if way else ADA) in holders
    }
    assert set(found) == wanted
    assert len(found) == len(wanted)


def stacked(levels: int, *, until: int | None = None) -> World:
    """Diamonds on each other: 2ⁿ ways from the lowest group to the highest, which holds a role."""
    nestings = set()
    for level in range(levels):
        for side in ("left", "right"):
            nestings |= {(f"g{level}", f"{side}{level}"), (f"{side}{level}", f"g{level + 1}")}
    return World(
        memberships={ADA: True},
        members={(ADA, "g0"): None},
        nestings=nestings,
        roles=dict(ROLES),
        resources=dict(RESOURCES),
        assignments={Assignment(f"group:g{levels}", "reader"): until},
    )


def test_diamonds_are_cut_short() -> None:
    """Of 2³² chains as many are shown as may be, and that there are more is said; a few steps find them."""
    world = stacked(32)
    (shown, is_complete), count = steps(lambda: explain.first_few(chains(world, QUESTION, NOW)))
    assert (len(shown), is_complete) == (MAX_CHAINS, False)
    assert count < 500_000
    assert all(access.allowed(_alone(world, chain), *QUESTION[1:], NOW) for chain in shown[:3])


def test_what_leads_nowhere_is_not_walked() -> None:
    """Diamonds above the group that holds the role, and beside it, take no more steps than others."""
    world = stacked(32)
    world.assignments = {Assignment("group:g0", "reader"): None}
    (shown, is_complete), count = steps(lambda: explain.first_few(chains(world, QUESTION, NOW)))
    assert (len(shown), is_complete) == (1, True)
    assert count < 50_000


@pytest.mark.parametrize("until", [5, None])
def test_obstacles_take_one_walk(until: int | None) -> None:
    """What stands in the way below 2³² ways is told whole: an expired assignment, or an expired place."""
    world = stacked(32, until=until)
    if until is None:
        world.members[(ADA, "g0")] = 5
    (told, is_complete), count = steps(lambda: explain.first_few(obstacles(world, QUESTION, NOW)))
    assert (len(told), is_complete) == (1, True)
    assert "expired" in told[0]
    assert count < 50_000


def test_chains_of_long_nestings_are_few() -> None:
    """All chains together are bounded by the groups on them, but one is shown at any rate."""
    world = stacked(explain.MAX_GROUPS // 10)
    shown, is_complete = explain.first_few(chains(world, QUESTION, NOW))
    assert not is_complete
    assert 0 < sum(len(chain.groups) for chain in shown) <= explain.MAX_GROUPS


def test_control_every_way_is_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: a walk of every way from the subject does not end in so many steps."""

    def naive(world: World, subject: str, now: int, holders: set[str]) -> Iterator[tuple[str, ...]]:
        for way in _all_ways(world, subject, now):
            if (f"group:{way[-1]}" if way else subject) in holders:
                yield way

    monkeypatch.setattr(explain, "ways", naive)
    world = stacked(32)
    world.assignments = {Assignment("group:g0", "reader"): None}
    with pytest.raises(TooMany):
        steps(lambda: explain.first_few(chains(world, QUESTION, NOW)), most=500_000)
