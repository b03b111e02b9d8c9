"""The process lives; it is ready only with its database."""

from __future__ import annotations

import httpx

from tests.faults.server import until
from tests.http.serving import Served


def test_lives_and_is_ready(served: Served) -> None:
    """Without a key; with a request id."""
    with served.client("") as client:
        for path in ("/livez", "/readyz"):
            answer = client.get(path, headers={"X-Request-ID": "mine-1"})
            assert (answer.status_code, answer.json()["status"]) == (200, "ok")
            assert answer.headers["X-Request-ID"] == "mine-1"


def test_a_head_is_a_get_without_its_body(served: Served, client: httpx.Client) -> None:
    """With the same status and headers, as balancers ask; also where there is no such route or method."""
    until(lambda: client.get("/v1/keys").json()["keys"][0]["used_at"])  # noted later, by a thread
    for path in ("/livez", "/readyz", "/openapi.json", "/v1/keys", "/nothing", "/v1/check"):
        head, get = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        for name in ("content-type", "content-length", "allow"):
            assert head.headers.get(name) == get.headers.get(name), name
    with served.client("") as client:
        assert client.head("/v1/keys").status_code == 401


def test_is_not_ready_without_its_database(served: Served, client: httpx.Client) -> None:
    """It says what is missing, and still lives."""
    served.service.authority.store.close()
    answer = client.get("/readyz", headers={"Authorization": ""})
    assert answer.status_code == 503
    assert list(answer.json()["not_ready"]) == ["database"]
    assert client.get("/livez", headers={"Authorization": ""}).status_code == 200


def test_is_not_ready_while_stopping(served: Served, client: httpx.Client) -> None:
    """So that a balancer sends it nothing more."""
    served.service.is_stopping = True
    assert client.get("/readyz").json()["not_ready"] == {"server": "is stopping"}
