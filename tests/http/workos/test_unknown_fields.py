"""A misspelt field is refused: it never widens what is given, and never makes a removal that does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from rescind.directory.assignments import RoleOnTarget
from tests.http.serving import Served
from tests.http.workos.test_isolation import names_of_another, requests
from tests.http.workos.test_resources import make
from tests.http.workos.world import Acme, acme, may

on_sqlite = pytest.mark.parametrize("service", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def plain(service: Served) -> Iterator[httpx.Client]:
    """A client without an SDK."""
    with service.client() as opened:
        yield opened


def unknown(answer: httpx.Response, field: str) -> None:
    """That it is a refusal which names the field."""
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "invalid_request_parameters"
    assert f"`{field}`" in answer.json()["message"]


@on_sqlite
def test_every_body_has_known_fields_only(plain: httpx.Client, client: Any) -> None:
    """Of each route that takes one."""
    refused, document = 0, plain.get("/openapi.json").json()
    for method, url, _, body in requests(document, names_of_another(client)):
        if body:  # the route takes one
            unknown(plain.request(method, url, json={"no_field": 1, **body}), "no_field")
            refused += 1
    taking = [
        operation
        for methods in document["paths"].values()
        for operation in methods.values()
        if "requestBody" in operation and "management" in operation.get("tags", ())
    ]
    assert refused == len(taking)


def members(client: httpx.Client, world: Acme) -> set[str]:
    path = f"/organizations/{world.id}/groups/{world.eng}/organization-memberships"
    return {each["id"] for each in client.get(path).json()["data"]}


@on_sqlite
@pytest.mark.parametrize(
    "spelled",
    ["removed", "Remove", "members", "Operations", "remove[]", "organization_membership_ids"],
)
def test_a_removal_of_members_is_carried_out_or_refused(
    plain: httpx.Client, client: Any, spelled: str
) -> None:
    """In whatever spelling; what stands beside it is not done either."""
    world = acme(client)
    path = f"/organizations/{world.id}/groups/{world.eng}/organization-memberships"
    before = members(plain, world)
    assert (world.ada in before, world.bob in before) == (True, False)
    for body in ({"add": [world.bob], spelled: [world.ada]}, {spelled: [world.ada]}):
        unknown(plain.patch(path, json=body), spelled)
    assert members(plain, world) == before
    assert plain.patch(path, json={"remove": [world.ada]}).status_code == 204
    assert world.ada not in members(plain, world)


@on_sqlite
@pytest.mark.parametrize("spelled", ["roles", "roleSlugs", "role_slugs[]", "role"])
def test_roles_of_a_membership_are_replaced_or_it_is_refused(
    plain: httpx.Client, client: Any, spelled: str
) -> None:
    """An answer of 200 without effect would leave what was to be taken."""
    world = acme(client)
    path = f"/user_management/organization_memberships/{world.ada}"
    unknown(plain.put(path, json={spelled: [world.role]}), spelled)


@on_sqlite
def test_a_misspelt_resource_is_not_the_organization(plain: httpx.Client, client: Any) -> None:
    """Neither where a role is given, to whomever, nor where one is taken, nor in a question."""
    world = acme(client)
    site = make(client, world.id, "project", "site")
    own = f"/authorization/organization_memberships/{world.ada}"
    on_group = f"/authorization/groups/{world.eng}/role_assignments"
    wrong = {"role_slug": world.role, "resourceId": site.id}
    unknown(plain.post(f"{own}/role_assignments", json=wrong), "resourceId")
    unknown(plain.post(on_group, json=wrong), "resourceId")
    unknown(plain.put(on_group, json={"role_assignments": [wrong]}), "resourceId")
    unknown(plain.patch(on_group, json={"add": [wrong]}), "resourceId")
    for given in ("expires_at", "until"):  # what is given for some time is not given for ever
        unknown(plain.post(on_group, json={"role_slug": world.role, given: "2030-01-01"}), given)
    assert not may(client, world.ada, world.permission, world.whole())
    client.authorization.create_group_role_assignment(world.eng, role_slug=world.role)
    for path in (f"{own}/role_assignments", on_group):
        unknown(plain.request("DELETE", path, json=wrong), "resourceId")
    assert may(client, world.ada, world.permission, world.whole())
    asked = {"permission_slug": world.permission, "resourceId": site.id}
    unknown(plain.post(f"{own}/check", json=asked), "resourceId")


@on_sqlite
def test_null_is_not_the_organization(plain: httpx.Client, client: Any) -> None:
    """Where a resource is to be named, or the parent of one: an id that its sender did not have."""
    world = acme(client)
    site = make(client, world.id, "project", "site")
    on_group = f"/authorization/groups/{world.eng}/role_assignments"
    for field in ("resource_id", "resource_external_id", "resource_type_slug"):
        answer = plain.post(on_group, json={"role_slug": world.role, field: None})
        assert (answer.status_code, field in answer.text) == (400, True)
    assert not may(client, world.ada, world.permission, world.whole())
    answer = plain.patch(f"/authorization/resources/{site.id}", json={"parent_resource_id": None})
    assert (answer.status_code, "parent_resource_id" in answer.text) == (400, True)


def test_control_a_lenient_body_is_the_whole_organization() -> None:
    """What the misspelt body says to a reader that passes over what it does not know."""
    fields = [(each, str | None, None) for each in RoleOnTarget.__struct_fields__]
    lenient = msgspec.defstruct("Lenient", fields)
    read = msgspec.json.decode(b'{"role_slug": "editor", "resourceId": "x"}', type=lenient)
    assert {each: getattr(read, each) for each in RoleOnTarget.__struct_fields__} == {
        "role_slug": "editor",
        "resource_id": None,
        "resource_external_id": None,
        "resource_type_slug": None,
    }
