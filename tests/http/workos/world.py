"""Small organizations to ask about, made through the API."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from workos.authorization import ResourceTargetByExternalId

_numbers = itertools.count(1)


def fresh(start: str) -> str:
    """A name that nothing else in this test run has."""
    return f"{start}-{next(_numbers)}"


@dataclass(slots=True)
class Acme:
    """An organization with two members, a group that one of them is in, a role and a permission."""

    id: str
    ada: str
    bob: str
    eng: str
    role: str
    permission: str

    def whole(self) -> ResourceTargetByExternalId:
        """The organization as a resource."""
        return ResourceTargetByExternalId(
            resource_external_id=self.id, resource_type_slug="organization"
        )


def acme(sdk: Any) -> Acme:
    """A fresh one: Ada is in the group, nobody has the role yet."""
    organization = sdk.organizations.create_organization(name="Acme")
    members = [
        sdk.organization_membership.create_organization_membership(
            user_id=name, organization_id=organization.id
        )
        for name in ("user_ada", "user_bob")
    ]
    group = sdk.groups.create_organization_group(organization.id, name="Engineering")
    sdk.groups.create_group_organization_membership(
        organization.id, group.id, organization_membership_id=members[0].id
    )
    permission = sdk.authorization.create_permission(slug=fresh("code"), name="Code")
    role = sdk.authorization.create_environment_role(slug=fresh("dev"), name="Developer")
    sdk.authorization.add_environment_role_permission(role.slug, body_slug=permission.slug)
    ada, bob = members
    return Acme(organization.id, ada.id, bob.id, group.id, role.slug, permission.slug)


def may(sdk: Any, membership: str, permission: str, target: Any) -> bool:
    """Whether a check through the API allows it, at this moment."""
    asked = {"permission_slug": permission, "resource_target": target}
    return bool(sdk.authorization.check(membership, **asked).authorized)
