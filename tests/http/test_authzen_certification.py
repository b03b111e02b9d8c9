"""The scenario by which the OpenID Foundation certifies decision points for AuthZEN 1.0.

The levels Basic Core, Batch Core, Search Core and Discovery hold. Of the levels with properties, what facts
can say holds as well; decisions by a property of the request do not. Numbers are those of the scenario.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from rescind import changes
from tests.http.conftest import given
from tests.http.serving import Served

Body = dict[str, Any]
ALICE, BOB = {"type": "user", "id": "alice"}, {"type": "user", "id": "bob"}
READ, WRITE = {"name": "read"}, {"name": "write"}
ONE, TWO = ({"type": "record", "id": f"record-{number}"} for number in (1, 2))
ARCHIVED = {**TWO, "properties": {"status": "archived"}}
ADMIN = {**BOB, "properties": {"role": "admin"}}
ALLOWED = {"subject": ALICE, "action": READ, "resource": ONE}
DENIED = {"subject": BOB, "action": WRITE, "resource": ONE}
TIME = {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}
ROLES = {"reader": ("read",), "writer": ("read", "write")}
GIVEN = {"alice": (("writer", ONE),), "bob": (("reader", ONE), ("writer", TWO))}


def fixture() -> Iterator[changes.Change]:
    """What 1.1 to 1.5 require, as facts."""
    yield changes.CreateOrganization()
    for name in ("read", "write", "delete"):
        yield changes.DefinePermission(permission=name)
    for role, permissions in ROLES.items():
        yield changes.DefineRole(role=role, permissions=permissions)
    yield changes.DefineResourceType(type="record")
    for record in (ONE, TWO):
        yield changes.CreateResource(resource=f"record:{record['id']}")
    for name, roles in GIVEN.items():
        yield changes.AddMembership(subject=f"user:{name}")
        for role, record in roles:
            yield changes.Assign(role=role, to=f"user:{name}", on=f"record:{record['id']}")


@pytest.fixture(scope="module")
def pdp(shared_server: Served, new_shared_database: Any) -> Iterator[httpx.Client]:
    """A client of the decision point under test, found by discovery alone."""
    with given(shared_server, new_shared_database("sqlite")) as served:
        served.service.authority.apply(list(fixture()), organization="certified")
        base = f"{served.url}/o/certified"
        with served.client(served.key("check")) as client:
            client.base_url = httpx.URL(base)
            yield client


def ask(pdp: httpx.Client, path: str, body: Body, **headers: str) -> Body:
    """The answer to a request that is well formed."""
    answer = pdp.post(f"/access/v1/{path}", json=body, headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    return dict(answer.json())


@pytest.mark.parametrize(
    ("number", "body", "expected"),
    [
        ("2.2.1", ALLOWED, True),
        ("2.2.2", DENIED, False),
        ("2.2.3", {**ALLOWED, "context": TIME}, True),
        ("2.2.4", {"subject": ALICE, "action": WRITE, "resource": ARCHIVED}, False),
        ("2.2.5", {"subject": ADMIN, "action": WRITE, "resource": ARCHIVED}, True),
        ("2.2.8", {**ALLOWED, "action": {**READ, "properties": {"method": "GET"}}}, True),
        ("2.2.9", {**ALLOWED, "foo": "bar", "futureField": {"nested": True}}, True),
        ("1.4 rule 2", {**ALLOWED, "action": WRITE}, True),
        ("1.4 rule 3", {**DENIED, "action": READ}, True),
    ],
)
def test_basic(pdp: httpx.Client, number: str, body: Body, expected: bool) -> None:
    """Each time that it is asked (2.6), by both endpoints (3.4.2, 3.4.3), with its request id (2.5)."""
    for _ in range(2):
        assert ask(pdp, "evaluation", body) == {"decision": expected}, number
    assert ask(pdp, "evaluations", body) == {"decision": expected}
    assert ask(pdp, "evaluations", {**body, "evaluations": []}) == {"decision": expected}


WITHOUT = {
    "2.4.1": [{k: v for k, v in ALLOWED.items() if k != name} for name in ALLOWED],
    "2.4.2": [
        {**ALLOWED, name: {k: v for k, v in ALLOWED[name].items() if k != field}}
        for name in ALLOWED
        for field in ALLOWED[name]
    ],
    "2.4.6": [{**ALLOWED, "subject": "alice"}, {**ALLOWED, "action": {"name": 123}}],
}


@pytest.mark.parametrize("number", WITHOUT)
def test_errors(pdp: httpx.Client, number: str) -> None:
    """Missing and mistyped fields; another type (2.4.3), no JSON (2.4.4) and no body (2.4.5) too."""
    for body in WITHOUT[number]:
        assert pdp.post("/access/v1/evaluation", json=body).status_code == 400, (number, body)
    for content, kind in (
        (b"{}", "text/plain"),
        (b"{", "application/json"),
        (b"", "application/json"),
    ):
        answer = pdp.post("/access/v1/evaluation", content=content, headers={"Content-Type": kind})
        assert answer.status_code == 400


def test_the_request_id(pdp: httpx.Client) -> None:
    """Is the one that was sent (2.5.1), or one that is made (2.5.2)."""
    sent = pdp.post("/access/v1/evaluation", json=ALLOWED, headers={"X-Request-ID": "cert-1"})
    assert sent.headers["X-Request-ID"] == "cert-1"
    assert pdp.post("/access/v1/evaluation", json=ALLOWED).headers["X-Request-ID"]


ITEMS = [{"resource": ONE}, {"resource": TWO}]


@pytest.mark.parametrize(
    ("number", "body", "expected"),
    [
        ("3.2.1", {"subject": ALICE, "action": READ, "evaluations": ITEMS}, [True, False]),
        (
            "3.2.2",
            {"subject": BOB, "resource": ONE, "evaluations": [{"action": READ}, {"action": WRITE}]},
            [True, False],
        ),
        ("3.2.3", {"subject": ALICE, "action": WRITE, "evaluations": ITEMS}, [True, False]),
        (
            "3.2.4",
            {
                "action": WRITE,
                "resource": ARCHIVED,
                "evaluations": [{"subject": ALICE}, {"subject": ADMIN}],
            },
            [False, True],
        ),
        ("3.2.5", {"evaluations": [ALLOWED, DENIED]}, [True, False]),
        (
            "3.2.6",
            {
                "subject": ALICE,
                "action": READ,
                "context": TIME,
                "evaluations": [ITEMS[0], {**ITEMS[1], "context": {"source": "batch-override"}}],
            },
            [True, False],
        ),
        ("3.4.1", {"subject": ALICE, "action": READ, "evaluations": [ITEMS[0], {}]}, [True, False]),
    ],
)
def test_batch(pdp: httpx.Client, number: str, body: Body, expected: list[bool]) -> None:
    """As many answers as questions, in their order (3.3)."""
    found = ask(pdp, "evaluations", body)
    assert list(found) == ["evaluations"]
    assert [each["decision"] for each in found["evaluations"]] == expected, number


SUBJECTS = {"subject": {"type": "user"}, "action": READ, "resource": ONE}
RECORDS = {"subject": ALICE, "action": READ, "resource": {"type": "record"}}
ACTIONS = {"subject": ALICE, "resource": ONE}
SEARCHES = {"subject": SUBJECTS, "resource": RECORDS, "action": ACTIONS}


@pytest.mark.parametrize(
    ("number", "kind", "body", "expected"),
    [
        ("4.2.1", "subject", SUBJECTS, [ALICE, BOB]),
        ("4.2.4", "subject", {**SUBJECTS, "action": WRITE, "resource": ARCHIVED}, [BOB]),
        ("4.3.1", "resource", RECORDS, [ONE]),
        ("4.3.3", "resource", {**RECORDS, "subject": ADMIN, "action": WRITE}, [TWO]),
        ("4.4.1", "action", ACTIONS, [READ, WRITE]),
        ("4.4.3", "action", {"subject": ADMIN, "resource": ARCHIVED}, [READ, WRITE]),
        ("4.6.1", "action", {**ACTIONS, "subject": {**ALICE, "id": "nonexistent-user"}}, []),
        ("4.6.2", "subject", {**SUBJECTS, "subject": {"type": "spaceship"}}, []),
    ],
)
def test_search(
    pdp: httpx.Client, number: str, kind: str, body: Body, expected: list[Body]
) -> None:
    """With a context (4.2.2, 4.4.2) as without."""
    for asked in (body, {**body, "context": TIME}):
        found = ask(pdp, f"search/{kind}", asked)
        assert sorted(found["results"], key=str) == sorted(expected, key=str), number
        assert found["page"]["next_token"] == ""


def test_pages(pdp: httpx.Client) -> None:
    """A limit (4.5.1), the token of the next page (4.5.2), and what is said of a page (4.5.3)."""
    first = ask(pdp, "search/subject", {**SUBJECTS, "page": {"limit": 1}})
    token = first["page"]["next_token"]
    assert (len(first["results"]), isinstance(token, str), bool(token)) == (1, True, True)
    last = ask(pdp, "search/subject", {**SUBJECTS, "page": {"token": token}})
    assert (len(last["results"]), last["page"]["next_token"]) == (1, "")


def test_searches_that_lack_something(pdp: httpx.Client) -> None:
    """A field (4.7.1), or one of its fields (4.7.2)."""
    for kind, body in SEARCHES.items():
        for name in body:
            without = {key: value for key, value in body.items() if key != name}
            nameless = {**body, name: {}}
            for wrong in (without, nameless):
                assert pdp.post(f"/access/v1/search/{kind}", json=wrong).status_code == 400, wrong


def test_discovery(shared_server: Served, pdp: httpx.Client) -> None:
    """What is there, and what it must be (6.3 to 6.5), where the public address is set as it has to be."""
    shared_server.service.public_url = "https://pdp.example.com"
    try:
        place = "/.well-known/authzen-configuration/o/certified"
        answer = httpx.get(f"{shared_server.url}{place}")
    finally:
        shared_server.service.public_url = None
    found = answer.json()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    base = "https://pdp.example.com/o/certified"
    assert found.pop("policy_decision_point") == base
    assert found.pop("access_evaluation_endpoint") == f"{base}/access/v1/evaluation"
    assert all(url.startswith(f"{base}/access/v1/") for url in found.values())
    assert len(found) == 4
