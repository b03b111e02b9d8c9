"""Our own routes: what they answer, and how they refuse."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from litestar.routes import HTTPRoute

from rescind.errors import InvalidRequest, OutcomeUnknown, StoreUnavailable
from rescind.http import problems
from rescind.http.app import OURS, application, framework
from rescind.http.json_bodies import require_shallow
from rescind.http.server.limits import Limits
from tests.http.serving import Served, serving

ASKED = {"organization": "acme", "subject": "user:ada", "permission": "read", "resource": "doc:1"}
REMOVE = {"change": "remove_members", "group": "eng", "members": ["user:ada"]}
ADD = {"change": "add_members", "group": "eng", "members": ["user:cyd"]}


def post(client: httpx.Client, path: str, body: Any, **headers: str) -> Any:
    answer = client.post(path, json=body, headers=headers)
    assert answer.status_code < 300, answer.text
    return answer.json()


def make(client: httpx.Client, *changes: dict[str, Any], **others: Any) -> Any:
    return post(client, "/v1/changes", {"organization": "acme", "changes": changes, **others})


def refused(answer: httpx.Response) -> tuple[int, str]:
    """The status and code of a problem, which is told by RFC 9457."""
    body = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    fields = {"type", "title", "status", "detail", "code", "retry", "request_id", "facts"}
    assert fields == body.keys()
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["X-Request-ID"]
    return answer.status_code, body["code"]


# --- checks ---------------------------------------------------------------------------------------


def test_check(onlooker: httpx.Client) -> None:
    """The decision with its reason, point and revision, which is in a header as well."""
    answer = onlooker.post("/v1/check", json=ASKED)
    body = answer.json()
    assert (body["allowed"], body["reason"]) == (True, "allowed")
    assert answer.headers["Rescind-Revision"] == body["revision"]
    denied = post(onlooker, "/v1/check", {**ASKED, "permission": "purge", "explain": True})
    assert (denied["allowed"], denied["decision_point"]) == (False, "live")
    assert denied["explanation"]["obstacles"]


def test_a_revocation_is_denied_at_return(client: httpx.Client) -> None:
    """By the token of the receipt, and without one."""
    asked = {**ASKED, "permission": "write"}
    assert post(client, "/v1/check", asked)["allowed"]
    receipt = make(client, REMOVE, reason="left")
    assert (receipt["changed"], receipt["direction"]) == (True, "revokes")
    assert receipt["enforced_at"]
    for headers in ({}, {"Rescind-At-Least": receipt["revision"]}):
        assert not post(client, "/v1/check", asked, **headers)["allowed"]


def test_batches_are_at_one_state(onlooker: httpx.Client) -> None:
    """In the order of the questions; live where asked."""
    checks = [{k: v for k, v in ASKED.items() if k != "organization"}]
    checks += [{**checks[0], "permission": "purge"}, {"subject": "ada", "permission": "read"}]
    body = {"organization": "acme", "checks": checks, "assurance": "live"}
    found = post(onlooker, "/v1/check/batch", body)["decisions"]
    assert [each["allowed"] for each in found] == [True, False, True]
    assert {each["decision_point"] for each in found} == {"live"}
    assert len({each["revision"] for each in found}) == 1


def test_the_lanes_answer_as_the_routes_do(served: Served) -> None:
    """The entry point's own answers are those of the framework, also where they are refusals."""
    bodies: list[object] = []
    entry = application(served.service, has_fast_routes=False)
    with serving(served.service, entry=entry) as other:
        for path, body in (
            ("/v1/check", ASKED),
            ("/v1/check", {}),
            (
                "/v1/check/batch",
                {"organization": "acme", "checks": [{"subject": "a", "permission": "b"}]},
            ),
            ("/v1/check/batch", {"organization": "acme", "checks": []}),
            ("/access/v1/evaluation", {}),
        ):
            for each in (served, other):
                with each.client() as client:
                    answer = client.post(path, json=body)
                told = answer.json()
                bodies.append(told if answer.status_code == 200 else refused(answer))
    assert bodies[::2] == bodies[1::2]


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("x", (400, "invalid_token")),
        ("MS4xLjEuMQ", (400, "invalid_token")),
        ((99, 1, 0), (400, "invalid_token")),
        ((0, 1, 0), (412, "revision_unavailable")),
    ],
)
def test_bad_tokens(
    onlooker: httpx.Client,
    shared: Served,
    token: str | tuple[int, int, int],
    expected: tuple[int, str],
) -> None:
    """None, as they were before they were sealed, of another organization, of a revision that is not there;
    on each way to read.
    """
    seals = shared.service.authority.store.seals
    at = seals.parse(onlooker.post("/v1/check", json=ASKED).headers["Rescind-Revision"])
    if not isinstance(token, str):
        o, number, environment = token
        later = seals.revision(at.incarnation + o, at.organization + number, environment)
        token = later.token()
    headers = {"Rescind-At-Least": token}
    assert refused(onlooker.post("/v1/check", json=ASKED, headers=headers)) == expected
    asked = {"subject": "ada", "permission": "read", "resource": "doc:1"}
    for path, left in {
        "who-can": "subject",
        "resources-of": "resource",
        "permissions-of": "permission",
    }.items():
        params = {"organization": "acme", **asked}
        del params[left]
        assert refused(onlooker.get(f"/v1/{path}", params=params, headers=headers)) == expected


