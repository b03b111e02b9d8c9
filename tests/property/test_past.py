"""What is asked about the past is what was answered then."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from rescind import Authority, changes
from rescind.errors import PastUnavailable
from rescind.history import replaying
from rescind.history.snapshots import LOOK_SECONDS, SnapshotWriter
from rescind.semantics import replay
from rescind.settings import Settings
from rescind.store import open_store
from tests.clock import SettableClock
from tests.property.past_histories import Point, answers, played, steps

names = (f"past{number}" for number in itertools.count())


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def timed(
    request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]
) -> Iterator[tuple[Authority, SettableClock]]:
    """An authority and its clock, on each engine."""
    clock = SettableClock()
    store = open_store(new_shared_database(request.param))
    with closing(store):
        yield Authority(store, clock=clock), clock


def differences(authority: Authority, name: str, points: list[Point]) -> list[str]:
    """Where an answer about the past is not the one that was given then."""
    found = []
    for point in points:
        for at in (point.at, point.token):
            if at is None:
                continue
            now = answers(authority, name, at=at)
            assert now.keys() == point.answers.keys()
            found += [
                f"{question} at {at}: {now[question]}, was {was}"
                for question, was in point.answers.items()
                if now[question] != was
            ]
    return found


def keep_snapshots(authority: Authority) -> None:
    """Keep all snapshots that are due, one after three changes."""
    writer = SnapshotWriter(authority.store, Settings(snapshot_changes=3))
    while writer.step() != LOOK_SECONDS:
        pass


@settings(
    max_examples=int(os.environ.get("RESCIND_EXAMPLES", "5")),
    deadline=timedelta(seconds=60),
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
@given(history=steps)
def test_answers_about_the_past_are_those_given_then(
    timed: tuple[Authority, SettableClock], history: list[Any]
) -> None:
    """At every time and revision, by every kind of question, with and without snapshots."""
    authority, clock = timed
    name = next(names)
    points = list(played(authority, clock, name, history))
    assert clock.now is not None
    clock.now += timedelta(days=2)
    assert differences(authority, name, points) == []
    keep_snapshots(authority)
    fresh = Authority(authority.store, clock=clock)  # which has no state in memory
    assert differences(fresh, name, points) == []


HISTORY: list[Any] = [
    [changes.AddMembers(group="g3", members=("agent:c",))],
    [changes.RemoveMembers(group="g1", members=("user:a",))],
    [changes.NestGroup(group="g4", into="g3")],
    [changes.UnnestGroup(group="g2", out_of="g3")],
    [changes.Assign(role="r3", to="agent:c", on="doc:3")],
    [changes.Unassign(role="r1", to="user:a")],
    [changes.EditRole(role="r1", set=("q",))],
    [changes.ChangeMembershipId(subject="user:a", new_id="user:d")],
    [changes.ChangeGroupId(group="g3", new_id="g5")],
    [changes.DeactivateMembership(subject="service_account:b")],
    [changes.ReactivateMembership(subject="service_account:b")],
    [changes.MoveResource(resource="doc:2", parent="doc:3")],
    [changes.SetRoleMode(mode="single")],
    [changes.SetDefaultRole(role="r2")],
    [changes.DeleteGroup(group="g2", cascade=True)],
    [changes.DeleteRole(role="r3", cascade=True)],
    [changes.DeleteResource(resource="doc:1", cascade=True)],
    [changes.RemoveMembership(subject="user:d")],
    [changes.DeletePermission(permission="q", cascade=True)],
    [changes.DeleteOrganization(cascade=True)],
]


def test_a_replay_that_ignores_one_kind_of_change_is_seen(
    timed: tuple[Authority, SettableClock], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the answers after such a change differ, whichever kind it is."""
    authority, clock = timed
    name = next(names)
    points = list(played(authority, clock, name, [(batch, 1) for batch in HISTORY]))
    assert len(points) == 1 + len(HISTORY), "a change was refused"
    assert clock.now is not None
    clock.now += timedelta(days=2)
    for (change,), point in zip(HISTORY, points[1:], strict=True):
        kind = type(change)

        def ignoring(state: Any, environment: Any, row: Any, kind: type = kind) -> None:
            kept = [each for each in row.changes if type(each) is not kind]
            replay.apply(state, environment, row._replace(changes=kept))

        with monkeypatch.context() as patch:
            patch.setattr(replaying, "apply", ignoring)
            without = Authority(authority.store, clock=clock)
            assert _seen(without, name, point), f"without {kind.__name__} it is all the same"
    assert not differences(Authority(authority.store, clock=clock), name, points)


def _seen(authority: Authority, name: str, point: Point) -> bool:
    try:
        return bool(differences(authority, name, [point]))
    except PastUnavailable:
        return True
