"""A key that is bound to one organization cannot learn that another exists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from rescind.directory.ids import Kind, new_id
from rescind.directory.unit_of_work import UnitOfWork
from tests.http.serving import Served
from tests.http.workos.conftest import client_of
from tests.http.workos.test_resources import make
from tests.http.workos.world import acme, fresh

METHODS = ("get", "post", "put", "patch", "delete")
Names = dict[str, str]


def names_of_another(client: Any) -> Names:
    """Ids of everything in an organization that the key is not for."""
    world = acme(client)
    site = make(client, world.id, "project", "site")
    given = client.authorization.create_group_role_assignment(world.eng, role_slug=world.role)
    held = client.authorization.list_role_assignments(world.ada).data[0]
    role = client.authorization.create_organization_role(
        world.id, name="R", slug=fresh("org-secret")
    )
    client.organizations.update_organization(world.id, external_id=f"ext-{world.id}")
    return {
        "organization_id": world.id,
        "membership_id": world.ada,
        "group_id": world.eng,
        "slug": role.slug,
        "permission_slug": world.permission,
        "resource_id": site.id,
        "resource_type_slug": "project",
        "external_id": f"ext-{world.id}",
        "role_assignment_id": given.id,
        "held_id": held.id,
        "user_id": "user_ada",
        "contact_id": "contact_1",
    }


def names_of_nothing(others: Names) -> Names:
    """Ids that nothing has."""
    return {
        **others,
        "organization_id": new_id(Kind.ORGANIZATION),
        "membership_id": new_id(Kind.MEMBERSHIP),
        "group_id": new_id(Kind.GROUP),
        "slug": "org-nothing",
        "resource_id": new_id(Kind.RESOURCE),
        "external_id": "ext-nothing",
        "role_assignment_id": new_id(Kind.GROUP_ROLE_ASSIGNMENT),
        "held_id": new_id(Kind.ROLE_ASSIGNMENT),
        "user_id": "user_nobody",
    }


def requests(document: dict[str, Any], names: Names) -> Iterator[tuple[str, str, Any, Any]]:
    """Every route of the management API, with these names wherever one can stand."""
    member, group = names["membership_id"], names["group_id"]
    target = {"role_slug": names["slug"], "resource_id": names["resource_id"]}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if "management" not in methods.get(method, {}).get("tags", ()):
                continue
            held = "/organization_memberships/" in path
            given = {
                **names,
                "role_assignment_id": names["held_id" if held else "role_assignment_id"],
            }
            is_of_members = path.endswith("organization-memberships")
            body = {
                **{
                    key: value for key, value in names.items() if not key.endswith("_assignment_id")
                },
                **target,
                "name": "x",
                "parent_resource_id": names["resource_id"],
                "organization_membership_id": member,
                "add": [member] if is_of_members else [target],
                "role_assignments": [target],
                "permissions": [],
            }
            known = fields_of(document, methods[method])
            body = {field: value for field, value in body.items() if field in known}
            query = {"organization_id": names["organization_id"], "user_id": names["user_id"]}
            query |= {"permission_slug": names["permission_slug"], "search": group}
            query |= {"parent_resource_id": names["resource_id"]}
            url = re.sub(r"{(\w+)}", lambda found, g=given: g[found[1]], path)
            yield method, url, query if method == "get" else None, None if method == "get" else body


def fields_of(document: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    """The fields that an operation's body may have; none where it takes no body."""
    if "requestBody" not in operation:
        return set()
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    name = schema["$ref"].removeprefix("#/components/schemas/")
    return set(document["components"]["schemas"][name]["properties"])


def answers(client: httpx.Client, names: Names) -> dict[str, tuple[int, str]]:
    """What each route answers, with the names taken out of it."""
    found = {}
    document = client.get("/openapi.json").json()
    for method, url, query, body in requests(document, names):
        if method == "delete" and body is not None and "role_assignments" not in url:
            body = None
        content = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        answer = client.request(method, url, params=query, content=content, headers=headers)
        place, text = f"{method} {url}", answer.text
        for key, value in sorted(names.items(), key=lambda item: -len(item[1])):
            place, text = place.replace(value, f"<{key}>"), text.replace(value, f"<{key}>")
        found[place] = (answer.status_code, re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", text))
    return found


@pytest.fixture
def bound(service: Served) -> Iterator[httpx.Client]:
    """A client whose key may do everything in one organization, and nothing outside of it."""
    with client_of(service) as client:
        mine = acme(client)
    key = service.key("admin", organization=mine.id)
    with service.client(key) as opened:
        yield opened


def test_what_is_another_s_is_as_if_it_were_not(
    service: Served, client: Any, bound: httpx.Client
) -> None:
    """Every route, with the ids of another organization and with ids of nothing: the same answers."""
    others = names_of_another(client)
    theirs, nothing = answers(bound, others), answers(bound, names_of_nothing(others))
    assert len(theirs) > 70
    assert theirs == nothing
    assert not {place: got for place, got in theirs.items() if got[0] >= 500 and got[0] != 501}
    assert client.organizations.get_organization(others["organization_id"]).name == "Acme"


def test_without_the_guard_another_s_is_seen(
    service: Served, client: Any, bound: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    others = names_of_another(client)
    monkeypatch.setattr(UnitOfWork, "may_see", lambda *_: True)
    assert answers(bound, others) != answers(bound, names_of_nothing(others))


def test_only_its_own_is_listed(service: Served, client: Any, bound: httpx.Client) -> None:
    """Organizations, memberships of a user who is in several, resources and events."""
    acme(client)
    listed = bound.get("/organizations").json()["data"]
    assert len(listed) == 1
    mine = listed[0]["id"]
    members = bound.get(
        "/user_management/organization_memberships", params={"user_id": "user_ada"}
    ).json()["data"]
    assert [each["organization_id"] for each in members] == [mine]
    for path in ("/authorization/resources", "/events"):
        found = bound.get(path, params={"limit": 100}).json()["data"]
        assert {each.get("organization_id", mine) for each in found} <= {mine}
    told = bound.get("/events", params={"limit": 100}).json()["data"]
    assert {each["data"].get("organization_id", mine) for each in told} == {mine}
    assert len(told) == 5


def test_what_is_for_all_needs_a_key_for_all(bound: httpx.Client) -> None:
    """A bound key changes no permissions and roles of all, and makes no organizations."""
    for path, body in (
        ("/organizations", {"name": "x"}),
        ("/authorization/permissions", {"slug": "x", "name": "x"}),
        ("/authorization/roles", {"slug": "x", "name": "x"}),
    ):
        answer = bound.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("scope", "statuses"), [("read", (200, 403, 403)), ("check", (403, 404, 403))]
)
def test_scopes(service: Served, scope: str, statuses: tuple[int, ...]) -> None:
    """Reading, checking and writing need theirs."""
    with service.client(service.key(scope)) as client:
        found = (
            client.get("/organizations"),
            client.post(
                "/authorization/organization_memberships/om_x/check", json={"permission_slug": "x"}
            ),
            client.post("/organizations", json={"name": "x"}),
        )
        assert tuple(each.status_code for each in found) == statuses
    with service.client("") as client:
        assert client.get("/organizations").status_code == 401