# --- lists ----------------------------------------------------------------------------------------


def test_lists(onlooker: httpx.Client) -> None:
    """Page by page."""
    acme = {"organization": "acme"}
    found, cursor = [], None
    while True:
        params = {**acme, "permission": "read", "resource": "doc:1", "limit": 1}
        params.update({"cursor": cursor} if cursor else {})
        page = onlooker.get("/v1/who-can", params=params).raise_for_status().json()
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == ["user:ada", "user:bob"]
    params = {**acme, "subject": "ada", "permission": "write", "resource_type": "doc"}
    assert onlooker.get("/v1/resources-of", params=params).json()["items"] == ["doc:1"]
    params = {**acme, "subject": "ada", "resource": "doc:1"}
    assert onlooker.get("/v1/permissions-of", params=params).json()["items"] == ["read", "write"]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"permission": "read"},
        {"organization": "acme"},
        {"organization": "acme", "permission": "read", "limit": 0},
        {"organization": "acme", "permission": "read", "limit": 10**6},
        {"organization": "acme", "permission": "read", "limit": "x"},
        {"organization": "acme", "permission": "read", "cursor": "x"},
        {"organization": "acme", "permission": "read", "assurance": "x"},
        {"organization": "acme", "permission": "read", "subject_kind": "x"},
        {"organization": "acme", "permission": "read", "resource": "x"},
    ],
)
def test_bad_parameters_are_400(onlooker: httpx.Client, params: dict[str, Any]) -> None:
    """Never 422 or 500."""
    assert onlooker.get("/v1/who-can", params=params).status_code == 400


# --- changes --------------------------------------------------------------------------------------


def test_a_batch_is_one_revision(client: httpx.Client) -> None:
    """Granting and revoking together; all or nothing."""
    before = make(client, {"change": "add_membership", "subject": "user:eve"})["number"]
    answer = client.post("/v1/changes", json={"organization": "acme", "changes": [ADD, REMOVE]})
    assert answer.json()["number"] == before + 1
    assert answer.headers["Rescind-Revision"] == answer.json()["revision"]
    bad = (
        {"change": "create_group", "group": "new"},
        {"change": "rename_group", "group": "none", "name": "x"},
    )
    answer = client.post("/v1/changes", json={"organization": "acme", "changes": bad})
    assert refused(answer) == (404, "group_not_found")
    assert make(client, bad[0])["changed"]


def test_a_dry_run_tells_and_does_nothing(client: httpx.Client) -> None:
    """Who would gain and lose what; the same as the receipt's detail tells after."""
    foreseen = make(client, ADD, REMOVE, dry_run=True)
    assert ["user:cyd", "write", "folder:a"] in foreseen["granted"]
    assert ["user:ada", "write", "folder:a"] in foreseen["revoked"]
    assert post(client, "/v1/check", {**ASKED, "permission": "write"})["allowed"]
    assert make(client, ADD, REMOVE, detail=True)["difference"] == foreseen


