"""What an explanation shows is what allows: no chain too many, and none too few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from rescind.model import Chain
from rescind.semantics import access
from rescind.semantics.access import ROOT, Assignment, World
from tests.property import single_role


def assert_each_allows(world: World, chains: Sequence[Chain], now: int) -> None:
    """Each chain allows where there is nothing else."""
    for chain in chains:
        places = {(chain.subject, chain.groups[0])} if chain.groups else set()
        alone = replace(
            world,
            members={place: world.members[place] for place in places},
            nestings=world.nestings & set(pairwise(chain.groups)),
            assignments={}
            if chain.is_default_role
            else {_of(chain): world.assignments[_of(chain)]},
            default_role=world.default_role if chain.is_default_role else None,
        )
        question = (chain.subject, chain.permission, chain.resource)
        assert access.allowed(alone, *question, now), f"does not allow alone: {chain}"


def assert_none_is_missing(world: World, chains: Sequence[Chain], now: int) -> None:
    """Without what the chains go through, nothing allows that counted."""
    first = chains[0]
    won = single_role.winner(world, first.subject, now) if world.is_single_role else None
    shown = {_of(chain) for chain in chains if not chain.is_default_role}
    is_default_shown = any(chain.is_default_role for chain in chains)
    without = replace(
        world,
        assignments={
            assignment: until
            for assignment, until in world.assignments.items()
            if assignment not in shown
            and (not world.is_single_role or assignment.resource != ROOT or assignment.role == won)
        },
        default_role=None if is_default_shown or won is not None else world.default_role,
    )
    question = (first.subject, first.permission, first.resource)
    assert not access.allowed(without, *question, now), f"more allows than {chains}"


def _of(chain: Chain) -> Assignment:
    holder = f"group:{chain.groups[-1]}" if chain.groups else chain.subject
    return Assignment(holder, chain.role, chain.assigned_on)
