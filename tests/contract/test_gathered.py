"""Several pieces of pending work of one group that become one: none of them is lost."""

from __future__ import annotations

import pytest

from rescind import Authority, changes
from rescind.changes import Change
from rescind.propagation.audit import audit
from tests.jobs import due_jobs
from tests.sql import ours
from tests.state import may

NUMBERS = range(3)


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
