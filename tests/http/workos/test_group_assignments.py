"""The SDK's `authorization`: role assignments of groups."""

from __future__ import annotations

from typing import Any

import pytest
from workos import BadRequestError, ConflictError, NotFoundError
from workos.authorization import ResourceTargetById
from workos.authorization.models import ReplaceGroupRoleAssignmentEntry as Entry

from tests.http.workos.test_resources import make
from tests.http.workos.world import Acme, acme, fresh, may


def held(sdk: Any, world: Acme) -> set[tuple[str, str]]:
    found = sdk.authorization.list_group_role_assignments(world.eng).data
    return {(each.role.slug, each.resource.external_id) for each in found}


def test_a_role_is_put_on_a_group_and_taken_off(sdk: Any) -> None:
    """By its id or by criteria; what is taken off is denied to the members when the call returns."""
    world, authorization = acme(sdk), sdk.authorization
    made = authorization.create_group_role_assignment(world.eng, role_slug=world.role)
    assert (made.group_id, made.role.slug) == (world.eng, world.role)
    assert (made.resource.resource_type_slug, made.resource.external_id) == (
        "organization",
        world.id,
    )
    assert authorization.get_group_role_assignment(world.eng, made.id) == made
    assert may(sdk, world.ada, world.permission, world.whole())
    assert not may(sdk, world.bob, world.permission, world.whole())
    with pytest.raises(ConflictError):
        authorization.create_group_role_assignment(world.eng, role_slug=world.role)
    authorization.delete_group_role_assignment(world.eng, made.id)
    assert not may(sdk, world.ada, world.permission, world.whole())
    with pytest.raises(NotFoundError):
        authorization.get_group_role_assignment(world.eng, made.id)
    with pytest.raises(NotFoundError):
        authorization.delete_group_role_assignment(world.eng, made.id)

    site = make(sdk, world.id, "project", "site")
    target = ResourceTargetById(resource_id=site.id)
    authorization.create_group_role_assignment(
        world.eng,
        role_slug=world.role,
        resource_external_id="site",
        resource_type_slug="project",
    )
    assert may(sdk, world.ada, world.permission, target)
    with pytest.raises(NotFoundError):
        authorization.delete_group_role_assignments(world.eng, role_slug=world.role)
    authorization.delete_group_role_assignments(
        world.eng, role_slug=world.role, resource_id=site.id
    )
    assert not may(sdk, world.ada, world.permission, target)


def test_assignments_of_a_group_are_replaced(sdk: Any) -> None:
    """They are exactly those named, and what stays keeps its id."""
    world, authorization = acme(sdk), sdk.authorization
    site = make(sdk, world.id, "project", "site")
    other = authorization.create_environment_role(slug=fresh("ops"), name="Ops").slug
    replace = authorization.update_group_role_assignments
    first = replace(
        world.eng,
        role_assignments=[Entry(role_slug=world.role), Entry(role_slug=other, resource_id=site.id)],
    )
    assert held(sdk, world) == {(world.role, world.id), (other, "site")}
    assert len(first.data) == 2
    assert may(sdk, world.ada, world.permission, world.whole())
    kept = replace(world.eng, role_assignments=[Entry(role_slug=other, resource_id=site.id)])
    assert [each.id for each in kept.data] == [
        each.id for each in first.data if each.role.slug == other
    ]
    assert not may(sdk, world.ada, world.permission, world.whole())
    assert replace(world.eng, role_assignments=[]).data == []
    with pytest.raises(NotFoundError):
        replace(world.eng, role_assignments=[Entry(role_slug=other), Entry(role_slug="nothing")])
    assert held(sdk, world) == set()


def test_assignments_of_a_group_are_patched(sdk: Any) -> None:
    """Added and removed at once; what is so already is passed over."""
    world, authorization = acme(sdk), sdk.authorization
    other = authorization.create_environment_role(slug=fresh("ops"), name="Ops").slug
    patch = authorization.patch_group_role_assignments
    patch(world.eng, add=[Entry(role_slug=world.role)])
    for _ in range(2):
        patch(world.eng, add=[Entry(role_slug=other)], remove=[Entry(role_slug=world.role)])
        assert held(sdk, world) == {(other, world.id)}
    for wrong in (
        {},
        {"add": [Entry(role_slug=other)], "remove": [Entry(role_slug=other)]},
        {"add": [Entry(role_slug=other)] * 101},
    ):
        with pytest.raises(BadRequestError):
            patch(world.eng, **wrong)
    assert held(sdk, world) == {(other, world.id)}
    for misspelt in ("nothing", other.upper(), ""):  # nothing would be taken
        with pytest.raises(NotFoundError):
            patch(world.eng, add=[Entry(role_slug=world.role)], remove=[Entry(role_slug=misspelt)])
    assert held(sdk, world) == {(other, world.id)}


def test_a_role_stays_while_another_group_gives_it(sdk: Any) -> None:
    """Leaving one of two groups that give it takes nothing away; leaving both does."""
    world, groups = acme(sdk), sdk.groups
    second = groups.create_organization_group(world.id, name="Second").id
    groups.create_group_organization_membership(
        world.id, second, organization_membership_id=world.ada
    )
    for group in (world.eng, second):
        sdk.authorization.create_group_role_assignment(group, role_slug=world.role)
    groups.delete_group_organization_membership(world.id, second, world.ada)
    assert may(sdk, world.ada, world.permission, world.whole())
    groups.delete_group_organization_membership(world.id, world.eng, world.ada)
    assert not may(sdk, world.ada, world.permission, world.whole())
