"""Several pieces of pending work of one group that become one: none of them is lost."""

from __future__ import annotations

import pytest

from rescind import Authority, changes
from rescind.changes import Change
from rescind.propagation.audit import audit
from rescind.propagation.work import Work
from rescind.store import Transaction
from tests.contract.test_log_verify import run
from tests.faults.small import Steady
from tests.jobs import due_jobs
from tests.probe import Probe
from tests.sql import ours
from tests.state import may, rows_of

NUMBERS = range(3)
EVERYBODY = ("user:ada", "user:bob", "user:cyd")


@pytest.fixture
def team(acme: Authority) -> Authority:
    """A group of one, and three roles with a permission each."""
    acme.apply(
        [
            *(changes.DefinePermission(permission=f"do-{n}") for n in NUMBERS),
            *(changes.DefineRole(role=f"doer-{n}", permissions=(f"do-{n}",)) for n in NUMBERS),
            changes.CreateGroup(group="team"),
            changes.AddMembers(group="team", members=("user:ada",)),
        ]
    )
    return acme


def _given(number: int) -> Change:
    return changes.Assign(role=f"doer-{number}", to="group:team", on="doc:2")


def _taken(number: int) -> Change:
    return changes.Unassign(role=f"doer-{number}", to="group:team", on="doc:2")


def _can(authority: Authority) -> list[bool]:
    return [may(authority, "user:ada", f"do-{number}", "doc:2") for number in NUMBERS]


def _park_among(team: Authority, changed: list[Change], place: int) -> None:
    """Each change is pending by itself, and the one at that place is parked."""
    for change in changed:
        team.apply([change], route="background")
    o, group = team.store.fetch("find_group", {"organization": "acme", "group": "team"})[0]
    refs = sorted(job.ref for job in due_jobs(team.store) if job.group == group)
    assert len(refs) == len(changed)
    with team.store.connection() as connection:
        connection.execute(  # type: ignore[attr-defined]
            ours(
                team,
                "UPDATE rescind.pending SET parked = TRUE"
                f" WHERE organization = {o} AND ref = {refs[place]}",
            )
        )


@pytest.mark.parametrize("place", NUMBERS)
def test_parked_work_is_not_lost_among_other(team: Authority, place: int) -> None:
    """Whether it came first or last, it is settled like the rest when its group is settled by a call: nobody
    lacks what was given, and nobody keeps what was taken back.
    """
    for change, expected in ((_given, True), (_taken, False)):
        _park_among(team, [change(number) for number in NUMBERS], place)
        team.reconcile("team")
        assert team.pending() == []
        assert _can(team) == [expected] * len(NUMBERS)
        assert audit(team.store).is_clean


def test_control_parked_work_that_others_are_gathered_into_is_lost(team: Authority) -> None:
    """Where a parked row takes the others' revisions, and not its own with them, a row is missing."""
    for name in ("measure_assignment", "gather_pending", "delete_gathered"):
        sql = team.store.queries[name]  # type: ignore[attr-defined]
        own = ours(team, "AND EXISTS (SELECT 1 FROM rescind.pending AS own")
        start = sql.index(own)
        while start >= 0:
            sql = sql[:start] + sql[sql.index("own.parked)", start) + len("own.parked)") :]
            start = sql.find(own)
        sql = sql.rstrip().removesuffix("AND NOT parked")
        start, end = sql.find("AND since >= ("), sql.rfind("AND organization = ")
        if 0 < start < end:
            sql = sql[:start] + sql[end:]
        team.store.queries[name] = sql  # type: ignore[attr-defined]
    _park_among(team, [_given(number) for number in NUMBERS], 0)
    team.reconcile("team")
    assert team.pending() == []
    assert not audit(team.store).is_clean


def test_newer_work_is_not_parked_with_older(team: Authority) -> None:
    """Only what was parked stays so, while what came after it is done."""
    _park_among(team, [_given(number) for number in NUMBERS], 0)
    with team.workers():
        while team.has_due_work():
            pass
    (left,) = team.pending()
    assert (left.is_parked, left.since, left.revision) == (True, left.since, left.since)
    assert audit(team.store).is_clean


