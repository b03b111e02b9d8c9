"""Whose turn it is: no organization keeps a worker from the others."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from rescind import Authority, changes
from rescind.propagation import schedule, worker
from rescind.propagation.jobs import Job, Progress
from rescind.propagation.worker import OnProgress, Worker
from rescind.settings import Settings
from tests.faults.small import Steady
from tests.unit.jobs import FACTS, GROUPS, grant, pend, revoke

CHUNKS = 24
HOUR = 3_600.0


class Shares:
    """A worker on organizations named for what they do; each chunk takes a second of its clock."""

    def __init__(
        self, authority: Authority, patch: pytest.MonkeyPatch, *, slice_seconds: float
    ) -> None:
        self.authority, self.chunks, self.now = authority, Counter[str](), 1.0
        self.order: list[str] = []
        self._names: dict[int, str] = {}
        clock = SimpleNamespace(monotonic=lambda: self.now)
        patch.setattr(schedule, "time", clock)
        patch.setattr(worker, "time", clock)
        settings = Settings(slice_seconds=slice_seconds)
        self.on_progress: OnProgress = self.note
        self.worker = Worker(
            authority.store,
            settings,
            on_progress=lambda job, done: self.on_progress(job, done),
            pace=Steady(1),
        )

    def add(self, name: str, *pending: changes.Change) -> None:
        self.authority.apply(FACTS, organization=name, route="inline")
        (row,) = self.authority.store.fetch("find_log", {"organization": name})
        self._names[row[0]] = name
        for change in pending:
            self.authority.apply([change], organization=name, route="background")

    def work(self, chunks: int) -> None:
        while self.chunks.total() < chunks:
            assert self.worker.work_once()

    def note(self, job: Job, _: Progress) -> None:
        self.now += 1.0
        self.chunks[self._names[job.organization]] += 1
        self.order.append(self._names[job.organization])


HOSTILE = [revoke(group, role) for group in "abc" for role in ("owner", "reader")]
"""More chunks than are done, all more urgent than a grant."""


@pytest.mark.parametrize("slice_seconds", [0.0, 3.0])
@pytest.mark.parametrize("hostile", [1, 3])
def test_every_organization_has_its_share(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, hostile: int, slice_seconds: float
) -> None:
    """Beside k organizations with more urgent work that has no end, a quiet one goes on at 1/(k + 1) of the
    pace, to within a slice.
    """
    shares = Shares(authority, monkeypatch, slice_seconds=slice_seconds)
    for number in range(hostile):
        shares.add(f"hostile-{number}", *HOSTILE)
    shares.add("quiet", *(grant(group, n) for group in "ab" for n in range(4)))
    shares.work(CHUNKS)
    assert shares.chunks["quiet"] >= CHUNKS // (hostile + 1) - slice_seconds - 1


def test_control_by_urgency_alone(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: where all organizations' claims are equal, the more urgent work is all that is done."""
    monkeypatch.setattr(schedule.Schedule, "claim", lambda *_: 0.0)
    monkeypatch.setattr(schedule, "FAIR_CHOICE_EVERY", 10**9)
    shares = Shares(authority, monkeypatch, slice_seconds=0.0)
    shares.add("hostile", *HOSTILE)
    shares.add("quiet", grant("a"))
    shares.work(CHUNKS)
    assert shares.chunks["quiet"] == 0


@pytest.mark.parametrize("organizations", [1, 16])
def test_more_organizations_than_are_looked_at(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, organizations: int
) -> None:
    """Where only some are looked at, they are others each time: each has had a turn after as many turns."""
    monkeypatch.setattr(schedule, "ORGANIZATIONS", organizations)
    shares = Shares(authority, monkeypatch, slice_seconds=0.0)
    names = [f"o{number}" for number in range(5)]
    for name in names:
        shares.add(name, grant("a"), grant("b"))
    shares.work(2 * len(names))
    assert set(shares.order[: len(names)]) == set(names)
    assert all(count >= 1 for count in shares.chunks.values())


@pytest.mark.parametrize("groups", [1, 16])
def test_more_groups_than_are_looked_at(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, groups: int
) -> None:
    """Where only some of an organization's groups are looked at, each has had a turn after as many turns."""
    monkeypatch.setattr(schedule, "LOOK_AHEAD", groups)
    shares = Shares(authority, monkeypatch, slice_seconds=0.0)
    shares.add("acme", *(grant(group, n) for n in range(2) for group in GROUPS))
    taken: list[int] = []

    def note(job: Job, done: Progress) -> None:
        shares.note(job, done)
        taken.append(job.group)

    shares.on_progress = note
    shares.work(2 * len(GROUPS))
    assert len(set(taken[: len(GROUPS)])) == len(GROUPS)


def test_what_is_remembered_is_bounded(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the most that is remembered, who has no claim any more is forgotten; below it, nobody is."""
    shares = Shares(authority, monkeypatch, slice_seconds=0.0)
    names = [f"o{number}" for number in range(6)]
    for name in names:
        shares.add(name, grant("a"), grant("b"))
    shares.work(len(names) + 1)
    remembered = shares.worker.schedule.used_until
    assert len(remembered) == len(names)
    monkeypatch.setattr(schedule, "MOST_REMEMBERED", 2)
    shares.work(len(names) + 2)
    assert len(shares.worker.schedule.used_until) <= 2


def test_a_quiet_organization_revokes_at_once(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A revocation of an organization that has used less time comes after the chunk that is under way."""
    shares = Shares(authority, monkeypatch, slice_seconds=HOUR)
    shares.add("busy", grant("a"), grant("b"))
    shares.add("quiet")

    def arrive(job: Job, done: Progress) -> None:
        shares.note(job, done)
        if len(shares.order) == 3:
            revoking = revoke("a")
            authority.apply([revoking], organization="quiet", route="background")

    shares.on_progress = arrive
    shares.work(4)
    assert shares.order[:4] == ["busy"] * 3 + ["quiet"]


def test_groups_beside_a_busy_one(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody else is at the group that is first, the organization's others are done."""
    shares = Shares(authority, monkeypatch, slice_seconds=0.0)
    shares.add("acme", revoke("a"), grant("b"))
    first = shares.worker.schedule.choose()
    assert first is not None
    shares.worker.schedule.leave_alone(first, HOUR)
    second = shares.worker.schedule.choose()
    assert second is not None
    assert second.group != first.group


def test_what_is_chosen_from_is_not_all_there_is(authority: Authority) -> None:
    """However many members of a group are pending, they are one thing to choose."""
    authority.apply(FACTS, route="inline")
    pend(authority, changes.RemoveMembers(group="a", members=tuple(f"user:{n}" for n in range(6))))
    (job,) = schedule.due(authority.store)
    assert job.kind == "member"