@pytest.mark.parametrize(("most", "route"), [(0, "background"), (50_000, "inline")])
def test_a_change_that_is_asked_to_be_inline_has_a_cap(
    served: Served, client: httpx.Client, most: int, route: str
) -> None:
    """Over the cap it takes the background, and the receipt says so; what it revokes is denied."""
    authority = served.service.authority
    authority.settings = replace(authority.settings, inline_most_pairs=most)
    assert make(client, REMOVE, route="inline")["route"] == route
    assert not post(client, "/v1/check", {**ASKED, "permission": "write"})["allowed"]


def test_a_change_repeated_with_its_key_has_one_effect(client: httpx.Client) -> None:
    """And the same receipt; another change with that key is refused."""
    body = {"organization": "acme", "changes": [REMOVE]}
    headers = {"Idempotency-Key": "k-1"}
    first, second = (client.post("/v1/changes", json=body, headers=headers).json() for _ in "ab")
    assert first["changed"] is True
    assert first["route_reason"]
    assert (first["is_repeated"], second["is_repeated"]) == (False, True)
    assert second == {**first, "route_reason": None, "is_repeated": True}
    answer = client.post("/v1/changes", json={**body, "changes": [ADD]}, headers=headers)
    assert refused(answer) == (409, "idempotency_key_reused")


def test_what_was_not_found_is_in_the_receipt(client: httpx.Client) -> None:
    """Who has gone keeps nobody else's access in place; repeated with its key, the answer says so again."""
    gone = {"change": "remove_membership", "subject": "user:gone"}
    body = {"organization": "acme", "changes": [gone, REMOVE]}
    headers = {"Idempotency-Key": "k-gone"}
    for _ in "ab":
        answer = client.post("/v1/changes", json=body, headers=headers).json()
        assert answer["changed"] is True
        assert answer["not_found"] == [{"what": "subject", "name": "user:gone"}]


def test_the_log_says_who_used_which_key_for_whom(served: Served, client: httpx.Client) -> None:
    """And why; page by page, and one by one as it stands now."""
    key = served.key("write", organization="acme")
    key_id = key.split("_")[1]
    with served.client(key) as writer:
        body = {"changes": [REMOVE], "reason": "left"}
        receipt = post(writer, "/v1/changes", body, **{"Rescind-Actor": "user:root"})
    number = receipt["number"]
    entry = client.get(f"/v1/changes/{number}", params={"organization": "acme"}).json()
    assert entry["actor"] == f"user:root by key:{key_id} (test)"
    assert (entry["reason"], entry["changes"]) == ("left", [REMOVE])
    assert entry["enforced_at"]
    assert entry["settled_at"]
    assert (entry["enforcement_status"], entry["caused_by"]) == ("recorded", None)
    assert entry["enforcement"]["outcome"] in ("alone", "acknowledged")
    assert entry["enforcement"] == receipt["enforcement"]
    page = client.get("/v1/changes", params={"organization": "acme", "limit": 1}).json()
    assert page["next_after"] == 1
    params = {"organization": "acme", "after": page["next_after"]}
    rest = client.get("/v1/changes", params=params).json()
    assert [each["number"] for each in rest["changes"]] == [number]
    assert rest["next_after"] is None


@pytest.mark.parametrize("number", ["0", "99", str(2**63 - 1), str(2**63), "-1", "x", "1.5"])
def test_changes_that_are_not_there(onlooker: httpx.Client, number: str) -> None:
    """404 or 400, whatever stands in the path."""
    answer = onlooker.get(f"/v1/changes/{number}", params={"organization": "acme"})
    assert answer.status_code in (400, 404)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"changes": []},
        {"changes": [{}]},
        {"changes": [{"change": "none"}]},
        {"changes": [{**REMOVE, "more": 1}]},
        {"changes": [{**REMOVE, "members": "x"}]},
        {"changes": [{**REMOVE, "group": ""}]},
        {"changes": [REMOVE], "route": "x"},
        {"changes": [REMOVE], "reason": "\0"},
        {"changes": [REMOVE], "organization": "*"},
        {"changes": [{**ADD, "expires_at": "2030-01-01T00:00:00"}]},
    ],
)
def test_bad_changes_are_400(onlooker: httpx.Client, body: Any) -> None:
    """With what is wrong."""
    if isinstance(body, dict):
        body = {"organization": "acme", **body}
    status, code = refused(onlooker.post("/v1/changes", json=body))
    assert status == 400, code


