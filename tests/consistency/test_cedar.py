"""Generated organizations: every decision point agrees with Cedar, which others wrote and proved."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import cedarpy
import pytest

from rescind import Authority, DecisionPoint, changes
from rescind.changes import Change

WORLDS = 12
GROUPS, USERS, PLACES, ROLES, PERMISSIONS = 6, 5, 6, 4, 4


@dataclass
class World:
    """Everything by number; edges go from lower to higher, so that there is no cycle."""

    members: set[tuple[int, int]] = field(default_factory=set)
    nestings: set[tuple[int, int]] = field(default_factory=set)
    parents: dict[int, int | None] = field(default_factory=dict)
    roles: dict[int, set[int]] = field(default_factory=dict)
    assignments: set[tuple[str, int, int | None]] = field(default_factory=set)

    @classmethod
    def random(cls, seed: int) -> World:
        choose = random.Random(seed)
        world = cls()
        some = choose.random
        world.members = {(u, g) for u in range(USERS) for g in range(GROUPS) if some() < 0.3}
        world.nestings = {
            (a, b) for a, b in itertools.combinations(range(GROUPS), 2) if some() < 0.3
        }
        world.parents = {p: choose.choice([None, *range(p)]) for p in range(PLACES)}
        world.roles = {r: {p for p in range(PERMISSIONS) if some() < 0.4} for r in range(ROLES)}
        holders = [f"user:{u}" for u in range(USERS)] + [f"group:g{g}" for g in range(GROUPS)]
        for _ in range(choose.randrange(4, 10)):
            place = choose.choice([None, *range(PLACES)])
            world.assignments.add((choose.choice(holders), choose.randrange(ROLES), place))
        return world

    def changes(self) -> list[Change]:
        """As Rescind takes it."""
        batch: list[Change] = [changes.CreateOrganization(), changes.DefineResourceType(type="doc")]
        batch += [changes.DefinePermission(permission=f"p{p}") for p in range(PERMISSIONS)]
        batch += [
            changes.DefineRole(role=f"r{r}", permissions=tuple(f"p{p}" for p in sorted(contents)))
            for r, contents in self.roles.items()
        ]
        batch += [changes.AddMembership(subject=f"user:{u}") for u in range(USERS)]
        batch += [changes.CreateGroup(group=f"g{g}") for g in range(GROUPS)]
        for place, parent in self.parents.items():
            below = None if parent is None else f"doc:{parent}"
            batch.append(changes.CreateResource(resource=f"doc:{place}", parent=below))
        batch += [changes.NestGroup(group=f"g{a}", into=f"g{b}") for a, b in sorted(self.nestings)]
        for user, group in sorted(self.members):
            batch.append(changes.AddMembers(group=f"g{group}", members=(f"user:{user}",)))
        for holder, role, place in sorted(self.assignments, key=str):
            on = None if place is None else f"doc:{place}"
            batch.append(changes.Assign(role=f"r{role}", to=holder, on=on))
        return batch

    def cedar(self) -> tuple[str, str]:
        """Policies and entities as Cedar takes them."""
        policies = []
        for holder, role, place in self.assignments:
            kind, _, name = holder.partition(":")
            actions = ", ".join(f'Action::"p{p}"' for p in self.roles[role])
            where = "organization" if place is None else f"doc:{place}"
            policies.append(
                f'permit(principal in {kind.title()}::"{name}", action in [{actions}],'
                f' resource in Resource::"{where}");'
            )
        entities = [_entity("Resource", "organization", "Resource", [])]
        for place, parent in self.parents.items():
            above = "organization" if parent is None else f"doc:{parent}"
            entities.append(_entity("Resource", f"doc:{place}", "Resource", [above]))
        for group in range(GROUPS):
            above_it = [f"g{b}" for a, b in self.nestings if a == group]
            entities.append(_entity("Group", f"g{group}", "Group", above_it))
        for user in range(USERS):
            groups = [f"g{g}" for u, g in self.members if u == user]
            entities.append(_entity("User", str(user), "Group", groups))
        return "\n".join(policies), json.dumps(entities)


def _entity(kind: str, name: str, parent_kind: str, parents: list[str]) -> dict[str, object]:
    above = [{"type": parent_kind, "id": parent} for parent in parents]
    return {"uid": {"type": kind, "id": name}, "attrs": {}, "parents": above}


QUESTIONS = [
    (f"user:{user}", f"p{permission}", None if place is None else f"doc:{place}")
    for user in range(USERS)
    for permission in range(PERMISSIONS)
    for place in (None, *range(PLACES))
]


def cedar_allows(world: World) -> list[bool]:
    """What Cedar says to each of the questions."""
    policies, entities = world.cedar()
    requests = [
        {
            "principal": f'User::"{subject.removeprefix("user:")}"',
            "action": f'Action::"{permission}"',
            "resource": f'Resource::"{place or "organization"}"',
            "context": {},
        }
        for subject, permission, place in QUESTIONS
    ]
    results = cedarpy.is_authorized_batch(requests, policies, entities)
    return [result.decision == cedarpy.Decision.Allow for result in results]


@pytest.mark.parametrize("seed", range(WORLDS))
def test_every_decision_point_agrees_with_cedar(
    engine: str, new_database: Callable[[str], str], seed: int
) -> None:
    """Index, effective and live; checks alone and together, lists and explanations."""
    world, url = World.random(seed), new_database(engine)
    expected = cedar_allows(world)
    assert True in expected
    assert False in expected
    with (
        Authority.open(url, organization="acme") as plain,
        Authority.open(url, organization="acme", index=True) as held,
    ):
        plain.apply(world.changes())
        assert held.load()
        asked = {
            DecisionPoint.INDEX: held.check_many(QUESTIONS),
            DecisionPoint.EFFECTIVE: plain.check_many(QUESTIONS),
            DecisionPoint.LIVE: plain.check_many(QUESTIONS, assurance="live"),
        }
        for point, answers in asked.items():
            assert {answer.point for answer in answers} == {point}
            assert [bool(answer) for answer in answers] == expected, point
        for question, allowed in zip(QUESTIONS, expected, strict=True):
            assert bool(held.check(*question)) == allowed
            explained = held.explain(*question)
            assert explained.point is DecisionPoint.INDEX
            assert bool(explained.explanation and explained.explanation.chains) == allowed
        _compare_lists(held, dict(zip(QUESTIONS, expected, strict=True)))


def _compare_lists(held: Authority, allows: dict[tuple[str, str, str | None], bool]) -> None:
    places = [None, *(f"doc:{place}" for place in range(PLACES))]
    for permission, place in itertools.product((f"p{p}" for p in range(PERMISSIONS)), places):
        who = {s for (s, p, r), yes in allows.items() if yes and (p, r) == (permission, place)}
        assert set(held.who_can(permission, place).items) == who
    for user in range(USERS):
        subject = f"user:{user}"
        for place in places:
            can = {p for (s, p, r), yes in allows.items() if yes and (s, r) == (subject, place)}
            assert set(held.permissions_of(subject, place).items) == can
        for number in range(PERMISSIONS):
            permission = f"p{number}"
            reach = {
                r or "organization"
                for (s, p, r), yes in allows.items()
                if yes and (s, p) == (subject, permission)
            }
            assert set(held.resources_of(subject, permission).items) == reach