@pytest.mark.parametrize("is_guarded", [True, False])
def test_begun_work_is_not_joined_with_newer(
    team: Authority, probe: Probe, is_guarded: bool
) -> None:
    """By a worker that read it before another began it: else parts of both would be passed over. Control:
    without a look at how far it is by now, they are.
    """
    team.apply([changes.AddMembers(group="team", members=EVERYBODY)])
    team.apply([_given(0)], route="background")
    (job,) = due_jobs(team.store)
    first, second = Work(team.store, job), Work(team.store, job)
    assert not first.step(Steady(1)).is_settled
    for number in NUMBERS[1:]:
        team.apply([_given(number)], route="background")
    if not is_guarded:
        probe.omitted.add("refuse_pending_moved")
    assert second.step(Steady(1)).is_restart is is_guarded
    probe.omitted.clear()
    team.reconcile("team")
    assert team.pending() == []
    assert audit(team.store).is_clean is is_guarded
    if is_guarded:
        asked = [(subject, number) for subject in EVERYBODY for number in NUMBERS]
        assert all(may(team, subject, f"do-{number}", "doc:2") for subject, number in asked)


def test_work_of_one_revision_for_two_groups(team: Authority) -> None:
    """Gathered for one of them and read again, it is still of that group."""
    groups = ("team", "eng")
    for number in NUMBERS[:2]:
        batch = [
            changes.Assign(role=f"doer-{number}", to=f"group:{group}", on="doc:2")
            for group in groups
        ]
        team.apply(batch, route="background")
    jobs = due_jobs(team.store)
    oldest = [job for job in jobs if job.ref == min(job.ref for job in jobs)]
    assert len(oldest) == len(groups)
    for job in oldest:
        work = Work(team.store, job)
        work.step(Steady(1))
        assert work.job.group == job.group
    for group in groups:
        team.reconcile(group)
    assert team.pending() == []
    assert audit(team.store).is_clean


def test_parked_work_takes_over_nothing(team: Authority) -> None:
    """Parked after a worker has measured it; though a member's work has the same number and is not parked."""
    for number in NUMBERS:
        team.apply([_given(number)], route="background")
    parked = max(due_jobs(team.store), key=lambda job: job.ref)
    team.apply([changes.AddMembers(group="team", members=("user:bob",))], route="background")
    run(
        team,
        f"UPDATE rescind.pending SET parked = TRUE WHERE kind = 'assignment' AND ref = {parked.ref}",
        f"UPDATE rescind.pending SET ref = {parked.ref} WHERE kind = 'member'",
    )
    before = rows_of(team, "acme")["pending"]
    assert len(before) == len(NUMBERS) + 1

    def gather(tx: Transaction) -> None:
        tx.run("gather_pending", **parked.params())
        tx.run("delete_gathered", **parked.params())

    team.store.transact(gather, yields=True)
    assert rows_of(team, "acme")["pending"] == before


def test_work_that_is_retried_meanwhile_is_not_lost(team: Authority) -> None:
    """Parked when newer work was joined, and not any more when what was taken over is deleted."""
    for number in NUMBERS:
        team.apply([_given(number)], route="background")
    parked, joined, _ = sorted(due_jobs(team.store), key=lambda job: job.ref)
    park = "UPDATE rescind.pending SET parked = {} WHERE ref = " + str(parked.ref)
    run(team, park.format("TRUE"))
    team.store.transact(lambda tx: tx.run("gather_pending", **joined.params()), yields=True)
    run(team, park.format("FALSE"))
    team.store.transact(lambda tx: tx.run("delete_gathered", **joined.params()), yields=True)
    assert sorted(job.ref for job in due_jobs(team.store)) == [parked.ref, joined.ref]
    team.reconcile("team")
    assert _can(team) == [True] * len(NUMBERS)
    assert audit(team.store).is_clean
