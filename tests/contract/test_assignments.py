"""Assignments of roles to memberships and groups."""

from __future__ import annotations

import pytest

from rescind import Authority, Direction, changes
from rescind.changes import Given
from rescind.errors import InvalidChange, MalformedId
from tests.contract.world import FUTURE, PAST, SOONER
from tests.state import may


def test_assign_gives_on_the_resource_and_below(acme: Authority) -> None:
    """On the organization if no resource is named: then everywhere."""
    receipt = acme.apply([changes.Assign(role="owner", to="user:cyd", on="folder:a")])
    assert (receipt.direction, receipt.fan_out) == (Direction.GRANTS, 1)
    assert may(acme, "user:cyd", "purge", "doc:1")
    assert not may(acme, "user:cyd", "purge", "doc:2")
    assert not may(acme, "user:cyd", "purge")
    acme.apply([changes.Assign(role="owner", to="user:cyd", on="organization")])
    assert may(acme, "user:cyd", "purge", "doc:2")
    assert not acme.apply([changes.Assign(role="owner", to="user:cyd")]).changed


def test_assign_to_a_group_gives_it_to_all_below(acme: Authority) -> None:
    """Members at any depth of nesting, each one effective role."""
    receipt = acme.apply([changes.Assign(role="owner", to="group:staff", on="doc:2")])
    assert (receipt.direction, receipt.fan_out) == (Direction.GRANTS, 2)
    assert may(acme, "user:ada", "purge", "doc:2")
    assert may(acme, "user:bob", "purge", "doc:2")
    assert not may(acme, "user:cyd", "purge", "doc:2")


def test_assign_sets_the_expiry_anew(acme: Authority) -> None:
    """Shorter, longer and never, for an assignment that exists."""
    for until, is_changed, is_allowed in (
        (SOONER, True, True),
        (SOONER, False, True),
        (PAST, True, False),
        (FUTURE, True, True),
        (None, True, True),
        (None, False, True),
    ):
        receipt = acme.apply(
            [changes.Assign(role="writer", to="group:eng", on="folder:a", expires_at=until)]
        )
        assert receipt.changed == is_changed, until
        assert may(acme, "user:ada", "write", "doc:1") == is_allowed, until


def test_assign_shortened_revokes(acme: Authority) -> None:
    """What expires sooner is taken away sooner; what expires later is not."""
    shorter = changes.Assign(role="reader", to="user:cyd", on="doc:2", expires_at=SOONER)
    assert acme.apply([shorter]).direction is Direction.REVOKES
    longer = changes.Assign(role="reader", to="user:cyd", on="doc:2", expires_at=FUTURE)
    assert acme.apply([longer]).direction is Direction.GRANTS


def test_unassign_takes_it_from_all_who_held_it(acme: Authority) -> None:
    """What another assignment gives stays, also of the same role."""
    acme.apply([changes.Assign(role="reader", to="user:bob")])
    receipt = acme.apply([changes.Unassign(role="reader", to="group:staff")])
    assert (receipt.direction, receipt.fan_out) == (Direction.REVOKES, 2)
    assert not may(acme, "user:ada", "read")
    assert may(acme, "user:bob", "read")
    assert may(acme, "user:ada", "read", "doc:1")


def test_unassign_names_one_resource(acme: Authority) -> None:
    """The same role on another resource is another assignment."""
    acme.apply([changes.Assign(role="writer", to="group:eng", on="folder:b")])
    acme.apply([changes.Unassign(role="writer", to="group:eng", on="folder:a")])
    assert not may(acme, "user:ada", "write", "doc:1")
    assert may(acme, "user:ada", "write", "folder:b")
    assert not acme.apply([changes.Unassign(role="writer", to="group:eng")]).changed


def test_replace_assignments_makes_them_exactly_these(acme: Authority) -> None:
    """What is not listed goes, what is new comes, and times are as listed."""
    receipt = acme.apply(
        [
            changes.ReplaceAssignments(
                to="user:cyd",
                assignments=(
                    Given(role="writer", on="doc:1"),
                    Given(role="owner", expires_at=PAST),
                    Given(role="reader", expires_at=FUTURE),
                ),
            )
        ]
    )
    assert receipt.direction is Direction.REVOKES
    assert may(acme, "user:cyd", "write", "doc:1")
    assert may(acme, "user:cyd", "read", "doc:2")
    assert not may(acme, "user:cyd", "purge")
    acme.apply([changes.ReplaceAssignments(to="user:cyd", assignments=())])
    assert not may(acme, "user:cyd", "read", "doc:2")


def test_replace_assignments_of_a_group_leaves_the_others(acme: Authority) -> None:
    """Only that holder's; members feel both what went and what came."""
    given = (Given(role="owner", on="doc:2"),)
    receipt = acme.apply([changes.ReplaceAssignments(to="group:staff", assignments=given)])
    assert (receipt.direction, receipt.fan_out) == (Direction.REVOKES, 4)
    assert not may(acme, "user:bob", "read")
    assert may(acme, "user:bob", "purge", "doc:2")
    assert may(acme, "user:ada", "write", "doc:1")


def test_replace_assignments_refuses_two_times_for_one(acme: Authority) -> None:
    """It is not guessed which one was meant; the same twice is once."""
    twice = (Given(role="reader"), Given(role="reader"))
    assert acme.apply([changes.ReplaceAssignments(to="user:cyd", assignments=twice)]).changed
    given = (Given(role="reader"), Given(role="reader", on="organization", expires_at=FUTURE))
    with pytest.raises(InvalidChange, match="with one expiry"):
        acme.apply([changes.ReplaceAssignments(to="user:cyd", assignments=given)])


def test_who_can_hold_one_is_said(acme: Authority) -> None:
    """Groups too, which a mistyped kind may have meant."""
    with pytest.raises(MalformedId, match=r"holder grup:eng\. Write group:…, user:…"):
        acme.apply([changes.Assign(role="reader", to="grup:eng")])
    with pytest.raises(MalformedId, match=r"subject grup:eng\. Write user:…"):
        acme.check("grup:eng", "read")
