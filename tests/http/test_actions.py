"""`GET /v1/actions`: who did what to keys and pending work, and by which request."""

from __future__ import annotations

from typing import Any

from rescind.changes import CreateOrganization
from tests.http.serving import Served


def get(served: Served, key: str | None = None, **query: Any) -> Any:
    with served.client(key or served.admin) as client:
        return client.get("/v1/actions", params=query)


def test_an_action_has_its_key_and_request(shared: Served) -> None:
    with shared.client() as client:
        client.headers["X-Request-Id"] = "r-77"
        made = client.post("/v1/keys", json={"name": "n", "scopes": ["read"]}).json()
        of_key = f"/v1/keys/{made['key']['id']}"
        rotated = client.post(f"{of_key}/rotate", json={}).json()
        client.delete(of_key)
    logged = get(shared, limit=1_000).json()["actions"][-3:]
    assert [each["kind"] for each in logged] == ["key_made", "key_rotated", "key_revoked"]
    for each in logged:
        assert (each["subject"], each["request"]) == (made["key"]["id"], "r-77")
        assert each["actor"].startswith("key:")
    text = str(logged)
    assert not any(each["secret"] in text for each in (made, rotated))


def test_a_bound_key_sees_its_organization_alone(shared: Served) -> None:
    bound = shared.key("admin", organization="acme")
    shared.service.authority.apply([CreateOrganization()], organization="elsewhere")
    shared.key("read", organization="elsewhere")
    own = get(shared, bound, limit=1_000).json()["actions"]
    assert own
    assert {each["organization"] for each in own} == {"acme"}
    assert get(shared, bound, organization="elsewhere").status_code == 404
    assert get(shared, shared.key("read")).status_code == 403


def test_pages(shared: Served) -> None:
    for _ in range(3):
        shared.key("read")
    first = get(shared, limit=2).json()
    second = get(shared, limit=2, after=first["next_after"]).json()
    numbers = [each["number"] for page in (first, second) for each in page["actions"]]
    assert numbers == sorted(set(numbers))
    assert get(shared, after=-1).status_code == 400
