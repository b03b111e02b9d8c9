"""Memberships: users, service accounts and agents in an organization."""

from __future__ import annotations

import pytest

from rescind import Authority, Direction, Reason, changes
from tests.state import dump, may


@pytest.mark.parametrize("subject", ["user:new", "service_account:ci", "agent:triage"])
def test_add_membership_gives_a_place(acme: Authority, subject: str) -> None:
    """Each kind of subject is known from then on, and holds what it is given."""
    assert acme.check(subject, "read").reason is Reason.UNKNOWN_SUBJECT
    receipt = acme.apply([changes.AddMembership(subject=subject)])
    assert (receipt.changed, receipt.direction, receipt.fan_out) == (True, Direction.GRANTS, 0)
    assert acme.check(subject, "read").reason is Reason.NO_ROLE
    acme.apply([changes.AddMembers(group="staff", members=(subject,))])
    assert may(acme, subject, "read")


def test_add_membership_takes_a_bare_id_for_a_user(acme: Authority) -> None:
    """`new` and `user:new` are one subject."""
    acme.apply([changes.AddMembership(subject="new")])
    assert not acme.apply([changes.AddMembership(subject="user:new")]).changed


def test_deactivate_membership_denies_everything(acme: Authority) -> None:
    """All it holds counts for nothing, by every decision point, and all of it is kept."""
    before = dump(acme)
    receipt = acme.apply([changes.DeactivateMembership(subject="user:ada")])
    assert receipt.direction is Direction.REVOKES
    assert not may(acme, "user:ada", "read")
    assert not may(acme, "user:ada", "write", "doc:1")
    assert acme.check("user:ada", "read").reason is Reason.DEACTIVATED
    assert may(acme, "user:bob", "read")
    after = dump(acme)
    kept = ("effective_role", "group_member", "assignment")
    assert {table: after[table] for table in kept} == {table: before[table] for table in kept}


def test_deactivate_membership_without_access_grants(acme: Authority) -> None:
    """Who could do nothing loses nothing."""
    acme.apply([changes.AddMembership(subject="new")])
    receipt = acme.apply([changes.DeactivateMembership(subject="new")])
    assert (receipt.changed, receipt.direction) == (True, Direction.GRANTS)


def test_reactivate_membership_gives_back_what_it_has(acme: Authority) -> None:
    """What it was given or lost meanwhile shows; nobody loses anything."""
    acme.apply([changes.DeactivateMembership(subject="user:ada")])
    acme.apply([changes.Unassign(role="reader", to="group:staff")])
    acme.apply([changes.Assign(role="owner", to="user:ada", on="doc:2")])
    receipt = acme.apply([changes.ReactivateMembership(subject="user:ada")])
    assert (receipt.changed, receipt.direction) == (True, Direction.GRANTS)
    assert not may(acme, "user:ada", "read")
    assert may(acme, "user:ada", "write", "doc:1")
    assert may(acme, "user:ada", "purge", "doc:2")


def test_remove_membership_takes_all_it_had(acme: Authority) -> None:
    """Its places, its assignments and its effective roles go with it, and nobody else's."""
    acme.apply([changes.Assign(role="owner", to="user:ada")])
    receipt = acme.apply([changes.RemoveMembership(subject="user:ada")])
    assert (receipt.direction, receipt.fan_out) == (Direction.REVOKES, 3)
    assert acme.check("user:ada", "read").reason is Reason.UNKNOWN_SUBJECT
    assert not may(acme, "user:ada", "purge")
    assert may(acme, "user:bob", "read")
    assert acme.apply([changes.DeleteGroup(group="idle")]).changed


def test_remove_membership_frees_its_name(acme: Authority) -> None:
    """The same subject, added again, starts with nothing and may have another name."""
    acme.apply([changes.Assign(role="owner", to="user:ada")])
    acme.apply([changes.RemoveMembership(subject="user:ada")])
    acme.apply([changes.AddMembership(subject="user:ada", name="Another Ada")])
    assert not may(acme, "user:ada", "read")
    assert not may(acme, "user:ada", "purge")
    acme.apply([changes.AddMembers(group="eng", members=("user:ada",))])
    assert may(acme, "user:ada", "write", "doc:1")


def test_remove_membership_and_add_in_one_batch_starts_anew(acme: Authority) -> None:
    """The order of a batch is the order of its effects."""
    acme.apply(
        [
            changes.RemoveMembership(subject="user:ada"),
            changes.AddMembership(subject="user:ada"),
        ]
    )
    assert not may(acme, "user:ada", "read")
