"""A worker that a newer change has overtaken moves no cursor: each of two guards is enough."""

from __future__ import annotations

import pytest

from rescind import Authority, changes
from rescind.propagation.audit import audit
from rescind.propagation.reconcile import reconcile
from rescind.propagation.work import Work
from tests.faults.small import Steady
from tests.jobs import due_jobs
from tests.probe import Probe
from tests.state import may

MEMBERS = tuple(f"user:{n}" for n in range(6))
NEST = changes.NestGroup(group="team", into="staff")
UNNEST = changes.UnnestGroup(group="team", out_of="staff")
GUARDS = ("refuse_pending_moved", "advance_pending")


@pytest.fixture
def staff(authority: Authority) -> Authority:
    """A group that may read, and a team of six outside of it."""
    authority.apply(
        [
            changes.CreateOrganization(),
            changes.DefinePermission(permission="read"),
            changes.DefineRole(role="reader", permissions=("read",)),
            *(changes.AddMembership(subject=member) for member in MEMBERS),
            changes.CreateGroup(group="staff"),
            changes.CreateGroup(group="team"),
            changes.AddMembers(group="team", members=MEMBERS),
            changes.Assign(role="reader", to="group:staff"),
        ]
    )
    return authority


def switch_off(authority: Authority, probe: Probe, guard: str) -> None:
    """Have the worker do without one of the two guards."""
    if guard == "refuse_pending_moved":
        probe.omitted.add(guard)
        return
    queries: dict[str, str] = authority.store.queries  # type: ignore[attr-defined]
    before = queries[guard]
    queries[guard] = before.replace("AND revision + 0 = :revision", "")
    queries[guard] = queries[guard].replace("AND revision + 0 = %(revision)s", "")
    assert queries[guard] != before


def overtake(authority: Authority) -> None:
    """A worker has nested the first of the team; then all of it is taken out, and the worker goes on."""
    authority.apply([NEST], route="background")
    (job,) = due_jobs(authority.store)
    work = Work(authority.store, job)
    for _ in range(2):
        work.step(Steady(1))
    authority.apply([UNNEST], route="background")
    for _ in range(2):
        work.step(Steady(1))
    reconcile(authority.store, "acme", "team")


@pytest.mark.parametrize("off", [None, *GUARDS])
def test_who_was_taken_out_is_denied(staff: Authority, probe: Probe, off: str | None) -> None:
    """Whichever of the two guards is missing, no member keeps what a finished chunk gave."""
    if off:
        switch_off(staff, probe, off)
    overtake(staff)
    assert not any(may(staff, member, "read") for member in MEMBERS)
    assert audit(staff.store).is_clean


def test_control_without_both_guards(staff: Authority, probe: Probe) -> None:
    """Control: without both, the cursor passes those whose rows the worker had made."""
    for guard in GUARDS:
        switch_off(staff, probe, guard)
    overtake(staff)
    assert not audit(staff.store).is_clean
