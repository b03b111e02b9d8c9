"""What cannot be is refused: the error says which fact stands against it, and nothing is written."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from rescind import Authority, changes, errors
from rescind.changes import Change, Given
from rescind.errors import RescindError
from tests.contract.world import FUTURE
from tests.state import dump

Refusal = tuple[Change, type[RescindError], dict[str, Any]]

NO_GROUP = {"group": "nowhere"}
NO_SUBJECT = {"subject": "user:nobody"}
NO_ROLE = {"role": "none"}
NO_PERMISSION = {"permission": "none"}
NO_RESOURCE = {"resource": "doc:none"}

MISSING: list[Refusal] = [
    (changes.SetDefaultRole(role="none"), errors.RoleNotFound, NO_ROLE),
    (changes.ReactivateMembership(subject="nobody"), errors.MembershipNotFound, NO_SUBJECT),
    (changes.RenameGroup(group="nowhere", name="x"), errors.GroupNotFound, NO_GROUP),
    (changes.ChangeGroupId(group="nowhere", new_id="x"), errors.GroupNotFound, NO_GROUP),
    (changes.RenameMembership(subject="nobody", name="x"), errors.MembershipNotFound, NO_SUBJECT),
    (
        changes.ChangeMembershipId(subject="nobody", new_id="x"),
        errors.MembershipNotFound,
        NO_SUBJECT,
    ),
    (changes.AddMembers(group="nowhere", members=()), errors.GroupNotFound, NO_GROUP),
    (
        changes.AddMembers(group="eng", members=("ada", "nobody")),
        errors.MembershipNotFound,
        NO_SUBJECT,
    ),
    (
        changes.AddMembers(group="eng", members=("bob", "nobody")),
        errors.MembershipNotFound,
        NO_SUBJECT,
    ),
    (
        changes.AddMembers(group="eng", members=("nobody",), expires_at=FUTURE),
        errors.MembershipNotFound,
        NO_SUBJECT,
    ),
    (
        changes.ReplaceMembers(group="eng", members=("nobody",)),
        errors.MembershipNotFound,
        NO_SUBJECT,
    ),
    (changes.NestGroup(group="nowhere", into="eng"), errors.GroupNotFound, NO_GROUP),
    (changes.NestGroup(group="eng", into="nowhere"), errors.GroupNotFound, NO_GROUP),
    (changes.EditPermission(permission="none"), errors.PermissionNotFound, NO_PERMISSION),
    (
        changes.DefineRole(role="new", permissions=("read", "none")),
        errors.PermissionNotFound,
        NO_PERMISSION,
    ),
    (changes.EditRole(role="none"), errors.RoleNotFound, NO_ROLE),
    (changes.EditRole(role="none", remove=("read",), name="x"), errors.RoleNotFound, NO_ROLE),
    (
        changes.EditRole(role="none", remove=("read",), add=("write",)),
        errors.RoleNotFound,
        NO_ROLE,
    ),
    (changes.EditRole(role="reader", add=("none",)), errors.PermissionNotFound, NO_PERMISSION),
    (changes.EditRole(role="reader", set=("none",)), errors.PermissionNotFound, NO_PERMISSION),
    (
        changes.DefineResourceType(type="new", parents=("none",)),
        errors.ResourceTypeNotFound,
        {"type": "none"},
    ),
    (changes.CreateResource(resource="none:1"), errors.ResourceTypeNotFound, {"type": "none"}),
    (
        changes.CreateResource(resource="doc:3", parent="doc:none"),
        errors.ResourceNotFound,
        NO_RESOURCE,
    ),
    (changes.MoveResource(resource="doc:none"), errors.ResourceNotFound, NO_RESOURCE),
    (
        changes.MoveResource(resource="doc:1", parent="doc:none"),
        errors.ResourceNotFound,
        NO_RESOURCE,
    ),
    (changes.Assign(role="none", to="ada"), errors.RoleNotFound, NO_ROLE),
    (changes.Assign(role="reader", to="nobody"), errors.MembershipNotFound, NO_SUBJECT),
    (changes.Assign(role="reader", to="group:nowhere"), errors.GroupNotFound, NO_GROUP),
    (
        changes.Assign(role="reader", to="ada", on="doc:none"),
        errors.ResourceNotFound,
        NO_RESOURCE,
    ),
    (
        changes.ReplaceAssignments(to="ada", assignments=(Given(role="none"),)),
        errors.RoleNotFound,
        NO_ROLE,
    ),
    (
        changes.ReplaceAssignments(to="group:nowhere", assignments=(Given(role="reader"),)),
        errors.GroupNotFound,
        NO_GROUP,
    ),
    (
        changes.ReplaceMembers(group="nowhere", members=("ada",)),
        errors.GroupNotFound,
        NO_GROUP,
    ),
]

CONTRADICTING: list[Refusal] = [
    (
        changes.CreateOrganization(name="Other"),
        errors.OrganizationExists,
        {"organization": "acme"},
    ),
    (
        changes.AddMembership(subject="ada", name="Eve"),
        errors.MembershipExists,
        {"subject": "user:ada, named Ada"},
    ),
    (changes.CreateGroup(group="eng", name="Other"), errors.GroupExists, {"group": "eng"}),
    (
        changes.DefinePermission(permission="read", critical=True),
        errors.PermissionExists,
        {"permission": "read"},
    ),
    (
        changes.DefinePermission(permission="read", description="x"),
        errors.PermissionExists,
        {"permission": "read"},
    ),
    (
        changes.DefineRole(role="reader", permissions=("read",), priority=7),
        errors.RoleExists,
        {"role": "reader"},
    ),
    (changes.DefineRole(role="reader", priority=1), errors.RoleExists, {"role": "reader"}),
    (
        changes.DefineRole(role="reader", permissions=("read", "write"), priority=1),
        errors.RoleExists,
        {"role": "reader"},
    ),
    (changes.DefineResourceType(type="doc"), errors.ResourceTypeExists, {"type": "doc"}),
    (
        changes.CreateResource(resource="doc:1"),
        errors.ResourceExists,
        {"below": "folder:a"},
    ),
    (
        changes.CreateResource(resource="folder:c", parent="doc:1"),
        errors.ParentTypeRefused,
        {"allowed": '["folder", "organization"]'},
    ),
    (
        changes.MoveResource(resource="folder:a", parent="doc:2"),
        errors.ParentTypeRefused,
        {"allowed": '["folder", "organization"]'},
    ),
    (
        changes.MoveResource(resource="folder:a", parent="folder:a"),
        errors.ResourceCycle,
        {"move": "folder:a below folder:a"},
    ),
    (
        changes.NestGroup(group="staff", into="eng"),
        errors.NestingCycle,
        {"nesting": "staff into eng"},
    ),
    (changes.NestGroup(group="eng", into="eng"), errors.NestingCycle, {"nesting": "eng into eng"}),
]

IN_USE: list[Refusal] = [
    (
        changes.DeleteOrganization(),
        errors.OrganizationInUse,
        {"contents": "4 memberships, 3 groups, 4 resources, 4 roles"},
    ),
    (
        changes.DeleteGroup(group="eng"),
        errors.GroupInUse,
        {"used_by": "1 member, 0 nested groups, 1 group around it, 1 assignment"},
    ),
    (
        changes.DeleteGroup(group="staff"),
        errors.GroupInUse,
        {"used_by": "1 member, 1 nested group, 0 groups around it, 1 assignment"},
    ),
    (
        changes.DeletePermission(permission="write"),
        errors.PermissionInUse,
        {"roles": "2, such as owner"},
    ),
    (
        changes.DeleteRole(role="reader"),
        errors.RoleInUse,
        {
            "used_by": "2 assignments, default role of 0 organizations",
            "such_as": "group:staff on organization, user:cyd on doc:2",
        },
    ),
    (
        changes.DeleteResourceType(type="folder"),
        errors.ResourceTypeInUse,
        {"resources": "folder:a of acme"},
    ),
    (
        changes.DeleteResource(resource="folder:a"),
        errors.ResourceInUse,
        {"used_by": "1 resource below it, 1 assignment"},
    ),
]

NEVER_REFUSED = {
    changes.RenameOrganization,
    changes.SetRoleMode,
    changes.SetIdRule,
    changes.DeactivateMembership,
    changes.RemoveMembership,
    changes.RemoveMembers,
    changes.UnnestGroup,
    changes.Unassign,
}
"""They name nothing that could be missing, or take away: see test_not_found, and test_id_rule."""


def _name(refused: Refusal) -> str:
    return f"{refused[0]} {refused[1].code}"


def test_every_change_is_here() -> None:
    """Each change has a case in which it is refused."""
    cases = (*MISSING, *CONTRADICTING, *IN_USE)
    assert {type(change) for change, *_ in cases} | NEVER_REFUSED == set(get_args(Change))


@pytest.mark.parametrize("refused", [*MISSING, *CONTRADICTING, *IN_USE], ids=_name)
def test_what_cannot_be_is_refused(settled: Authority, refused: Refusal) -> None:
    """The error has its code and names the fact; nothing of the batch is written, none of it
    granted, and a preview is refused alike.
    """
    change, kind, facts = refused
    grant = changes.Assign(role="owner", to="user:cyd")
    is_first = isinstance(change, changes.CreateOrganization)
    before = dump(settled)
    for attempt in (settled.apply, settled.preview):
        with pytest.raises(kind) as caught:
            attempt([change, grant] if is_first else [grant, change])
        found = {
            fact: value for fact, value in caught.value.facts.items() if fact != "did_you_mean"
        }
        assert found == facts
        assert str(next(iter(facts.values()))) in str(caught.value)
    assert dump(settled) == before
    assert not settled.check("user:cyd", "write")


def test_after_a_refusal_the_next_change_is_accepted(acme: Authority) -> None:
    """A refused batch leaves no lock and uses up no revision."""
    grant = changes.Assign(role="owner", to="user:cyd")
    with pytest.raises(errors.GroupNotFound):
        acme.apply([grant, changes.RenameGroup(group="nowhere", name="x")])
    assert acme.apply([grant]).revision.organization == 2


def test_a_deactivated_membership_is_not_added_again(acme: Authority) -> None:
    """Adding it would look like giving back what deactivation took: the error says what to do."""
    acme.apply([changes.DeactivateMembership(subject="ada")])
    with pytest.raises(errors.MembershipExists, match="reactivate it"):
        acme.apply([changes.AddMembership(subject="ada")])


def test_a_default_role_is_in_use(acme: Authority) -> None:
    """A role that is only somebody's default is not deleted without cascade."""
    acme.apply([changes.SetDefaultRole(role="unused")])
    with pytest.raises(errors.RoleInUse, match="default role of 1 organization"):
        acme.apply([changes.DeleteRole(role="unused")])
