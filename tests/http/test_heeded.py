"""What a route does not know of a request is refused: it might be meant to keep something from being done."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from rescind.http.server import headers
from rescind.http.server.addresses import MAY_BE_EMPTY, Address
from rescind.http.workos import organizations
from tests.http.test_routes import refused

CREATE = {"change": "create_group", "group": "unwanted"}
BODY = {"organization": "acme", "changes": [CREATE]}
UNREAD = ("If-None-Match", "If-Match")


@pytest.fixture(scope="module")
def operations(onlooker: httpx.Client) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of everything that the service does."""
    found = onlooker.get("/openapi.json").json()["paths"]
    return [
        (
            method.upper(),
            re.sub(r"{(number)}|{\w+}", lambda each: "1" if each[1] else "x", path),
            told,
        )
        for path, methods in found.items()
        for method, told in methods.items()
    ]


def asked(client: httpx.Client, method: str, path: str, **headers: str) -> httpx.Response:
    """A request with an empty object as its body, where it may have one."""
    content = b"" if method == "GET" else b"{}"
    kind = {"Content-Type": "application/json"} if content else {}
    return client.request(method, path, content=content, headers={**kind, **headers})


# --- the query ------------------------------------------------------------------------------------


def test_an_unknown_parameter_is_refused(onlooker: httpx.Client, operations: list[Any]) -> None:
    """By every route that alters something."""
    seen = 0
    for method, path, _ in operations:
        asks = r"/access/v1/|/check|/verify|/it_contacts"
        if method == "GET" or re.search(asks, path):
            continue
        for given in ("unknown_one=1", "unknown_one", "organization=acme&unknown_one="):
            answer = asked(onlooker, method, f"{path}?{given}")
            assert answer.status_code == 400, (method, path, answer.text)
            assert "is not known" in answer.text, (method, path)
        seen += 1
    assert seen > 40


def test_a_filter_without_a_value_is_refused(onlooker: httpx.Client, operations: list[Any]) -> None:
    """By every route: else the answer would be everything. A first page, and any name, have none."""
    seen = 0
    for method, path, told in operations:
        for each in told.get("parameters", ()):
            if each["in"] != "query" or each["name"] in MAY_BE_EMPTY:
                continue
            for value in ("", "+", "%20"):
                answer = asked(onlooker, method, f"{path}?{each['name']}={value}")
                assert answer.status_code == 400, (method, path, each["name"], answer.text)
                assert "is empty" in answer.text, (method, path, each["name"])
            seen += 1
    assert seen > 60


def kinds_of(schema: dict[str, Any]) -> set[str]:
    """The JSON types that a schema permits."""
    found = {kind for each in schema.get("oneOf", ()) for kind in kinds_of(each)}
    told = schema.get("type", [])
    return found | ({told} if isinstance(told, str) else {*told})


