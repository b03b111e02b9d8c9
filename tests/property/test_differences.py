"""The difference that a preview and a receipt's detail tell: exact, and each fact looked at once."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable

import pytest

from rescind.model import Difference
from rescind.semantics.access import ROOT, Assignment, Role, World
from rescind.semantics.difference import difference
from tests.property.differences import naive_difference
from tests.steps import steps

NOW = 10
SUBJECTS, GROUPS = ("user:a", "user:b", "user:c"), ("g1", "g2", "g3")
PERMISSIONS, ROLES = ("p", "q"), ("r1", "r2", "r3")
RESOURCES = ("doc:1", "doc:2", "doc:3")
UNTILS = (None, None, 5, 20)
PAIRS = 400


def _drawn(rng: random.Random) -> World:
    world = World(
        memberships={s: rng.random() < 0.8 for s in SUBJECTS if rng.random() < 0.9},
        is_single_role=rng.random() < 0.4,
        takes_next_highest=rng.random() < 0.3,
        default_role=rng.choice((None, *ROLES)),
    )
    for rank, role in enumerate(ROLES):
        held = frozenset(p for p in PERMISSIONS if rng.random() < 0.5)
        world.roles[role] = Role(held, rng.randint(0, 1), rank)
    for resource in RESOURCES:
        world.resources[resource] = rng.choice(list(world.resources))
    for child, parent in ((0, 1), (1, 2), (0, 2)):
        if rng.random() < 0.5:
            world.nestings.add((GROUPS[child], GROUPS[parent]))
    for subject in world.memberships:
        for group in GROUPS:
            if rng.random() < 0.4:
                world.members[subject, group] = rng.choice(UNTILS)
        world.resets |= {(subject, role) for role in ROLES if rng.random() < 0.2}
    for _ in range(rng.randint(0, 7)):
        holder = rng.choice((*world.memberships, *(f"group:{group}" for group in GROUPS)))
        place = rng.choice((ROOT, *RESOURCES))
        world.assignments[Assignment(holder, rng.choice(ROLES), place)] = rng.choice(UNTILS)
    return world


def _altered(world: World, rng: random.Random) -> World:
    """A few parts of another world, or of this one a single fact less."""
    other = _drawn(rng)
    for part in vars(world):
        if rng.random() < 0.7:
            setattr(other, part, copy.deepcopy(getattr(world, part)))
    if rng.random() < 0.3:
        other = copy.deepcopy(world)
        for part in (other.assignments, other.members):
            if part:
                part.pop(rng.choice(list(part)))
    return other


def _is_exact(found: Callable[[World, World, int], Difference]) -> bool:
    for seed in range(PAIRS):
        rng = random.Random(seed)
        before = _drawn(rng)
        after = _altered(before, rng)
        if found(before, after, NOW) != naive_difference(before, after, NOW):
            return False
    return True


def test_exact() -> None:
    """It is the difference of every subject's every role, compared one by one."""
    assert _is_exact(difference)


@pytest.mark.parametrize(
    "part", ["rules_of", "NOBODY", "compared"], ids=["rules", "inactive", "moved"]
)
def test_control_of_what_is_not_looked_at(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: where a kind of change is taken for none, it is not exact."""
    from rescind.semantics import difference as module

    real = module.compared
    instead = {
        "rules_of": lambda _: (),
        "NOBODY": module.Holding(is_active=True),
        "compared": lambda old, new, had, has, _: real(old, new, had, has, set()),
    }
    monkeypatch.setattr(module, part, instead[part])
    assert not _is_exact(module.difference)


def _organization(members: int) -> World:
    """Members of a group that holds a role on ten resources, each with a role of its own on one."""
    resources = {f"doc:{n}": ROOT for n in range(10)}
    subjects = [f"user:{n}" for n in range(members)]
    own = {Assignment(subject, "r", "doc:0"): None for subject in subjects}
    return World(
        memberships=dict.fromkeys(subjects, True),
        members={(subject, "g"): None for subject in subjects},
        nestings={("g", "top")},
        roles={"r": Role(frozenset({"p"}), 0, 0)},
        resources={ROOT: None, **resources},
        assignments={Assignment("group:top", "r", place): None for place in resources} | own,
    )


def _leave(world: World) -> None:
    del world.members["user:0", "g"]


def _unnest(world: World) -> None:
    world.nestings.clear()


def _unassign(world: World) -> None:
    del world.assignments[Assignment("group:top", "r", "doc:5")]


def _move(world: World) -> None:
    world.resources["doc:3"] = "doc:4"


def _edit(world: World) -> None:
    world.roles["r"] = Role(frozenset({"p", "q"}), 0, 0)


def _growth(
    change: Callable[[World], None], found: Callable[[World, World, int], Difference]
) -> float:
    """How many times as many steps twice as many members take."""
    counts = []
    for members in (100, 200):
        before = _organization(members)
        after = copy.deepcopy(before)
        change(after)
        counts.append(steps(lambda before=before, after=after: found(before, after, NOW))[1])
    return counts[1] / counts[0]


@pytest.mark.parametrize("change", [_leave, _unnest, _unassign, _move, _edit])
def test_linear(change: Callable[[World], None]) -> None:
    """Twice as many members take twice as many steps, whatever changes."""
    assert _growth(change, difference) < 2.2


def test_control_naive() -> None:
    """Control: one subject by itself after the other takes four times as many."""
    assert _growth(_leave, naive_difference) > 2.8