# --- imports --------------------------------------------------------------------------------------


def lines(*changes: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(change).encode() + b"\n" for change in changes)


def imported(client: httpx.Client, content: Any, **options: Any) -> httpx.Response:
    headers = {"Content-Type": "application/x-ndjson", **options.pop("headers", {})}
    return client.post("/v1/import", content=content, headers=headers, params=options)


def test_an_import_streams(client: httpx.Client) -> None:
    """Lines of several organizations, cut anywhere, in batches of one transaction each."""
    people = [{"change": "add_membership", "subject": f"user:p{n}"} for n in range(1_200)]
    other = [
        {"organization": "other", "change": "create_organization"},
        {"organization": "other", "change": "add_membership", "subject": "user:ada"},
    ]
    text = lines(*people, *other) + b"\n  \n" + lines(ADD).rstrip(b"\n")

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(text), 7_001):
            yield text[start : start + 7_001]

    done = imported(client, pieces(), organization="acme").raise_for_status().json()
    assert (done["changes"], done["batches"]) == (1_203, 5)
    assert done["revisions"].keys() == {"acme", "other"}
    at_least = {"Rescind-At-Least": done["revisions"]["acme"]}
    asked = {**ASKED, "subject": "user:cyd", "permission": "write"}
    assert post(client, "/v1/check", asked, **at_least)["allowed"]


def test_an_import_repeated_with_its_key_has_one_effect(client: httpx.Client) -> None:
    """Batch by batch."""
    content, headers = lines(REMOVE), {"headers": {"Idempotency-Key": "night-1"}}
    first = imported(client, content, organization="acme", **headers).json()
    make(client, {**ADD, "members": ["user:ada"]})
    again = imported(client, content, organization="acme", **headers).json()
    assert again["revisions"] == first["revisions"]
    assert post(client, "/v1/check", {**ASKED, "permission": "write"})["allowed"]


@pytest.mark.parametrize(
    ("bad", "place"),
    [
        (b"{", "line 3"),
        (b"[]", "line 3"),
        (b"\xff", "line 3"),
        (b'{"change": "none"}', "line 3"),
        (b'{"organization": 1, "change": "create_group", "group": "x"}', "line 3"),
        (b"[" * 100, "line 3"),
        (b'{"change": "rename_group", "group": "none", "name": "n"}', "line 3"),
    ],
)
def test_a_refused_line_is_named(onlooker: httpx.Client, bad: bytes, place: str) -> None:
    """Nothing of its batch is applied."""
    good = lines(
        {"change": "create_group", "group": "g1"}, {"change": "create_group", "group": "g2"}
    )
    log = {"organization": "acme"}
    before = onlooker.get("/v1/changes", params=log).json()
    answer = imported(onlooker, good + bad, organization="acme")
    assert refused(answer)[0] == 400
    assert place in answer.json()["detail"]
    assert onlooker.get("/v1/changes", params=log).json() == before


def test_an_import_gives_nobody_back(client: httpx.Client) -> None:
    """Sent again with its key, it leaves out who was removed since its first batch, and names the line."""
    people = [{"change": "add_membership", "subject": f"user:q{n}"} for n in range(500)]
    good = lines(*people, {"change": "create_group", "group": "late"})
    headers = {"headers": {"Idempotency-Key": "long"}}
    answer = imported(client, good + b"{", organization="acme", **headers)
    assert refused(answer) == (400, "bad_input")
    assert "line 502" in answer.json()["detail"]
    make(client, {"change": "remove_membership", "subject": "user:q1"})
    rest = lines({**ADD, "members": ["user:q1", "user:q2"]})
    done = imported(client, good + rest, organization="acme", **headers).raise_for_status().json()
    assert [(each["at"], each["what"]) for each in done["left_out_first"]] == [
        ("line 502", "user:q1 in eng")
    ]
    assert done["left_out"] == 1
    asked = {**ASKED, "permission": "write"}
    assert not post(client, "/v1/check", {**asked, "subject": "user:q1"})["allowed"]
    assert post(client, "/v1/check", {**asked, "subject": "user:q2"})["allowed"]


def test_an_import_has_its_content_type(onlooker: httpx.Client) -> None:
    """Anything else is 400."""
    answer = onlooker.post("/v1/import", json=ADD, params={"organization": "acme"})
    assert refused(answer) == (400, "invalid_request")


