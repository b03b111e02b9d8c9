"""Every road to every rule of the management API: one table, on both engines.

A road is a request that would break the rule. It is refused, and leaves nothing behind; with the rule's guard
switched off (the control) it goes through, so the request itself is well formed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from rescind import changes
from rescind.changes import Change
from rescind.directory.ids import Kind, PublicIds
from rescind.directory.unit_of_work import UnitOfWork
from rescind.errors import OrganizationExists, RoleExists, RoleNotForResource
from rescind.store import Store
from tests.http.serving import Served
from tests.http.workos.world import fresh
from tests.sql import ours

WIDE = "/authorization/organization_memberships/{ada}/role_assignments"
GROUP = "/authorization/groups/{eng}/role_assignments"
MEMBERSHIPS = "/user_management/organization_memberships"
ORGANIZATION = "/organizations/{id}"

SCOPE = "a role of a resource type is not given on the organization"
BOUND = "a bound key gives its organization no name and no standing outside of it"
CHOSEN = "a bound key chooses no ids"
ENVIRONMENT = "a bound key defines nothing for all organizations"


@dataclass(frozen=True, slots=True)
class Road:
    """A request in breach of a rule; names in braces are those of the world."""

    rule: str
    name: str
    method: str
    path: str
    body: Any
    headers: tuple[tuple[str, str], ...] = ()


def _changes(*batch: dict[str, Any]) -> dict[str, Any]:
    return {"organization": "{name}", "changes": list(batch)}


ASSIGN = {"change": "assign", "role": "editor", "to": "user:user_ada"}
REPLACE = {"change": "replace_assignments", "to": "user:user_ada"}
ROADS = [
    Road(
        SCOPE,
        "create a membership",
        "post",
        MEMBERSHIPS,
        {"user_id": "user_new", "organization_id": "{id}", "role_slug": "editor"},
    ),
    Road(
        SCOPE,
        "create a membership with several",
        "post",
        MEMBERSHIPS,
        {"user_id": "user_new", "organization_id": "{id}", "role_slugs": ["reader", "editor"]},
    ),
    Road(
        SCOPE,
        "create an inactive membership again",
        "post",
        MEMBERSHIPS,
        {"user_id": "user_off", "organization_id": "{id}", "role_slug": "editor"},
    ),
    Road(SCOPE, "update a membership", "put", MEMBERSHIPS + "/{ada}", {"role_slug": "editor"}),
    Road(
        SCOPE,
        "update an inactive membership",
        "put",
        MEMBERSHIPS + "/{off}",
        {"role_slugs": ["editor"]},
    ),
    Road(SCOPE, "assign to a membership", "post", WIDE, {"role_slug": "editor"}),
    Road(
        SCOPE,
        "assign on another type",
        "post",
        WIDE,
        {"role_slug": "editor", "resource_id": "{workspace}"},
    ),
    Road(SCOPE, "assign to a group", "post", GROUP, {"role_slug": "editor"}),
    Road(
        SCOPE,
        "replace a group's",
        "put",
        GROUP,
        {"role_assignments": [{"role_slug": "editor"}]},
    ),
    Road(SCOPE, "add to a group's", "patch", GROUP, {"add": [{"role_slug": "editor"}]}),
    Road(SCOPE, "change: assign", "post", "/v1/changes", _changes(ASSIGN)),
    Road(
        SCOPE,
        "change: assign to a group",
        "post",
        "/v1/changes",
        _changes({**ASSIGN, "to": "group:eng"}),
    ),
    Road(
        SCOPE,
        "change: replace",
        "post",
        "/v1/changes",
        _changes({**REPLACE, "assignments": [{"role": "editor"}]}),
    ),
    Road(
        SCOPE,
        "change: default role",
        "post",
        "/v1/changes",
        _changes(
            {"change": "set_role_mode", "mode": "single"},
            {"change": "set_default_role", "role": "editor"},
        ),
    ),
    Road(SCOPE, "import", "post", "/v1/import?organization={name}", ASSIGN),
    Road(BOUND, "external id", "put", ORGANIZATION, {"external_id": "{other}"}),
    Road(BOUND, "free external id", "put", ORGANIZATION, {"external_id": "{free}"}),
    Road(BOUND, "no external id", "put", ORGANIZATION, {"external_id": None}),
    Road(BOUND, "customer", "put", ORGANIZATION, {"stripe_customer_id": "cus_1"}),
    *(
        Road(
            BOUND,
            f"{state} domain",
            "put",
            ORGANIZATION,
            {"domain_data": [{"domain": "{free}.example", "state": state}]},
        )
        for state in ("verified", "legacy_verified")
    ),
    Road(
        CHOSEN,
        "membership",
        "post",
        MEMBERSHIPS,
        {"user_id": "user_new", "organization_id": "{id}"},
        (("Rescind-Id", "om_01Chosen{n}"),),
    ),
    Road(
        CHOSEN,
        "group",
        "post",
        ORGANIZATION + "/groups",
        {"name": "G"},
        (("Rescind-Id", "group_01Chosen{n}"),),
    ),
    Road(
        CHOSEN,
        "resource",
        "post",
        "/authorization/resources",
        {
            "external_id": "r",
            "name": "R",
            "resource_type_slug": "project",
            "organization_id": "{id}",
        },
        (("Rescind-Id", "authz_resource_01Chosen{n}"),),
    ),
    Road(
        ENVIRONMENT,
        "permission",
        "post",
        "/authorization/permissions",
        {"slug": "{free}", "name": "P"},
    ),
    Road(ENVIRONMENT, "role", "post", "/authorization/roles", {"slug": "{free}", "name": "R"}),
    Road(
        ENVIRONMENT,
        "change",
        "post",
        "/v1/changes",
        {
            "organization": "*",
            "changes": [{"change": "define_permission", "permission": "{free}"}],
        },
    ),
    Road(
        ENVIRONMENT,
        "import",
        "post",
        "/v1/import?organization=*",
        {"change": "define_permission", "permission": "{free}"},
    ),
]


@dataclass(slots=True)
class World:
    """An organization, what names stand for in it, and a key that is bound to it."""

    names: dict[str, str]
    key: str

    def filled(self, value: Any) -> Any:
        """The value with its names."""
        if isinstance(value, dict):
            return {key: self.filled(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.filled(each) for each in value]
        if isinstance(value, str):
            for name, text in self.names.items():
                value = value.replace(f"{{{name}}}", text)
        return value

    def take(self, service: Served, road: Road) -> httpx.Response:
        """Send the road's request with the bound key."""
        content = json.dumps(self.filled(road.body))
        kind = "x-ndjson" if "/import" in road.path else "json"
        headers = {"Content-Type": f"application/{kind}", **dict(self.filled(list(road.headers)))}
        headers = {name: self.filled(text) for name, text in headers.items()}
        with service.client(self.key) as client:
            return client.request(
                road.method, self.filled(road.path), content=content, headers=headers
            )

    def state(self, service: Served) -> Any:
        """Every revision, and all that the directory keeps: a change of anything is seen in them."""
        store = service.service.authority.store
        store.queries["all revisions"] = ours(
            store, "SELECT id, revision FROM rescind.organization ORDER BY id"
        )
        store.queries["whole directory"] = ours(
            store,
            "SELECT organization, kind, number, public_id, external_id, attributes FROM rescind.directory"
            " ORDER BY organization, kind, number",
        )
        return store.fetch_many([("all revisions", {}), ("whole directory", {})])


