"""Where WorkOS's documentation or its SDK says what is taken and what is refused, it is so here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import workos
from workos import BadRequestError, NotFoundError
from workos.organization_membership import RoleMultiple, RoleSingle
from workos.organizations import OrganizationDomainData

from rescind import changes
from rescind.directory import organizations
from rescind.http.workos.unsupported import MODULES, module_at
from tests.http.serving import Served
from tests.http.workos.conftest import on_postgres
from tests.http.workos.test_events import NAMES
from tests.http.workos.world import Acme, acme, fresh

SDK = Path(workos.__file__).parent
HERE = {"authorization", "events", "groups", "organization_membership", "organizations"}
"""The modules that are supported."""


# --- metadata and external ids -----------------------------------------------------------------------


def test_metadata_is_merged_and_emptied(sdk: Any) -> None:
    """A key at a time; null for a key takes it away; nothing, and an empty object, take all."""
    update = sdk.organizations.update_organization
    for nothing in ({}, None):
        made = sdk.organizations.create_organization(name="A", metadata={"a": "1", "b": "2"})
        assert update(made.id, metadata={"c": "3"}).metadata == {"a": "1", "b": "2", "c": "3"}
        assert update(made.id, metadata={"a": None}).metadata == {"b": "2", "c": "3"}
        assert update(made.id, name="B").metadata == {"b": "2", "c": "3"}
        assert update(made.id, metadata=nothing).metadata == {}


LIMITS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "keys": (
        {"metadata": {f"k{n}": "v" for n in range(10)}},
        {"metadata": {f"k{n}": "v" for n in range(11)}},
    ),
    "a key": ({"metadata": {"k" * 40: "v"}}, {"metadata": {"k" * 41: "v"}}),
    "a key in ASCII": ({"metadata": {"e": "v"}}, {"metadata": {"é": "v"}}),
    "a key that is there": ({"metadata": {" ": ""}}, {"metadata": {"": "v"}}),
    "a value": ({"metadata": {"k": "v" * 600}}, {"metadata": {"k": "v" * 601}}),
    "a value in ASCII": ({"metadata": {"k": "e"}}, {"metadata": {"k": "é"}}),
    "an external id": ({"external_id": "x" * 64}, {"external_id": "x" * 65}),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_limits(sdk: Any, limit: str) -> None:
    """What is at the limit is taken, and what is over it refused, by both ways to give it."""
    at_most, too_much = LIMITS[limit]
    made = sdk.organizations.create_organization(name="A", **at_most)
    for name, value in at_most.items():
        assert getattr(made, name) == value
    with pytest.raises(BadRequestError):
        sdk.organizations.update_organization(made.id, **too_much)
    assert sdk.organizations.get_organization(made.id) == made
    sdk.organizations.delete_organization(made.id)
    with pytest.raises(BadRequestError):
        sdk.organizations.create_organization(name="A", **too_much)


def test_more_metadata_than_the_limit(sdk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was kept when more was allowed stays, and can become less, and no more."""
    kept = {f"k{n}": "v" for n in range(12)}
    monkeypatch.setattr(organizations, "MOST_METADATA", 12)
    made = sdk.organizations.create_organization(name="A", metadata=kept)
    monkeypatch.undo()
    update = sdk.organizations.update_organization
    assert update(made.id, metadata={"k0": "w"}).metadata == {**kept, "k0": "w"}
    with pytest.raises(BadRequestError):
        update(made.id, metadata={"more": "v"})
    assert len(update(made.id, metadata={"k0": None, "k1": None}).metadata) == 10


# --- roles of a membership ---------------------------------------------------------------------------


def single(sdk: Any, service: Served) -> Acme:
    """A single-role organization."""
    world = acme(sdk)
    batch = [changes.SetRoleMode(mode="single")]
    service.service.authority.apply(batch, organization=world.id)
    return world


def test_roles_of_a_membership_contradict_themselves(sdk: Any, service: Served) -> None:
    """Both fields at once, and an empty list, are refused and change nothing."""
    world, memberships = acme(sdk), sdk.organization_membership
    memberships.update_organization_membership(world.ada, role=RoleSingle(world.role))
    before = memberships.get_organization_membership(world.ada)
    with pytest.raises(BadRequestError):
        memberships.update_organization_membership(world.ada, role=RoleMultiple([]))
    body = {"user_id": fresh("user"), "organization_id": world.id}
    with service.client() as client:
        for roles in (
            {"role_slugs": []},
            {"role_slugs": [world.role], "role_slug": world.role},
            {"role_slugs": [], "role_slug": world.role},
        ):
            path = "/user_management/organization_memberships"
            for answer in (
                client.put(f"{path}/{world.ada}", json=roles),
                client.post(path, json={**body, **roles}),
            ):
                assert answer.status_code == 400, answer.text
                assert answer.json()["errors"][0]["field"] == "role_slugs"
    assert memberships.get_organization_membership(world.ada) == before
    found = memberships.list_organization_memberships(user_id=body["user_id"])
    assert found.data == []


def test_several_roles_in_a_single_role_organization(sdk: Any, service: Served) -> None:
    """Are refused: one is named. The same one twice is one."""
    world, memberships = single(sdk, service), sdk.organization_membership
    other = sdk.authorization.create_environment_role(slug=fresh("ops"), name="Operator").slug
    user = fresh("user")
    two, one = RoleMultiple([world.role, other]), RoleMultiple([other, other])
    with pytest.raises(BadRequestError):
        memberships.update_organization_membership(world.ada, role=two)
    with pytest.raises(BadRequestError):
        memberships.create_organization_membership(user_id=user, organization_id=world.id, role=two)
    assert memberships.list_organization_memberships(user_id=user).data == []
    made = memberships.create_organization_membership(
        user_id=user, organization_id=world.id, role=one
    )
    assert made.role.slug == other
    assert memberships.update_organization_membership(world.ada, role=one).role.slug == other


