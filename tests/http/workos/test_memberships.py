"""The SDK's `organization_membership`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from workos import BadRequestError, ConflictError, NotFoundError
from workos.organization_membership import RoleMultiple, RoleSingle

from rescind import changes
from rescind.directory import memberships
from rescind.directory.unit_of_work import UnitOfWork
from rescind.store.rows.directory import MembershipRow
from tests.http.serving import Served
from tests.http.workos.world import acme, fresh, may


def slugs(membership: Any) -> list[str]:
    return [role.slug for role in membership.roles]


def test_a_membership_lives(sdk: Any) -> None:
    """Created with a role, read, deactivated, reactivated, deleted; checks follow at once."""
    world, service = acme(sdk), sdk.organization_membership
    made = service.create_organization_membership(
        user_id="user_cyd", organization_id=world.id, role=RoleSingle(role_slug=world.role)
    )
    assert (made.user_id, made.organization_id, made.user.id) == ("user_cyd", world.id, "user_cyd")
    assert (made.role.slug, slugs(made), made.status) == (world.role, [world.role], "active")
    assert service.get_organization_membership(made.id) == made
    assert may(sdk, made.id, world.permission, world.whole())
    assert service.deactivate_organization_membership(made.id).status == "inactive"
    assert not may(sdk, made.id, world.permission, world.whole())
    assert service.deactivate_organization_membership(made.id).status == "inactive"
    assert service.reactivate_organization_membership(made.id).status == "active"
    assert may(sdk, made.id, world.permission, world.whole())
    service.delete_organization_membership(made.id)
    with pytest.raises(NotFoundError):
        service.get_organization_membership(made.id)
    with pytest.raises(NotFoundError):
        may(sdk, made.id, world.permission, world.whole())


def test_what_goes_between_look_and_write_is_not_found(
    sdk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The core says what it did not find; here that is a 404, and nothing is told."""
    world, service = acme(sdk), sdk.organization_membership
    real = memberships.find_membership

    def found(unit: UnitOfWork, public_id: str) -> MembershipRow:
        row = real(unit, public_id)
        removal = changes.RemoveMembership(subject=row.subject)
        slug = row.organization_slug
        unit.authority.apply([removal], organization=slug, within=unit.connection)
        return row

    monkeypatch.setattr(memberships, "find_membership", found)
    with pytest.raises(NotFoundError):
        service.delete_organization_membership(world.ada)
    monkeypatch.undo()
    assert service.get_organization_membership(world.ada).status == "active"


def test_roles_are_replaced(sdk: Any) -> None:
    """The membership's own organization-wide ones; what it has through groups is shown, and stays."""
    world, service = acme(sdk), sdk.organization_membership
    other = sdk.authorization.create_environment_role(slug=fresh("ops"), name="Operator")
    sdk.authorization.create_group_role_assignment(world.eng, role_slug=world.role)
    changed = service.update_organization_membership(
        world.ada, role=RoleMultiple(role_slugs=[other.slug])
    )
    assert slugs(changed) == [world.role, other.slug]
    changed = service.update_organization_membership(world.ada, role=RoleSingle(world.role))
    assert slugs(changed) == [world.role]
    assert slugs(service.update_organization_membership(world.ada)) == [world.role]
    with pytest.raises(NotFoundError):
        service.update_organization_membership(world.ada, role=RoleSingle(role_slug="nothing"))


def test_a_role_that_has_expired_is_given_again(sdk: Any, service: Served) -> None:
    """It is not shown, so naming it gives it; leaving it out takes nothing."""
    world, memberships = acme(sdk), sdk.organization_membership
    subject = memberships.get_organization_membership(world.ada).user_id
    expired = changes.Assign(
        role=world.role, to=subject, expires_at=datetime(2001, 1, 1, tzinfo=UTC)
    )
    service.service.authority.apply([expired], organization=world.id)
    assert slugs(memberships.get_organization_membership(world.ada)) == []
    given = RoleSingle(role_slug=world.role)
    assert slugs(memberships.update_organization_membership(world.ada, role=given)) == [world.role]
    assert may(sdk, world.ada, world.permission, world.whole())


def test_an_inactive_member_is_made_active_again(sdk: Any) -> None:
    """With the roles that are named; an active one cannot be made twice."""
    world, service = acme(sdk), sdk.organization_membership
    service.deactivate_organization_membership(world.bob)
    again = service.create_organization_membership(
        user_id="user_bob", organization_id=world.id, role=RoleSingle(role_slug=world.role)
    )
    assert (again.id, again.status, slugs(again)) == (world.bob, "active", [world.role])
    with pytest.raises(ConflictError):
        service.create_organization_membership(user_id="user_bob", organization_id=world.id)


def test_memberships_are_listed(sdk: Any) -> None:
    """Of an organization, of a user in all of them, of both; active ones unless asked otherwise."""
    world, service = acme(sdk), sdk.organization_membership
    other = sdk.organizations.create_organization(name="Other")
    user = fresh("user_")
    mine = [
        service.create_organization_membership(user_id=user, organization_id=each).id
        for each in (world.id, other.id)
    ]
    service.deactivate_organization_membership(world.bob)

    def listed(**options: Any) -> list[str]:
        return [each.id for each in service.list_organization_memberships(**options).data]

    assert listed(organization_id=world.id) == [mine[0], world.ada]
    assert listed(organization_id=world.id, statuses=["inactive"]) == [world.bob]
    everyone = listed(organization_id=world.id, statuses=["active", "inactive"], order="asc")
    assert everyone == [world.ada, world.bob, mine[0]]
    assert listed(organization_id=world.id, statuses=["pending"]) == []
    assert listed(user_id=user) == mine[::-1]
    assert listed(user_id=user, organization_id=other.id) == [mine[1]]
    assert listed(user_id=user, limit=1, after=mine[1]) == [mine[0]]
    for wrong in ({}, {"organization_id": world.id, "statuses": ["asleep"]}):
        with pytest.raises(BadRequestError):
            listed(**wrong)


def test_groups_of_a_membership(sdk: Any) -> None:
    """Those it is in itself."""
    world = acme(sdk)
    groups = sdk.organization_membership.list_organization_membership_groups
    assert [each.id for each in groups(world.ada).data] == [world.eng]
    assert groups(world.bob).data == []
    with pytest.raises(NotFoundError):
        groups("om_nothing")


def test_the_winning_role_of_a_single_role_organization(sdk: Any, service: Served) -> None:
    """It is the only one that is shown, and the default role where there is none."""
    world = acme(sdk)
    name = core_name(service, world.id)
    authority = service.service.authority
    low, high, default = (fresh(each) for each in ("low", "high", "default"))
    authority.apply(
        [
            changes.DefineRole(role=low, priority=1),
            changes.DefineRole(role=high, priority=2),
            changes.DefineRole(role=default),
            changes.SetRoleMode(mode="single"),
            changes.SetDefaultRole(role=default),
            changes.Assign(role=low, to="user:user_ada"),
            changes.Assign(role=high, to="user:user_ada"),
        ],
        organization=name,
    )
    members = sdk.organization_membership
    assert slugs(members.get_organization_membership(world.ada)) == [high]
    assert slugs(members.get_organization_membership(world.bob)) == [default]


def core_name(service: Served, organization_id: str) -> str:
    """What an organization made by the API is called in the core: the same."""
    assert list(service.service.authority.log(organization=organization_id, limit=1))
    return organization_id
