"""`If-Match`: a change is made only if the organization is as the caller has seen it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.http.serving import Served
from tests.http.test_routes import make, refused


@pytest.fixture(scope="module")
def client(shared: Served) -> Iterator[httpx.Client]:
    """A client with the admin's key; the organization is one for all tests of the module."""
    with shared.client() as opened:
        yield opened


def send(client: httpx.Client, group: str, at: str, **others: Any) -> httpx.Response:
    body = {"organization": "acme", "changes": [{"change": "create_group", "group": group}]}
    return client.post("/v1/changes", json={**body, **others}, headers={"If-Match": at})


def test_what_was_read_may_be_the_condition(client: httpx.Client) -> None:
    """A list's ETag, the one of an answer to a change, or the token itself: once, then it is 412."""
    asked = {"organization": "acme", "permission": "read"}
    seen = client.get("/v1/who-can", params=asked).headers
    assert seen["ETag"] == f'"{seen["Rescind-Revision"]}"'
    assert send(client, "never", seen["ETag"], dry_run=True).status_code == 200
    first = send(client, "first", seen["ETag"])
    assert first.status_code == 200
    for dry_run in (False, True):
        again = send(client, "again", seen["ETag"], dry_run=dry_run)
        assert refused(again) == (412, "precondition_failed")
    assert send(client, "second", first.headers["ETag"]).json()["changed"]
    token = make(client, {"change": "create_group", "group": "third"})["revision"]
    assert send(client, "fourth", token).json()["changed"]
    assert (
        not send(client, "again", client.get("/v1/who-can", params=asked).headers["ETag"]).json()[
            "number"
        ]
        < first.json()["number"]
    )


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("*", "invalid_argument"),
        ("", "invalid_argument"),
        ('W/"MS4xLjEuMQ"', "invalid_argument"),
        ('"MS4xLjEuMQ", "MS4xLjEuMg"', "invalid_argument"),
        ('"x"', "invalid_token"),
    ],
)
def test_one_token_is_wanted(client: httpx.Client, header: str, code: str) -> None:
    """Neither a weak one, nor several, nor any."""
    assert refused(send(client, "again", header)) == (400, code)


def test_one_request_wins(client: httpx.Client) -> None:
    """Of several at the same time with the same token."""
    token = make(client, {"change": "create_group", "group": "start"})["revision"]
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(send, client, f"race{n}", token) for n in range(8)]
    assert sorted(each.result().status_code for each in sent) == [200] + [412] * 7
