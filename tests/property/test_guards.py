"""Each statement that protects a revocation is needed, on both engines.

A short script drives the machine to where the statement matters. With it the invariants hold;
without it they do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from functools import cache
from typing import NamedTuple

import pytest

from rescind import Authority, changes, model
from rescind.changes import Change
from rescind.propagation.tombstones import purge
from rescind.propagation.work import Work
from rescind.store import open_store
from rescind.store.queries import queries
from tests.clock import SettableClock
from tests.conftest import Make
from tests.faults.small import Steady
from tests.jobs import due_jobs
from tests.probe import Probe
from tests.property import oracle
from tests.property.rows import count_rows
from tests.property.test_machine import START, Machine

EARLY = model.moment(START + 5_000_000)
A = ("user:a",)

single = changes.SetRoleMode(mode="single")
leave = changes.RemoveMembers(group="g1", members=A)
stay_without_a = changes.ReplaceMembers(group="g1", members=("service_account:b",))
come_back = changes.AddMembers(group="g1", members=A)
other_way = changes.AddMembers(group="g2", members=A, expires_at=EARLY)
unnest = changes.UnnestGroup(group="g1", out_of="g2")
lose_the_winner = changes.Unassign(role="r3", to="group:g2")
lose_all = changes.ReplaceAssignments(to="group:g2", assignments=())
lose_the_next = changes.Unassign(role="r2", to="group:g4")
remove = changes.RemoveMembership(subject="user:a")

UNMAKING: dict[str, list[Change]] = {
    "drop_for_members": [leave],
    "drop_for_others": [stay_without_a],
    "drop_for_nesting": [unnest],
    "drop_for_ended": [lose_all],
    "drop_ended_of_group": [lose_the_winner],
    "shorten_for_members": [changes.AddMembers(group="g1", members=A, expires_at=EARLY)],
    "shorten_without_members": [other_way, leave],
    "shorten_without_others": [other_way, stay_without_a],
    "shorten_without_nesting": [other_way, unnest],
    "drop_direct_for_ended": [changes.ReplaceAssignments(to="user:a", assignments=())],
    "drop_ended_of_subject": [changes.Unassign(role="r1", to="user:a")],
    "delete_effective_roles_of_membership": [remove],
}
SETTING_ASIDE: dict[str, list[Change]] = {
    "remember_roles_of_members": [single, leave],
    "remember_roles_of_others": [single, stay_without_a],
    "remember_roles_below": [single, lose_the_winner],
    "remember_roles_of_holders": [single, changes.DeleteRole(role="r3", cascade=True)],
    "set_aside": [single, lose_the_winner],
    "forget_roles_before": [single, lose_the_winner],
    "give_back_to_holder": [single, lose_the_winner, changes.Assign(role="r2", to="group:g4")],
    "give_back_to_members": [single, lose_the_winner, come_back],
    "give_back_by_nesting": [
        single,
        lose_the_winner,
        changes.NestGroup(group="g1", into="g4"),
    ],
    "delete_role_resets_of_role": [
        single,
        lose_the_winner,
        changes.DeleteRole(role="r2", cascade=True),
    ],
    "forget_role_resets": [single, lose_the_winner, changes.SetRoleMode(mode="multiple"), single],
    "delete_role_resets_of_membership": [single, lose_the_winner, remove],
}
INLINE = UNMAKING | SETTING_ASIDE
BACKGROUND: dict[str, list[Change]] = {
    "unmake_member": [leave],
    "unmake_members": [leave],
    "unmake_assignment": [lose_the_winner],
    "unmake_whole": [unnest],
    "delete_direct_effective_roles": [remove],
    "make_member": [leave, come_back],
    "make_members": [leave, come_back],
    "make_assignment": [changes.Assign(role="r2", to="group:g3")],
    "make_whole": [unnest, changes.NestGroup(group="g1", into="g2")],
    "pend_members_leaving": [leave],
    "pend_others_leaving": [stay_without_a],
    "pend_membership": [remove],
    "pend_unnesting": [unnest],
    "pend_ended": [lose_all],
    "pend_ended_of_group": [lose_the_winner],
    "pend_members_joining": [changes.AddMembers(group="g1", members=A, expires_at=EARLY)],
    "pend_members_missing": [leave, changes.ReplaceMembers(group="g1", members=A)],
    "pend_nesting": [unnest, changes.NestGroup(group="g1", into="g2")],
    "pend_given": [changes.Assign(role="r2", to="group:g3")],
}
SCRIPTS = {("inline", guard): script for guard, script in INLINE.items()} | {
    ("background", guard): script for guard, script in (SETTING_ASIDE | BACKGROUND).items()
}
OF_ONE_MEMBER = {"make_member", "unmake_member"}
"""Where a membership's assignments are more than a chunk has pairs, it is done by itself."""
MANY_PAIRS = 2_000
GATHERED: list[tuple[str, Change]] = [
    ("background", changes.Assign(role="r1", to="group:g3", on="doc:2")),
    ("inline", changes.Assign(role="r2", to="group:g3", on="doc:2")),
    ("background", changes.Assign(role="r3", to="group:g3", on="doc:2")),
]
"""Two pieces of pending work become one, and rows between them are there already:
`make_assignment_again`, where that is a statement of its own."""
REPAIRS = {"repair_dangling", "repair_direct", "pend_repair"}
"""They mend what no change leaves."""
OF_ORGANIZATIONS = {
    "delete_all_effective_roles": "effective_role",
    "delete_all_role_resets": "role_reset",
    "clear_effective_roles": "effective_role",
    "clear_role_resets": "role_reset",
}
"""What only the deletion of an organization runs, and the table that it empties."""

