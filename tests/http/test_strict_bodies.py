"""Bodies mean what they say: a text is no other value, whatever it looks like."""

from __future__ import annotations

from typing import Any

import pytest

from rescind.http import auth
from tests.http.serving import Served

ADD = {"change": "add_members", "group": "eng", "members": ["user:cyd"]}
CREATE = {"change": "create_group", "group": "new"}
DELETE = {"change": "delete_group", "group": "idle"}


def changing(change: dict[str, Any], **fields: Any) -> tuple[str, dict[str, Any]]:
    return "/v1/changes", {"organization": "acme", "changes": [change], **fields}


SENT = {
    "an expiry that is lost": changing({**ADD, "expires_at": "null"}),
    "an expiry in capitals": changing({**ADD, "expires_at": "NULL"}),
    "an expiry in seconds": changing({**ADD, "expires_at": 1893456000}),
    "an expiry in seconds, as text": changing({**ADD, "expires_at": "1893456000"}),
    "an expiry of a role": changing(
        {"change": "assign", "role": "owner", "to": "user:cyd", "expires_at": "null"}
    ),
    "an expiry of a replaced role": changing(
        {
            "change": "replace_assignments",
            "to": "user:cyd",
            "assignments": [{"role": "owner", "expires_at": "null"}],
        }
    ),
    "an expiry of a key": (
        "/v1/keys",
        {"name": "k", "scopes": ["read"], "organization": "acme", "expires_at": "null"},
    ),
    "force": changing(CREATE, force="true"),
    "a dry run": changing(CREATE, dry_run="false"),
    "cascade": changing({**DELETE, "cascade": "1"}),
    "a priority": changing({"change": "define_role", "role": "r", "priority": "5"}),
    "an explanation": (
        "/v1/check",
        {"organization": "acme", "subject": "user:ada", "permission": "read", "explain": "true"},
    ),
}


@pytest.mark.parametrize("what", SENT)
def test_a_text_is_no_other_value(served: Served, what: str) -> None:
    """It is refused, and nothing is done."""
    url, body = SENT[what]
    with served.client() as client:
        before = client.get("/v1/changes?organization=acme").text
        response = client.post(url, json=body)
        assert response.status_code == 400, response.text
        assert response.json()["code"] == "invalid_request"
        field = list(body)[-1] if url != "/v1/changes" or len(body) > 2 else "changes[0]"
        assert field in response.json()["detail"]
        assert client.get("/v1/changes?organization=acme").text == before


def test_what_is_meant_is_taken(served: Served) -> None:
    """null, a time, a whole number for any number."""
    with served.client() as client:
        for expires_at in (None, "2030-01-01T00:00:00Z", "2030-01-01T01:00:00+01:00"):
            url, body = changing({**ADD, "expires_at": expires_at})
            assert client.post(url, json=body).status_code == 200
        key = client.post("/v1/keys", json={"name": "k", "scopes": ["read"]}).json()["key"]
        rotated = client.post(f"/v1/keys/{key['id']}/rotate", json={"grace_seconds": 1})
        assert rotated.status_code == 200


def test_control_without_a_look_at_the_types(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The membership that should have ended has no end."""
    monkeypatch.setattr(auth, "require_strict", lambda *_: None)
    with served.client() as client:
        url, body = SENT["an expiry that is lost"]
        assert client.post(url, json=body).status_code == 200
        members = client.get("/v1/members?organization=acme&group=eng").json()["items"]
        assert {"user:cyd": None}.items() <= {
            member["member"]: member["expires_at"] for member in members
        }.items()
