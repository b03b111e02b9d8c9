"""Direction is the difference in access, never the verb (G7)."""

from __future__ import annotations

import pytest

from rescind import Authority, Direction, changes
from rescind.changes import Change

WORLD: list[Change] = [
    changes.CreateOrganization(),
    changes.DefinePermission(permission="read"),
    changes.DefinePermission(permission="write"),
    changes.DefineRole(role="reader", permissions=("read",), priority=1),
    changes.DefineRole(role="writer", permissions=("read", "write"), priority=2),
    changes.DefineRole(role="guest", priority=9),
    changes.DefineResourceType(type="doc"),
    changes.CreateResource(resource="doc:a"),
    changes.CreateResource(resource="doc:b"),
    changes.CreateResource(resource="doc:leaf", parent="doc:a"),
    changes.AddMembership(subject="user:ada"),
    changes.CreateGroup(group="eng"),
    changes.AddMembers(group="eng", members=("user:ada",)),
    changes.Assign(role="writer", to="group:eng", on="doc:a"),
]

REVOKING: dict[str, list[Change]] = {
    "a permission taken out of a role": [changes.EditRole(role="writer", remove=("write",))],
    "a role's permissions set to fewer": [changes.EditRole(role="writer", set=("read",))],
    "a resource moved out of reach": [changes.MoveResource(resource="doc:leaf", parent="doc:b")],
    "a resource moved to the top": [changes.MoveResource(resource="doc:leaf")],
    "assignments replaced by others": [
        changes.ReplaceAssignments(
            to="group:eng", assignments=(changes.Given(role="reader", on="doc:a"),)
        )
    ],
    "assignments replaced by none": [changes.ReplaceAssignments(to="group:eng", assignments=())],
    "members replaced by none": [changes.ReplaceMembers(group="eng", members=())],
    "a member removed": [changes.RemoveMembers(group="eng", members=("user:ada",))],
    "a membership deactivated": [changes.DeactivateMembership(subject="user:ada")],
    "a membership removed": [changes.RemoveMembership(subject="user:ada")],
    "a role taken off": [changes.Unassign(role="writer", to="group:eng", on="doc:a")],
    "a role deleted": [changes.DeleteRole(role="writer", cascade=True)],
    "a permission deleted": [changes.DeletePermission(permission="write", cascade=True)],
    "a group deleted": [changes.DeleteGroup(group="eng", cascade=True)],
    "a resource deleted": [changes.DeleteResource(resource="doc:a", cascade=True)],
    "the organization deleted": [changes.DeleteOrganization(cascade=True)],
}

GRANTING: dict[str, list[Change]] = {
    "a permission put into a role": [changes.EditRole(role="reader", add=("write",))],
    "a permission taken out of a role that nobody has": [
        changes.EditRole(role="reader", remove=("read",))
    ],
    "a resource moved under the same reach": [
        changes.CreateResource(resource="doc:mid", parent="doc:a"),
        changes.MoveResource(resource="doc:leaf", parent="doc:mid"),
    ],
    "assignments replaced by more": [
        changes.ReplaceAssignments(
            to="group:eng",
            assignments=(
                changes.Given(role="writer", on="doc:a"),
                changes.Given(role="reader", on="doc:b"),
            ),
        )
    ],
    "a member removed from a group without roles": [
        changes.CreateGroup(group="idle"),
        changes.AddMembers(group="idle", members=("user:ada",)),
        changes.RemoveMembers(group="idle", members=("user:ada",)),
    ],
}


@pytest.mark.parametrize("case", REVOKING)
def test_what_takes_access_away_revokes(authority: Authority, case: str) -> None:
    """Somebody loses something, so the receipt and the exact difference say so."""
    authority.apply(WORLD)
    if case != "the organization deleted":
        assert authority.preview(REVOKING[case]).revoked
    assert authority.apply(REVOKING[case]).direction is Direction.REVOKES


@pytest.mark.parametrize("case", GRANTING)
def test_what_takes_nothing_away_grants(authority: Authority, case: str) -> None:
    """Nobody loses anything, and it shows without an exact comparison."""
    authority.apply(WORLD)
    assert not authority.preview(GRANTING[case]).revoked
    assert authority.apply(GRANTING[case]).direction is Direction.GRANTS


SINGLE: list[Change] = [
    *WORLD,
    changes.SetRoleMode(mode="single"),
    changes.SetDefaultRole(role="reader"),
    changes.Assign(role="writer", to="user:ada"),
]

SINGLE_REVOKING: dict[str, Change] = {
    "a grant of a higher role that can do less": changes.Assign(role="guest", to="user:ada"),
    "a grant of it through a group": changes.Assign(role="guest", to="group:eng"),
    "the winning role taken away": changes.Unassign(role="writer", to="user:ada"),
    "a higher priority for a lesser role": changes.EditRole(role="guest", priority=10),
}


@pytest.mark.parametrize("case", list(SINGLE_REVOKING)[:3])
def test_single_role_grants_can_revoke(authority: Authority, case: str) -> None:
    """In a single-role organization what wins displaces the rest."""
    authority.apply(SINGLE)
    assert authority.check("user:ada", "write", "doc:b")
    receipt = authority.apply([SINGLE_REVOKING[case]], detail=True)
    assert receipt.difference is not None
    assert ("user:ada", "write", "organization") in receipt.difference.revoked
    assert receipt.direction is Direction.REVOKES
    assert not authority.check("user:ada", "write", "doc:b")


def test_priority_edit_revokes(authority: Authority) -> None:
    """A lesser role that is ranked above the winner takes its place."""
    authority.apply([*SINGLE, changes.EditRole(role="guest", priority=0)])
    authority.apply([changes.Assign(role="guest", to="user:ada")])
    assert authority.check("user:ada", "write")
    receipt = authority.apply([changes.EditRole(role="guest", priority=3)])
    assert receipt.direction is Direction.REVOKES
    assert not authority.check("user:ada", "write")


def test_default_role_edit_revokes(authority: Authority) -> None:
    """Who has no organization-wide role loses what only the old default role gave."""
    authority.apply([*SINGLE, changes.AddMembership(subject="user:bob")])
    assert authority.check("user:bob", "read")
    receipt = authority.apply([changes.SetDefaultRole(role="guest")])
    assert receipt.direction is Direction.REVOKES
    assert not authority.check("user:bob", "read")


def test_losing_the_winner_resets_to_the_default(authority: Authority) -> None:
    """The next highest does not step in, unless the organization chose so; given anew, it counts."""
    authority.apply([*SINGLE, changes.DefineRole(role="boss", permissions=("read",), priority=5)])
    authority.apply([changes.Assign(role="boss", to="group:eng")])
    assert not authority.check("user:ada", "write")
    authority.apply([changes.Unassign(role="boss", to="group:eng")])
    assert authority.check("user:ada", "read")
    assert not authority.check("user:ada", "write")
    authority.apply([changes.Unassign(role="writer", to="user:ada")])
    authority.apply([changes.Assign(role="writer", to="user:ada")])
    assert authority.check("user:ada", "write")
    authority.apply([changes.SetRoleMode(mode="single", on_loss="next-highest")])
    authority.apply([changes.Assign(role="boss", to="user:ada")])
    authority.apply([changes.Unassign(role="boss", to="user:ada")])
    assert authority.check("user:ada", "write")
