"""A change or a chunk leaves alone what other pending work is to do, and what it does not concern."""

from __future__ import annotations

from typing import Any

import pytest

from rescind import Authority, changes
from rescind.changes import Change
from rescind.model import DecisionPoint
from rescind.propagation import schedule
from rescind.propagation.pending import listed
from rescind.propagation.schedule import due_in
from tests.contract.world import FUTURE, WORLD
from tests.property.rows import effective_roles, number_of

BOB, BOT = ("user:bob",), ("agent:bot",)


def held(authority: Authority, subject: str) -> set[tuple[str, str]]:
    """(holder, role) of a membership's effective roles."""
    found = effective_roles(authority, "acme")
    return {(link.holder, link.role) for who, link in found if who == subject}


def test_unnesting_leaves_other_groups_to_their_work(acme: Authority) -> None:
    """The members of another group keep rows that its own pending work is to unmake."""
    acme.apply(
        [
            changes.AddMembers(group="idle", members=BOT),
            changes.NestGroup(group="idle", into="staff"),
        ]
    )
    acme.apply([changes.UnnestGroup(group="idle", out_of="staff")], route="background")
    acme.apply([changes.UnnestGroup(group="eng", out_of="staff")], route="inline")
    assert held(acme, "agent:bot") >= {("group:staff", "reader")}
    assert ("group:staff", "reader") not in held(acme, "user:ada")
    acme.reconcile("idle")
    assert held(acme, "agent:bot") == {("agent:bot", "owner")}


def test_nesting_leaves_other_nestings_to_their_work(acme: Authority) -> None:
    """Nested in a second group, the members get what that holds; the rest stays pending."""
    acme.apply(
        [
            changes.AddMembers(group="idle", members=BOT),
            changes.CreateGroup(group="far"),
            changes.Assign(role="unused", to="group:far"),
        ]
    )
    acme.apply([changes.NestGroup(group="idle", into="staff")], route="background")
    acme.apply([changes.NestGroup(group="idle", into="far")], route="inline")
    assert held(acme, "agent:bot") == {("agent:bot", "owner"), ("group:far", "unused")}


AGAIN: dict[str, Change] = {
    "given": changes.Assign(role="reader", to="group:staff"),
    "given until another time": changes.Assign(role="reader", to="group:staff", expires_at=FUTURE),
    "nested": changes.NestGroup(group="eng", into="staff"),
    "added": changes.AddMembers(group="staff", members=BOB),
    "replaced": changes.ReplaceMembers(group="staff", members=BOB),
}


@pytest.mark.parametrize("what", AGAIN)
def test_what_is_so_already_is_not_pending(acme: Authority, what: str) -> None:
    """Done again in the background, it leaves no work: no effective role would change."""
    acme.apply([AGAIN[what]], route="background")
    assert acme.pending() == []


TAKING: dict[str, Change] = {
    "unassigned": changes.Unassign(role="{role}", to="group:eng"),
    "assignments replaced": changes.ReplaceAssignments(to="group:eng", assignments=()),
    "removed": changes.RemoveMembers(group="eng", members=("user:ada",)),
    "members replaced": changes.ReplaceMembers(group="eng", members=()),
    "unnested": changes.UnnestGroup(group="low", out_of="eng"),
    "membership removed": changes.RemoveMembership(subject="user:ada"),
    "shortened": changes.AddMembers(group="eng", members=("user:ada",), expires_at=FUTURE),
}


@pytest.mark.parametrize("role", ["unused", "owner"])
def test_what_takes_a_critical_role_is_critical(acme: Authority, role: str) -> None:
    """Exactly that is: not where the organization next to it has critical roles of the same holders."""
    own: list[Change] = [
        changes.EditRole(role="owner", critical=True),
        changes.CreateGroup(group="low"),
        changes.AddMembers(group="low", members=BOB),
        changes.NestGroup(group="low", into="eng"),
        changes.Unassign(role="writer", to="group:eng", on="folder:a"),
        changes.UnnestGroup(group="eng", out_of="staff"),
    ]
    given = changes.Assign(role=role, to="group:eng")
    acme.apply([*own, given])
    acme.apply(
        [*WORLD, *own, changes.Assign(role="owner", to="group:eng")], organization="neighbour"
    )
    again = [
        changes.NestGroup(group="low", into="eng"),
        changes.AddMembership(subject="user:ada"),
        changes.AddMembers(group="eng", members=("user:ada",)),
        given,
    ]
    for name, change in TAKING.items():
        if isinstance(change, changes.Unassign):
            change = changes.Unassign(role=role, to="group:eng")
        acme.apply([change], route="background")
        assert {work.is_critical for work in acme.pending()} == {role == "owner"}, name
        for work in acme.pending():
            acme.reconcile(work)
        acme.apply(again, route="inline")


