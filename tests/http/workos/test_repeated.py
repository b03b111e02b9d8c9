"""A request that is repeated with its idempotency key has one effect, and the same answer."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from rescind import Authority
from rescind.directory.unit_of_work import UnitOfWork
from rescind.model import Receipt
from tests.http.serving import Served
from tests.http.workos.conftest import on_postgres
from tests.http.workos.world import acme, fresh
from tests.sql import ours


def test_one_effect_and_the_same_answer(client: Any, service: Served) -> None:
    """Also the revision; for another request the key is refused."""
    world, key = acme(client), {"Idempotency-Key": fresh("key")}
    path = f"/organizations/{world.id}/groups"
    with service.client() as plain:
        first, second = (plain.post(path, json={"name": "Support"}, headers=key) for _ in range(2))
        assert (first.status_code, first.json()) == (second.status_code, second.json())
        assert first.headers["Rescind-Revision"] == second.headers["Rescind-Revision"]
        other = plain.post(path, json={"name": "Sales"}, headers=key)
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
        assert len(plain.get(path).json()["data"]) == 2
    with service.client(service.key("admin")) as another:
        assert another.post(path, json={"name": "Sales"}, headers=key).status_code == 201


def test_at_the_same_time(client: Any, service: Served) -> None:
    """However many send it at once."""
    world, key = acme(client), {"Idempotency-Key": fresh("key")}
    path = f"/organizations/{world.id}/groups"
    found = at_once(service, lambda plain: plain.post(path, json={"name": "Support"}, headers=key))
    assert {answer.status_code for answer in found} == {201}
    assert len({answer.json()["id"] for answer in found}) == 1
    assert len(client.groups.list_organization_groups(world.id).data) == 2


def test_a_refused_request_leaves_its_key_free(client: Any, service: Served) -> None:
    """So that it can be sent again when what was missing is there."""
    world, key = acme(client), {"Idempotency-Key": fresh("key")}
    slug = fresh("late")
    path = f"/authorization/groups/{world.eng}/role_assignments"
    with service.client() as plain:
        assert plain.post(path, json={"role_slug": slug}, headers=key).status_code == 404
        client.authorization.create_environment_role(slug=slug, name="Late")
        assert plain.post(path, json={"role_slug": slug}, headers=key).status_code == 201


def enforced(monkeypatch: pytest.MonkeyPatch) -> list[Receipt]:
    """The receipts that are enforced from here on."""
    found: list[Receipt] = []
    enforce = Authority.enforce

    def noted(self: Authority, receipt: Receipt) -> Receipt:
        found.append(receipt)
        return enforce(self, receipt)

    monkeypatch.setattr(Authority, "enforce", noted)
    return found


def take_off(plain: httpx.Client, world: Any, key: dict[str, str]) -> httpx.Response:
    path = f"/authorization/groups/{world.eng}/role_assignments"
    return plain.request("DELETE", path, json={"role_slug": world.role}, headers=key)


def test_the_same_answer_waits_for_the_same_enforcement(
    client: Any, service: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was revoked is enforced also when the answer is given again: the first try may have died."""
    world, key = acme(client), {"Idempotency-Key": fresh("key")}
    client.authorization.create_group_role_assignment(world.eng, role_slug=world.role)
    found = enforced(monkeypatch)
    with service.client() as plain:
        for _ in range(2):
            assert take_off(plain, world, key).status_code == 204
    assert [receipt.token for receipt in found] == [found[0].token] * 2
    assert found[1].direction == "revokes"


def test_nothing_is_kept_of_what_failed(
    client: Any, service: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The core's change and what the directory has of it: both or neither."""
    assert groups_after_failure(client, service, monkeypatch) == 1


@on_postgres
def test_without_one_transaction_half_of_it_is_kept(
    client: Any, service: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control. On SQLite the half would wait for the whole, forever."""

    def apart(self: UnitOfWork, organization: str, *changes: Any) -> Receipt:
        return self.authority.apply(changes, organization=organization)

    assert groups_after_failure(client, service, monkeypatch, apply=apart) == 2


def groups_after_failure(
    client: Any, service: Served, monkeypatch: pytest.MonkeyPatch, apply: Any = UnitOfWork.apply
) -> int:
    """How many groups there are when making the second one failed at its last statement."""
    world = acme(client)
    store = service.service.authority.store
    with service.client() as plain, monkeypatch.context() as patched:
        patched.setattr(UnitOfWork, "apply", apply)
        patched.setitem(store.queries, "record_note", "SELECT nothing FROM nowhere")  # type: ignore[attr-defined]
        path = f"/organizations/{world.id}/groups"
        assert plain.post(path, json={"name": "Support"}).status_code >= 500
    ((o, *_),) = store.fetch("read_settings", {"organization": world.id})
    counted = len(store.fetch("read_groups", {"o": o}))
    assert len(client.groups.list_organization_groups(world.id).data) == counted
    return counted


def test_what_only_one_can_have(client: Any, service: Served) -> None:
    """However many want it at the same moment, one gets it, and the others are told."""
    for _ in range(5):
        mark = fresh("wanted")
        body = {"name": mark, "external_id": mark}
        found = at_once(service, lambda plain, body=body: plain.post("/organizations", json=body))
        assert sorted(answer.status_code for answer in found) == [201] + [409] * 5
        assert len(client.organizations.list_organizations(search=mark).data) == 1


def at_once(
    service: Served, send: Callable[[httpx.Client], httpx.Response]
) -> list[httpx.Response]:
    """What six who send at the same time are answered."""
    found, together = [], threading.Barrier(6)

    def one() -> None:
        with service.client() as plain:
            together.wait()
            found.append(send(plain))

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_an_answer_kept_by_version_0_1(
    client: Any, service: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Repeated after the upgrade, a request has its answer, with a token that is good now."""
    world, key = acme(client), {"Idempotency-Key": fresh("key")}
    client.authorization.create_group_role_assignment(world.eng, role_slug=world.role)
    found, store = enforced(monkeypatch), service.service.authority.store
    with service.client() as plain:
        first = take_off(plain, world, key)
        at = store.seals.parse(first.headers["Rescind-Revision"])
        text = f"1.{at.incarnation}.{at.organization}.{at.environment}"
        former = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        numbers = json.dumps([at.incarnation, at.organization, at.environment])
        put = f"replace(receipts, '{numbers}', '\"{former}\"')"
        store.queries["as before"] = ours(
            store,
            f"UPDATE rescind.directory_answer SET receipts = {put} WHERE receipts <> {put}"
            " RETURNING receipts",
        )
        with store.connection() as connection:
            kept = store.fetch("as before", {}, within=connection)
        assert [row[0].count(former) for row in kept] == [2]
        second = take_off(plain, world, key)
    assert second.headers["Rescind-Revision"] == first.headers["Rescind-Revision"]
    assert [receipt.token for receipt in found] == [found[0].token] * 2
