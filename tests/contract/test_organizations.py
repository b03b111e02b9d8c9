"""Organizations: made, renamed, deleted, and how many roles count in them."""

from __future__ import annotations

from typing import Any

import pytest

from rescind import Authority, Direction, Reason, changes
from rescind.changes import Change, Given
from rescind.errors import InvalidArgument, InvalidChange, InvalidToken, OrganizationNotFound
from rescind.model import RoleMode
from rescind.transfer import exported
from tests.contract.world import WORLD
from tests.probe import Probe
from tests.state import dump, may


def test_create_organization_makes_an_empty_one(authority: Authority) -> None:
    """Its first revision has only its root in it; its name is its id unless one is given."""
    receipt = authority.apply([changes.CreateOrganization()])
    assert receipt.changed
    assert receipt.direction is Direction.GRANTS
    assert receipt.revision.organization == 1
    ((_, _, _, name, id_rule, mode, _, default_role),) = authority.store.fetch(
        "read_settings", {"organization": "acme"}
    )
    assert (name, id_rule, mode, default_role) == ("acme", "exact", "multiple", None)
    assert dump(authority)["resource"] == [(receipt.revision.incarnation, 0, "organization", None)]


def test_rename_organization_keeps_its_id(acme: Authority) -> None:
    """Only what it is called changes: every answer stays, and the direction is granting."""
    receipt = acme.apply([changes.RenameOrganization(name="Acme & Söhne")])
    assert receipt.direction is Direction.GRANTS
    rows = acme.store.fetch("read_settings", {"organization": "acme"})
    assert rows[0][3] == "Acme & Söhne"
    assert may(acme, "user:ada", "read")


def test_delete_organization_takes_an_empty_one(authority: Authority) -> None:
    """Without cascade only what holds nothing is deleted; afterwards it is unknown."""
    authority.apply([changes.CreateOrganization()])
    receipt = authority.apply([changes.DeleteOrganization()])
    assert receipt.changed
    decision = authority.check("user:ada", "read")
    assert (decision.allowed, decision.reason) == (False, Reason.UNKNOWN_ORGANIZATION)
    with pytest.raises(OrganizationNotFound):
        authority.who_can("read")
    with pytest.raises(OrganizationNotFound):
        authority.apply([changes.CreateGroup(group="eng")])


def test_delete_organization_cascade_takes_all_of_it(acme: Authority) -> None:
    """Nothing of it stays but the change log; another organization is as it was."""
    acme.apply(WORLD, organization="other")
    acme.apply([changes.SetDefaultRole(role="reader"), changes.SetRoleMode(mode="single")])
    o = acme.check("user:ada", "read").revision.incarnation
    others = exported(acme, "other")
    receipt = acme.apply([changes.DeleteOrganization(cascade=True)], actor="user:root")
    assert receipt.direction is Direction.REVOKES
    assert exported(acme, "other") == others
    left = {table for table, rows in dump(acme).items() if any(_is_of(o, table, r) for r in rows)}
    assert left == {"organization", "change"}
    assert [entry.actor for entry in acme.log()][-1] == "user:root"
    assert may(acme, "user:ada", "read", organization="other")


def test_delete_organization_frees_its_name(acme: Authority) -> None:
    """One of the same name starts empty, and tokens of the old one are no tokens of the new."""
    old = acme.apply([changes.DeleteOrganization(cascade=True)])
    new = acme.apply([changes.CreateOrganization()])
    assert new.revision.incarnation != old.revision.incarnation
    assert new.revision.organization == 1
    with pytest.raises(InvalidToken):
        acme.check("user:ada", "read", at_least=old.token)
    assert acme.check("user:ada", "read").reason is Reason.UNKNOWN_SUBJECT
    assert [entry.revision for entry in acme.log()] == [1]
    acme.apply(WORLD[1:])
    assert may(acme, "user:ada", "read")


@pytest.mark.parametrize("is_noted", [True, False])
def test_delete_organization_that_only_has_a_default_role_revokes(
    authority: Authority, probe: Probe, is_noted: bool
) -> None:
    """Who had nothing but the default role loses it; without the note it would pass for granting."""
    authority.apply(
        [
            changes.CreateOrganization(),
            changes.DefinePermission(permission="read"),
            changes.DefineRole(role="reader", permissions=("read",)),
            changes.SetDefaultRole(role="reader"),
            changes.SetRoleMode(mode="single"),
            changes.AddMembership(subject="ada"),
        ]
    )
    assert may(authority, "user:ada", "read")
    delete = [changes.DeleteOrganization(cascade=True)]
    assert authority.preview(delete).direction is Direction.REVOKES
    if not is_noted:
        probe.omitted.add("note_default_role_in_force")
    expected = Direction.REVOKES if is_noted else Direction.GRANTS
    assert authority.apply(delete).direction is expected


def test_set_role_mode_lets_one_role_count(acme: Authority) -> None:
    """In single mode the highest priority wins; roles on resources stay additive; and back."""
    acme.apply([changes.Assign(role="owner", to="user:ada")])
    acme.apply([changes.DefineRole(role="guest", priority=9)])
    acme.apply([changes.Assign(role="guest", to="user:ada")])
    assert may(acme, "user:ada", "purge")
    receipt = acme.apply([changes.SetRoleMode(mode="single")])
    assert receipt.direction is Direction.REVOKES
    assert not may(acme, "user:ada", "purge")
    assert may(acme, "user:ada", "write", "doc:1")
    acme.apply([changes.SetRoleMode(mode=RoleMode.MULTIPLE)])
    assert may(acme, "user:ada", "purge")


def test_set_default_role_gives_it_to_who_has_none(acme: Authority) -> None:
    """It counts in single mode, for memberships without an organization-wide role, and can go."""
    acme.apply([changes.SetDefaultRole(role="writer")])
    assert not may(acme, "user:cyd", "write")
    acme.apply([changes.SetRoleMode(mode="single")])
    assert may(acme, "user:cyd", "write")
    assert not may(acme, "user:bob", "write")
    chains = acme.explain("user:cyd", "write").explanation.chains
    assert [chain.is_default_role for chain in chains] == [True]
    acme.apply([changes.ReplaceAssignments(to="user:cyd", assignments=(Given(role="unused"),))])
    assert not may(acme, "user:cyd", "write")
    acme.apply([changes.SetDefaultRole(role=None)])
    acme.apply([changes.Unassign(role="unused", to="user:cyd")])
    assert not may(acme, "user:cyd", "read")


def test_no_organization_named_is_an_error(database: str) -> None:
    """An authority without one of its own asks for it, in changes and in questions."""
    with Authority.open(database) as nobodys:
        for call in (
            lambda: nobodys.apply([]),
            lambda: nobodys.preview([]),
            lambda: nobodys.check("ada", "read"),
            lambda: nobodys.who_can("read"),
            lambda: list(nobodys.log()),
        ):
            with pytest.raises(InvalidArgument, match="Name the organization"):
                call()


def _is_of(o: int, table: str, row: tuple[Any, ...]) -> bool:
    return bool(
        row[1 if table in ("permission", "role") else 0] == o and table != "role_permission"
    )


def test_an_organization_is_created_by_the_first_change(authority: Authority) -> None:
    """Anywhere else in a batch it is malformed, whether or not the organization exists."""
    late: list[Change] = [changes.CreateGroup(group="eng"), changes.CreateOrganization()]
    with pytest.raises(OrganizationNotFound):
        authority.apply([])
    for _ in range(2):
        for attempt in (authority.apply, authority.preview):
            with pytest.raises(InvalidChange, match="first of its batch"):
                attempt(late)
        authority.apply(late[::-1])
