"""What was made through the library or brought along from WorkOS: seen under ids that stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from workos import AuthorizationError, BadRequestError, ConflictError, NotFoundError

from rescind import changes
from tests.http.serving import Served
from tests.http.workos.world import acme, fresh


def test_objects_of_the_library_are_seen(sdk: Any, service: Served) -> None:
    """By the same ids each time; the organization under its name as external id."""
    authority, name = service.service.authority, fresh("library")
    authority.apply(
        [
            changes.CreateOrganization(name="Library"),
            changes.DefinePermission(permission="read", description="see"),
            changes.DefineRole(role="reader", permissions=("read",)),
            changes.AddMembership(subject="user:ada", name="Ada"),
            changes.AddMembership(subject="service_account:ci"),
            changes.CreateGroup(group="eng"),
            changes.AddMembers(group="eng", members=("user:ada",)),
            changes.DefineResourceType(type="doc"),
            changes.CreateResource(resource="doc:1"),
            changes.Assign(role="reader", to="group:eng", on="doc:1"),
        ],
        organization=name,
    )
    organization = sdk.organizations.get_organization_by_external_id(name)
    assert (organization.name, organization.external_id) == ("Library", name)
    members = sdk.organization_membership.list_organization_memberships(
        organization_id=organization.id
    ).data
    assert [(each.user_id, each.user.name) for each in members] == [
        ("service_account:ci", None),
        ("ada", "Ada"),
    ]
    (group,) = sdk.groups.list_organization_groups(organization.id).data
    assert (group.name, group.description) == ("eng", None)
    assert group == sdk.groups.get_organization_group(organization.id, group.id)
    (resource,) = sdk.authorization.list_resources(organization_id=organization.id).data
    assert (resource.name, resource.external_id, resource.resource_type_slug) == ("1", "1", "doc")
    (given,) = sdk.authorization.list_group_role_assignments(group.id).data
    assert (given.role.slug, given.resource.id) == ("reader", resource.id)
    roles = sdk.authorization.list_organization_roles(organization.id).data
    assert [(each.slug, each.permissions) for each in roles if each.type == "OrganizationRole"] == [
        ("reader", ["read"])
    ]
    effective = sdk.authorization.list_effective_permissions(members[1].id, resource.id).data
    assert [(each.slug, each.description) for each in effective] == [("read", "see")]
    described = sdk.groups.update_organization_group(organization.id, group.id, description="x")
    assert (described.id, described.name, described.description) == (group.id, "eng", "x")


def test_what_is_made_anew_starts_afresh(sdk: Any, service: Served) -> None:
    """A group that was deleted elsewhere and made again has another id, and nothing of the old one."""
    world, authority = acme(sdk), service.service.authority
    described = sdk.groups.update_organization_group(world.id, world.eng, description="old")
    for change in (
        changes.DeleteGroup(group=world.eng, cascade=True),
        changes.CreateGroup(group=world.eng, name="New"),
    ):
        authority.apply([change], organization=world.id)
    (group,) = sdk.groups.list_organization_groups(world.id).data
    assert group.id != described.id
    assert (group.name, group.description) == ("New", None)


def test_what_has_expired_is_not_shown(sdk: Any, service: Served) -> None:
    """Neither a place in a group nor an assignment."""
    world, authority = acme(sdk), service.service.authority
    past = datetime.now(UTC) - timedelta(seconds=1)
    sdk.authorization.create_group_role_assignment(world.eng, role_slug=world.role)
    authority.apply(
        [
            changes.AddMembers(group=world.eng, members=("user:user_ada",), expires_at=past),
            changes.Assign(role=world.role, to="user:user_bob", expires_at=past),
        ],
        organization=world.id,
    )
    assert sdk.groups.list_group_organization_memberships(world.id, world.eng).data == []
    service_ = sdk.organization_membership
    assert service_.list_organization_membership_groups(world.ada).data == []
    for member in (world.ada, world.bob):
        assert sdk.authorization.list_role_assignments(member).data == []
        assert service_.get_organization_membership(member).roles == []
    again = sdk.authorization.assign_role(
        world.bob, role_slug=world.role, resource_target=world.whole()
    )
    assert [each.id for each in sdk.authorization.list_role_assignments(world.bob).data] == [
        again.id
    ]


def chosen(public_id: str) -> dict[str, Any]:
    return {"request_options": {"extra_headers": {"Rescind-Id": public_id}}}


def test_ids_are_brought_along(sdk: Any) -> None:
    """With the header Rescind-Id what is made has the id that it had elsewhere, everywhere."""
    mark = fresh("01HX").replace("-", "")
    org, om, group, resource = (
        f"{kind}_{mark}" for kind in ("org", "om", "group", "authz_resource")
    )
    made = sdk.organizations.create_organization(name="Moved", **chosen(org))
    assert made.id == org
    member = sdk.organization_membership.create_organization_membership(
        user_id="user_ada", organization_id=org, **chosen(om)
    )
    assert (member.id, member.organization_id) == (om, org)
    assert sdk.groups.create_organization_group(org, name="G", **chosen(group)).id == group
    site = sdk.authorization.create_resource(
        external_id="site",
        name="Site",
        resource_type_slug="project",
        organization_id=org,
        **chosen(resource),
    )
    assert site.id == resource
    sdk.groups.create_group_organization_membership(org, group, organization_membership_id=om)
    role = sdk.authorization.create_environment_role(slug=fresh("r"), name="R").slug
    sdk.authorization.create_group_role_assignment(group, role_slug=role, resource_id=resource)
    (held,) = sdk.authorization.list_role_assignments(om).data
    assert (held.organization_membership_id, held.resource.id) == (om, resource)
    assert held.source.group.id == group
    assert sdk.organization_membership.list_organization_membership_groups(om).data[0].id == group
    page = sdk.organization_membership.list_organization_memberships(organization_id=org, after=om)
    assert page.data == []
    for taken, error in (
        (group, ConflictError),
        ("group_", BadRequestError),
        (om, BadRequestError),
    ):
        with pytest.raises(error):
            sdk.groups.create_organization_group(org, name="H", **chosen(taken))
    with pytest.raises(ConflictError):
        sdk.organizations.create_organization(name="Again", **chosen(org))
    sdk.organizations.delete_organization(org)
    with pytest.raises(NotFoundError):
        sdk.organization_membership.get_organization_membership(om)
    assert sdk.organizations.create_organization(name="Again", **chosen(org)).id == org


def test_bound_keys_bring_no_ids(service: Served, client: Any) -> None:
    """They could learn from a refusal what ids others have."""
    from tests.http.workos.conftest import client_of

    world = acme(client)
    with client_of(service, service.key("write", organization=world.id)) as bound:
        bound.groups.create_organization_group(world.id, name="Fine")
        with pytest.raises(AuthorizationError):
            bound.groups.create_organization_group(world.id, name="H", **chosen("group_01HX9"))
