"""Permissions and roles of one organization."""

from __future__ import annotations

import pytest

from rescind import Authority, DecisionPoint, Direction, Reason, changes
from rescind.errors import InvalidChange, PermissionNotFound, RoleNotFound
from tests.state import dump, may


def test_define_permission_makes_it_known(acme: Authority) -> None:
    """Until a role contains it nobody has it, and the reason tells the difference."""
    assert acme.check("user:ada", "new").reason is Reason.UNKNOWN_PERMISSION
    receipt = acme.apply([changes.DefinePermission(permission="new")])
    assert (receipt.changed, receipt.direction) == (True, Direction.GRANTS)
    assert acme.check("user:ada", "new").reason is Reason.NO_ROLE


def test_edit_permission_changes_what_is_given(acme: Authority) -> None:
    """What is left out stays as it is; whether it is critical counts from the next check on."""
    assert acme.check("user:ada", "read").point is DecisionPoint.EFFECTIVE
    receipt = acme.apply([changes.EditPermission(permission="read", critical=True)])
    assert (receipt.changed, receipt.direction) == (True, Direction.GRANTS)
    assert acme.check("user:ada", "read").point is DecisionPoint.LIVE
    assert may(acme, "user:ada", "read")
    acme.apply([changes.EditPermission(permission="read", description="see it")])
    assert acme.apply([changes.DefinePermission(permission="spare")]).changed is False
    same = changes.DefinePermission(permission="read", critical=True, description="see it")
    assert not acme.apply([same]).changed


def test_delete_permission_takes_an_unused_one(acme: Authority) -> None:
    """Nobody loses anything, and no role can contain it any more."""
    receipt = acme.apply([changes.DeletePermission(permission="spare")])
    assert (receipt.changed, receipt.direction) == (True, Direction.GRANTS)
    with pytest.raises(PermissionNotFound):
        acme.apply([changes.EditRole(role="reader", add=("spare",))])


def test_delete_permission_cascade_takes_it_out_of_roles(acme: Authority) -> None:
    """Who had it through any role loses it; the roles give the rest. Its name starts anew."""
    receipt = acme.apply([changes.DeletePermission(permission="write", cascade=True)])
    assert receipt.direction is Direction.REVOKES
    assert acme.check("user:ada", "write", "doc:1").reason is Reason.UNKNOWN_PERMISSION
    assert may(acme, "user:ada", "read", "doc:1")
    acme.apply([changes.DefinePermission(permission="write")])
    assert not may(acme, "user:ada", "write", "doc:1")
    assert not may(acme, "agent:bot", "write", "folder:b")


def test_define_role_gives_nothing_yet(acme: Authority) -> None:
    """A role counts once it is assigned, with all its permissions."""
    role = changes.DefineRole(
        role="new", permissions=("purge", "write"), priority=-5, critical=True, name="New"
    )
    assert acme.apply([role]).direction is Direction.GRANTS
    assert acme.who_can("purge").items == ()
    acme.apply([changes.Assign(role="new", to="user:cyd")])
    assert may(acme, "user:cyd", "purge")
    assert may(acme, "user:cyd", "write", "doc:1")
    assert not may(acme, "user:cyd", "read")


@pytest.mark.parametrize("priority", [2**31, -(2**31) - 1])
def test_define_role_refuses_a_priority_out_of_range(acme: Authority, priority: int) -> None:
    """The store would not hold it, so the change is not well formed."""
    with pytest.raises(InvalidChange, match="between"):
        acme.apply([changes.DefineRole(role="new", priority=priority)])
    with pytest.raises(InvalidChange, match="between"):
        acme.apply([changes.EditRole(role="reader", priority=priority)])


def test_edit_role_adds_and_removes(acme: Authority) -> None:
    """Everybody who has the role gains and loses at once; what is left out stays."""
    receipt = acme.apply([changes.EditRole(role="reader", add=("write",))])
    assert receipt.direction is Direction.GRANTS
    assert may(acme, "user:ada", "write")
    receipt = acme.apply([changes.EditRole(role="reader", remove=("read",), add=("purge",))])
    assert receipt.direction is Direction.REVOKES
    assert not may(acme, "user:bob", "read")
    assert may(acme, "user:bob", "write")
    assert may(acme, "user:bob", "purge")


def test_edit_role_sets_exactly_these(acme: Authority) -> None:
    """The empty set takes all."""
    acme.apply([changes.EditRole(role="reader", set=("write",))])
    assert not may(acme, "user:bob", "read")
    assert may(acme, "user:bob", "write")
    receipt = acme.apply([changes.EditRole(role="reader", set=())])
    assert receipt.direction is Direction.REVOKES
    assert not may(acme, "user:bob", "write")


def test_edit_role_changes_what_it_is_called_and_its_marks(acme: Authority) -> None:
    """Name, priority and criticality alone take nothing where all roles count."""
    edit = changes.EditRole(role="reader", name="Reader", priority=9, critical=True)
    receipt = acme.apply([edit])
    assert (receipt.changed, receipt.direction) == (True, Direction.GRANTS)
    (row,) = [row for row in dump(acme)["role"] if "reader" in row]
    assert row[3:6] == ("Reader", 9, True)
    assert may(acme, "user:ada", "read")


@pytest.mark.parametrize(
    "edit",
    [
        changes.EditRole(role="reader", set=("read",), add=("write",)),
        changes.EditRole(role="reader", add=("write",), remove=("write",)),
    ],
    ids=str,
)
def test_edit_role_refuses_what_contradicts_itself(acme: Authority, edit: changes.EditRole) -> None:
    """It is not guessed which one was meant."""
    with pytest.raises(InvalidChange):
        acme.apply([edit])


def test_delete_role_takes_an_unused_one(acme: Authority) -> None:
    """Nobody loses anything, and it cannot be assigned any more."""
    receipt = acme.apply([changes.DeleteRole(role="unused")])
    assert (receipt.changed, receipt.direction) == (True, Direction.GRANTS)
    with pytest.raises(RoleNotFound):
        acme.apply([changes.Assign(role="unused", to="user:ada")])


def test_delete_role_cascade_takes_it_back_from_everybody(acme: Authority) -> None:
    """Its assignments go, to groups and to memberships; it stops being the default role."""
    acme.apply([changes.SetDefaultRole(role="reader")])
    receipt = acme.apply([changes.DeleteRole(role="reader", cascade=True)])
    assert (receipt.direction, receipt.fan_out) == (Direction.REVOKES, 3)
    assert not may(acme, "user:bob", "read")
    assert not may(acme, "user:cyd", "read", "doc:2")
    assert may(acme, "user:ada", "read", "doc:1")
    assert acme.store.fetch("read_settings", {"organization": "acme"})[0][-1] is None


def test_delete_role_frees_its_name(acme: Authority) -> None:
    """A role of the same name is assigned to nobody."""
    acme.apply([changes.DeleteRole(role="reader", cascade=True)])
    acme.apply([changes.DefineRole(role="reader", permissions=("read", "write", "purge"))])
    assert not may(acme, "user:bob", "read")
    assert acme.who_can("purge").items == ()
