"""A role is changed in a single-role organization by the SDK's methods, and nobody is left without one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from workos import ConflictError
from workos.authorization.models import ReplaceGroupRoleAssignmentEntry as Entry
from workos.organization_membership import RoleSingle

from rescind import Authority, changes
from tests.http.serving import Served
from tests.http.workos.world import Acme, acme, fresh

ADA = "user:user_ada"


@dataclass
class Roles:
    """A single-role organization with `chief` above `viewer`; Ada is in the group."""

    world: Acme
    authority: Authority
    chief: str
    viewer: str

    def apply(self, *batch: changes.Change) -> None:
        self.authority.apply(batch, organization=self.world.id)

    def give(self, *roles: str, to: str = ADA) -> None:
        self.apply(*(changes.Assign(role=role, to=to) for role in roles))

    @property
    def group(self) -> str:
        rows = self.authority.log(organization=self.world.id)
        made = [
            each
            for row in rows
            for each in json.loads(row.changes)
            if each["change"] == "create_group"
        ]
        return f"group:{made[0]['group']}"

    def count(self, role: str) -> bool:
        """Whether a role counts for Ada."""
        return bool(self.authority.check(ADA, f"be:{role}", organization=self.world.id))


@pytest.fixture
def roles(sdk: Any, service: Served) -> Roles:
    world, authority = acme(sdk), service.service.authority
    made = Roles(world, authority, fresh("chief"), fresh("viewer"))
    made.apply(
        *(changes.DefinePermission(permission=f"be:{r}") for r in (made.chief, made.viewer)),
        changes.DefineRole(role=made.chief, permissions=(f"be:{made.chief}",), priority=2),
        changes.DefineRole(role=made.viewer, permissions=(f"be:{made.viewer}",), priority=1),
        changes.SetRoleMode(mode="single"),
    )
    return made


def is_viewer(sdk: Any, roles: Roles) -> bool:
    """Whether `viewer` is the one role that counts, and is shown."""
    shown = sdk.organization_membership.get_organization_membership(roles.world.ada)
    assert [role.slug for role in shown.roles] == [roles.viewer] * roles.count(roles.viewer)
    return roles.count(roles.viewer) and not roles.count(roles.chief)


def test_the_role_of_a_membership_is_updated(sdk: Any, roles: Roles) -> None:
    """From the higher to the lower one, held before or not; and it can be given back."""
    update = sdk.organization_membership.update_organization_membership
    for held in ([roles.chief], [roles.chief, roles.viewer]):
        roles.apply(changes.ReplaceAssignments(to=ADA, assignments=()))
        roles.give(*held)
        update(roles.world.ada, role=RoleSingle(role_slug=roles.viewer))
        assert is_viewer(sdk, roles), held
    set_aside(roles)
    update(roles.world.ada, role=RoleSingle(role_slug=roles.viewer))
    assert is_viewer(sdk, roles)


def test_a_role_that_was_set_aside_is_assigned(sdk: Any, roles: Roles) -> None:
    """The route that assigns roles gives it back."""
    set_aside(roles)
    sdk.authorization.assign_role(
        roles.world.ada, role_slug=roles.viewer, resource_target=roles.world.whole()
    )
    assert is_viewer(sdk, roles)


def test_the_time_of_expiry_stays(sdk: Any, roles: Roles) -> None:
    """What is named again keeps its time of expiry."""
    until = datetime.now(UTC) + timedelta(days=1)
    roles.apply(changes.Assign(role=roles.viewer, to=ADA, expires_at=until))
    roles.give(roles.chief)
    update = sdk.organization_membership.update_organization_membership
    update(roles.world.ada, role=RoleSingle(role_slug=roles.viewer))
    decision = roles.authority.explain(ADA, f"be:{roles.viewer}", organization=roles.world.id)
    assert [chain.expires_at for chain in decision.explanation.chains] == [until]


def set_aside(roles: Roles) -> None:
    """Ada holds `viewer` herself, and it does not count."""
    roles.give(roles.viewer, roles.chief)
    roles.apply(changes.Unassign(role=roles.chief, to=ADA))
    assert not roles.count(roles.viewer)


def put_group(sdk: Any, roles: Roles) -> None:
    entries = [Entry(role_slug=roles.viewer)]
    sdk.authorization.update_group_role_assignments(roles.world.eng, role_assignments=entries)


def patch_group(sdk: Any, roles: Roles) -> None:
    sdk.authorization.patch_group_role_assignments(
        roles.world.eng,
        add=[Entry(role_slug=roles.viewer)],
        remove=[Entry(role_slug=roles.chief)],
    )


@pytest.mark.parametrize("held", ["chief", "both"])
@pytest.mark.parametrize("road", [put_group, patch_group])
def test_the_roles_of_a_group_are_changed(
    sdk: Any, roles: Roles, road: Callable[..., None], held: str
) -> None:
    """Its members are left with the role that it is to have."""
    names = [roles.chief] if held == "chief" else [roles.chief, roles.viewer]
    roles.give(*names, to=roles.group)
    road(sdk, roles)
    assert is_viewer(sdk, roles)


def test_a_role_is_given_to_a_group_again(sdk: Any, roles: Roles) -> None:
    """It gives it back to the member who has it set aside; then the group holds it already."""
    roles.give(roles.viewer, roles.chief, to=roles.group)
    roles.apply(changes.Unassign(role=roles.chief, to=roles.group))
    assert not roles.count(roles.viewer)
    make = sdk.authorization.create_group_role_assignment
    make(roles.world.eng, role_slug=roles.viewer)
    assert is_viewer(sdk, roles)
    with pytest.raises(ConflictError):
        make(roles.world.eng, role_slug=roles.viewer)


def test_a_member_joins_the_group_again(sdk: Any, roles: Roles) -> None:
    """That gives back what the group holds."""
    roles.give(roles.viewer, to=roles.group)
    roles.give(roles.chief)
    roles.apply(changes.Unassign(role=roles.chief, to=ADA))
    assert not roles.count(roles.viewer)
    sdk.groups.create_group_organization_membership(
        roles.world.id, roles.world.eng, organization_membership_id=roles.world.ada
    )
    assert is_viewer(sdk, roles)