leave_c = changes.RemoveMembers(group="g2", members=("agent:c",))
DIRECTIONS: dict[str, list[Change]] = {
    "note_default_role_lost": [
        changes.SetDefaultRole(role="r2"),
        single,
        leave_c,
        changes.SetDefaultRole(role="r1"),
    ],
    "note_membership_has_access": [changes.DeactivateMembership(subject="user:a")],
    "note_permission_in_force": [changes.DeletePermission(permission="q", cascade=True)],
    "note_role_permissions_lost": [changes.EditRole(role="r2", set=("p",))],
    "note_role_ranks": [
        single,
        changes.EditRole(role="r2", priority=5),
        changes.EditRole(role="r3", priority=9),
    ],
    "note_is_default_role": [
        changes.Unassign(role="r2", to="group:g4"),
        changes.SetDefaultRole(role="r2"),
        single,
        leave_c,
        changes.DeleteRole(role="r2", cascade=True),
    ],
    "note_move_loses_access": [lose_the_winner, changes.MoveResource(resource="doc:2")],
    "note_resource_has_holders": [changes.DeleteResource(resource="doc:3")],
}
"""The last change of each takes access away without unmaking an effective role."""

OUTSIDE_ONE_ORGANIZATION = {
    *("note_taken_elsewhere", "note_pended_elsewhere"),
    *("note_default_role_in_force", "note_assignments_in_force"),
}
"""For what the machine does not do: see the contract tests of environment, organizations and deletion."""
NO_NOTES = {"note_failure", "note_api_key_used", "note_drift_repaired", "note_round_repaired"}
OF_BATCHES = {"forget_roles_before_mode"}
"""What matters in a batch only: see the contract tests of single-role organizations."""

UNMAKES = re.compile(
    r"\b((DELETE FROM|UPDATE) rescind[._]effective_role"
    r"|(DELETE FROM|INSERT INTO|UPDATE) rescind[._]role_(reset|before))\b"
)


class Shared(NamedTuple):
    """An authority, and what it was opened with."""

    authority: Authority
    probe: Probe
    clock: SettableClock


@pytest.fixture(scope="module")
def shared(new_shared_database: Make) -> Iterator[Callable[[str], Shared]]:
    """One for each engine. A test has an organization of its own there, which costs less than a database."""
    with ExitStack() as stack:

        def opened(engine: str) -> Shared:
            probe, clock = Probe(), SettableClock()
            store = open_store(new_shared_database(engine), probe=probe)
            return Shared(stack.enter_context(Authority(store, clock=clock)), probe, clock)

        yield cache(opened)


@pytest.fixture
def authority(shared: Callable[[str], Shared], engine: str) -> Iterator[Authority]:
    """The engine's authority. When a test begins, nothing is left out and no work is pending."""
    authority, probe, _ = shared(engine)
    assert not probe.omitted
    assert not due_jobs(authority.store)
    yield authority
    probe.omitted.clear()
    _settle(authority)


@pytest.fixture
def probe(shared: Callable[[str], Shared], engine: str) -> Probe:
    """The probe of its store."""
    return shared(engine).probe


@pytest.fixture
def clock(shared: Callable[[str], Shared], engine: str) -> SettableClock:
    """Its clock."""
    return shared(engine).clock


