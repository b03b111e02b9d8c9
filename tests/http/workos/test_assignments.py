"""The SDK's `authorization`: role assignments of memberships."""

from __future__ import annotations

from typing import Any

import pytest
from workos import BadRequestError, ConflictError, NotFoundError
from workos.authorization import ResourceTargetByExternalId, ResourceTargetById

from tests.http.workos.test_resources import make
from tests.http.workos.world import acme, fresh, may


def test_a_role_is_assigned_and_removed(sdk: Any) -> None:
    """On a resource, by its id or external id; it holds there, and not elsewhere, at once."""
    world, authorization = acme(sdk), sdk.authorization
    site, other = (make(sdk, world.id, "project", each) for each in ("site", "other"))
    target = ResourceTargetById(resource_id=site.id)
    made = authorization.assign_role(world.bob, role_slug=world.role, resource_target=target)
    assert (made.organization_membership_id, made.role.slug) == (world.bob, world.role)
    assert (made.resource.id, made.resource.external_id) == (site.id, "site")
    assert (made.source.type, made.source.group) == ("direct", None)
    again = authorization.assign_role(
        world.bob,
        role_slug=world.role,
        resource_target=ResourceTargetByExternalId(
            resource_external_id="site", resource_type_slug="project"
        ),
    )
    assert again == made
    assert may(sdk, world.bob, world.permission, target)
    assert not may(sdk, world.bob, world.permission, ResourceTargetById(resource_id=other.id))
    assert not may(sdk, world.bob, world.permission, world.whole())
    authorization.remove_role(world.bob, role_slug=world.role, resource_target=target)
    assert not may(sdk, world.bob, world.permission, target)
    with pytest.raises(NotFoundError):
        authorization.remove_role(world.bob, role_slug=world.role, resource_target=target)
    made = authorization.assign_role(world.bob, role_slug=world.role, resource_target=target)
    authorization.remove_role_assignment(world.bob, made.id)
    assert not may(sdk, world.bob, world.permission, target)
    with pytest.raises(NotFoundError):
        authorization.remove_role_assignment(world.bob, made.id)


def test_assignments_are_listed_with_their_source(sdk: Any) -> None:
    """A membership's own and those of its groups; of a resource, with who holds them."""
    world, authorization = acme(sdk), sdk.authorization
    site = make(sdk, world.id, "project", "site")
    target = ResourceTargetById(resource_id=site.id)
    sdk.groups.create_group_organization_membership(
        world.id, world.eng, organization_membership_id=world.bob
    )
    given = authorization.create_group_role_assignment(
        world.eng, role_slug=world.role, resource_id=site.id
    )
    other = authorization.create_environment_role(slug=fresh("ops"), name="Ops").slug
    own = authorization.assign_role(world.ada, role_slug=other, resource_target=target)
    wide = authorization.assign_role(world.ada, role_slug=other, resource_target=world.whole())
    listed = authorization.list_role_assignments(world.ada).data
    assert [each.id for each in listed[:2]] == [wide.id, own.id]
    assert (listed[2].source.type, listed[2].source.group.id) == ("group", world.eng)
    assert listed[2].source.group_role_assignment_id == given.id
    on_site = authorization.list_role_assignments(world.ada, resource_id=site.id).data
    assert [each.id for each in on_site] == [own.id, listed[2].id]
    with pytest.raises(ConflictError):
        authorization.remove_role_assignment(world.ada, listed[2].id)

    everyone = authorization.list_role_assignments_for_resource(site.id).data
    assert (
        everyone
        == authorization.list_role_assignments_for_resource_by_external_id(
            world.id, "project", "site"
        ).data
    )
    holders = [(each.organization_membership_id, each.role.slug) for each in everyone]
    assert holders == [(world.ada, other), (world.bob, world.role), (world.ada, world.role)]
    only = authorization.list_role_assignments_for_resource(site.id, role_slug=other, limit=1)
    assert [each.id for each in only.data] == [own.id]
    pages = authorization.list_role_assignments_for_resource(site.id, limit=1)
    rest = authorization.list_role_assignments_for_resource(site.id, limit=9, after=pages.after)
    assert [each.id for each in (*pages.data, *rest.data)] == [each.id for each in everyone]


def test_a_role_of_a_type_is_for_its_resources(sdk: Any) -> None:
    """Where it was defined for a type; other roles can be given on any."""
    world, authorization = acme(sdk), sdk.authorization
    site = make(sdk, world.id, "project", "site")
    role = authorization.create_organization_role(
        world.id, name="Editor", resource_type_slug="project"
    )
    assert role.resource_type_slug == "project"
    target = ResourceTargetById(resource_id=site.id)
    authorization.assign_role(world.bob, role_slug=role.slug, resource_target=target)
    with pytest.raises(BadRequestError):
        authorization.assign_role(world.bob, role_slug=role.slug, resource_target=world.whole())
    with pytest.raises(BadRequestError):
        authorization.create_group_role_assignment(world.eng, role_slug=role.slug)
    with pytest.raises(NotFoundError):
        authorization.create_organization_role(world.id, name="X", resource_type_slug="nothing")


def test_only_what_is_there_is_assigned(sdk: Any) -> None:
    """A known role, on a resource of the same organization, named in one way."""
    world, other = acme(sdk), acme(sdk)
    away = make(sdk, other.id, "project", "away")
    assign = sdk.authorization.assign_role
    for role, target in (
        ("nothing", world.whole()),
        (world.role, ResourceTargetById(resource_id=away.id)),
        (world.role, ResourceTargetById(resource_id="authz_resource_x")),
        (world.role, other.whole()),
    ):
        with pytest.raises(NotFoundError):
            assign(world.bob, role_slug=role, resource_target=target)
    half = ResourceTargetByExternalId(resource_external_id="x", resource_type_slug="")
    half.resource_type_slug = None  # type: ignore[assignment]
    with pytest.raises(BadRequestError):
        assign(world.bob, role_slug=world.role, resource_target=half)