def test_null_is_no_value_of_a_filter(
    onlooker: httpx.Client, operations: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The framework takes it for none, so that the list would be everything. Of a text it may be the name.
    Control: unguarded, nobody's memberships are everybody's.
    """
    seen = set()
    for method, path, told in operations:
        for each in told.get("parameters", ()):
            kinds = kinds_of(each["schema"])
            if each["in"] != "query" or "null" not in kinds or "string" in kinds:
                continue
            for value in ("null", "NULL", "%6eull"):
                answer = asked(onlooker, method, f"{path}?{each['name']}={value}")
                assert answer.status_code == 400, (method, path, each["name"], answer.text)
                assert "is null" in answer.text, (method, path, each["name"])
            seen.add(each["name"])
    assert {"active", "life", "number", "revision"} <= seen
    everybody = "/v1/memberships?organization=acme&active="
    assert onlooker.get("/v1/groups?organization=acme&holder=null").status_code == 404
    assert onlooker.get(everybody + "null").status_code == 400
    monkeypatch.setattr(Address, "query_of", lambda *_: (None, frozenset(), frozenset()))
    assert onlooker.get(everybody + "null").status_code == 200


def test_a_filter_of_commas_alone_is_refused(onlooker: httpx.Client) -> None:
    """It has no value either: the list would be everything."""
    for asked in ("/organizations?domains=", "/events?events="):
        for value in (",", ",,", "%20,+"):
            answer = onlooker.get(asked + value)
            assert answer.status_code in (400, 422), (asked, value, answer.text)
        assert onlooker.get(f"{asked}acme.example,").status_code == 200


def test_a_filter_in_another_spelling_is_refused(
    onlooker: httpx.Client, operations: list[Any]
) -> None:
    """By lists that pass over unknown parameters too: versions of WorkOS's SDK for Go write `domains[]`.
    Passed over, the list would be everything.
    """
    everything = onlooker.get("/organizations?unheard_of=x")
    assert everything.status_code == 200
    assert everything.json()["data"]
    seen = 0
    for method, path, told in operations:
        for each in told.get("parameters", ()):
            name = each["name"]
            if each["in"] != "query" or name in MAY_BE_EMPTY:
                continue
            for other in (f"{name}[]", f"{name}%5B0%5D", name.upper(), f"{name}_"):
                answer = asked(onlooker, method, f"{path}?{other}=x")
                assert answer.status_code == 400, (method, path, other, answer.text)
                assert "is not known" in answer.text, (method, path, other)
            seen += 1
    assert seen > 60


def test_control_a_filter_that_is_passed_over(
    onlooker: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another spelling, or of commas alone: the list of what is at no such domain is everything."""
    asked = ("/organizations?domains[]=nowhere.example", "/organizations?domains=,")
    assert [onlooker.get(each).status_code for each in asked] == [400, 400]
    assert onlooker.get("/organizations?domains=nowhere.example").json()["data"] == []
    monkeypatch.setattr(headers, "require_spelling", lambda *_: None)
    monkeypatch.setattr(organizations, "comma_separated", lambda *_, **__: [])
    for each in asked:
        assert onlooker.get(each).json()["data"], each


def test_control_a_filter_without_a_value(
    onlooker: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody's memberships would be everybody's."""
    organization = onlooker.get("/organizations").json()["data"][0]["id"]
    asked = f"/user_management/organization_memberships?organization_id={organization}&user_id="
    assert onlooker.get(asked).status_code == 400
    monkeypatch.setattr(Address, "query_of", lambda *_: (None, frozenset(), frozenset()))
    assert len(onlooker.get(asked).json()["data"]) > 1


def test_others_pass_over_what_they_do_not_know(onlooker: httpx.Client) -> None:
    """AuthZEN, lists of the management API, and what needs no key: clients may send more."""
    question = {
        "subject": {"type": "user", "id": "ada"},
        "action": {"name": "read"},
        "resource": {"type": "doc", "id": "1"},
    }
    for path in ("/o/acme/access/v1/evaluation", "/o/acme/access/v1/evaluations"):
        assert onlooker.post(f"{path}?unknown=1", json=question).json() == {"decision": True}
    for path in ("/organizations", "/livez", "/readyz", "/.well-known/authzen-configuration"):
        assert onlooker.get(f"{path}?unknown=1").status_code == 200, path


def groups(client: httpx.Client) -> list[str]:
    found = client.get("/v1/groups", params={"organization": "acme"}).json()["items"]
    return [each["group"] for each in found]


@pytest.mark.parametrize("query", ["dry_run=true", "dry_run", "organization=acme"])
def test_what_is_in_the_body_is_not_in_the_query(client: httpx.Client, query: str) -> None:
    """A dry run that is asked for in the wrong place changes nothing."""
    answer = client.post(f"/v1/changes?{query}", json=BODY)
    assert refused(answer) == (400, "invalid_request")
    assert "unwanted" not in groups(client)


# --- conditions -----------------------------------------------------------------------------------


def test_a_condition_that_is_not_evaluated_is_refused(
    onlooker: httpx.Client, operations: list[Any]
) -> None:
    """By all that alters something (RFC 9110, 13.2.1); the one that evaluates If-Match does so."""
    seen = 0
    for method, path, told in operations:
        if method == "GET" or told.get("security") == [{}]:
            continue
        for name in UNREAD:
            answer = asked(onlooker, method, path, **{name: '"x"'})
            is_told = f"{name}, it is not evaluated here" in answer.text
            alters = not re.search(r"/access/v1|/check|/verify|it_contacts", path)
            is_read = (path, name) == ("/v1/changes", "If-Match")
            assert is_told == (alters and not is_read), (method, path, name, answer.text)
            seen += is_told
    assert seen > 60


def test_a_list_is_never_told_to_be_the_same(onlooker: httpx.Client) -> None:
    """Since it may change by expiry, for which there is no new ETag."""
    query = {"organization": "acme", "permission": "read"}
    found = onlooker.get("/v1/who-can", params=query)
    again = onlooker.get(
        "/v1/who-can", params=query, headers={"If-None-Match": found.headers["ETag"]}
    )
    assert (again.status_code, again.json()) == (200, found.json())


def test_control_without_the_rule_it_is_carried_out(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the condition does not hold, which nobody saw."""
    line = json.dumps({**CREATE, "organization": "acme"})
    headers = {"Content-Type": "application/x-ndjson", "If-Match": '"x"'}
    assert client.post("/v1/import", content=line, headers=headers).status_code == 400
    monkeypatch.setattr(Address, "require_evaluated", lambda *_: None)
    assert client.post("/v1/import", content=line, headers=headers).json()["changes"] == 1
    assert "unwanted" in groups(client)


# --- caches ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("reading", ["GET", "HEAD"])
def test_no_cache_keeps_an_answer(
    onlooker: httpx.Client, operations: list[Any], reading: str
) -> None:
    """Whatever is answered to whatever is read; but what is the same as long as the service is."""
    kept = set()
    for method, path, _ in [*operations, ("GET", "/openapi.json", {}), ("GET", "/nothing", {})]:
        if method == "GET":
            for client_headers in ({}, {"Authorization": ""}):
                answer = onlooker.request(reading, path, headers=client_headers)
                told = answer.headers.get_list("Cache-Control")
                if told == ["max-age=300"] and answer.status_code == 200:
                    kept.add(path)
                else:
                    assert told == ["no-store"], (path, answer.status_code)
    well_known = "/.well-known/authzen-configuration"
    assert kept == {"/openapi.json", well_known, f"{well_known}/o/x"}
