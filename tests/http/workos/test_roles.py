"""The SDK's `authorization`: permissions, environment roles and custom roles."""

from __future__ import annotations

from typing import Any

import pytest
from workos import BadRequestError, ConflictError, NotFoundError

from tests.http.serving import Served
from tests.http.workos.world import acme, fresh, may


def test_a_permission_lives(sdk: Any) -> None:
    """Created, read, changed, listed, deleted, also out of roles."""
    authorization, slug = sdk.authorization, fresh("invoice:refund")
    made = authorization.create_permission(slug=slug, name="Refund", description="give back")
    assert made.id.startswith("perm_")
    assert (made.slug, made.name, made.description) == (slug, "Refund", "give back")
    assert authorization.get_permission(slug) == made
    changed = authorization.update_permission(slug, name="Refunds", description=None)
    assert (changed.name, changed.description) == ("Refunds", None)
    assert changed in authorization.list_permissions(limit=100).data
    role = authorization.create_environment_role(slug=fresh("r"), name="R")
    authorization.add_environment_role_permission(role.slug, body_slug=slug)
    authorization.delete_permission(slug)
    assert authorization.get_environment_role(role.slug).permissions == []
    with pytest.raises(NotFoundError):
        authorization.get_permission(slug)
    with pytest.raises(BadRequestError):
        authorization.create_permission(slug="Not a slug", name="x")


def test_a_permission_is_defined_once(sdk: Any) -> None:
    """Also where it would be the same."""
    slug = fresh("twice")
    sdk.authorization.create_permission(slug=slug, name="x")
    with pytest.raises(ConflictError):
        sdk.authorization.create_permission(slug=slug, name="x")


def test_an_environment_role_lives(sdk: Any) -> None:
    """Created below the others, read, changed, listed; its permissions added and replaced."""
    authorization, slug = sdk.authorization, fresh("billing")
    one, two = (authorization.create_permission(slug=fresh("p"), name="P").slug for _ in "ab")
    made = authorization.create_environment_role(slug=slug, name="Billing", description="money")
    assert (made.type, made.name, made.description) == ("EnvironmentRole", "Billing", "money")
    assert authorization.get_environment_role(slug) == made
    changed = authorization.update_environment_role(slug, name="Bills", description=None)
    assert (changed.name, changed.description) == ("Bills", None)
    for _ in range(2):
        added = authorization.add_environment_role_permission(slug, body_slug=one)
        assert added.permissions == [one]
    replaced = authorization.set_environment_role_permissions(slug, permissions=[two])
    assert replaced.permissions == [two]
    assert authorization.set_environment_role_permissions(slug, permissions=[]).permissions == []
    later = authorization.create_environment_role(slug=fresh("later"), name="Later")
    listed = [role.slug for role in authorization.list_environment_roles().data]
    assert listed.index(slug) < listed.index(later.slug)
    with pytest.raises(ConflictError):
        authorization.create_environment_role(slug=slug, name="Again")
    with pytest.raises(NotFoundError):
        authorization.add_environment_role_permission(slug, body_slug="nothing")
    with pytest.raises(NotFoundError):
        authorization.update_environment_role("nothing", name="x")


def test_a_custom_role_lives(sdk: Any) -> None:
    """Of one organization, which lists it after those for all; another does not find it."""
    world, authorization = acme(sdk), sdk.authorization
    made = authorization.create_organization_role(world.id, name="Night shift")
    assert made.slug.startswith("org-night-shift-")
    assert (made.type, made.permissions) == ("OrganizationRole", [])
    assert authorization.get_organization_role(world.id, made.slug) == made
    assert authorization.get_organization_role(world.id, world.role).type == "EnvironmentRole"
    changed = authorization.update_organization_role(world.id, made.slug, description="late")
    assert (changed.name, changed.description) == ("Night shift", "late")
    listed = [role.slug for role in authorization.list_organization_roles(world.id).data]
    assert listed.index(world.role) < listed.index(made.slug)
    other = sdk.organizations.create_organization(name="Other")
    with pytest.raises(NotFoundError):
        authorization.get_organization_role(other.id, made.slug)
    with pytest.raises(NotFoundError):
        authorization.update_organization_role(world.id, world.role, name="x")
    with pytest.raises(BadRequestError):
        authorization.create_organization_role(world.id, name="x", slug="boss")
    named = authorization.create_organization_role(world.id, name="x", slug="org-boss")
    assert named.slug == "org-boss"
    with pytest.raises(ConflictError):
        authorization.create_organization_role(world.id, name="x", slug="org-boss")


def test_the_permissions_of_a_custom_role_hold_at_once(sdk: Any) -> None:
    """Added, replaced and taken out, for those who hold it."""
    world, authorization = acme(sdk), sdk.authorization
    slug = authorization.create_organization_role(world.id, name="Night").slug
    authorization.assign_role(world.bob, role_slug=slug, resource_target=world.whole())

    def can() -> bool:
        return may(sdk, world.bob, world.permission, world.whole())

    assert not can()
    added = authorization.add_organization_role_permission(
        world.id, slug, body_slug=world.permission
    )
    assert added.permissions == [world.permission]
    assert can()
    authorization.remove_organization_role_permission(world.id, slug, world.permission)
    assert not can()
    authorization.set_organization_role_permissions(world.id, slug, permissions=[world.permission])
    assert can()
    authorization.set_organization_role_permissions(world.id, slug, permissions=[])
    assert not can()


def test_a_role_in_use_is_kept(sdk: Any, service: Served) -> None:
    """Deleting it is a conflict; with `cascade_delete` it is denied to everybody at return."""
    world, authorization = acme(sdk), sdk.authorization
    slug = authorization.create_organization_role(world.id, name="Night").slug
    authorization.add_organization_role_permission(world.id, slug, body_slug=world.permission)
    authorization.create_group_role_assignment(world.eng, role_slug=slug)
    with pytest.raises(ConflictError) as raised:
        authorization.delete_organization_role(world.id, slug)
    assert raised.value.code == "role_has_assignments"
    assert may(sdk, world.ada, world.permission, world.whole())
    with service.client() as plain:
        path = f"/authorization/organizations/{world.id}/roles/{slug}?cascade_delete=true"
        assert plain.delete(path).status_code == 204
    assert not may(sdk, world.ada, world.permission, world.whole())
    unused = authorization.create_organization_role(world.id, name="Unused").slug
    authorization.delete_organization_role(world.id, unused)
    with pytest.raises(NotFoundError):
        authorization.get_organization_role(world.id, unused)


def test_a_role_for_all_is_deleted_everywhere(sdk: Any, service: Served) -> None:
    """With `cascade_delete`, from every organization at return."""
    worlds = [acme(sdk), acme(sdk)]
    role, permission = worlds[0].role, worlds[0].permission
    for world in worlds:
        sdk.authorization.create_group_role_assignment(world.eng, role_slug=role)
        assert may(sdk, world.ada, permission, world.whole())
    with service.client() as plain:
        assert plain.delete(f"/authorization/roles/{role}").status_code == 409
        path = f"/authorization/roles/{role}?cascade_delete=true"
        assert plain.delete(path).status_code == 204
    for world in worlds:
        assert not may(sdk, world.ada, permission, world.whole())