# --- encodings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gzip", "X-GZIP", "br", "identity, deflate", "nonsense"])
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/check", "application/json"),
        ("/v1/changes", "application/json"),
        ("/access/v1/evaluation", "application/json"),
        ("/access/v1/search/subject", "application/json"),
        ("/v1/import?organization=acme", "application/x-ndjson"),
    ],
)
def test_an_encoded_body_is_415(
    onlooker: httpx.Client, path: str, kind: str, encoding: str
) -> None:
    """With what would be taken; on fast routes, on other routes, and where a body is read in pieces."""
    headers = {"Content-Type": kind, "Content-Encoding": encoding}
    answer = onlooker.post(path, content=gzip.compress(b"{}"), headers=headers)
    assert refused(answer) == (415, "encoding_not_supported")
    assert answer.headers["Accept-Encoding"] == "identity"
    assert encoding in answer.json()["detail"]


@pytest.mark.parametrize("encoding", ["identity", "Identity", "", "identity, identity"])
def test_a_plain_body_may_say_so(onlooker: httpx.Client, encoding: str) -> None:
    """It is no encoding."""
    headers = {"Content-Encoding": encoding}
    assert post(onlooker, "/v1/check", ASKED, **headers)["allowed"] is not None


@pytest.mark.parametrize("path", ["/v1/keys", "/livez", "/organizations"])
def test_who_takes_get_takes_head(onlooker: httpx.Client, path: str) -> None:
    """And a 405 says so; nothing else is said to take it."""
    allowed = onlooker.put(path).headers["Allow"].split(", ")
    assert {"GET", "HEAD"} <= set(allowed)
    assert "HEAD" not in onlooker.put("/v1/check").headers["Allow"]


def test_options_names_all_methods(served: Served, onlooker: httpx.Client) -> None:
    """Of every address what its routes take, and what a refused method is told."""
    found: dict[str, set[str]] = {}
    for route in framework(served.service).routes:
        path = re.sub(r"{[^}]*:int}", "1", re.sub(r"{[^}]*:str}", "x", route.path))
        if path.startswith("/schema"):  # the framework's own, which is not served
            assert onlooker.get(path).status_code == 404
        elif isinstance(route, HTTPRoute) and "{" not in path:
            found.setdefault(path, set()).update(route.methods)
    assert {"GET", "POST", "OPTIONS"} == found["/v1/keys"]
    for path, methods in found.items():
        answer = onlooker.options(path)
        heads = {"HEAD"} if "GET" in methods else set()
        assert answer.status_code == 204
        assert set(answer.headers["Allow"].split(", ")) == methods | heads, path
        assert onlooker.request("TRACE", path).headers["Allow"] == answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/organizations", "/organizations/x/groups", "/authorization/no"])
def test_what_is_beside_workos_routes_is_refused_as_they_refuse(
    onlooker: httpx.Client, path: str
) -> None:
    """A method or an address that does not exist, with what WorkOS's SDKs read."""
    answer = onlooker.request("TRACE", path)
    code = "route_not_found" if path.endswith("no") else "method_not_allowed"
    body = answer.json()
    assert {"message", "code", "retry"} == body.keys()
    assert (answer.status_code, body["code"]) == (404 if path.endswith("no") else 405, code)
    assert ("Allow" in answer.headers) is (answer.status_code == 405)
    assert refused(onlooker.request("TRACE", "/v1/no")) == (404, "route_not_found")


# --- pending work, keys ---------------------------------------------------------------------------


def test_pending_work(client: httpx.Client) -> None:
    """Is listed, parked and retried; what is not there is 404."""
    acme = {"organization": "acme"}
    receipt = make(client, REMOVE, route="background")
    assert (receipt["route"], receipt["settled_at"]) == ("background", None)
    (work,) = client.get("/v1/pending", params=acme).json()["pending"]
    assert (work["group"], work["direction"]) == ("eng", "revokes")
    assert not post(client, "/v1/check", {**ASKED, "permission": "write"})["allowed"]
    for action in ("park", "retry"):
        assert post(client, f"/v1/pending/{action}", {**acme, "group": "eng"}) == {"changed": True}
    answer = client.post("/v1/pending/park", json={**acme, "group": "none"})
    assert refused(answer) == (404, "group_not_found")