def _tenant(service: Served, name: str) -> int:
    """An organization as programs make them: its number."""
    batch = [
        changes.CreateOrganization(name=name),
        changes.DefinePermission(permission="read"),
        changes.DefineRole(role="reader", permissions=("read",)),
        changes.DefineRole(role="editor", permissions=("read",), resource_type="project"),
        changes.CreateResource(resource="workspace:w"),
        changes.CreateResource(resource="project:p", parent="workspace:w"),
        changes.AddMembership(subject="user:user_ada"),
        changes.AddMembership(subject="user:user_off"),
        changes.DeactivateMembership(subject="user:user_off"),
        changes.CreateGroup(group="eng"),
    ]
    authority = service.service.authority
    return authority.apply(batch, organization=name).revision.incarnation


@pytest.fixture
def world(service: Served) -> World:
    """A fresh one. `editor` is a role for projects, user_off's membership is inactive."""
    name, other, free = fresh("acme"), fresh("other"), fresh("free")
    o = _tenant(service, name)
    service.service.authority.apply([changes.CreateOrganization()], organization=other)
    store = service.service.authority.store
    ((secret,),) = store.fetch("read_directory_secret", {})
    ids = PublicIds(secret)
    numbers = {row[2]: row[1] for row in _memberships(store, o)}
    group = store.fetch("find_group_named", {"o": o, "group": "eng"})[0][0]
    resources = {
        each: store.fetch("show_resource_named", {"o": o, "resource": each})[0][1]
        for each in ("workspace:w", "project:p")
    }
    names = {
        "name": name,
        "id": ids.of(Kind.ORGANIZATION, o),
        "ada": ids.of(Kind.MEMBERSHIP, o, numbers["user:user_ada"]),
        "off": ids.of(Kind.MEMBERSHIP, o, numbers["user:user_off"]),
        "eng": ids.of(Kind.GROUP, o, group),
        "workspace": ids.of(Kind.RESOURCE, o, resources["workspace:w"]),
        "project": ids.of(Kind.RESOURCE, o, resources["project:p"]),
        "other": other,
        "free": free,
        "n": free.rpartition("-")[2],
    }
    return World(names, service.key("admin", organization=name))


