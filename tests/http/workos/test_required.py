"""The last administrator, by the routes in WorkOS's shape and by our own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from workos import ConflictError
from workos.organization_membership import RoleSingle

from rescind import changes
from tests.http.serving import Served
from tests.http.workos.world import Acme, acme, fresh


@pytest.fixture
def guarded(client: Any, service: Served) -> tuple[Acme, str]:
    """An organization in which Ada alone has a required role, and the role."""
    world, role = acme(client), fresh("admin")
    define = changes.DefineRole(role=role, required=True, priority=9)
    service.service.authority.apply([define], organization=world.id)
    client.authorization.assign_role(world.ada, role_slug=role, resource_target=world.whole())
    return world, role


ROADS: dict[str, Callable[[Any, Acme, str], Any]] = {
    "deactivate": lambda c, w, _: c.organization_membership.deactivate_organization_membership(
        w.ada
    ),
    "delete": lambda c, w, _: c.organization_membership.delete_organization_membership(w.ada),
    "another role": lambda c, w, _: c.organization_membership.update_organization_membership(
        w.ada, role=RoleSingle(w.role)
    ),
    "remove role": lambda c, w, role: c.authorization.remove_role(
        w.ada, role_slug=role, resource_target=w.whole()
    ),
}


@pytest.mark.parametrize("road", ROADS)
def test_what_takes_the_last_holder_is_a_conflict(
    client: Any, guarded: tuple[Acme, str], road: str
) -> None:
    """With nothing done; with another holder it is done."""
    world, role = guarded
    with pytest.raises(ConflictError) as caught:
        ROADS[road](client, world, role)
    assert caught.value.code == "last_holder"
    found = client.organization_membership.get_organization_membership(world.ada)
    assert (found.status, found.role.slug) == ("active", role)
    client.authorization.assign_role(world.bob, role_slug=role, resource_target=world.whole())
    ROADS[road](client, world, role)


def test_a_change_can_force_it(service: Served, guarded: tuple[Acme, str]) -> None:
    """Over `/v1`: 409, also as a trial, unless it says so; and the receipt warns of what expires."""
    world, role = guarded
    subjects = {"ada": "user:user_ada", "bob": "user:user_bob"}
    take = {"change": "unassign", "role": role, "to": subjects["ada"]}
    lend = {
        "change": "assign",
        "role": role,
        "to": subjects["bob"],
        "expires_at": "2090-01-01T00:00:00Z",
    }
    with service.client() as plain:

        def make(*batch: dict[str, Any], **others: Any) -> tuple[int, Any]:
            body = {"organization": world.id, "changes": batch, **others}
            answer = plain.post("/v1/changes", json=body)
            return answer.status_code, answer.json()

        for others in ({}, {"dry_run": True}):
            status, problem = make(take, **others)
            assert (status, problem["code"], problem["retry"]) == (409, "last_holder", False)
        assert make(lend)[1]["only_expiring"] == []
        assert make(take)[1]["only_expiring"] == [role]
        back = {"change": "unassign", "role": role, "to": subjects["bob"]}
        assert make(back)[0] == 409
        status, receipt = make(back, force=True)
        assert (status, receipt["changed"]) == (200, True)
