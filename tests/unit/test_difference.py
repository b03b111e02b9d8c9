"""What an entry of a difference covers is what its documentation says."""

from __future__ import annotations

import random
from collections.abc import Iterator

from rescind.semantics import access
from rescind.semantics.access import ROOT, Assignment, Role, World
from rescind.semantics.difference import difference

PERMISSIONS, SUBJECTS = ("read", "write"), ("user:ada", "user:bob")
RESOURCES = tuple(f"doc:{number}" for number in range(7))
NOW = 0


def drawn(rng: random.Random) -> World:
    """Some facts."""
    world = World(is_single_role=rng.random() < 0.2)
    for subject in SUBJECTS:
        world.memberships[subject] = rng.random() < 0.9
    for rank, role in enumerate(("reader", "writer")):
        size = rng.randint(0, 2)
        world.roles[role] = Role(frozenset(rng.sample(PERMISSIONS, size)), rank, rank)
    for resource in RESOURCES:
        if rng.random() < 0.8:
            world.resources[resource] = rng.choice(list(world.resources))
    for _ in range(rng.randint(0, 5)):
        place = rng.choice(list(world.resources))
        assignment = Assignment(rng.choice(SUBJECTS), rng.choice(("reader", "writer")), place)
        world.assignments[assignment] = rng.choice((None, None, -1))
    return world


def altered(world: World, rng: random.Random) -> World:
    """The facts after a few changes of them, or others altogether."""
    other = drawn(rng)
    parts = ("memberships", "roles", "resources", "assignments", "is_single_role")
    for part in parts:
        if rng.random() < 0.6:
            setattr(other, part, getattr(world, part))
    there = other.resources
    other.assignments = {a: u for a, u in other.assignments.items() if a.resource in there}
    return other


Cell = tuple[str, str, str]


def cells(before: World, after: World) -> Iterator[tuple[Cell, bool, bool]]:
    """Each subject, permission and resource, with whether it was allowed and is."""
    for subject in SUBJECTS:
        for permission in PERMISSIONS:
            for resource in before.resources.keys() | after.resources.keys():
                could, can = (
                    access.allowed(world, subject, permission, resource, NOW)
                    for world in (before, after)
                )
                yield (subject, permission, resource), could, can


def decides(before: World, after: World, cell: Cell) -> str | None:
    """The nearest resource at or above one that was moved, made or deleted, or where the subject has or had
    a role with the permission; by the documentation it says whether the resource changes.
    """
    subject, permission, step = cell
    while step is not None:
        here, there = before.resources.get(step, "none"), after.resources.get(step, "none")
        if here != there or any(
            permission in world.roles[role].permissions
            for world in (before, after)
            for role, on in access.counted(world, subject, NOW)
            if on == step
        ):
            return step
        step = here  # type: ignore[assignment]
    return None


def misread(*, by_nearest_entry: bool) -> int:
    """In how many cells of random pairs of worlds a reading of the difference is wrong."""
    rng, wrong = random.Random(7), 0
    for _ in range(100):
        before = drawn(rng)
        after = altered(before, rng)
        found = difference(before, after, NOW)
        granted, revoked = set(found.granted), set(found.revoked)
        for cell, could, can in cells(before, after):
            place = decides(before, after, cell)
            if by_nearest_entry:
                line = access.ancestors(before if cell[2] in before.resources else after, cell[2])
                entries = ((*cell[:2], step) for step in line)
                key = next((each for each in entries if each in granted | revoked), None)
            else:
                key = None if place is None else (*cell[:2], place)
            wrong += (key in granted, key in revoked) != (can and not could, could and not can)
    return wrong


def test_an_entry_covers_what_is_said() -> None:
    """Whether something changed follows from the nearest place that decides, and its entry."""
    assert ROOT in World().resources
    assert misread(by_nearest_entry=False) == 0


def test_control_the_nearest_entry_above_is_not_enough() -> None:
    """Something below an entry may keep access by a role of its own."""
    assert misread(by_nearest_entry=True) > 0
