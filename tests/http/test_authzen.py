"""AuthZEN 1.0: each rule of its specification, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from rescind import changes
from tests.http.serving import Served

ADA = {"type": "user", "id": "ada"}
READ = {"name": "read"}
DOC = {"type": "doc", "id": "1"}
QUESTION = {"subject": ADA, "action": READ, "resource": DOC}
EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
SEARCHES = {
    "/access/v1/search/subject": {**QUESTION, "subject": {"type": "user"}},
    "/access/v1/search/resource": {**QUESTION, "resource": {"type": "doc"}},
    "/access/v1/search/action": {"subject": ADA, "resource": DOC},
}
ROUTES = {EVALUATION: QUESTION, EVALUATIONS: QUESTION, **SEARCHES}


@pytest.fixture(scope="module")
def pdp(shared: Served) -> Iterator[httpx.Client]:
    """A client whose key is bound to acme."""
    with shared.client(shared.key("check", organization="acme")) as opened:
        yield opened


def decision(answer: httpx.Response) -> bool:
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["decision"])


# --- evaluation -----------------------------------------------------------------------------------


def test_an_allow_and_a_deny_are_both_200(pdp: httpx.Client) -> None:
    """The decision is in the body."""
    assert decision(pdp.post(EVALUATION, json=QUESTION))
    assert not decision(pdp.post(EVALUATION, json={**QUESTION, "action": {"name": "purge"}}))


@pytest.mark.parametrize("field", ["subject", "action", "resource"])
def test_what_is_unknown_is_denied(pdp: httpx.Client, field: str) -> None:
    """Also where it could be the name of nothing."""
    for name in ("nobody", "", " x ", "\x01", "a" * 300, "a:b"):
        entity = {"type": QUESTION[field].get("type", ""), "id": name, "name": name}
        assert not decision(pdp.post(EVALUATION, json={**QUESTION, field: entity})), name
    if field != "action":
        for kind in ("nothing", "", "é", "organization"):
            entity = {**QUESTION[field], "type": kind}
            assert not decision(pdp.post(EVALUATION, json={**QUESTION, field: entity})), kind


def test_the_organization_itself_is_a_resource(pdp: httpx.Client) -> None:
    """By its own id."""
    root = {"type": "organization", "id": "acme"}
    assert decision(pdp.post(EVALUATION, json={**QUESTION, "resource": root}))
    found = search(pdp, "resource", resource={"type": "organization"})
    assert found["results"] == [root]


def test_an_identity_is_a_user(pdp: httpx.Client) -> None:
    """As API gateways name whoever a token is about; what is found is of the type that was asked for."""
    someone = {"type": "identity", "id": "ada"}
    assert decision(pdp.post(EVALUATION, json={**QUESTION, "subject": someone}))
    assert not decision(
        pdp.post(EVALUATION, json={**QUESTION, "subject": {**someone, "id": "bot"}})
    )
    assert decisions(pdp, [{**CAN, "subject": someone}, CANNOT]) == [True, False]
    users = [each["id"] for each in search(pdp, "subject")["results"]]
    found = search(pdp, "subject", subject={"type": "identity"})["results"]
    assert found == [{"type": "identity", "id": name} for name in users]
    for kind in ("resource", "action"):
        assert search(pdp, kind, subject=someone) == search(pdp, kind)


def test_a_type_ends_where_it_ends(shared: Served, pdp: httpx.Client) -> None:
    """`doc:x` and `1` are not `doc` and `x:1`: no part of a type is of an id. Searches say the same."""
    made = changes.CreateResource(resource="doc:x:1")
    member = changes.AddMembership(subject="user:x:ada")
    given = changes.Assign(role="reader", to="user:x:ada", on="doc:x:1")
    try:
        shared.service.authority.apply([made, member, given], organization="acme")
        someone = {"type": "user", "id": "x:ada"}
        asked = {"subject": someone, "action": READ, "resource": {"type": "doc", "id": "x:1"}}
        assert decision(pdp.post(EVALUATION, json=asked))
        for moved in (
            {**asked, "resource": {"type": "doc:x", "id": "1"}},
            {**asked, "subject": {"type": "user:x", "id": "ada"}},
        ):
            assert not decision(pdp.post(EVALUATION, json=moved))
            assert decisions(pdp, [moved, asked]) == [False, True]
            for kind in ("subject", "resource", "action"):
                assert search(pdp, kind, **moved)["results"] == []
    finally:
        gone = changes.DeleteResource(resource="doc:x:1", cascade=True)
        left = changes.RemoveMembership(subject="user:x:ada")
        shared.service.authority.apply([gone, left], organization="acme")


def test_unknown_fields_are_ignored(pdp: httpx.Client) -> None:
    """Everywhere in the request."""
    body = {
        **QUESTION,
        "subject": {**ADA, "properties": {"a": [1]}, "more": 1},
        "action": {**READ, "properties": {}, "more": None},
        "context": {"ip": "::1"},
        "unknown": {},
    }
    assert decision(pdp.post(EVALUATION, json=body))


def test_the_context_explains_where_asked(pdp: httpx.Client) -> None:
    """Reason, decision point, revision and chains; nothing where not asked."""
    assert "context" not in pdp.post(EVALUATION, json=QUESTION).json()
    asked = {**QUESTION, "context": {"rescind": {"explain": True, "assurance": "live"}}}
    answer = pdp.post(EVALUATION, json=asked)
    told = answer.json()["context"]
    assert (told["reason"], told["decision_point"]) == ("allowed", "live")
    assert told["revision"] == answer.headers["Rescind-Revision"]
    assert told["explanation"]["chains"][0]["subject"] == "user:ada"
    wrong = {**QUESTION, "context": {"rescind": {"explain": "yes"}}}
    assert pdp.post(EVALUATION, json=wrong).status_code == 400


# --- what is 400, 401, 404, 405 -------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"{}", b"\xff", b"1"])
def test_a_malformed_body_is_400(pdp: httpx.Client, route: str, body: bytes) -> None:
    """Empty, no JSON, no object, or an object without anything."""
    answer = pdp.post(route, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_400(pdp: httpx.Client, route: str, kind: str) -> None:
    """Whatever is in the body."""
    content = httpx.Request("POST", "http://x", json=ROUTES[route]).content
    assert pdp.post(route, content=content, headers={"Content-Type": kind}).status_code == 400


def test_json_with_a_charset_is_json(pdp: httpx.Client) -> None:
    """Parameters of the content type do not matter."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    content = httpx.Request("POST", "http://x", json=QUESTION).content
    assert decision(pdp.post(EVALUATION, content=content, headers=headers))


