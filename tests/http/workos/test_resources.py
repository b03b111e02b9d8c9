"""The SDK's `authorization`: resources."""

from __future__ import annotations

from typing import Any

import pytest
from workos import BadRequestError, ConflictError, NotFoundError
from workos.authorization import (
    ParentByExternalId,
    ParentById,
    ParentResourceByExternalId,
    ParentResourceById,
    ResourceTargetByExternalId,
)

from tests.http.workos.world import acme, may


def make(sdk: Any, organization: str, kind: str, external_id: str, **options: Any) -> Any:
    return sdk.authorization.create_resource(
        external_id=external_id,
        name=external_id.title(),
        resource_type_slug=kind,
        organization_id=organization,
        **options,
    )


def test_a_resource_lives(sdk: Any) -> None:
    """Created, read, changed, moved and deleted by its id."""
    world, authorization = acme(sdk), sdk.authorization
    top = make(sdk, world.id, "workspace", "top", description="all")
    assert top.id.startswith("authz_resource_")
    assert (top.name, top.external_id, top.resource_type_slug) == ("Top", "top", "workspace")
    assert (top.description, top.organization_id) == ("all", world.id)
    assert authorization.get_resource(top.id) == top
    root = authorization.get_resource(top.parent_resource_id)
    assert (root.resource_type_slug, root.external_id) == ("organization", world.id)
    assert (root.name, root.parent_resource_id) == ("Acme", None)
    other = make(sdk, world.id, "workspace", "other")
    parent = ParentResourceById(parent_resource_id=top.id)
    site = make(sdk, world.id, "project", "site", parent_resource=parent)
    assert site.parent_resource_id == top.id
    moved = authorization.update_resource(
        site.id,
        name="Site!",
        parent_resource=ParentResourceByExternalId(
            parent_resource_type_slug="workspace", parent_resource_external_id="other"
        ),
    )
    assert (moved.name, moved.parent_resource_id) == ("Site!", other.id)
    with pytest.raises(ConflictError):
        authorization.delete_resource(other.id)
    authorization.delete_resource(other.id, cascade_delete=True)
    for gone in (site, other):
        with pytest.raises(NotFoundError):
            authorization.get_resource(gone.id)
    authorization.delete_resource(top.id)
    with pytest.raises(BadRequestError):
        authorization.delete_resource(root.id)


@pytest.mark.parametrize("external_id", ["site", "a/b c", "x:y", "%2F", "é?#&"])
def test_a_resource_lives_by_its_external_id(sdk: Any, external_id: str) -> None:
    """Whatever signs are in it."""
    world, authorization = acme(sdk), sdk.authorization
    top = make(sdk, world.id, "workspace", "top")
    made = make(sdk, world.id, "project", external_id)
    names = (world.id, "project", external_id)
    assert authorization.get_resource_by_external_id(*names) == made
    changed = authorization.update_resource_by_external_id(
        *names, description="new", parent_resource=ParentResourceById(parent_resource_id=top.id)
    )
    assert (changed.description, changed.parent_resource_id) == ("new", top.id)
    with pytest.raises(ConflictError):
        make(sdk, world.id, "project", external_id)
    authorization.delete_resource_by_external_id(*names, cascade_delete=True)
    with pytest.raises(NotFoundError):
        authorization.get_resource_by_external_id(*names)


def test_resources_are_listed(sdk: Any) -> None:
    """By organization, type, external id and parent."""
    world, other = acme(sdk), acme(sdk)
    top = make(sdk, world.id, "workspace", "top")
    parent = ParentResourceById(parent_resource_id=top.id)
    a, b = (make(sdk, world.id, "project", each, parent_resource=parent) for each in "ab")
    elsewhere = make(sdk, other.id, "project", "a")

    def listed(**options: Any) -> list[str]:
        return [each.id for each in sdk.authorization.list_resources(**options).data]

    assert listed(organization_id=world.id) == [b.id, a.id, top.id]
    assert listed(organization_id=world.id, resource_type_slug="project") == [b.id, a.id]
    assert listed(organization_id=world.id, resource_external_id="a") == [a.id]
    assert listed(resource_external_id="a")[:2] == [elsewhere.id, a.id]
    assert listed(parent=ParentById(parent_resource_id=top.id)) == [b.id, a.id]
    by_name = ParentByExternalId(parent_resource_type_slug="workspace", parent_external_id="top")
    assert listed(organization_id=world.id, parent=by_name, order="asc") == [a.id, b.id]
    with pytest.raises(BadRequestError):
        listed(parent=by_name)


def test_a_resource_has_a_known_type_and_place(sdk: Any) -> None:
    """Of a type that is defined, below a parent of the same organization that may be one."""
    world, other = acme(sdk), acme(sdk)
    with pytest.raises(NotFoundError):
        make(sdk, world.id, "nothing", "x")
    away = make(sdk, other.id, "workspace", "away")
    with pytest.raises(NotFoundError):
        make(sdk, world.id, "project", "x", parent_resource=ParentResourceById(away.id))
    site = make(sdk, world.id, "project", "site")
    with pytest.raises(ConflictError):
        make(sdk, world.id, "project", "x", parent_resource=ParentResourceById(site.id))


def test_a_type_ends_where_it_ends(sdk: Any) -> None:
    """`project:x` and `y` are not `project` and `x:y`, however a resource is named."""
    world, authorization = acme(sdk), sdk.authorization
    made = make(sdk, world.id, "project", "x:y")
    assert authorization.get_resource_by_external_id(world.id, "project", "x:y") == made
    with pytest.raises((BadRequestError, NotFoundError)):
        authorization.get_resource_by_external_id(world.id, "project:x", "y")
    with pytest.raises(BadRequestError):
        make(sdk, world.id, "project:x", "z")
    assert authorization.list_resources(resource_type_slug="project:x").data == []
    target = ResourceTargetByExternalId(resource_external_id="y", resource_type_slug="project:x")
    with pytest.raises((BadRequestError, NotFoundError)):
        may(sdk, world.ada, world.permission, target)
    with pytest.raises((BadRequestError, NotFoundError)):
        authorization.assign_role(world.ada, role_slug=world.role, resource_target=target)