def test_a_deleted_groups_work_is_named_by_its_number(client: httpx.Client) -> None:
    """The number that the list has; of a group or a number without work it is 404, of both or neither 400."""
    acme = {"organization": "acme"}
    make(client, {"change": "delete_group", "group": "eng", "cascade": True}, route="background")
    works = client.get("/v1/pending", params=acme).json()["pending"]
    (number,) = {work["group_number"] for work in works if work["group"] is None}
    named = {**acme, "group_number": number}
    for action in ("park", "retry"):
        assert post(client, f"/v1/pending/{action}", named) == {"changed": True}
    missing = client.post("/v1/pending/park", json={**named, "group_number": 10**6})
    assert refused(missing) == (404, "group_not_found")
    for unclear in (acme, {**named, "group": "eng"}):
        answer = client.post("/v1/pending/park", json=unclear)
        assert refused(answer) == (400, "invalid_argument")


def test_keys_are_managed(served: Served, client: httpx.Client) -> None:
    """Made, rotated, revoked; what is shown later has no secret."""
    made = post(client, "/v1/keys", {"name": "ci", "scopes": ["check"], "organization": "acme"})
    key_id, secret = made["key"]["id"], made["secret"]
    assert secret not in client.get("/v1/keys").text
    rotated = post(client, f"/v1/keys/{key_id}/rotate", {"grace_seconds": 60})["secret"]
    asked = {"subject": "ada", "permission": "read"}
    for text in (secret, rotated):
        with served.client(text) as user:
            assert user.post("/v1/check", json=asked).status_code == 200
    assert client.delete(f"/v1/keys/{key_id}").json()["revoked_at"]
    for text in (secret, rotated):
        with served.client(text) as user:
            assert refused(user.post("/v1/check", json=asked)) == (401, "unauthenticated")
    assert refused(client.delete(f"/v1/keys/{key_id}")) == (404, "api_key_not_found")
    assert refused(client.delete("/v1/keys/none")) == (404, "api_key_not_found")
    ids, after = [], ""
    while after is not None:
        page = client.get("/v1/keys", params={"limit": 1, "after": after}).json()
        ids += [key["id"] for key in page["keys"]]
        after = page["next_after"]
    assert len(ids) == 2
    assert key_id in ids


# --- scopes and limits ----------------------------------------------------------------------------


def test_every_route_says_what_it_needs() -> None:
    """A scope, or that it is for everybody."""
    public = {"livez", "readyz", "discovery"}
    for route in OURS:
        scopes = [getattr(guard, "scope", None) for guard in route.guards or ()]
        assert len(scopes) == (0 if route.handler_name in public else 1), route.handler_name


@pytest.mark.parametrize("scope", ["read", "check", "write"])
def test_scopes(served: Served, scope: str) -> None:
    """A key may do what its scope is for, and nothing else."""
    acme = {"organization": "acme"}
    needs = {
        "check": ("POST", "/v1/check", ASKED),
        "read": ("GET", "/v1/changes?organization=acme", None),
        "write": ("POST", "/v1/changes", {**acme, "changes": [ADD]}),
        "admin": ("GET", "/v1/keys", None),
    }
    with served.client(served.key(scope)) as client:
        for needed, (method, path, body) in needs.items():
            answer = client.request(method, path, json=body)
            if needed == scope:
                assert answer.status_code == 200
            else:
                assert refused(answer) == (403, "scope_missing")
                assert needed in answer.json()["detail"]


def test_limits(served: Served, client: httpx.Client) -> None:
    """Each has a clear answer."""
    limits = served.service.limits
    large = {"organization": "acme", "changes": [{**ADD, "members": ["user:x"] * 200_000}]}
    assert refused(client.post("/v1/changes", json=large)) == (413, "body_too_large")
    chunked = (b" " * 100_000 for _ in range(100))
    answer = client.post("/v1/check", content=chunked, headers={"Content-Type": "application/json"})
    assert refused(answer) == (413, "body_too_large")
    deep = b'{"organization":' + b"[" * 100 + b"]" * 100 + b"}"
    for path in ("/v1/check", "/v1/changes"):
        answer = client.post(path, content=deep, headers={"Content-Type": "application/json"})
        assert refused(answer) == (400, "invalid_request")
        assert str(limits.depth) in answer.json()["detail"]
    many = [{"subject": "a", "permission": "b"}] * (limits.batch_checks + 1)
    answer = client.post("/v1/check/batch", json={"organization": "acme", "checks": many})
    assert refused(answer) == (400, "invalid_argument")
    body = {"organization": "acme", "changes": [{**ADD, "members": ["user:ada"] * 1_001}]}
    assert refused(client.post("/v1/changes", json=body)) == (400, "invalid_argument")


