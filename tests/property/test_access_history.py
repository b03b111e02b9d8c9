"""The history of access agrees with the reference semantics at every instant of random histories."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from typing import NamedTuple

import pytest

from rescind import Authority, model
from rescind.changes import DeleteOrganization
from rescind.errors import RescindError
from rescind.history.access_history import AccessReplay
from rescind.history.tables import read_states
from rescind.model import AccessPeriod, OrganizationId, OrganizationNumber
from rescind.semantics import access
from rescind.semantics.state import world
from tests.clock import SettableClock
from tests.independent.steps import PERMISSIONS, RESOURCES, SUBJECTS, Kind, Maker

ACME = OrganizationId("acme")
ANYTHING = (*RESOURCES, model.ROOT)


class Seen(NamedTuple):
    """What the facts were at an instant."""

    at: int
    world: access.World


def played(authority: Authority, clock: SettableClock, kind: Kind) -> list[Seen]:
    """Random steps of every kind of change; and acme's facts at instants of its present life."""
    steps = Maker(kind).steps()
    seen: list[Seen] = []
    life = None
    pick = random.Random(kind.seed)
    for number, step in enumerate(steps):
        assert step.at is not None
        clock.now = model.moment(step.at)
        batch = [
            c for c in step.batch if not (isinstance(c, DeleteOrganization) and pick.random() < 0.8)
        ]
        if not batch:
            continue
        try:
            authority.apply(
                batch, organization=step.organization, force=True, reason=f"step {number}"
            )
        except RescindError:
            continue
        found = authority.store.fetch("find_organization", {"organization": ACME})
        if not found:
            seen, life = [], None
            continue
        o = OrganizationNumber(found[0][0])
        if life != o:
            seen, life = [], o
        with authority.store.snapshot() as snapshot:
            now = world(*read_states(snapshot, ACME, o))
        if seen and seen[-1].at == step.at:
            seen.pop()
        seen += [Seen(step.at, now)]
        later = steps[number + 1].at if number + 1 < len(steps) else step.at + 10**9
        assert later is not None
        ends = {u for u in (*now.members.values(), *now.assignments.values()) if u}
        between = {i for end in ends for i in (end - 1, end, end + 1) if step.at < i < later}
        seen += [Seen(at, now) for at in sorted(between)]
    clock.now = model.moment((steps[-1].at or 0) + 10**9)
    return seen


def lasted(period: AccessPeriod, at: int) -> bool:
    began = model.microseconds(period.began.at)
    return began <= at and (period.ended is None or at < model.microseconds(period.ended.at))


def compare(authority: Authority, seen: list[Seen], pick: random.Random) -> int:
    """Ask in all three ways, and compare at every instant."""
    compared = 0
    for subject in SUBJECTS:
        permission, resource = _telling(subject, seen, pick)
        one = authority.access_history(subject, permission, resource).periods
        whole = authority.access_history(subject).periods
        everybody = authority.access_history(None, permission, resource).periods
        for at, facts in seen:
            may = access.allowed(facts, subject, permission, resource, at)
            assert any(lasted(p, at) for p in one) == may, (subject, permission, resource, at)
            assert any(lasted(p, at) for p in everybody if p.subject == subject) == may
            line = access.ancestors(facts, resource) if resource in facts.resources else []
            given = [p for p in whole if lasted(p, at) and permission in p.permissions]
            assert any(p.resource in line for p in given) == may
            compared += may
    return compared


def _telling(subject: str, seen: list[Seen], pick: random.Random) -> tuple[str, str]:
    """A permission and a resource, if there are such, that the subject had at some time."""
    every = [(permission, resource) for permission in PERMISSIONS for resource in ANYTHING]
    pick.shuffle(every)
    some = pick.sample(seen, min(len(seen), 12))
    for permission, resource in every:
        if any(access.allowed(s.world, subject, permission, resource, s.at) for s in some):
            return permission, resource
    return every[0]


@pytest.mark.parametrize("seed", range(8))
def test_agrees_at_every_instant(new_database: Callable[[str], str], seed: int) -> None:
    """With environment roles, both role modes, nested groups, moves, deletions, and expiry at its instant."""
    kind = Kind(single=bool(seed & 1), timed=True, seed=seed, changes=300)
    clock = SettableClock()
    with closing(
        Authority.open(new_database("sqlite"), clock=clock, organization="acme")
    ) as authority:
        seen = played(authority, clock, kind)
        compared = compare(authority, seen, random.Random(seed)) if seen else 0
        assert compared or len(seen) < 20


def test_the_comparison_notices(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: a history that lets nothing end by itself is found to differ."""
    monkeypatch.setattr(AccessReplay, "pass_to", lambda self, at: setattr(self, "at", at))
    assert any(_differs(new_database, seed) for seed in range(8))


def _differs(new_database: Callable[[str], str], seed: int) -> bool:
    try:
        test_agrees_at_every_instant(new_database, seed)
    except AssertionError:
        return True
    return False
