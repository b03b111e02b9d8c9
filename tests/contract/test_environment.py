"""What is defined once for all organizations, and used by two of them."""

from __future__ import annotations

import pytest

from rescind import ENVIRONMENT, Authority, Direction, changes
from rescind.changes import Change
from rescind.errors import (
    InvalidChange,
    PermissionExists,
    PermissionInUse,
    PermissionNotFound,
    RescindError,
    ResourceTypeExists,
    ResourceTypeInUse,
    RoleExists,
    RoleInUse,
    RoleNotFound,
)
from tests.probe import Probe
from tests.state import dump, may

BOTH = ("acme", "other")
DEFINED: list[Change] = [
    changes.DefinePermission(permission="read"),
    changes.DefinePermission(permission="write"),
    changes.DefineRole(role="reader", permissions=("read",)),
    changes.DefineRole(role="writer", permissions=("read", "write"), priority=1),
    changes.DefineResourceType(type="doc"),
]
USED: list[Change] = [
    changes.CreateOrganization(),
    changes.CreateResource(resource="doc:1"),
    changes.AddMembership(subject="user:ada"),
    changes.AddMembership(subject="user:bob"),
    changes.CreateGroup(group="eng"),
    changes.AddMembers(group="eng", members=("user:ada",)),
    changes.Assign(role="writer", to="group:eng"),
    changes.Assign(role="reader", to="user:bob", on="doc:1"),
    changes.DefineRole(role="own", permissions=("write",)),
    changes.Assign(role="own", to="user:bob"),
]


@pytest.fixture
def everywhere(authority: Authority) -> Authority:
    """An authority whose two organizations use what the environment defines."""
    authority.apply(DEFINED, organization=ENVIRONMENT)
    for organization in BOTH:
        authority.apply(USED, organization=organization)
    return authority


def both(authority: Authority, subject: str, permission: str, resource: str | None = None) -> bool:
    """The answer that is the same in both organizations."""
    answers = {may(authority, subject, permission, resource, organization=name) for name in BOTH}
    assert len(answers) == 1
    return answers.pop()


def test_what_is_defined_for_all_counts_in_each(everywhere: Authority) -> None:
    """Roles and permissions of the environment, and own roles that contain its permissions."""
    assert both(everywhere, "user:ada", "write", "doc:1")
    assert both(everywhere, "user:bob", "read", "doc:1")
    assert both(everywhere, "user:bob", "write")
    assert not both(everywhere, "user:bob", "read")


def test_what_is_changed_for_all_changes_in_each(everywhere: Authority) -> None:
    """In one change of the environment, which says that it revokes if it does so anywhere."""
    edit = changes.EditRole(role="writer", remove=("write",))
    receipt = everywhere.apply([edit], organization=ENVIRONMENT)
    assert receipt.direction is Direction.REVOKES
    assert not both(everywhere, "user:ada", "write")
    assert both(everywhere, "user:ada", "read")
    edit = changes.EditRole(role="writer", add=("write",))
    assert everywhere.apply([edit], organization=ENVIRONMENT).direction is Direction.GRANTS
    assert both(everywhere, "user:ada", "write")
    everywhere.apply(
        [changes.EditPermission(permission="read", critical=True)], organization=ENVIRONMENT
    )
    assert both(everywhere, "user:ada", "read")


def test_a_check_says_which_environment_it_saw(everywhere: Authority) -> None:
    """The token of a check covers the environment's revision as well."""
    before = everywhere.check("user:ada", "read")
    edit = changes.EditRole(role="reader", name="Reader")
    everywhere.apply([edit], organization=ENVIRONMENT)
    after = everywhere.check("user:ada", "read", at_least=before.token)
    assert after.revision.environment == before.revision.environment + 1
    assert after.revision.covers(before.revision)
    assert not before.revision.covers(after.revision)


def test_a_permission_is_deleted_out_of_the_roles_of_each(everywhere: Authority) -> None:
    """Refused while any role of any organization contains it, unless with cascade."""
    everywhere.apply([changes.DeleteRole(role="writer", cascade=True)], organization=ENVIRONMENT)
    delete = changes.DeletePermission(permission="write")
    with pytest.raises(PermissionInUse, match="such as own"):
        everywhere.apply([delete], organization=ENVIRONMENT)
    delete = changes.DeletePermission(permission="write", cascade=True)
    receipt = everywhere.apply([delete], organization=ENVIRONMENT)
    assert receipt.direction is Direction.REVOKES
    assert not both(everywhere, "user:bob", "write")
    assert both(everywhere, "user:bob", "read", "doc:1")
    with pytest.raises(PermissionNotFound):
        everywhere.apply([changes.EditRole(role="own", add=("write",))], organization="acme")


