"""The history of access agrees with the reference semantics at every instant of random histories."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import closing
from typing import NamedTuple

import pytest

from rescind import Authority, model
from rescind.changes import DeleteOrganization
from rescind.errors import RescindError
from rescind.history import access_reader
from rescind.history.access_history import AccessReplay
from rescind.history.tables import read_states
from rescind.model import AccessPeriod, CauseKind, OrganizationId, OrganizationNumber
from rescind.semantics import access
from rescind.semantics.state import world
from tests.clock import SettableClock
from tests.independent.steps import PERMISSIONS, RESOURCES, SUBJECTS, Kind, Maker

ACME = OrganizationId("acme")
LAST = model.moment(10**17)
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
        parts_agree(authority, subject, whole, seen, pick)
    return compared


def parts_agree(
    authority: Authority,
    subject: str,
    whole: tuple[AccessPeriod, ...],
    seen: list[Seen],
    pick: random.Random,
) -> None:
    """What is asked `since` a time has the beginnings of the whole; so has what is told page by page."""
    for at, _ in pick.sample(seen, min(len(seen), 3)):
        since = model.moment(at)
        later = [p for p in whole if p.ended is None or p.ended.at > since]
        found = authority.access_history(subject, since=since).periods
        pairs = list(zip(sorted(found, key=_key), sorted(later, key=_key), strict=True))
        assert all(one == other or _is_given_anew(authority, one, other) for one, other in pairs)
    after, found = 0, []
    while True:
        page = authority.access_history(subject, after=after, most_changes=97)
        found += page.periods
        if page.next_after is None:
            break
        after = page.next_after
    pairs = list(zip(sorted(found, key=_key), sorted(whole, key=_key), strict=True))
    assert all(
        one == other
        or (
            one == other._replace(chain=one.chain, began=one.began)
            and one.began.kind is CauseKind.BEFORE
        )
        or _is_given_anew(authority, one, other)
        for one, other in pairs
    )


def _is_given_anew(authority: Authority, one: AccessPeriod, other: AccessPeriod) -> bool:
    """Whether a batch took and gave the same at once, so that its facts are younger than the access."""
    if one != other._replace(began=one.began, chain=one.chain) or one.began.at < other.began.at:
        return False
    (entry,) = authority.log(after=(one.began.revision or 0) - 1, limit=1)
    return len(json.loads(entry.changes)) > 1


def _key(period: AccessPeriod) -> tuple[object, ...]:
    ended = period.ended and (period.ended.at, period.ended.revision or 0)
    return period[:3], period.chain[:1], period.chain[-1:], period[4:6], ended or (LAST, 0)


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


def test_the_parts_notice(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: where facts are always believed to tell when something began, a beginning is wrong."""
    monkeypatch.setattr(access_reader, "is_told_by_facts", lambda *_: True)
    assert any(_differs(new_database, seed) for seed in (7, 5, 3, 1))


def _differs(new_database: Callable[[str], str], seed: int) -> bool:
    try:
        test_agrees_at_every_instant(new_database, seed)
    except AssertionError:
        return True
    return False
