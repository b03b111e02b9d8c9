"""Whatever a client sends is answered: never with a 5xx, always in WorkOS's shape."""

from __future__ import annotations

import itertools
import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.http.serving import Served
from tests.http.workos.conftest import on_postgres
from tests.http.workos.test_isolation import names_of_another, requests

NASTY = [
    "\0",
    "a\0b",
    "\ud800",
    "é" * 6000,
    "x" * 20_000,
    "\x1f",
    "';--",
    "%_!\\",
    " ",
    "group_" + "Z" * 26,
    "\u202e\ufeff",
    "..",
]
OTHER = [None, 7, -(2**70), 1.5, True, [], {}, [None], [[]], "", {"a": {"b": 1}}]


def sent(client: httpx.Client, method: str, url: str, query: Any, body: Any) -> httpx.Response:
    content = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    return client.request(method, url, params=query, content=content, headers=headers)


def require_told(answer: httpx.Response, what: Any) -> None:
    """No 5xx but for what is not supported on purpose; errors with a message and a code."""
    assert answer.status_code < 500 or answer.status_code == 501, (what, answer.text)
    assert answer.status_code != 422, what
    if answer.status_code >= 400 and answer.headers["content-type"] == "application/json":
        assert {"message", "code"} <= answer.json().keys()


@on_postgres
def test_an_encoded_body_is_415(service: Served, client: Any) -> None:
    """In WorkOS's shape."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    with service.client() as sender:
        answer = sender.post("/organizations", content=b"\x1f\x8b", headers=headers)
    require_told(answer, "gzip")
    assert (answer.status_code, answer.json()["code"]) == (415, "encoding_not_supported")


@pytest.fixture(scope="module")
def document(service: Served) -> dict[str, Any]:
    """The OpenAPI document."""
    with service.client() as client:
        return client.get("/openapi.json").json()  # type: ignore[no-any-return]


@on_postgres
def test_texts_that_no_name_can_be(service: Served, client: Any, document: dict[str, Any]) -> None:
    """In each place of each route where a text can stand, one of them or another."""
    names, turn = names_of_another(client), itertools.cycle(NASTY)
    with service.client() as sender:
        for method, url, query, body in requests(document, names):
            for name in [name for name, known in names.items() if known in url]:
                place = url.replace(names[name], quote(raw(next(turn))[:2000], safe=""), 1)
                require_told(sent(sender, method, place, None, body), (method, url, name))
            for name in (*query, "after", "order") if query is not None else ():
                wrong = {**query, name: raw(next(turn))[:2000].decode("utf-8", "replace")}
                require_told(sent(sender, method, url, wrong, None), (method, url, name))
            for field in body if body is not None and method != "delete" else ():
                spoiled = {**body, field: next(turn)}
                require_told(sent(sender, method, url, None, spoiled), (method, url, field))


def raw(text: str) -> bytes:
    """The text as bytes, also where it has no UTF-8."""
    return text.encode("utf-8", "surrogatepass")


@on_postgres
def test_values_of_other_types(service: Served, client: Any, document: dict[str, Any]) -> None:
    """In each field of each body, one or another, and as the body itself."""
    names, turn = names_of_another(client), itertools.cycle(OTHER)
    with service.client() as sender:
        for method, url, _, body in requests(document, names):
            if method in ("get", "delete"):
                continue
            require_told(sent(sender, method, url, None, next(turn)), (method, url))
            for field in body:
                spoiled = {**body, field: next(turn)}
                require_told(sent(sender, method, url, None, spoiled), (method, url, field))


@on_postgres
def test_headers(service: Served, client: Any) -> None:
    """Of these routes: empty, too long, of no meaning."""
    with service.client() as sender:
        for name in ("Idempotency-Key", "Rescind-Id", "Rescind-At-Least", "Rescind-Actor"):
            for value in ("", "x" * 300, "é".encode("latin-1"), "AAAA", "MS4xLjEuMQ"):
                headers = {name: value}
                require_told(
                    sender.post("/organizations", json={"name": "x"}, headers=headers), name
                )
                require_told(sender.get("/organizations", headers=headers), name)
        for body in (
            b"",
            b"{",
            b"[]",
            b"\xff",
            b"null",
            b'{"name":"x"',
            b'{"name":"\xed\xa0\x80"}',
        ):
            answer = sender.post(
                "/organizations", content=body, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code == 400
            require_told(answer, body)
