"""The SDK's `organizations`."""

from __future__ import annotations

from typing import Any

import pytest
from workos import ConflictError, NotFoundError
from workos._errors import ServerError
from workos.organizations import OrganizationDomainData

from tests.http.workos.world import acme, fresh


def test_an_organization_lives(sdk: Any) -> None:
    """Created, found by its ids, changed, deleted, and gone."""
    organizations = sdk.organizations
    external_id = fresh("ours")
    made = organizations.create_organization(
        name="Acme",
        external_id=external_id,
        metadata={"tier": "gold", "since": "1949"},
        domain_data=[OrganizationDomainData(domain="Acme.example", state="verified")],
        allow_profiles_outside_organization=True,
    )
    assert made.id.startswith("org_")
    assert (made.name, made.external_id) == ("Acme", external_id)
    assert [(each.domain, each.state) for each in made.domains] == [("acme.example", "verified")]
    assert organizations.get_organization(made.id) == made
    assert organizations.get_organization_by_external_id(external_id) == made
    changed = organizations.update_organization(
        made.id,
        name="ACME",
        metadata={"tier": "lead", "since": None},
        stripe_customer_id="cus_1",
        external_id=None,
        domains=["other.example"],
    )
    assert (changed.name, changed.metadata, changed.external_id) == ("ACME", {"tier": "lead"}, None)
    assert (changed.stripe_customer_id, changed.created_at) == ("cus_1", made.created_at)
    assert changed.updated_at > made.updated_at
    assert changed.allow_profiles_outside_organization
    assert organizations.get_organization(made.id) == changed
    organizations.delete_organization(made.id)
    for call in (
        lambda: organizations.get_organization(made.id),
        lambda: organizations.update_organization(made.id, name="x"),
        lambda: organizations.delete_organization(made.id),
    ):
        with pytest.raises(NotFoundError):
            call()


def test_organizations_are_listed(sdk: Any) -> None:
    """Newest first, by a text in their names, and by their domains."""
    name, domain = fresh("Zeta"), f"{fresh('d')}.example"
    first, second = (
        sdk.organizations.create_organization(name=f"{name} {each}", domains=[domain])
        for each in "ab"
    )
    sdk.organizations.create_organization(name="Another")
    for found in (
        sdk.organizations.list_organizations(search=name.upper()),
        sdk.organizations.list_organizations(domains=["none.example", domain]),
    ):
        assert [each.id for each in found.data] == [second.id, first.id]
    assert sdk.organizations.list_organizations(search=f"{name}%").data == []


def test_an_external_id_is_of_one(sdk: Any) -> None:
    """It can be given again when its organization is deleted, and not before."""
    external_id = fresh("ours")
    first = sdk.organizations.create_organization(name="A", external_id=external_id)
    second = sdk.organizations.create_organization(name="B")
    with pytest.raises(ConflictError):
        sdk.organizations.create_organization(name="C", external_id=external_id)
    with pytest.raises(ConflictError):
        sdk.organizations.update_organization(second.id, external_id=external_id)
    sdk.organizations.delete_organization(first.id)
    changed = sdk.organizations.update_organization(second.id, external_id=external_id)
    assert changed.external_id == external_id


def test_an_organization_is_deleted_with_all_in_it(sdk: Any) -> None:
    """Its memberships and groups are not found any more."""
    world = acme(sdk)
    sdk.authorization.create_group_role_assignment(world.eng, role_slug=world.role)
    sdk.organizations.delete_organization(world.id)
    with pytest.raises(NotFoundError):
        sdk.organization_membership.get_organization_membership(world.ada)
    with pytest.raises(NotFoundError):
        sdk.authorization.list_group_role_assignments(world.eng)
    with pytest.raises(NotFoundError):
        sdk.authorization.check(
            world.ada, permission_slug=world.permission, resource_target=world.whole()
        )


def test_what_is_not_supported_says_why(sdk: Any) -> None:
    """501, with the reason."""
    made = sdk.organizations.create_organization(name="Acme")
    organizations = sdk.organizations
    for call, reason in (
        (lambda: organizations.get_audit_log_configuration(made.id), "change log"),
        (lambda: organizations.list_authorized_applications(made.id), "OAuth"),
        (lambda: organizations.list_it_contacts(made.id), "contacts"),
        (lambda: organizations.create_it_contact(made.id, email="a@example.com"), "contacts"),
        (lambda: organizations.delete_it_contact(made.id, "c"), "contacts"),
        (lambda: organizations.invite_it_contact(made.id, "c", intents=["sso"]), "contacts"),
        (lambda: organizations.revoke_it_contact(made.id, "c"), "contacts"),
    ):
        with pytest.raises(ServerError, match=reason) as raised:
            call()
        assert (raised.value.status_code, raised.value.code) == (501, "not_supported")
