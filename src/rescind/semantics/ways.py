"""Ways up from a membership to holders that matter: the groups on each, innermost first. Pure.

There may be 2ⁿ of them in 2n groups. So nothing walks all of them: `leading` says in one walk which
groups lie on any, and `ways` yields one after another, in steps of at most the groups on one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Set

from rescind.semantics import access
from rescind.semantics.access import World


def leading(world: World, holders: Set[str]) -> set[str]:
    """The groups that are one of those holders, or lead up to one."""
    children: dict[str, list[str]] = defaultdict(list)
    for child, parent in world.nestings:
        children[parent].append(child)
    fringe = [holder.removeprefix("group:") for holder in holders if holder.startswith("group:")]
    found = set(fringe)
    while fringe:
        more = set(children[fringe.pop()]) - found
        found |= more
        fringe += more
    return found


def ways(world: World, subject: str, now: int, holders: Set[str]) -> Iterator[tuple[str, ...]]:
    """Every way from a membership to one of those holders at a time; () where it is one itself."""
    if subject in holders:
        yield ()
    useful = leading(world, holders)
    parents: dict[str, list[str]] = defaultdict(list)
    for child, parent in sorted(world.nestings):
        if parent in useful:
            parents[child].append(parent)
    starts = sorted(
        group
        for (member, group), until in world.members.items()
        if member == subject and group in useful and access.in_force(until, now)
    )
    way: list[str] = []
    branches = [iter(starts)]
    while branches:
        group = next(branches[-1], None)
        if group is None:
            branches.pop()
            if way:
                way.pop()
            continue
        way.append(group)
        branches.append(iter(parents[group]))
        if f"group:{group}" in holders:
            yield tuple(way)