def test_the_rate_of_a_key(served: Served, client: httpx.Client) -> None:
    """Beyond it, 429 with how long to wait; other keys are served on."""
    served.service.rates.per_second = 0.5
    with served.client(served.key("check")) as other:
        assert client.post("/v1/check", json=ASKED).status_code == 200
        answer = client.post("/v1/check", json=ASKED)
        assert refused(answer) == (429, "too_many_requests")
        assert answer.headers["Retry-After"] == "2"
        assert refused(client.get("/v1/keys")) == (429, "too_many_requests")
        assert other.post("/v1/check", json=ASKED).status_code == 200


@pytest.mark.parametrize("most", [4, 32])
def test_depth(most: int) -> None:
    """Is counted exactly, brackets in texts or not."""
    for text in (b"", b'"[[["', b'"\\"[[[{{{"', b'"]]]"'):
        for depth in (most, most + 1):
            wide = b",[]" * most
            body = b"[" * depth + text + b"]" * depth
            body = body[:1] + text + wide[bool(not text) :] + b"," + body[1:]
            if depth <= most:
                require_shallow(body, most)
            else:
                with pytest.raises(InvalidRequest):
                    require_shallow(body, most)


def test_a_text_without_an_end_is_read_once() -> None:
    """To the end of the body, and not again from each quote in it: that took minutes for a megabyte."""
    require_shallow(b'["' + b"[" * 100, 32)
    require_shallow(b'["' + b'\\"[' * 100, 32)
    for depth, text in ((40, b'\\"'), (40, b"\\\\"), (40, b"a")):
        with pytest.raises(InvalidRequest):
            require_shallow(b"[" * depth + b'"' + text * 300_000 + b"\\", 32)


# --- failures -------------------------------------------------------------------------------------


def test_a_failing_store_is_503_and_says_nothing_of_itself(
    served: Served, client: httpx.Client
) -> None:
    """Never an answer, never the driver's words or the database's name."""
    client.post("/v1/check", json=ASKED).raise_for_status()

    def fail(*_: object, **__: object) -> None:
        raise StoreUnavailable(database="secret-name on secret-host", why="driver words")

    served.service.authority.store.fetch = fail  # type: ignore[method-assign,assignment]
    answer = client.post("/v1/check", json=ASKED)
    assert refused(answer) == (503, "decision_unavailable")
    assert answer.headers["Retry-After"]
    assert "secret" not in answer.text
    assert "driver" not in answer.text


def test_an_unknown_outcome_says_so_and_how_to_resolve_it(
    served: Served, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the status of its own."""

    def lose(*_: object, **__: object) -> None:
        raise OutcomeUnknown(why="connection lost")

    monkeypatch.setattr(type(served.service.authority), "apply", lose)
    answer = client.post("/v1/changes", json={"organization": "acme", "changes": [ADD]})
    assert refused(answer) == (504, "outcome_unknown")
    assert "same idempotency key" in answer.json()["detail"]


def test_a_mistake_of_ours_is_500_and_says_nothing(
    served: Served, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the log, under the request's id."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("inner words")

    monkeypatch.setattr(type(served.service.authority), "check", fail)
    monkeypatch.setattr(type(served.service.authority), "log_page", fail)
    for answer in (
        client.post("/v1/check", json=ASKED),
        client.get("/v1/changes", params={"organization": "acme"}),
    ):
        assert refused(answer) == (500, "internal_error")
        assert "inner" not in answer.text


def test_every_error_has_a_status() -> None:
    """Of its own, or of the class above it."""
    from tests.docs.test_complete import all_errors

    for error in all_errors():
        assert 400 <= problems.status_of(error()) < 600


def test_limits_of_pages() -> None:
    """A page has at least one item and at most the limit."""
    assert Limits().page(None) == 100