def _memberships(store: Store, o: int) -> Any:
    span = {"low": -1, "high": 2**31 - 1, "limit": 10}
    return store.fetch("page_memberships_asc", {"o": o, "status": "all", **span})


@contextmanager
def _without_scopes(service: Served, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Statements that refuse what is unknown, but know of no resource types."""
    queries = service.service.authority.store.queries
    nothing = "SELECT 'role_not_found' AS code, 'role' AS fact, 'none' AS value WHERE FALSE"
    patch.setitem(queries, "refuse_given", queries["refuse_assignments"])
    patch.setitem(queries, "refuse_default_role", nothing)
    yield


@contextmanager
def _without_bounds(_: Served, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keys that are bound to an organization may do what the others may."""
    patch.setattr(UnitOfWork, "require_unbound", lambda _: None)
    patch.setattr(
        "rescind.http.auth.Caller.organization_for", lambda self, name: name or self.organization
    )
    yield


GUARDS: dict[str, Callable[..., Any]] = {
    SCOPE: _without_scopes,
    BOUND: _without_bounds,
    CHOSEN: _without_bounds,
    ENVIRONMENT: _without_bounds,
}
STATUSES = {SCOPE: (400,), BOUND: (403,), CHOSEN: (403,), ENVIRONMENT: (403, 404, 400)}


def _named(road: Road) -> str:
    return f"{road.rule.split()[1]}-{road.name}"


@pytest.mark.parametrize("road", ROADS, ids=_named)
def test_every_road_is_closed(service: Served, world: World, road: Road) -> None:
    """It is refused, and nothing is as it was not before."""
    before = world.state(service)
    answer = world.take(service, road)
    assert answer.status_code in STATUSES[road.rule], answer.text
    assert world.state(service) == before


@pytest.mark.parametrize("road", ROADS, ids=_named)
def test_control_without_the_guard(
    service: Served, world: World, road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: with the rule's guard off, the request goes through or finds the name taken."""
    with GUARDS[road.rule](service, monkeypatch):
        answer = world.take(service, road)
    assert answer.status_code in (
        {200, 201, 204} | ({409} if "{other}" in str(road.body) else set())
    )


def test_a_scoped_role_is_given_and_taken_on_its_own(service: Served, world: World) -> None:
    """On a resource of its type; what is taken back need not be of it: rows from before are taken back."""
    body = world.filled({"role_slug": "editor", "resource_id": "{project}"})
    given = world.filled(_changes({**ASSIGN, "on": "project:p"}))
    wide = world.filled(_changes(ASSIGN))
    single = [
        {"change": "set_role_mode", "mode": "single"},
        {"change": "unassign", "role": "editor", "to": "user:user_ada"},
    ]
    with service.client(world.key) as client:
        assert client.post(world.filled(WIDE), json=body).status_code == 201
        assert not client.post("/v1/changes", json=given).json()["changed"]
        for take in (
            lambda: client.request("DELETE", world.filled(WIDE), json={"role_slug": "editor"}),
            lambda: client.post("/v1/changes", json=world.filled(_changes(*single))),
        ):
            with pytest.MonkeyPatch.context() as patch, _without_scopes(service, patch):
                assert client.post("/v1/changes", json=wide).json()["changed"]
            assert take().status_code in (200, 204)
        listed = client.get(world.filled(WIDE)).json()["data"]
    assert [each["resource"]["resource_type_slug"] for each in listed] == ["project"]


def test_what_is_so_already_is_no_breach(service: Served, world: World) -> None:
    """A program may send back what it read: a bound key keeps its names and its verified domains."""
    domains = [{"domain": f"{world.names['free']}.example", "state": "verified"}]
    path = world.filled(ORGANIZATION)
    with service.client() as client:
        given = {"domain_data": domains, "stripe_customer_id": "cus_1"}
        client.put(path, json=given).raise_for_status()
    with service.client(world.key) as client:
        assert client.put(path, json={**given, "name": "New"}).status_code == 200
        assert client.put(path, json={"external_id": world.names["name"]}).status_code == 200
        more = {"domain_data": [*domains, {"domain": "more.example", "state": "pending"}]}
        found = client.put(path, json=more).json()["domains"]
        assert sorted(each["state"] for each in found) == ["pending", "verified"]
        assert client.put(path, json={"metadata": {"a": "b"}}).status_code == 200


def test_names_of_the_core_are_taken(service: Served, world: World) -> None:
    """An external id is no name of another organization, whichever came first; what went is free again."""
    names, authority = world.names, service.service.authority
    free, other = names["free"], names["other"]
    with service.client() as client:
        path = world.filled(ORGANIZATION)
        for taken in (
            client.put(path, json={"external_id": other}),
            client.post("/organizations", json={"name": "X", "external_id": other}),
        ):
            assert (taken.status_code, taken.json()["code"]) == (409, "external_id_already_used")
        client.put(path, json={"external_id": free}).raise_for_status()
        with pytest.raises(OrganizationExists):
            authority.apply([changes.CreateOrganization()], organization=free)
        authority.apply([changes.CreateOrganization()], organization=names["name"])
        authority.apply([changes.DeleteOrganization(cascade=True)], organization=other)
        assert client.put(path, json={"external_id": other}).status_code == 200
        authority.apply([changes.CreateOrganization()], organization=free)


def test_an_organization_is_found_by_its_own_name_first(service: Served, world: World) -> None:
    """Also where an external id was set to it before that was refused."""
    store, names = service.service.authority.store, world.names
    (o, *_) = store.fetch("find_organization_named", {"organization": names["name"]})[0]
    key = {"o": o, "kind": "organization", "number": 0}
    store.fetch("touch_entry", {**key, "now": 1})
    store.fetch("set_external_id", {**key, "external_id": names["other"]})
    with service.client() as client:
        found = client.get(f"/organizations/external_id/{names['other']}").json()
    assert found["name"] == names["other"]


@pytest.mark.parametrize("guard", ["refuse_given", "refuse_default_role"])
def test_a_role_of_a_type_in_the_library(service: Served, world: World, guard: str) -> None:
    """The error says what the role is for; defining it again for another type is a conflict."""
    authority, name = service.service.authority, world.names["name"]
    batch: dict[str, list[Change]] = {
        "refuse_given": [changes.Assign(role="editor", to="group:eng", on="workspace:w")],
        "refuse_default_role": [changes.SetDefaultRole(role="editor")],
    }
    with pytest.raises(RoleNotForResource, match="editor, which is for resources of the type proj"):
        authority.apply(batch[guard], organization=name)
    again = changes.DefineRole(role="editor", permissions=("read",))
    assert not authority.apply([again], organization=name).changed
    other = changes.DefineRole(role="editor", permissions=("read",), resource_type="workspace")
    with pytest.raises(RoleExists):
        authority.apply([other], organization=name)
    wide = changes.DefineRole(role="wide", permissions=("read",), resource_type="organization")
    given = [changes.Assign(role="wide", to="group:eng"), changes.SetDefaultRole(role="wide")]
    assert authority.apply([wide, *given], organization=name).changed
    with pytest.raises(RoleNotForResource):
        authority.apply(
            [changes.Assign(role="wide", to="group:eng", on="project:p")], organization=name
        )


def test_who_defines_for_all_is_told_whose_a_name_is(service: Served, world: World) -> None:
    """Whichever kind of name a tenant took; tenants are told nothing of each other."""
    slug, other = fresh("taken"), fresh("tenant")
    _tenant(service, other)
    taken = [
        {"change": "define_permission", "permission": slug},
        {"change": "define_role", "role": slug},
        {"change": "define_resource_type", "type": slug},
    ]
    rival = service.key("write", organization=other)
    for key in (world.key, rival):
        with service.client(key) as client:
            assert client.post("/v1/changes", json={"changes": taken}).status_code == 200
    told = f"in the organization {world.names['name']} and 1 more"
    with service.client() as operator:
        for path in ("/authorization/permissions", "/authorization/roles"):
            answer = operator.post(path, json={"slug": slug, "name": "N"})
            assert answer.status_code == 409
            assert told in answer.json()["message"]
        for change in taken:
            body = {"organization": "*", "changes": [change]}
            answer = operator.post("/v1/changes", json=body)
            assert answer.status_code == 409
            assert told in answer.json()["detail"]