def spoiled(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The body with each entity left out, without each of its fields, and with each mistyped."""
    found: list[dict[str, Any]] = []
    for name, entity in body.items():
        found.append({key: value for key, value in body.items() if key != name})
        found += [{**body, name: wrong} for wrong in ("text", 1, [], None)]
        for field in entity:
            found.append({**body, name: {k: v for k, v in entity.items() if k != field}})
            found += [{**body, name: {**entity, field: wrong}} for wrong in (1, None, {}, ["x"])]
        found += [{**body, name: {**entity, "properties": wrong}} for wrong in ("text", None)]
    return [*found, *({**body, "context": wrong} for wrong in ("text", 1, [], None))]


@pytest.mark.parametrize("route", ROUTES)
def test_missing_and_mistyped_fields_are_400(pdp: httpx.Client, route: str) -> None:
    """Each of them, on each route."""
    for body in spoiled(ROUTES[route]):
        assert pdp.post(route, json=body).status_code == 400, body


@pytest.mark.parametrize("options", [None, "text", 1, [], {"evaluations_semantic": None}])
def test_options_are_an_object(pdp: httpx.Client, options: Any) -> None:
    """Whatever else they are is 400; null is not the same as nothing."""
    body = {**QUESTION, "evaluations": [{}]}
    assert pdp.post(EVALUATIONS, json=body).status_code == 200
    assert pdp.post(EVALUATIONS, json={**body, "options": options}).status_code == 400


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_405(pdp: httpx.Client, route: str, method: str) -> None:
    """The answer names those there are."""
    answer = pdp.request(method, route)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer x", "Basic eDp5", "undefined"])
def test_no_or_bad_credentials_are_401(shared: Served, route: str, given: str | None) -> None:
    """With the way to authenticate; before anything is said of the body."""
    headers = {} if given is None else {"Authorization": given}
    with shared.client("") as client:
        for body in (ROUTES[route], []):
            answer = client.post(route, json=body, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_without_the_scope_is_403(shared: Served) -> None:
    """On each route."""
    with shared.client(shared.key("read", "write", organization="acme")) as client:
        for route, body in ROUTES.items():
            answer = client.post(route, json=body)
            assert answer.status_code == 403
            told = 'Bearer realm="rescind", error="insufficient_scope", scope="check"'
            assert answer.headers["WWW-Authenticate"] == told


def test_an_unknown_route_is_404(pdp: httpx.Client) -> None:
    """As a problem."""
    answer = pdp.post("/access/v1/evaluate", json=QUESTION)
    assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")


@pytest.mark.parametrize("route", ROUTES)
def test_the_request_id_is_echoed(pdp: httpx.Client, route: str) -> None:
    """In answers and in problems; all that is printable."""
    every = bytes(range(0x21, 0x7F)).decode()
    for given in ("bfe9eb29-ab87", "a b, c", every, "x" * 1024):
        for body in (ROUTES[route], []):
            answer = pdp.post(route, json=body, headers={"X-Request-ID": given})
            assert answer.headers["X-Request-ID"] == given
            assert answer.is_success or answer.json()["request_id"] == given


@pytest.mark.parametrize("given", [b"", b"x" * 1025, "é".encode(), b"a\tb", b"\x7f"])
def test_another_request_id_is_made(pdp: httpx.Client, given: bytes) -> None:
    """For one that is too long, or not printable."""
    for body in (QUESTION, []):
        answer = pdp.post(EVALUATION, json=body, headers=[(b"X-Request-ID", given)])
        assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-ID"])


# --- evaluations ----------------------------------------------------------------------------------

CAN, CANNOT = {"resource": DOC}, {"resource": DOC, "action": {"name": "purge"}}
COMMON = {"subject": ADA, "action": READ}


def decisions(client: httpx.Client, items: list[Any], **others: Any) -> list[bool]:
    body = {**COMMON, "evaluations": items, **others}
    answer, same = (client.post(f"{at}{EVALUATIONS}", json=body) for at in ("", "/o/acme"))
    assert answer.status_code == 200, answer.text
    assert same.json() == answer.json()
    return [each["decision"] for each in answer.json()["evaluations"]]


@pytest.mark.parametrize(
    ("semantic", "expected"),
    [
        (None, [True, False, True]),
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
def test_semantics(pdp: httpx.Client, semantic: str | None, expected: list[bool]) -> None:
    """Those that stop give the answers up to and with the one that stops."""
    options = {} if semantic is None else {"options": {"evaluations_semantic": semantic, "x": 1}}
    assert decisions(pdp, [CAN, CANNOT, CAN], **options) == expected


def test_semantics_that_never_stop_give_all(pdp: httpx.Client) -> None:
    """Where nothing is as they stop at."""
    options = {"options": {"evaluations_semantic": "deny_on_first_deny"}}
    assert decisions(pdp, [CAN, CAN], **options) == [True, True]
    options = {"options": {"evaluations_semantic": "permit_on_first_permit"}}
    assert decisions(pdp, [CANNOT, CANNOT], **options) == [False, False]


@pytest.mark.parametrize("options", [{"evaluations_semantic": "some"}, "x", [], None])
def test_an_unknown_semantic_is_400(pdp: httpx.Client, options: object) -> None:
    """And so are options that are none."""
    body = {**COMMON, "evaluations": [CAN], "options": options}
    assert pdp.post(EVALUATIONS, json=body).status_code == 400


@pytest.mark.parametrize("items", [[], None])
def test_without_items_it_is_one_evaluation(pdp: httpx.Client, items: list[Any] | None) -> None:
    """With the answer of one."""
    body = {**QUESTION, **({} if items is None else {"evaluations": items})}
    assert pdp.post(EVALUATIONS, json=body).json() == {"decision": True}


def test_defaults_are_replaced_as_a_whole(pdp: httpx.Client) -> None:
    """An item's resource without a type is no resource, whatever the common one says."""
    body = {**QUESTION, "evaluations": [{}, {"resource": {"id": "1"}}, {"subject": ADA}]}
    answer = pdp.post(EVALUATIONS, json=body).json()["evaluations"]
    assert [each["decision"] for each in answer] == [True, False, True]
    assert answer[1]["context"]["error"]["status"] == 400


def test_a_default_that_is_not_whole_is_none(pdp: httpx.Client) -> None:
    """Items with an entity of their own do not need it; one that leaves it out is denied in its place."""
    for name, whole in (("subject", ADA), ("action", READ), ("resource", DOC)):
        for part in ({}, {"type": "user"}, {"id": "1"}, {"properties": {}}):
            common = {**{k: v for k, v in QUESTION.items() if k != name}, name: part}
            body = {**common, "evaluations": [{name: whole}, {}]}
            found = pdp.post(EVALUATIONS, json=body)
            assert found.status_code == 200, found.text
            first, second = found.json()["evaluations"]
            assert (first["decision"], second["decision"]) == (True, False)
            assert name in second["context"]["error"]["message"]
            alone = pdp.post(EVALUATIONS, json={**common, "evaluations": []})
            assert alone.status_code == 400
            assert name in alone.json()["detail"]
        body = {**QUESTION, name: "text", "evaluations": [{name: whole}]}
        assert pdp.post(EVALUATIONS, json=body).status_code == 400


@pytest.mark.parametrize("bad", [1, "x", None, [], {"resource": "x"}, {"action": {}}, {}])
def test_a_bad_item_is_denied_in_its_place(pdp: httpx.Client, bad: object) -> None:
    """The others are answered. `{}` lacks a resource here."""
    assert decisions(pdp, [CAN, bad, CAN]) == [True, False, True]
    options = {"options": {"evaluations_semantic": "deny_on_first_deny"}}
    assert decisions(pdp, [CAN, bad, CAN], **options) == [True, False]


def test_more_items_than_the_limit_are_400(shared: Served, pdp: httpx.Client) -> None:
    """The text says how many may be asked."""
    most = shared.service.limits.batch_checks
    assert len(decisions(pdp, [CAN] * most)) == most
    answer = pdp.post(EVALUATIONS, json={**COMMON, "evaluations": [CAN] * (most + 1)})
    assert answer.status_code == 400
    assert str(most) in answer.json()["detail"]


# --- search ---------------------------------------------------------------------------------------


def search(client: httpx.Client, kind: str, **others: Any) -> dict[str, Any]:
    route = f"/access/v1/search/{kind}"
    answer = client.post(route, json={**SEARCHES[route], **others})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_search_agrees_with_evaluation(pdp: httpx.Client) -> None:
    """What is found is allowed."""
    subjects = search(pdp, "subject")["results"]
    assert ADA in subjects
    for subject in subjects:
        assert decision(pdp.post(EVALUATION, json={**QUESTION, "subject": subject}))
    resources = search(pdp, "resource")["results"]
    assert DOC in resources
    for resource in resources:
        assert decision(pdp.post(EVALUATION, json={**QUESTION, "resource": resource}))
    actions = search(pdp, "action")["results"]
    assert READ in actions
    for action in actions:
        assert decision(pdp.post(EVALUATION, json={**QUESTION, "action": action}))


@pytest.mark.parametrize("kind", ["subject", "resource", "action"])
def test_what_is_unknown_finds_nothing(pdp: httpx.Client, kind: str) -> None:
    """An unknown id or type gives empty results, page first."""
    for name in ("subject", "resource", "action"):
        for wrong in ("nothing", "", "\x01", "é" * 300):
            entity = {"type": wrong, "id": wrong, "name": wrong}
            if kind == name == "action":
                continue
            found = search(pdp, kind, **{name: entity})
            assert list(found) == ["page", "results"]
            assert found == {"page": {"next_token": "", "count": 0}, "results": []}, (name, wrong)


@pytest.mark.parametrize("kind", ["subject", "resource"])
def test_the_id_of_what_is_searched_is_ignored(pdp: httpx.Client, kind: str) -> None:
    """As if it were not there."""
    entity = {**SEARCHES[f"/access/v1/search/{kind}"][kind], "id": "nobody"}
    assert search(pdp, kind, **{kind: entity}) == search(pdp, kind)


@pytest.mark.parametrize("kind", ["subject", "resource", "action"])
def test_pages(pdp: httpx.Client, kind: str) -> None:
    """Token by token everything comes once; a token keeps its limit; the last one is empty."""
    everything = search(pdp, kind)["results"]
    assert len(everything) > 1
    found, page = [], {"limit": 1}
    while True:
        answer = search(pdp, kind, page=page)
        assert len(answer["results"]) == answer["page"]["count"] == 1
        found += answer["results"]
        page = {"token": answer["page"]["next_token"]}
        if not page["token"]:
            break
    assert found == everything


@pytest.mark.parametrize(
    "page",
    [
        {"limit": -1},
        {"limit": "x"},
        {"limit": None},
        {"token": 1},
        {"token": "x"},
        {"token": "MS54"},
        "x",
        [],
    ],
)
def test_a_bad_page_is_400(pdp: httpx.Client, page: object) -> None:
    """A limit out of range, a token that is none."""
    for route, body in SEARCHES.items():
        assert pdp.post(route, json={**body, "page": page}).status_code == 400


@pytest.mark.parametrize("kind", ["subject", "resource", "action"])
def test_an_empty_page(pdp: httpx.Client, kind: str) -> None:
    """With the limit 0, which the specification allows: nothing, and whether there is anything. Its token
    alone goes on as if no limit were given.
    """
    route = f"/access/v1/search/{kind}"
    everything = search(pdp, kind)
    first = search(pdp, kind, page={"limit": 0})
    assert (first["results"], first["page"]["count"]) == ([], 0)
    token = first["page"]["next_token"]
    assert search(pdp, kind, page={"token": token, "limit": 0})["results"] == []
    assert search(pdp, kind, page={"token": token}) == everything
    other = pdp.post(route, json={**SEARCHES[route], "page": {"token": token, "limit": 1}})
    assert (other.status_code, other.json()["code"]) == (400, "invalid_cursor")
    nobody = {"subject": {"type": "nothing", "id": "x"}}
    assert search(pdp, kind, **nobody, page={"limit": 0})["page"]["next_token"] == ""


def test_a_token_belongs_to_its_question(pdp: httpx.Client) -> None:
    """With other parameters, or another limit, it is refused."""
    token = search(pdp, "resource", page={"limit": 1})["page"]["next_token"]
    assert token
    route = "/access/v1/search/resource"
    for others in (
        {"action": {"name": "purge"}, "page": {"token": token}},
        {"page": {"token": token, "limit": 2}},
    ):
        answer = pdp.post(route, json={**SEARCHES[route], **others})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


def test_a_large_limit_gives_what_there_may_be(pdp: httpx.Client) -> None:
    """It is no error."""
    assert search(pdp, "subject", page={"limit": 10**9}) == search(pdp, "subject")


# --- organizations and discovery ------------------------------------------------------------------


def test_the_organization_may_be_in_the_path(shared: Served) -> None:
    """For a key that is bound to none, which must name one; a bound key may name its own. Where there is no
    such organization, nobody may anything: evaluation denies, and search finds nothing.
    """
    with shared.client(shared.key("check")) as client:
        for route, body in ROUTES.items():
            refused = client.post(route, json=body)
            assert refused.status_code == 400
            assert "/o/ORGANIZATION/access/v1" in refused.text
            assert client.post(f"/o/acme{route}", json=body).status_code == 200
        assert decision(client.post(f"/o/acme{EVALUATION}", json=QUESTION))
        assert not decision(client.post(f"/o/none{EVALUATION}", json=QUESTION))
        for route, body in SEARCHES.items():
            for wanted in (body, {**body, "resource": {"type": "organization", "id": "none"}}):
                answer = client.post(f"/o/none{route}", json=wanted)
                assert (answer.status_code, answer.json()["results"]) == (200, []), wanted
    with shared.client(shared.key("check", organization="acme")) as client:
        assert decision(client.post(f"/o/acme{EVALUATION}", json=QUESTION))


def test_a_client_works_from_discovery_alone(shared: Served) -> None:
    """Every endpoint that it names is there, for the key's organization and for one in the path."""
    with shared.client() as client:
        for tenant in ("", "/o/acme"):
            well_known = f"/.well-known/authzen-configuration{tenant}"
            found = httpx.get(f"{shared.url}{well_known}").json()
            assert found["policy_decision_point"] == f"{shared.url}{tenant}"
            endpoints = {k: v for k, v in found.items() if k.endswith("_endpoint")}
            assert {url.removeprefix(f"{shared.url}{tenant}") for url in endpoints.values()} == set(
                ROUTES
            )
            for url in endpoints.values():
                route = url.removeprefix(f"{shared.url}{tenant}")
                assert client.post(url, json=ROUTES[route]).status_code == (200 if tenant else 400)


@pytest.mark.parametrize("below", ["", "/o/acme"])
def test_discovery_names_nothing_that_is_not_there(shared: Served, below: str) -> None:
    """What has no value is left out; the document is JSON that may be kept for a while."""
    answer = httpx.get(f"{shared.url}/.well-known/authzen-configuration{below}")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "max-age=300"
    assert all(isinstance(value, str) and value for value in answer.json().values())


def test_discovery_says_where_an_organization_is_described(shared: Served) -> None:
    """For a key that is bound to none; also below a public address with a path."""
    well_known = f"{shared.url}/.well-known/authzen-configuration"
    template = httpx.get(well_known).json()["rescind_organization_configuration"]
    found = httpx.get(template.replace("{organization}", "acme")).json()
    assert found == httpx.get(f"{well_known}/o/acme").json()
    assert "rescind_organization_configuration" not in found
    shared.service.public_url = "https://example.com/pdp/"
    try:
        template = httpx.get(well_known).json()["rescind_organization_configuration"]
    finally:
        shared.service.public_url = None
    place = "/.well-known/authzen-configuration/pdp/o/{organization}"
    assert template == f"https://example.com{place}"


def test_discovery_has_the_public_address(shared: Served) -> None:
    """Where one is set; else that of the request, which must be one."""
    shared.service.public_url = "https://pdp.example.com/"
    found = httpx.get(f"{shared.url}/.well-known/authzen-configuration/o/a%20b").json()
    assert found["policy_decision_point"] == "https://pdp.example.com/o/a%20b"
    shared.service.public_url = None
    url = f"{shared.url}/.well-known/authzen-configuration"
    assert httpx.get(url, headers={"Host": "a b"}).status_code == 400


def test_an_organization_with_a_slash_is_in_the_path_too(served: Served) -> None:
    """Escaped: in questions, and in what discovery says."""
    made = [changes.CreateOrganization(), changes.DefinePermission(permission="read")]
    made += [changes.DefineRole(role="reader", permissions=("read",))]
    made += [
        changes.AddMembership(subject="user:ada"),
        changes.Assign(role="reader", to="user:ada"),
    ]
    served.service.authority.apply(made, organization="a/b")
    root = {"type": "organization", "id": "a/b"}
    found = httpx.get(f"{served.url}/.well-known/authzen-configuration/o/a%2Fb").json()
    assert found["policy_decision_point"] == f"{served.url}/o/a%2Fb"
    with served.client(served.key("check")) as client:
        url = found["access_evaluation_endpoint"]
        assert decision(client.post(url, json={**QUESTION, "resource": root}))


def test_discovery_below_a_path(shared: Served) -> None:
    """Where the public address has a path, the document is at the place that is made of it."""
    shared.service.public_url = "https://example.com/pdp/"
    well_known = f"{shared.url}/.well-known/authzen-configuration"
    try:
        for below in ("", "/pdp"):
            found = httpx.get(well_known + below).json()
            assert found["policy_decision_point"] == "https://example.com/pdp"
        for below in ("/o/acme", "/pdp/o/acme"):
            found = httpx.get(well_known + below).json()
            assert found["policy_decision_point"] == "https://example.com/pdp/o/acme"
        for below in (
            "/other",
            "/pdp/",
            "/pdp/other",
            "/pdp/o",
            "/pdp/o/acme/more",
            "/other/o/acme",
        ):
            assert httpx.get(well_known + below).status_code == 404, below
    finally:
        shared.service.public_url = None
    assert httpx.get(well_known + "/pdp").status_code == 404