@pytest.fixture
def machine(
    engine: str, authority: Authority, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> Machine:
    """A machine on each engine in turn, with its first facts."""

    def make(follows: Callable[[], datetime]) -> dict[str, Authority]:
        clock.follows = follows
        return {engine: authority}

    monkeypatch.setattr(Machine, "make", staticmethod(make), raising=False)
    made = Machine()
    made.set_up()
    return made


def _play(machine: Machine, script: list[Change], route: str, guard: str) -> None:
    """Apply the script to the store and to the oracle, and compare what they came to."""
    for change in script:
        for authority in machine.authorities.values():
            authority.apply([change], organization=machine.organization, route=route)
            _settle(authority, 1 if guard in OF_ONE_MEMBER else MANY_PAIRS)
        machine.facts = oracle.apply(machine.facts, change, machine.now)
    machine.all_agree()
    machine.effective_roles_are_the_facts()
    machine.role_resets_are_the_facts()


def _settle(authority: Authority, pairs: int = MANY_PAIRS) -> None:
    """Do all background work in chunks of so many pairs, and clear away what it leaves."""
    while due := due_jobs(authority.store):
        Work(authority.store, due[0]).step(Steady(pairs))
    purge(authority.store)


def test_no_guard_is_forgotten(engine: str) -> None:
    """Every statement that takes from effective roles, touches what is set aside, leaves pending work
    or tells that access is lost has a script.
    """
    found = {name for name, sql in queries(engine).items() if UNMAKES.search(sql)}
    assert (
        found <= INLINE.keys() | BACKGROUND.keys() | OF_ORGANIZATIONS.keys() | OF_BATCHES | REPAIRS
    )
    pends = {name for name in queries(engine) if name.startswith("pend_")}
    assert pends <= BACKGROUND.keys() | REPAIRS | {"pend_deletion"}
    notes = {name for name in queries(engine) if name.startswith("note_")}
    assert notes == DIRECTIONS.keys() | OUTSIDE_ONE_ORGANIZATION | NO_NOTES


@pytest.mark.parametrize(("route", "guard"), SCRIPTS)
def test_script_with_the_guard(machine: Machine, route: str, guard: str) -> None:
    """After the script, and the background work if any, every decision and every derived row is what
    the facts imply.
    """
    _play(machine, SCRIPTS[route, guard], route, guard)


@pytest.mark.parametrize(("route", "guard"), SCRIPTS)
def test_control_without_the_guard(machine: Machine, probe: Probe, route: str, guard: str) -> None:
    """Control: with the one statement left out, the same script leaves something false."""
    probe.omitted.add(guard)
    with pytest.raises(AssertionError):
        _play(machine, SCRIPTS[route, guard], route, guard)


@pytest.mark.parametrize("is_on", [True, False])
def test_rows_that_are_there_already(
    machine: Machine, authority: Authority, probe: Probe, engine: str, is_on: bool
) -> None:
    """A job adds to a membership's rows what is missing among them; without its statement it does not."""
    if not is_on:
        probe.omitted.add("make_assignment" + "_again" * (engine == "postgres"))
    for route, change in GATHERED:
        authority.apply([change], organization=machine.organization, route=route)
        machine.facts = oracle.apply(machine.facts, change, machine.now)
    machine.all_agree()
    _settle(authority)
    if is_on:
        machine.effective_roles_are_the_facts()
        return
    with pytest.raises(AssertionError):
        machine.effective_roles_are_the_facts()


@pytest.mark.parametrize("note", DIRECTIONS)
def test_direction_with_the_note(machine: Machine, note: str) -> None:
    """The receipt of the last change says that it revokes, since somebody loses something."""
    for change in DIRECTIONS[note]:
        machine.apply_batch([change])


@pytest.mark.parametrize("note", DIRECTIONS)
def test_control_without_the_note(machine: Machine, probe: Probe, note: str) -> None:
    """Control: with the one query left out, the receipt of the last change is wrong."""
    *script, last = DIRECTIONS[note]
    for change in script:
        machine.apply_batch([change])
    probe.omitted.add(note)
    with pytest.raises(AssertionError, match="revokes"):
        machine.apply_batch([last])


@pytest.mark.parametrize("guard", OF_ORGANIZATIONS)
@pytest.mark.parametrize("is_on", [True, False])
def test_a_deleted_organization_leaves_none(
    machine: Machine, authority: Authority, probe: Probe, guard: str, is_on: bool
) -> None:
    """No effective role and no role set aside outlives its organization; without the guard it does."""
    for change in (single, lose_the_winner):
        machine.apply_batch([change])
    if not is_on:
        probe.omitted.add(guard)
    name = machine.organization
    route = "background" if guard.startswith("clear_") else "inline"
    delete = changes.DeleteOrganization(cascade=True)
    authority.apply([delete], organization=name, route=route)
    _settle(authority)
    assert (count_rows(authority, name, OF_ORGANIZATIONS[guard]) == 0) is is_on