@pytest.mark.parametrize("is_noted", [True, False])
def test_a_role_is_taken_back_in_each(everywhere: Authority, probe: Probe, is_noted: bool) -> None:
    """A cascading deletion is one change of the environment and one of every organization that
    uses the role, each with a revision and an entry in its log; without the note of what was taken
    elsewhere the environment's would pass for granting.
    """
    if not is_noted:
        probe.omitted.add("note_taken_elsewhere")
    with pytest.raises(RoleInUse, match="2 assignments"):
        everywhere.apply([changes.DeleteRole(role="writer")], organization=ENVIRONMENT)
    before = [everywhere.check("user:ada", "read", organization=name).revision for name in BOTH]
    receipt = everywhere.apply(
        [changes.DeleteRole(role="writer", cascade=True)],
        organization=ENVIRONMENT,
        actor="user:root",
        reason="retired",
    )
    assert receipt.direction is (Direction.REVOKES if is_noted else Direction.GRANTS)
    assert not both(everywhere, "user:ada", "write")
    assert not both(everywhere, "user:ada", "read")
    for name, old in zip(BOTH, before, strict=True):
        *_, entry = everywhere.log(organization=name)
        assert entry.revision == old.organization + 1
        assert (entry.actor, entry.reason) == ("user:root", "retired")
        assert (entry.direction, entry.fan_out) == (Direction.REVOKES, 1)
        assert "delete_role" in entry.changes
    assert len(dump(everywhere)["assignment"]) == 4


@pytest.mark.parametrize("route", ["inline", "background"])
def test_a_receipt_agrees_with_the_logs_of_all(everywhere: Authority, route: str) -> None:
    """What follows in the organizations is part of the change: it has their route, and is settled when
    the last of them is, however often it is asked for.
    """
    delete = [changes.DeleteRole(role="writer", cascade=True)]
    options = {"organization": ENVIRONMENT, "route": route, "idempotency_key": "k"}
    receipt = everywhere.apply(delete, **options)
    logs = [list(everywhere.log(organization=name))[-1] for name in (ENVIRONMENT, *BOTH)]
    assert {receipt.route, *(entry.route for entry in logs)} == {route}
    is_settled = route == "inline"
    assert {e.settled_at is not None for e in (receipt, *logs)} == {is_settled}
    for name in BOTH:
        assert (everywhere.apply(delete, **options).settled_at is not None) == is_settled
        everywhere.reconcile("eng", organization=name)
    settled = [list(everywhere.log(organization=name))[-1].settled_at for name in BOTH]
    assert list(everywhere.log(organization=ENVIRONMENT))[-1].settled_at == max(settled)
    assert everywhere.apply(delete, **options).settled_at == max(settled)


def test_a_receipt_would_not_know(everywhere: Authority, probe: Probe) -> None:
    """Control: of itself a change of all organizations has no effective roles to move."""
    probe.omitted.add("note_pended_elsewhere")
    delete = changes.DeleteRole(role="writer", cascade=True)
    receipt = everywhere.apply([delete], organization=ENVIRONMENT, route="background")
    assert receipt.route == "inline"
    assert list(everywhere.log(organization="other"))[-1].route == "background"


def test_a_role_that_one_uses_leaves_the_other_alone(everywhere: Authority) -> None:
    """An organization that does not use it has no new revision."""
    everywhere.apply([changes.Unassign(role="writer", to="group:eng")], organization="other")
    before = everywhere.check("user:ada", "read", organization="other").revision
    everywhere.apply([changes.DeleteRole(role="writer", cascade=True)], organization=ENVIRONMENT)
    after = everywhere.check("user:ada", "read", organization="other").revision
    assert after.organization == before.organization
    assert after.environment == before.environment + 1
    assert not may(everywhere, "user:ada", "read", organization="acme")


def test_a_default_role_of_each_is_unset(everywhere: Authority) -> None:
    """Where one role counts, who had only the default has nothing."""
    for name in BOTH:
        everywhere.apply([changes.AddMembership(subject="cyd")], organization=name)
        everywhere.apply([changes.SetDefaultRole(role="reader")], organization=name)
        everywhere.apply([changes.SetRoleMode(mode="single")], organization=name)
    assert both(everywhere, "user:cyd", "read")
    delete = changes.DeleteRole(role="reader", cascade=True)
    receipt = everywhere.apply([delete], organization=ENVIRONMENT)
    assert receipt.direction is Direction.REVOKES
    assert not both(everywhere, "user:cyd", "read")


def test_a_role_of_the_environment_is_not_an_organizations_to_change(
    everywhere: Authority,
) -> None:
    """It is not found among their own."""
    for change in (
        changes.EditRole(role="reader", add=("write",)),
        changes.DeleteRole(role="reader", cascade=True),
    ):
        with pytest.raises(RoleNotFound):
            everywhere.apply([change])
    with pytest.raises(PermissionNotFound):
        everywhere.apply([changes.DeletePermission(permission="read", cascade=True)])