# --- lists -------------------------------------------------------------------------------------------


def test_groups_are_found_by_id(sdk: Any, service: Served) -> None:
    """Made here, made elsewhere, and copied with the id that they had; another organization's are not."""
    world, other = acme(sdk), acme(sdk)
    service.service.authority.apply([changes.CreateGroup(group="elsewhere")], organization=world.id)
    copied = f"group_{fresh('Copied').replace('-', '')}"
    options = {"extra_headers": {"Rescind-Id": copied}}
    sdk.groups.create_organization_group(world.id, name="Copied", request_options=options)
    listed = sdk.groups.list_organization_groups(world.id).data
    assert len(listed) == 3
    for group in listed:
        found = sdk.groups.list_organization_groups(world.id, search=group.id).data
        assert [each.id for each in found] == [group.id]
        assert sdk.groups.list_organization_groups(other.id, search=group.id).data == []
    assert sdk.groups.list_organization_groups(world.id, search=other.eng).data == []


def test_what_is_asked_for_is_bounded(sdk: Any) -> None:
    """Domains of organizations, and names of events."""
    domains = [f"d{number}.example" for number in range(101)]
    assert sdk.organizations.list_organizations(domains=domains[:100]).data == []
    with pytest.raises(BadRequestError):
        sdk.organizations.list_organizations(domains=domains)
    assert sdk.events.list_events(events=domains[:100]).data == []
    with pytest.raises(BadRequestError):
        sdk.events.list_events(events=domains)


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_page_of_events_is_bounded(
    sdk: Any, service: Served, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    """In characters of what is told. Read on, none is missing. Control: unbounded, it is one page."""
    world = acme(sdk)
    domains = [OrganizationDomainData(f"{'x' * 200}{n}.example", "pending") for n in range(50)]
    for number in range(4):
        sdk.organizations.update_organization(world.id, name=f"{number}", domain_data=domains)
    names = {"events": NAMES, "organization_id": world.id, "order": order}
    whole = sdk.events.list_events(limit=100, **names)
    assert whole.after is None
    limits = service.service.limits
    object.__setattr__(limits, "page_characters", 50_000)
    try:
        page = sdk.events.list_events(limit=100, **names)
        pages = [list(page.data)]
        while page.after is not None:
            page = sdk.events.list_events(limit=100, after=page.after, **names)
            pages.append(list(page.data))
    finally:
        object.__setattr__(limits, "page_characters", type(limits)().page_characters)
    assert [event for each in pages for event in each] == list(whole.data)
    assert 4 <= len(pages) < len(whole.data)


# --- what is not here --------------------------------------------------------------------------------


def requests_of_the_sdk() -> Iterator[tuple[str, str, str]]:
    """Module, method and address of every request that the SDK can make; names in addresses are `x`."""
    for file in (*SDK.glob("*/_resource.py"), SDK / "passwordless.py"):
        module = "passwordless" if file.parent == SDK else file.parent.name
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            named = {each.arg: each.value for each in call.keywords}
            method, path = named.get("method"), named.get("path")
            if not isinstance(path, ast.Tuple) and call.args:
                path = call.args[0]
            if not isinstance(path, ast.Tuple) or not (method or "build_url" in ast.dump(call)):
                continue
            parts = [each.value if isinstance(each, ast.Constant) else "x" for each in path.elts]
            verb = method.value if isinstance(method, ast.Constant) else "get"
            yield module, str(verb), "/" + "/".join(map(str, parts))


@on_postgres
def test_every_other_module_is_refused_with_a_reason(service: Served, client: Any) -> None:
    """501 with the module and why, for each request of the SDK that is not answered."""
    known, told = {module.name for module in MODULES}, set()
    with service.client() as sender:
        for module, method, path in sorted(set(requests_of_the_sdk())):
            answer: httpx.Response = sender.request(method, path)
            if module in HERE:
                assert module_at(path) is None, path
                continue
            assert answer.status_code == 501, (module, method, path, answer.text)
            assert answer.json()["code"] == "not_supported"
            named = module_at(path)
            if named is None:  # one of its routes below an organization's address
                continue
            assert named.reason in answer.json()["message"]
            told.add(named.name)
    assert told == known


@on_postgres
def test_what_is_no_address_of_anybody_is_not_found(service: Served, client: Any) -> None:
    """A slip in an address is no module that is not here."""
    with service.client() as sender:
        for path in (
            "/user_management/organization_membership",
            "/user_management",
            "/organisations",
        ):
            answer = sender.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")


# --- repeated requests -------------------------------------------------------------------------------


def test_a_deletion_is_repeated_without_a_key(sdk: Any) -> None:
    """The SDK makes no key for DELETE: what is gone is not found. With a key the answer is the same again."""
    world = acme(sdk)
    sdk.groups.delete_organization_group(world.id, world.eng)
    with pytest.raises(NotFoundError):
        sdk.groups.delete_organization_group(world.id, world.eng)
    options = {"extra_headers": {"Idempotency-Key": fresh("key")}}
    for _ in range(2):
        sdk.organization_membership.delete_organization_membership(
            world.bob, request_options=options
        )


@on_postgres
def test_which_methods_the_sdk_makes_keys_for(client: Any) -> None:
    """For POST alone, as the reference says."""
    for method in ("get", "post", "put", "patch", "delete"):
        made = "Idempotency-Key" in client._build_headers(method, None, None)
        assert made == (method == "post")
