"""Changes are answered without the framework, and exactly as the framework would answer them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from rescind.http.app import application
from rescind.http.routes import changes as route
from tests.http.serving import Served, serving

ADD = {"change": "add_membership", "subject": "user:new"}
EXPEL = {"change": "remove_members", "group": "eng", "members": ["user:ada"]}
NOBODY = {"change": "remove_members", "group": "eng", "members": ["user:nobody"]}
VARYING = {"route_reason", "enforced_at", "enforcement", "is_repeated"}
"""What a repeated change is told anew."""


class Pair:
    """One service, with and without direct routes."""

    def __init__(self, direct: httpx.Client, framed: httpx.Client) -> None:
        self.clients = direct, framed

    def both(self, content: bytes, headers: dict[str, str], query: str = "") -> list[Any]:
        """Status, headers and body of both, without what differs from request to request."""
        found = []
        sent = {"Content-Type": "application/json", "X-Request-Id": "same", **headers}
        for client in self.clients:
            answer = client.post(f"/v1/changes{query}", content=content, headers=sent)
            told = {name: value for name, value in answer.headers.items() if name != "date"}
            body = answer.json()
            if answer.status_code == 200:
                told["content-length"] = ""
                body |= dict.fromkeys(VARYING, "") if body.keys() >= VARYING else {}
            found.append((answer.status_code, told, body))
        return found


@pytest.fixture(scope="module")
def pair(shared: Served) -> Iterator[Pair]:
    entry = application(shared.service, has_fast_routes=False)
    with (
        serving(shared.service, entry=entry) as other,
        shared.client() as direct,
        other.client() as framed,
    ):
        yield Pair(direct, framed)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each request to the direct route, whether it was answered there."""
    found: list[bool] = []
    direct = route.direct_changes

    def noted(*arguments: Any) -> Any:
        call = direct(*arguments)
        found.append(call is not None)
        return call

    monkeypatch.setitem(route.DIRECT_ROUTES, b"/v1/changes", noted)
    return found


@pytest.mark.parametrize("change", [ADD, NOBODY, EXPEL], ids=["add", "nobody", "expel"])
def test_receipts_are_the_same(pair: Pair, calls: list[bool], change: dict[str, Any]) -> None:
    """Repeated with its key by the other way, a change has the receipt that it had."""
    content = json.dumps({"changes": [change], "organization": "acme"}).encode()
    direct, framed = pair.both(content, {"Idempotency-Key": change["change"] + str(change)})
    assert direct == framed
    assert direct[0] == 200
    assert {"etag", "rescind-revision", "x-request-id"} <= set(direct[1])
    assert calls == [True]


REFUSED: list[tuple[object, dict[str, str], bool]] = [
    ({"changes": [], "organization": "acme"}, {}, False),
    ({"changes": [{"change": "nothing"}], "organization": "acme"}, {}, False),
    ({"changes": [ADD], "organisation": "acme"}, {}, False),
    ({"changes": [ADD]}, {}, True),
    ({"changes": [ADD], "organization": "nowhere"}, {}, True),
    ({"changes": [{**ADD, "subject": " "}], "organization": "acme"}, {}, True),
    (
        {"changes": [{**EXPEL, "change": "add_members", "group": "engg"}], "organization": "acme"},
        {},
        True,
    ),
    ({"changes": [ADD], "organization": "acme"}, {"If-Match": '"x"'}, True),
    ({"changes": [ADD], "organization": "acme"}, {"If-Match": "*"}, True),
    ({"changes": [ADD], "organization": "acme"}, {"Idempotency-Key": ""}, True),
    ({"changes": [ADD], "organization": "acme", "dry_run": True}, {}, False),
    ({"changes": [ADD], "organization": "acme", "detail": "yes"}, {}, False),
    ({"changes": [{**EXPEL, "members": [f"user:{n}" for n in range(1_000)]}] * 11}, {}, False),
]


@pytest.mark.parametrize(("body", "headers", "is_direct"), REFUSED)
def test_refusals_are_the_same(
    pair: Pair, calls: list[bool], body: object, headers: dict[str, str], is_direct: bool
) -> None:
    """Also of a body that is not as it should be, which the framework refuses on both ways."""
    direct, framed = pair.both(json.dumps(body).encode(), headers)
    assert direct == framed
    assert calls in ([is_direct], [])


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"changes": [], "changes": []}', b"\xff", b'{"a":' * 2_000, b""]
)
def test_what_is_no_batch_is_refused_alike(pair: Pair, content: bytes) -> None:
    direct, framed = pair.both(content, {})
    assert direct == framed
    assert direct[0] in (400, 422)


def test_a_query_goes_to_the_framework(pair: Pair, calls: list[bool]) -> None:
    content = json.dumps({"changes": [ADD], "organization": "acme"}).encode()
    direct, framed = pair.both(content, {"Idempotency-Key": "query"}, query="?a=b")
    assert direct == framed
    assert calls == []
