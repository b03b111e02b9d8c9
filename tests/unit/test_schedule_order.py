"""The order of a worker's choices, on a list of due work; what is due is the database's to say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rescind.propagation import schedule as module
from rescind.propagation.jobs import Job
from rescind.propagation.schedule import FAIR_CHOICE_EVERY, Schedule, due
from rescind.store.rows.reconcile import LIST_DUE, LIST_DUE_ORGANIZATIONS, DueOrganizationRow
from tests.unit.test_ranges import job


class Due:
    """Due work, as the database lists it: each organization for each urgency, or one's jobs."""

    def __init__(self, *listed: Job) -> None:
        self.jobs = list(listed)
        self.asked: list[dict[str, Any]] = []

    def fetch(self, query: Any, params: dict[str, Any]) -> list[Any]:
        self.asked.append(params)
        if query is LIST_DUE_ORGANIZATIONS:
            found = {(j.urgency, j.organization) for j in self.jobs if j.urgency < params["below"]}
            return [DueOrganizationRow(*row) for row in sorted(found)]
        assert query is LIST_DUE
        fields = [{f: getattr(j, f) for f in j.__slots__} for j in self.jobs]
        return [
            SimpleNamespace(_asdict=lambda row=row: row)
            for row in fields
            if row["organization"] == params["o"]
        ]


def of(organization: int, group: int = -5, urgency: int = 1, at: int = 0, revision: int = 4) -> Job:
    return job(
        organization=organization,
        group=group,
        urgency=urgency,
        recorded_at=at,
        revision=revision,
    )


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time by the schedule's clock."""
    time = [100.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: time[0]))
    return time


def turns(schedule: Schedule, count: int, seconds: float = 0.0) -> list[tuple[int, int]]:
    """Whose jobs are chosen: organization and group. Each takes so long."""
    found = []
    for _ in range(count):
        chosen = schedule.choose()
        assert chosen is not None
        schedule.used(chosen, seconds)
        found.append((chosen.organization, chosen.group))
    return found


def test_with_equal_claims_by_urgency_then_in_turn(now: list[float]) -> None:
    """The most urgent of each organization counts; among equals those after the last one come first."""
    store = Due(of(1, urgency=2), of(2), of(3), of(4, urgency=2), of(4, -6, urgency=0))
    schedule = Schedule(store)  # type: ignore[arg-type]
    assert turns(schedule, 1) == [(4, -6)]
    store.jobs = [of(1, urgency=2), of(2), of(3), of(4)]
    assert [o for o, _ in turns(schedule, 5)] == [2, 3, 4, 2, 3]
    assert [params["after"] for params in store.asked if "below" in params] == [-1, 4, 2, 3, 4, 2]
    assert {params.get("below", 3) for params in store.asked} == {3}
    assert now


@pytest.mark.usefixtures("now")
def test_who_used_less_time_comes_first() -> None:
    """However urgent the others' work is. Who comes anew has no claim on the time before."""
    schedule = Schedule(Due(of(1, urgency=0), of(2)))  # type: ignore[arg-type]
    assert [o for o, _ in turns(schedule, 2, 2.0)] == [1, 2]
    schedule.used(of(1), 3.0)
    assert schedule.used_until == {1: 5.0, 2: 2.0}
    assert [o for o, _ in turns(schedule, 3, 1.5)] == [2, 2, 1]
    assert schedule.claim(9) == 5.0


@pytest.mark.usefixtures("now")
def test_what_outranks() -> None:
    """More urgent work of an organization whose turn is no later than this one's after so long."""
    store = Due(of(1, urgency=1), of(2, urgency=0), of(3, urgency=2))
    schedule = Schedule(store)  # type: ignore[arg-type]
    schedule.used(of(2), 4.0)
    assert not schedule.is_outranked(store.jobs[0], 3.5)
    assert schedule.is_outranked(store.jobs[0], 4.0)
    assert schedule.is_outranked(store.jobs[0], 5.0)
    assert not schedule.is_outranked(store.jobs[1], 5.0)
    assert [params["below"] for params in store.asked] == [1, 1, 1, 0]


