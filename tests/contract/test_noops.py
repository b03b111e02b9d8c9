"""A change to what is already so alters nothing: no revision, no log entry, no row."""

from __future__ import annotations

from typing import get_args

import pytest

from rescind import Authority, Direction, changes
from rescind.changes import Change, Given
from rescind.model import IdRule
from tests.contract.world import FUTURE, WORLD
from tests.state import dump

NOOPS: list[Change] = [
    changes.CreateOrganization(),
    changes.CreateOrganization(name="Acme"),
    changes.RenameOrganization(name="Acme"),
    changes.SetRoleMode(mode="multiple"),
    changes.SetDefaultRole(role=None),
    changes.AddMembership(subject="user:ada"),
    changes.AddMembership(subject="ada", name="Ada"),
    changes.SetIdRule(rule=IdRule.EXACT),
    changes.RenameMembership(subject="ada", name="Ada"),
    changes.ChangeMembershipId(subject="ada", new_id="user:ada"),
    changes.ChangeGroupId(group="eng", new_id="eng"),
    changes.ReactivateMembership(subject="user:ada"),
    changes.CreateGroup(group="eng"),
    changes.CreateGroup(group="eng", name="Engineering"),
    changes.RenameGroup(group="eng", name="Engineering"),
    changes.AddMembers(group="eng", members=("user:ada", "user:ada")),
    changes.AddMembers(group="eng", members=()),
    changes.RemoveMembers(group="eng", members=("user:bob",)),
    changes.RemoveMembers(group="eng", members=()),
    changes.ReplaceMembers(group="eng", members=("user:ada",)),
    changes.NestGroup(group="eng", into="staff"),
    changes.UnnestGroup(group="staff", out_of="eng"),
    changes.DefinePermission(permission="read"),
    changes.DefinePermission(permission="purge", critical=True),
    changes.EditPermission(permission="read"),
    changes.EditPermission(permission="read", critical=False, description=""),
    changes.DefineRole(role="writer", permissions=("write", "read"), priority=2),
    changes.EditRole(role="writer"),
    changes.EditRole(role="writer", add=("read",), remove=("purge",)),
    changes.EditRole(role="writer", set=("read", "write"), priority=2, critical=False),
    changes.DefineResourceType(type="folder", parents=("organization", "folder")),
    changes.CreateResource(resource="doc:1", parent="folder:a"),
    changes.MoveResource(resource="doc:1", parent="folder:a"),
    changes.MoveResource(resource="folder:a"),
    changes.Unassign(role="writer", to="group:staff"),
    changes.Unassign(role="writer", to="ada"),
    changes.Assign(role="reader", to="group:staff"),
    changes.Assign(role="reader", to="user:cyd", on="doc:2", expires_at=FUTURE),
    changes.Unassign(role="writer", to="group:staff"),
    changes.ReplaceAssignments(to="group:staff", assignments=(Given(role="reader"),)),
    changes.ReplaceAssignments(to="group:idle", assignments=()),
]
NEVER_NOOPS = {
    changes.DeactivateMembership,  # see test_deactivating_twice_is_a_noop
    changes.DeleteOrganization,
    changes.RemoveMembership,
    changes.DeleteGroup,
    changes.DeletePermission,
    changes.DeleteRole,
    changes.DeleteResourceType,
    changes.DeleteResource,
}
"""What is deleted is gone: the receipt of deleting it again says so; see test_not_found."""


def test_every_change_is_here() -> None:
    """Each change has a case in which it alters nothing, or never alters nothing."""
    assert {type(change) for change in NOOPS} | NEVER_NOOPS == set(get_args(Change))


@pytest.mark.parametrize("change", NOOPS, ids=str)
def test_what_is_so_already_alters_nothing(settled: Authority, change: Change) -> None:
    """The receipt says unchanged, at the revision that was, and the store is as it was."""
    before = dump(settled)
    receipt = settled.apply([change])
    assert not receipt.changed
    assert receipt.fan_out == 0
    assert receipt.direction is Direction.GRANTS
    assert receipt.revision.organization == 1
    assert receipt.enforced_at is not None
    assert dump(settled) == before
    assert settled.check("user:ada", "read", at_least=receipt.token)


def test_deactivating_twice_is_a_noop(acme: Authority) -> None:
    """A membership that is deactivated cannot lose more."""
    deactivate = changes.DeactivateMembership(subject="user:ada")
    assert acme.apply([deactivate]).changed
    assert not acme.apply([deactivate]).changed


def test_all_of_it_again_is_a_noop(settled: Authority) -> None:
    """A whole organization, applied anew, alters nothing."""
    before = dump(settled)
    assert not settled.apply(WORLD).changed
    assert not settled.apply([]).changed
    assert dump(settled) == before
