"""Lists of facts over HTTP: what they answer, to whom, and what is told of names that do not exist."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.http.serving import Served
from tests.http.test_routes import REMOVE, refused

LISTS: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "/v1/groups": ({}, "group", ["eng", "idle", "staff"]),
    "/v1/members": ({"group": "staff"}, "member", ["group:eng", "user:bob"]),
    "/v1/memberships": (
        {"active": True, "subject_kind": "user"},
        "subject",
        ["user:ada", "user:bob", "user:cyd"],
    ),
    "/v1/roles": ({}, "role", ["owner", "reader", "unused", "writer"]),
    "/v1/permissions": ({"role": "writer"}, "permission", ["read", "write"]),
    "/v1/resources": ({"resource_type": "doc"}, "resource", ["doc:1", "doc:2"]),
    "/v1/assignments": (
        {"holder": "user:ada", "effective": True},
        "holder",
        ["group:staff", "group:eng"],
    ),
    "/v1/expiring": ({"until": "2101-01-02T00:00:00Z"}, "holder", ["user:cyd"]),
}


@pytest.mark.parametrize("path", LISTS)
def test_lists(onlooker: httpx.Client, shared: Served, path: str) -> None:
    """Page by page; with the state that they are of; for a key that may read, and no other."""
    params, field, expected = LISTS[path]
    found, cursor = [], None
    while True:
        asked = {"organization": "acme", **params, "limit": 1}
        asked |= {"cursor": cursor} if cursor else {}
        answer = onlooker.get(path, params=asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert answer.headers["Rescind-Revision"] == page["revision"]
        found += [each[field] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == expected
    with shared.client(shared.key("check", "write", organization="acme")) as other:
        assert refused(other.get(path, params=params)) == (403, "scope_missing")
    with shared.client(shared.key("read", organization="acme")) as bound:
        items = bound.get(path, params=params).json()["items"]
        assert [each[field] for each in items] == expected
        answer = bound.get(path, params={**params, "organization": "other"})
        assert refused(answer) == (404, "organization_not_found")


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/members", {}),
        ("/v1/members", {"group": "eng", "effective": "perhaps"}),
        ("/v1/groups", {"cursor": "x"}),
        ("/v1/groups", {"limit": 0}),
        ("/v1/assignments", {"holder": "ada", "role": "reader"}),
        ("/v1/expiring", {"until": "soon"}),
        ("/v1/expiring", {"until": "2030-01-01T00:00:00"}),
        ("/v1/changes", {"since": "2030-01-01T00:00:00"}),
        ("/v1/changes", {"resource": "x"}),
    ],
)
def test_bad_parameters_are_400(onlooker: httpx.Client, path: str, params: dict[str, Any]) -> None:
    """Never 422 or 500."""
    assert onlooker.get(path, params={"organization": "acme", **params}).status_code == 400


def test_changes_about_something(served: Served, client: httpx.Client) -> None:
    """By whom, what they name, and when; page by page."""
    body = {"organization": "acme", "changes": [REMOVE], "reason": "left"}
    client.post("/v1/changes", json=body, headers={"Rescind-Actor": "user:root"}).raise_for_status()

    def numbers(**about: Any) -> list[int]:
        params = {"organization": "acme", **about}
        page = client.get("/v1/changes", params=params).raise_for_status().json()
        assert page["next_after"] is None
        return [each["number"] for each in page["changes"]]

    assert numbers() == [1, 2]
    assert numbers(actor="user:root") == numbers(actor="user:root", group="eng") == [2]
    assert numbers(subject="ada") == numbers(group="eng", subject="user:ada") == [1, 2]
    assert numbers(subject="bob", actor="user:root") == numbers(role="none") == []
    assert numbers(since="2001-01-01T00:00:00Z", until="2101-01-01T00:00:00Z") == [1, 2]
    assert numbers(since="2001-01-01", until="2101-01-01") == [1, 2]
    assert numbers(until="2001-01-01T00:00:00Z") == numbers(since="2101-01-01T00:00:00Z") == []


def test_names_are_hinted_to_those_who_may_read_them(served: Served) -> None:
    """In one's own organization only. (Control: a key that may only write is not told.)"""
    add = {"change": "add_members", "group": "staf", "members": ["user:ada"]}
    delete = {"change": "delete_role", "role": "reader"}
    told = {}
    for scopes in (("write",), ("write", "read")):
        with served.client(served.key(*scopes, organization="acme")) as client:
            told[scopes] = [
                client.post("/v1/changes", json={"changes": [change]}).json()["detail"]
                for change in (add, delete)
            ]
            told[scopes] += [
                client.post(
                    "/v1/import",
                    content=b'{"change": "rename_group", "group": "staf", "name": "x"}\n',
                    headers={"Content-Type": "application/x-ndjson"},
                ).json()["detail"]
            ]
    told_reader, told_writer = told[("write", "read")], told[("write",)]
    assert "Did you mean staff?" in told_reader[0]
    assert "such as group:staff on organization" in told_reader[1]
    assert "Did you mean staff?" in told_reader[2]
    assert not any("staff" in detail for detail in told_writer)
    assert '"cascade": true' in told_writer[1]


def test_no_hint_crosses_organizations(served: Served, client: httpx.Client) -> None:
    """What another organization has is like nothing here. (Control: there it is hinted.)"""
    group = {"change": "create_group", "group": "plotters"}
    body = {"organization": "rival", "changes": [{"change": "create_organization"}, group]}
    client.post("/v1/changes", json=body).raise_for_status()
    told = [
        client.get("/v1/members", params={"organization": name, "group": "ploters"}).json()[
            "detail"
        ]
        for name in ("acme", "rival")
    ]
    assert "plotters" not in told[0]
    assert "Did you mean plotters?" in told[1]
    with served.client(served.key("read", organization="acme")) as bound:
        answer = bound.get("/v1/members", params={"organization": "rivla", "group": "x"})
        assert "rival" not in answer.text
        assert "rival" not in client.get("/v1/groups", params={"organization": "rivla"}).text
