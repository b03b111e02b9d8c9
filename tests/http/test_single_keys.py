"""An object that has a key twice is refused where it would alter something: it says two things."""

from __future__ import annotations

import httpx
import pytest

from tests.http.serving import Served
from tests.http.test_routes import refused

JSON = {"Content-Type": "application/json"}
ADD = b'{"change": "add_members", "group": "eng", "members": ["user:cyd"]}'
TWICE = ADD[:-1] + b', "group": "staff"}'
HELD = {"organization": "acme", "subject": "user:cyd", "permission": "write", "resource": "doc:1"}
BODIES = [
    ("/v1/changes", b'{"organization": "acme", "changes": [%b]}' % TWICE, "group"),
    ("/v1/changes", b'{"organization": "no", "organization": "acme", "changes": [%b]}' % ADD, "o"),
    ("/v1/changes", b'{"organization":"no","\\u006frganization":"acme","changes":[%b]}' % ADD, "o"),
    ("/v1/keys", b'{"name": "a", "scopes": ["read"], "scopes": ["admin"]}', "scopes"),
    ("/v1/pending/park", b'{"organization": "acme", "group": "a", "group": "eng"}', "group"),
    ("/organizations", b'{"name": "One", "name": "Two"}', "name"),
    ("/organizations", b'{"name": "One", "metadata": {"a": "1", "a": "2"}}', "a"),
]


def held(client: httpx.Client) -> bool:
    return bool(client.post("/v1/check", json=HELD).json()["allowed"])


@pytest.mark.parametrize(("path", "body", "key"), BODIES)
def test_a_key_twice_is_refused(client: httpx.Client, path: str, body: bytes, key: str) -> None:
    """It is named, at any depth and however it is written; nothing is done."""
    answer = client.post(path, content=body, headers=JSON)
    told = answer.json()
    assert answer.status_code == 400, told
    assert told["code"] in ("invalid_request", "invalid_request_parameters")
    assert f"the key '{key}" in (told.get("detail") or told["message"])
    assert not held(client)


def test_a_line_of_an_import_is_refused(client: httpx.Client) -> None:
    """With its number; its batch is not applied."""
    headers = {"Content-Type": "application/x-ndjson"}
    lines = ADD + b"\n" + TWICE + b"\n"
    answer = client.post(
        "/v1/import", params={"organization": "acme"}, content=lines, headers=headers
    )
    assert refused(answer) == (400, "bad_input")
    assert "line 2" in answer.json()["detail"]
    assert "the key 'group' is twice" in answer.json()["detail"]
    assert not held(client)


def test_what_is_not_read_hides_no_key(client: httpx.Client) -> None:
    """A text that is not UTF-8, where no reader looks, is refused: behind it a key could be twice."""
    body = b'{"name": "One", "unknown": "\xff", "name": "Two"}'
    answer = client.post("/organizations", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request_parameters")


def test_without_the_look_the_last_one_wins(
    served: Served, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: silently, another group than the first is changed."""
    monkeypatch.setattr("rescind.http.auth.require_single_keys", lambda _: None)
    path, body, _ = BODIES[1]
    assert client.post(path, content=body, headers=JSON).json()["changed"]
    assert held(client)


def test_questions_are_not_looked_through(onlooker: httpx.Client) -> None:
    """They alter nothing, and the look would cost more than the answer: the last one counts."""
    body = b'{"organization": "acme", "subject": "ada", "permission": "no", "permission": "read"}'
    answer = onlooker.post("/v1/check", content=body, headers=JSON)
    assert answer.json()["allowed"] is True