def test_within_an_organization(now: list[float]) -> None:
    """The most urgent, then who was left longest ago, then who waits longest, then the oldest revision."""
    groups = [of(1, -1, at=5), of(1, -2, at=4), of(1, -3, at=4, revision=3), of(1, -4, urgency=0)]
    store = Due(*groups)
    schedule = Schedule(store)  # type: ignore[arg-type]
    found = []
    for _ in range(2):
        found += turns(schedule, 1)
        now[0] += 1.0
    store.jobs = groups[:3]
    for _ in range(5):
        found += turns(schedule, 1)
        now[0] += 1.0
    assert [group for _, group in found] == [-4, -4, -3, -2, -1, -3, -2]
    assert [params["after"] for params in store.asked if "o" in params] == [
        module.FIRST_GROUP,
        *(-4, -4, -3, -2, -1, -3),
    ]


@pytest.mark.usefixtures("now")
def test_every_so_many_choices_the_oldest() -> None:
    """Of each organization for itself, however urgent the others are."""
    store = Due(of(1, -1, urgency=0, at=9), of(1, -2, urgency=2, at=1))
    schedule = Schedule(store)  # type: ignore[arg-type]
    found = []
    for number in range(2 * FAIR_CHOICE_EVERY):
        chosen = schedule.choose()
        assert chosen is not None
        found.append(chosen.group)
        if number == 2:
            store.jobs.append(of(2))
            schedule.used(of(1), 1.0)
            assert schedule.choose() == of(2)
            store.jobs.pop()
    is_fair = [number % FAIR_CHOICE_EVERY == 0 for number in range(1, 2 * FAIR_CHOICE_EVERY + 1)]
    assert found == [-2 if fair else -1 for fair in is_fair]


@pytest.mark.parametrize(("chance", "share"), [(0.0, 0.5), (0.5, 1.0), (0.75, 1.25)])
def test_a_busy_group_is_left_alone_for_about_so_long(
    now: list[float], monkeypatch: pytest.MonkeyPatch, chance: float, share: float
) -> None:
    """Spread around it, and no longer; others of the organization, and of others, are not."""
    monkeypatch.setattr(module, "random", SimpleNamespace(random=lambda: chance))
    store = Due(of(1, -1), of(2, -1))
    schedule = Schedule(store)  # type: ignore[arg-type]
    schedule.leave_alone(store.jobs[0], 8.0)
    assert turns(schedule, 2) == [(2, -1)] * 2
    assert schedule.seconds_until_free() == [8.0 * share]
    schedule.leave_alone(store.jobs[1], 80.0)
    assert schedule.choose() is None
    now[0] += 8.0 * share - 0.25
    assert schedule.choose() is None
    now[0] += 0.25
    assert turns(schedule, 1) == [(1, -1)]
    assert len(schedule.seconds_until_free()) == 1


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize(("most", "after"), [(2, module.FIRST_GROUP), (4, -5)])
def test_what_a_schedule_remembers_is_bounded(
    monkeypatch: pytest.MonkeyPatch, most: int, after: int
) -> None:
    """Of groups and of organizations: beyond the most all are forgotten, but for claims on later turns."""
    monkeypatch.setattr(module, "MOST_REMEMBERED", most)
    store = Due(*(of(o) for o in range(4)))
    schedule = Schedule(store)  # type: ignore[arg-type]
    turns(schedule, 4, 1.0)
    assert schedule.used_until == dict.fromkeys(range(4), 1.0)
    turns(schedule, 1, 1.0)
    assert store.asked[-1] == {"o": 0, "after": after, "limit": module.LOOK_AHEAD}
    assert schedule.used_until == ({0: 2.0} if most == 2 else {0: 2.0, 1: 1.0, 2: 1.0, 3: 1.0})


def test_all_that_is_due() -> None:
    """The most urgent first, then the oldest, whosever it is."""
    found = [of(1, at=3), of(2, at=2), of(2, -6, at=2, revision=3), of(3, urgency=0, at=9)]
    store = Due(*found)
    assert due(store) == [found[3], found[2], found[1], found[0]]  # type: ignore[arg-type]
    first, *others = store.asked
    assert (first["after"], first["below"]) == (-1, 3)
    assert {params["after"] for params in others} == {module.FIRST_GROUP}
