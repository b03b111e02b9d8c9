"""The SDK's `authorization`: checks, effective permissions, and lists of who and what."""

from __future__ import annotations

from typing import Any

import pytest
from workos import BadRequestError, NotFoundError
from workos.authorization import (
    ParentResourceByExternalId,
    ParentResourceById,
    ResourceTargetByExternalId,
    ResourceTargetById,
)

from rescind.model import Seals
from tests.http.serving import Served
from tests.http.workos.test_resources import make
from tests.http.workos.world import acme, fresh, may


def test_what_is_unknown_is_not_found(sdk: Any) -> None:
    """A membership, a permission or a resource that is not there is no denial."""
    world = acme(sdk)
    for membership, permission, target in (
        ("om_nothing", world.permission, world.whole()),
        (world.ada, "nothing", world.whole()),
        (world.ada, world.permission, ResourceTargetById(resource_id="authz_resource_x")),
        (
            world.ada,
            world.permission,
            ResourceTargetByExternalId(resource_external_id="x", resource_type_slug="project"),
        ),
    ):
        with pytest.raises(NotFoundError) as raised:
            may(sdk, membership, permission, target)
        assert raised.value.code == "entity_not_found"


def test_effective_permissions(sdk: Any) -> None:
    """All that a membership has on a resource, also from above, and nothing else."""
    world, authorization = acme(sdk), sdk.authorization
    top = make(sdk, world.id, "workspace", "top")
    site = make(sdk, world.id, "project", "site", parent_resource=ParentResourceById(top.id))
    second = authorization.create_permission(slug=fresh("more"), name="More").slug
    role = authorization.create_environment_role(slug=fresh("more"), name="More").slug
    authorization.add_environment_role_permission(role, body_slug=second)
    authorization.create_group_role_assignment(world.eng, role_slug=world.role)
    authorization.assign_role(
        world.ada, role_slug=role, resource_target=ResourceTargetById(resource_id=top.id)
    )
    found = authorization.list_effective_permissions(world.ada, site.id)
    assert [each.slug for each in found.data] == [second, world.permission]
    again = authorization.list_effective_permissions_by_external_id(
        world.ada, "project", "site", order="asc", limit=1
    )
    assert [each.slug for each in again.data] == [world.permission]
    assert again.after is not None
    root = site.parent_resource_id
    assert root == top.id
    assert authorization.list_effective_permissions(world.bob, site.id).data == []


def test_resources_of_a_membership(sdk: Any) -> None:
    """The children of a resource on which it has the permission, by whatever way."""
    world, authorization = acme(sdk), sdk.authorization
    top = make(sdk, world.id, "workspace", "top")
    parent = ParentResourceById(parent_resource_id=top.id)
    sites = [make(sdk, world.id, "project", each, parent_resource=parent).id for each in "abc"]
    make(sdk, world.id, "project", "elsewhere")
    authorization.assign_role(
        world.bob, role_slug=world.role, resource_target=ResourceTargetById(sites[1])
    )
    authorization.create_group_role_assignment(world.eng, role_slug=world.role, resource_id=top.id)

    def listed(membership: str, **options: Any) -> list[str]:
        found = authorization.list_resources_for_membership(
            membership, permission_slug=world.permission, **options
        )
        return [each.id for each in found.data]

    assert listed(world.bob, parent_resource=parent) == [sites[1]]
    assert listed(world.ada, parent_resource=parent) == sites[::-1]
    by_name = ParentResourceByExternalId(
        parent_resource_type_slug="workspace", parent_resource_external_id="top"
    )
    assert listed(world.ada, parent_resource=by_name, order="asc", limit=2) == sites[:2]
    assert listed(world.ada, parent_resource=by_name, order="asc", after=sites[1]) == sites[2:]
    with pytest.raises(BadRequestError):
        listed(world.ada, parent_resource=None)
    with pytest.raises(NotFoundError):
        authorization.list_resources_for_membership(
            world.ada, permission_slug="nothing", parent_resource=parent
        )


def test_memberships_for_a_resource(sdk: Any) -> None:
    """Directly: by what was given on it; indirectly: also by what was given above."""
    world, authorization = acme(sdk), sdk.authorization
    site = make(sdk, world.id, "project", "site")
    authorization.assign_role(
        world.bob, role_slug=world.role, resource_target=ResourceTargetById(site.id)
    )
    authorization.create_group_role_assignment(world.eng, role_slug=world.role)
    by_id, by_name = (
        authorization.list_memberships_for_resource,
        authorization.list_memberships_for_resource_by_external_id,
    )
    asked = {"permission_slug": world.permission}
    for found, expected in (
        (by_id(site.id, **asked), [world.bob]),
        (by_id(site.id, assignment="direct", **asked), [world.bob]),
        (by_id(site.id, assignment="indirect", **asked), [world.bob, world.ada]),
        (by_name(world.id, "project", "site", **asked), [world.bob]),
        (
            by_name(world.id, "project", "site", assignment="indirect", order="asc", **asked),
            [world.ada, world.bob],
        ),
    ):
        assert [each.id for each in found.data] == expected
    with pytest.raises(BadRequestError):
        by_id(site.id, assignment="sideways", **asked)


def test_a_check_tells_its_revision(client: Any, service: Served) -> None:
    """So that whoever was told can ask for no older state; of another organization it is refused."""
    world, other = acme(client), acme(client)
    with service.client() as plain:
        written = plain.put(
            f"/user_management/organization_memberships/{world.ada}",
            json={"role_slug": world.role},
        )
        token = written.headers["Rescind-Revision"]
        path = f"/authorization/organization_memberships/{world.ada}/check"
        body = {"permission_slug": world.permission}
        headers = {"Rescind-At-Least": token}
        answer = plain.post(path, json=body, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"authorized": True})
        assert answer.headers["Rescind-Revision"] == token
        path = f"/authorization/organization_memberships/{other.ada}/check"
        asked = {"permission_slug": other.permission}
        refused = plain.post(path, json=asked, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_token")
        role = f"/authorization/roles/{other.role}"
        shared = plain.patch(role, json={"name": "X"}).headers["Rescind-Revision"]
        answer = plain.post(path, json=asked, headers={"Rescind-At-Least": shared})
        assert answer.json() == {"authorized": False}
        listed = plain.get(f"/organizations/{other.id}/groups", headers=headers)
        assert listed.status_code == 200
        for wrong, status in (
            ("nonsense", 400),
            (ahead(service.service.authority.store.seals, token), 412),
        ):
            answer = plain.get(
                f"/organizations/{world.id}/groups", headers={"Rescind-At-Least": wrong}
            )
            assert answer.status_code == status
            assert set(answer.json()) >= {"message", "code"}


def ahead(seals: Seals, token: str) -> str:
    """A token of a later revision than there is."""
    seen = seals.parse(token)
    return seals.revision(seen.incarnation, seen.organization + 100, seen.environment).token()