def test_a_resource_type_is_kept_while_any_uses_it(everywhere: Authority) -> None:
    """Whichever organization the resource is in."""
    everywhere.apply([changes.DeleteResource(resource="doc:1", cascade=True)], organization="acme")
    delete = changes.DeleteResourceType(type="doc")
    with pytest.raises(ResourceTypeInUse, match="doc:1 of other"):
        everywhere.apply([delete], organization=ENVIRONMENT)
    everywhere.apply([changes.DeleteResource(resource="doc:1", cascade=True)], organization="other")
    assert everywhere.apply([delete], organization=ENVIRONMENT).changed


def test_a_name_is_the_environments_or_an_organizations(everywhere: Authority) -> None:
    """No organization redefines what holds for all; what organizations have is not taken over."""
    for kind, change in (
        (PermissionExists, changes.DefinePermission(permission="read")),
        (RoleExists, changes.DefineRole(role="reader", permissions=("read",))),
        (ResourceTypeExists, changes.DefineResourceType(type="doc")),
    ):
        with pytest.raises(kind, match="for all organizations"):
            everywhere.apply([change])
    with pytest.raises(RoleExists, match="in the organization"):
        everywhere.apply([changes.DefineRole(role="own")], organization=ENVIRONMENT)


TAKEN: dict[str, tuple[type[RescindError], Change, Change]] = {
    "refuse_permission_differs": (
        PermissionExists,
        changes.DefinePermission(permission="billing:read"),
        changes.DeletePermission(permission="billing:read", cascade=True),
    ),
    "refuse_role_differs": (
        RoleExists,
        changes.DefineRole(role="auditor"),
        changes.DeleteRole(role="auditor", cascade=True),
    ),
    "refuse_resource_type_differs": (
        ResourceTypeExists,
        changes.DefineResourceType(type="invoice"),
        changes.DeleteResourceType(type="invoice"),
    ),
}


@pytest.mark.parametrize("guard", TAKEN)
def test_a_name_that_organizations_took(everywhere: Authority, guard: str) -> None:
    """Who defines it for all is told whose it is, until nobody has it; organizations are told nothing of each
    other. The control: without the guard the name is defined on both levels.
    """
    error, define, delete = TAKEN[guard]
    for number, name in enumerate(("acme", "other")):
        assert everywhere.apply([define], organization=name).changed
        told = "in the organization acme" + (" and 1 more" if number else "")
        with pytest.raises(error, match=rf"{told}\. .*[Dd]elete it.*where it is defined"):
            everywhere.apply([define], organization=ENVIRONMENT)
    everywhere.apply([delete], organization="acme")
    with pytest.raises(error, match=r"in the organization other\."):
        everywhere.apply([define], organization=ENVIRONMENT)
    nothing = "SELECT 'role_exists' AS code, 'role' AS fact, 'none' AS value WHERE FALSE"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(everywhere.store.queries, guard, nothing)  # type: ignore[attr-defined]
        assert everywhere.apply([define], organization=ENVIRONMENT).changed
    everywhere.apply([delete], organization=ENVIRONMENT)
    everywhere.apply([delete], organization="other")
    assert everywhere.apply([define], organization=ENVIRONMENT).changed


def test_only_what_all_can_share_is_defined_for_all(everywhere: Authority) -> None:
    """Members, groups, resources and assignments are of one organization."""
    for change in USED[1:8]:
        with pytest.raises(InvalidChange, match="name an organization"):
            everywhere.apply([change], organization=ENVIRONMENT)
    assert not everywhere.check("user:ada", "read", organization=ENVIRONMENT)


def test_a_preview_for_all_is_refused_alike(everywhere: Authority) -> None:
    """What would be accepted is not refused when it is only looked at."""
    delete = [changes.DeleteRole(role="writer", cascade=True)]
    before = dump(everywhere)
    everywhere.preview(delete, organization=ENVIRONMENT)
    assert dump(everywhere) == before
    assert everywhere.apply(delete, organization=ENVIRONMENT).changed


def test_a_difference_for_all_does_not_say_that_nothing_is_lost(everywhere: Authority) -> None:
    """What organizations lose is not worked out, and that is said; in one organization all is listed."""
    delete = [changes.DeleteRole(role="writer", cascade=True)]
    found = everywhere.preview(delete, organization=ENVIRONMENT)
    assert (found.is_complete, found.direction) == (False, Direction.REVOKES)
    applied = everywhere.apply(delete, organization=ENVIRONMENT, detail=True).difference
    assert applied == found
    everywhere.apply([changes.CreateOrganization()], organization="elsewhere")
    made = everywhere.preview([changes.CreateGroup(group="g")], organization="elsewhere")
    assert made.is_complete
    assert made.direction is Direction.GRANTS