@pytest.mark.parametrize("role", ["unused", "owner"])
def test_who_is_removed_loses_what_groups_above_hold(acme: Authority, role: str) -> None:
    """It is critical work if that is critical, though the member's own group holds nothing critical."""
    critical = changes.EditRole(role="owner", critical=True)
    acme.apply([critical, changes.Assign(role=role, to="group:staff")])
    acme.apply([changes.RemoveMembership(subject="user:ada")], route="background")
    assert {work.is_critical for work in acme.pending()} == {role == "owner"}


NESTED = changes.NestGroup(group="idle", into="eng")


def test_a_nesting_weighs_what_it_gives(acme: Authority) -> None:
    """Its members times what the group around it and the groups above hold; nothing else counts."""
    acme.apply(
        [
            changes.AddMembers(group="idle", members=(*BOT, "user:cyd")),
            changes.Assign(role="unused", to="group:idle"),
            *(changes.Assign(role=role, to="user:cyd") for role in ("reader", "writer", "owner")),
        ]
    )
    assert acme.apply([NESTED], route="background").fan_out == 2 * 2


@pytest.mark.parametrize("asked", [("read", "doc:2"), ("write", "doc:1")], ids=["wide", "scoped"])
def test_only_the_fenced_are_decided_live(acme: Authority, asked: tuple[str, str]) -> None:
    """While what a member loses is pending, others are answered from effective roles, by every query."""
    acme.apply([changes.RemoveMembers(group="staff", members=BOB)], route="background")
    names = {"permission": asked[0], "resource": asked[1], "organization": "acme", "now": 0}
    verdicts: dict[str, list[Any]] = {"check": [], "check_effective_multiple": []}
    for query, found in verdicts.items():
        for subject in ("user:ada", "user:bob"):
            params = {**names, "subject": subject, "live": False}
            found.append(acme.store.fetch(query, params)[0][7])
    assert verdicts == {"check": [1, 3], "check_effective_multiple": [1, 4]}
    assert acme.check("user:ada", *asked).point is DecisionPoint.EFFECTIVE


def test_who_joins_is_not_fenced(acme: Authority) -> None:
    """A grant that is pending takes nothing, so what its member has already is trusted meanwhile."""
    acme.apply([changes.AddMembers(group="eng", members=BOB)], route="background")
    assert acme.pending()
    decision = acme.check("user:bob", "read", "doc:2")
    assert decision
    assert decision.point is DecisionPoint.EFFECTIVE


def pend(authority: Authority, groups: int) -> None:
    """Work of each of some groups."""
    made: list[Change] = []
    for number in range(groups):
        made += [
            changes.CreateGroup(group=f"n{number}"),
            changes.AddMembers(group=f"n{number}", members=BOB),
        ]
    authority.apply(made)
    for number in range(groups):
        change = changes.Assign(role="unused", to=f"group:n{number}")
        authority.apply([change], route="background")


def test_a_worker_looks_at_few_groups(acme: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most so many, of however many have work; after the last one it begins anew."""
    monkeypatch.setattr(schedule, "LOOK_AHEAD", 2)
    pend(acme, 5)
    o: Any = number_of(acme, "acme")
    groups = sorted({job.group for job in due_in(acme.store, o)})
    assert len(groups) == 2
    following = {job.group for job in due_in(acme.store, o, after=groups[-1])}
    assert len(following) == 4
    assert following > set(groups)


def test_pending_work_of_deleted_organizations_fills_the_list(acme: Authority) -> None:
    """Up to the limit, and after all else."""
    for name in ("gone", "also-gone"):
        acme.apply(WORLD, organization=name)
        acme.apply(
            [changes.DeleteOrganization(cascade=True)], organization=name, route="background"
        )
    pend(acme, 1)
    kinds = [[work.kind for work in listed(acme.store, None, limit)] for limit in range(5)]
    wanted = ["assignment", "organization", "organization"]
    assert kinds == [wanted[:limit] for limit in range(5)]


def test_a_group_is_purged_when_nothing_of_its_organization_is_pending(acme: Authority) -> None:
    """Not before, whatever other organizations have pending or do not."""
    acme.apply(WORLD, organization="neighbour")
    acme.apply([changes.DeleteGroup(group="staff", cascade=True)], route="background")
    assert acme.store.fetch("list_purgeable", {"limit": 10}) == []
    acme.apply(
        [changes.RemoveMembers(group="eng", members=("user:ada",))],
        organization="neighbour",
        route="background",
    )
    for work in acme.pending():
        if work.organization == "acme":
            acme.reconcile(work)
    assert acme.store.fetch("list_purgeable", {"limit": 10}) == []
