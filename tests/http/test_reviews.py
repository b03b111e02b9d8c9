"""Access reviews and the history of access over HTTP: with the scopes of changes, and streamed."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import httpx
import pytest

from rescind.http.routes import review_proof
from tests.http.serving import Served
from tests.http.test_routes import refused

ACME = {"organization": "acme"}


def start(client: httpx.Client, name: str = "Q1", **only: Any) -> dict[str, Any]:
    answer = client.post("/v1/reviews", json={"review": name, **ACME, **only})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def lines(client: httpx.Client, name: str = "Q1", **how: Any) -> list[dict[str, Any]]:
    answer = client.get("/v1/reviews/lines", params={"review": name, **ACME, **how})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_review(served: Served, client: httpx.Client) -> None:
    """Started, listed, read, seen in a dry run, applied, and applied again."""
    started = start(client, role="reader", critical=False)
    assert started["only"] == {"role": "reader"}
    assert started["actor"].startswith("key:")
    assert client.get("/v1/reviews", params=ACME).json() == {"reviews": [started]}
    found = lines(client)
    assert [each["subject"] for each in found] == ["user:ada", "user:bob", "user:cyd"]
    assert lines(client, after=found[0]["line"]) == found[1:]
    bob = {"line": found[1]["line"], "decision": "revoke", "comment": "left"}
    body = {"review": "Q1", **ACME, "decisions": [bob]}
    dry = client.post("/v1/reviews/apply", json=body).json()
    assert dry["lost"] == [["user:bob", "read", "organization"]]
    assert dry["receipt"] is None
    done = client.post("/v1/reviews/apply", json={**body, "dry_run": False}).json()
    assert (done["lost"], done["is_complete"]) == (dry["lost"], True)
    assert done["receipt"]["enforced_at"] is not None
    again = client.post("/v1/reviews/apply", json={**body, "dry_run": False}).json()
    assert again["is_repeated"]
    assert again["receipt"]["revision"] == done["receipt"]["revision"]
    history = client.get("/v1/access-history", params={**ACME, "subject": "bob"}).json()
    assert [p["ended"]["reason"] for p in history["periods"]] == ["access review Q1: left"]
    assert history["next_after"] is None
    day = {"since": "2001-01-01", "until": "2101-01-01"}
    params = {**ACME, "subject": "bob", **day}
    assert client.get("/v1/access-history", params=params).json() == history
    renamed = {"change": "change_membership_id", "subject": "bob", "new_id": "rob"}
    client.post("/v1/changes", json={**ACME, "changes": [renamed]}).raise_for_status()
    (told,) = client.get("/v1/access-history", params=params).json()["id_changes"]
    assert (told["former"], told["new"]) == ("user:bob", "user:rob")


def test_csv(client: httpx.Client) -> None:
    """The other format, with a header only at the beginning."""
    start(client)
    params = {"review": "Q1", **ACME, "format": "csv"}
    answer = client.get("/v1/reviews/lines", params=params)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 5
    rest = client.get("/v1/reviews/lines", params={**params, "after": rows[3]["line"]}).text
    assert rest.count("\r\n") == 1
    assert answer.text.endswith(rest)


def test_a_reader_that_goes_away(client: httpx.Client) -> None:
    """In the middle of a stream; the service goes on."""
    start(client)
    with client.stream("GET", "/v1/reviews/lines", params={"review": "Q1", **ACME}) as answer:
        next(answer.iter_raw(5))
    assert len(lines(client)) == 5


def test_verification(served: Served, client: httpx.Client) -> None:
    """What fits, what does not, and by which requests it came about."""
    start(client)
    line = lines(client)[0]["line"]
    kept = {"line": line, "decision": "keep", "comment": "needed"}
    body = {"review": "Q1", **ACME, "decisions": [kept], "dry_run": False}
    client.post("/v1/reviews/apply", json=body, headers={"X-Request-Id": "r7"}).raise_for_status()
    asked = {"review": "Q1", **ACME}
    (found,) = client.get("/v1/reviews/verify", params=asked).json()["reviews"]
    assert (found["fits"], found["fault"], found["lines"]) == (True, None, 5)
    (applied,) = found["applied"]
    assert (applied["kept"], applied["revoked"], applied["revision"]) == (1, 0, None)
    logged = client.get("/v1/actions", params=ACME).json()["actions"]
    last = next(each for each in logged if each["number"] == applied["action"])
    assert (last["kind"], last["request"]) == ("review_applied", "r7")
    (head,) = client.get("/v1/log/head", params=ACME).json()["heads"]
    given = {**asked, "decisions": [kept], "heads": [head]}
    (same,) = client.post("/v1/reviews/verify", json=given).json()["reviews"]
    assert same == {**found, "heads": 1}
    other = {**given, "decisions": [{**kept, "decision": "revoke"}]}
    (wrong,) = client.post("/v1/reviews/verify", json=other).json()["reviews"]
    assert (wrong["fits"], wrong["fault"]["kind"]) == (False, "never_applied")
    forged = {**given, "heads": [{**head, "digest": "00" * 32}]}
    (wrong,) = client.post("/v1/reviews/verify", json=forged).json()["reviews"]
    assert wrong["fault"]["kind"] == "log_differs"
    with served.client(served.key("read", organization="acme")) as bound:
        answer = bound.get("/v1/reviews/verify", params={"review": "Q1"})
        assert answer.json()["reviews"] == [found]


@pytest.mark.parametrize(
    ("bound", "hint"),
    [
        ("MOST_REPLAYED", "use `rescind review verify`"),
        ("MOST_ACTIONS", "use `rescind review verify`"),
        ("MOST_REVIEWS", "Name one"),
    ],
)
def test_what_is_too_much_for_a_request(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, bound: str, hint: str
) -> None:
    """Is left to the command line, or asked for by name."""
    start(client)
    monkeypatch.setattr(review_proof, bound, 0)
    answer = client.get("/v1/reviews/verify", params=ACME)
    assert refused(answer) == (400, "invalid_argument")
    assert hint.casefold() in answer.text.casefold()
    if bound == "MOST_REVIEWS":
        named = client.get("/v1/reviews/verify", params={**ACME, "review": "Q1"})
        assert named.status_code == 200


def test_an_organization_verifies_reviews_once_at_a_time(client: httpx.Client) -> None:
    """So that a key that is good for one organization leaves a turn to others."""
    start(client)
    with review_proof.TURNS.one("acme"):
        assert refused(client.get("/v1/reviews/verify", params=ACME)) == (503, "threads_exhausted")
        with review_proof.TURNS.one("other"):
            pass
    assert client.get("/v1/reviews/verify", params=ACME).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "code"),
    [
        ("POST", "/v1/reviews", {"review": "a/b"}, 400, "invalid_argument"),
        ("POST", "/v1/reviews", {"review": "Q1"}, 409, "review_exists"),
        ("POST", "/v1/reviews", {"review": "Q2", "subject": "x:y"}, 400, "malformed_id"),
        ("POST", "/v1/reviews", {"review": "Q2", "colour": "red"}, 400, "invalid_request"),
        ("GET", "/v1/reviews/lines", {"review": "none"}, 404, "review_not_found"),
        ("GET", "/v1/reviews/lines", {"review": "Q1", "after": "r"}, 400, "invalid_argument"),
        ("GET", "/v1/reviews/lines", {"review": "Q1", "after": ""}, 400, "invalid_argument"),
        ("GET", "/v1/reviews/lines", {"review": "Q1", "format": "pdf"}, 400, "invalid_request"),
        ("POST", "/v1/reviews", {"review": "Q2", "role": "raeder"}, 404, "role_not_found"),
        ("POST", "/v1/reviews", {"review": "Q2", "resource": "doc:9"}, 404, "resource_not_found"),
        ("GET", "/v1/access-history", {"subject": "ada", "since": "7"}, 400, "invalid_argument"),
        ("GET", "/v1/access-history", {"subject": "ada", "until": ""}, 400, "invalid_request"),
        ("POST", "/v1/reviews/apply", {"review": "Q1", "decisions": []}, 400, "invalid_request"),
        (
            "POST",
            "/v1/reviews/apply",
            {"review": "Q1", "decisions": [{"line": "r", "decision": "keep"}]},
            400,
            "bad_input",
        ),
        (
            "POST",
            "/v1/reviews/apply",
            {"review": "Q1", "decisions": [{"line": "r", "decision": "revoke"}] * 1_001},
            400,
            "invalid_argument",
        ),
        ("GET", "/v1/reviews/verify", {"review": "none"}, 404, "review_not_found"),
        ("GET", "/v1/reviews/verify", {"review": "Q1", "life": 2}, 400, "invalid_argument"),
        ("GET", "/v1/reviews/verify", {"review": "a/b"}, 400, "invalid_argument"),
        ("POST", "/v1/reviews/verify", {"review": "Q1", "decisions": []}, 400, "invalid_request"),
        ("POST", "/v1/reviews/verify", {"review": "Q1", "heads": []}, 400, "invalid_request"),
        (
            "POST",
            "/v1/reviews/verify",
            {"decisions": [{"line": "r", "decision": "keep"}]},
            400,
            "invalid_argument",
        ),
        (
            "POST",
            "/v1/reviews/verify",
            {"heads": [{"number": -1, "revision": 1, "digest": "00" * 32}]},
            400,
            "invalid_argument",
        ),
        ("GET", "/v1/access-history", {}, 400, "invalid_argument"),
        ("GET", "/v1/access-history", {"subject": "ada", "after": -1}, 400, "invalid_argument"),
    ],
)
def test_refusals(
    reviewed: httpx.Client, method: str, path: str, sent: Any, status: int, code: str
) -> None:
    """Each with its status and code, before anything is streamed."""
    body = {"json": {**ACME, **sent}} if method == "POST" else {"params": {**ACME, **sent}}
    assert refused(reviewed.request(method, path, **body)) == (status, code)


@pytest.fixture(scope="module")
def reviewed(shared: Served) -> Any:
    """A client of a service with one review."""
    with shared.client() as client:
        start(client)
        yield client


def test_scopes(shared: Served, reviewed: httpx.Client) -> None:
    """As for changes and the log; a bound key sees no other organization."""
    asked = {"review": "Q1", **ACME}
    apply = {**asked, "decisions": [{"line": "r", "decision": "keep"}]}
    with shared.client(shared.key("check")) as client:
        for answer in (
            client.post("/v1/reviews", json=asked),
            client.get("/v1/reviews", params=ACME),
            client.get("/v1/reviews/lines", params=asked),
            client.post("/v1/reviews/apply", json=apply),
            client.get("/v1/reviews/verify", params=asked),
            client.post("/v1/reviews/verify", json=asked),
            client.get("/v1/access-history", params={**ACME, "subject": "ada"}),
        ):
            assert refused(answer) == (403, "scope_missing")
    with shared.client(shared.key("read")) as client:
        assert refused(client.post("/v1/reviews/apply", json=apply)) == (403, "scope_missing")
        assert len(lines(client)) == 5
    with shared.client(shared.key("read", organization="acme")) as client:
        answer = client.get("/v1/reviews/lines", params={**asked, "organization": "other"})
        assert refused(answer) == (404, "organization_not_found")


def test_lives_of_a_name(served: Served, client: httpx.Client) -> None:
    """The former one's reviews and history are there for a key that is good for all; not for a bound one."""
    start(client)
    before = lines(client)
    delete = {"change": "delete_organization", "cascade": True}
    body: dict[str, Any] = {**ACME, "changes": [delete]}
    client.post("/v1/changes", json=body).raise_for_status()
    assert lines(client) == before
    body["changes"] = [{"change": "create_organization"}]
    client.post("/v1/changes", json=body).raise_for_status()
    asked = {"review": "Q1", **ACME}
    assert refused(client.get("/v1/reviews/lines", params=asked)) == (404, "review_not_found")
    assert lines(client, life=1) == before
    (found,) = client.get("/v1/reviews", params={**ACME, "life": 1}).json()["reviews"]
    assert found["life"] == 1
    assert found["organization_deleted_at"] is not None
    history = client.get("/v1/access-history", params={**ACME, "subject": "bob", "life": 1}).json()
    assert [each["life"] for each in history["lives"]] == [1, 2]
    assert history["periods"]
    with served.client(served.key("read", organization="acme")) as bound:
        for path in (
            "/v1/reviews",
            "/v1/reviews/lines",
            "/v1/reviews/verify",
            "/v1/access-history",
        ):
            answer = bound.get(path, params={**asked, "subject": "bob", "life": 1})
            assert refused(answer)[0] == 400
        assert refused(bound.get("/v1/reviews/lines", params=asked)) == (404, "review_not_found")
        told = bound.get("/v1/access-history", params={"subject": "bob"}).json()
        nothing = {"periods": [], "next_after": None, "life": None, "lives": [], "id_changes": []}
        assert told == nothing
