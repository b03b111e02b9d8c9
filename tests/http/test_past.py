"""`at` on the routes of checks and lists: answered as then, in a thread, for keys that may read the log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from rescind import changes
from rescind.decision.past import PastAnswers
from rescind.http.server.nonblocking import NonblockingAuthority
from tests.http.both import WORLD, Both, running
from tests.http.raw import LAST, exchanged
from tests.http.raw import request as asking
from tests.http.serving import Served

ASKED = {"organization": "acme", "subject": "user:ada", "permission": "write", "resource": "doc:1"}
LISTS = {
    "/v1/who-can": {"permission": "write", "resource": "doc:1"},
    "/v1/resources-of": {"subject": "user:ada", "permission": "write"},
    "/v1/permissions-of": {"subject": "user:ada", "resource": "doc:1"},
}


@pytest.fixture(scope="module")
def both(new_shared_database: Callable[[str], str]) -> Iterator[Both]:
    """A service in which Ada has lost what she had at revision 1."""
    with running(new_shared_database("sqlite"), requests_per_second=0.0) as made:
        made.ours.service.authority.apply(
            [changes.RemoveMembership(subject="user:ada")], organization="acme"
        )
        made.keys["reading"] = made.ours.key("check", "read", organization="acme")
        yield made


def ask(served: Served, body: dict[str, Any], key: str, path: str = "/v1/check") -> tuple[int, Any]:
    """The status and the body of an answer to a POST."""
    got = exchanged(served, [asking(json.dumps(body).encode(), key=key, path=path), LAST])
    head, _, rest = got.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(rest.partition(b"HTTP/1.1")[0])


def test_a_check_is_answered_as_then(both: Both) -> None:
    """Also with its explanation, and many at once; without `at`, as now."""
    key = both.keys["reading"]
    for served in (both.ours, both.theirs):
        status, found = ask(served, {**ASKED, "at": "1", "explain": True}, key)
        assert (status, found["allowed"], found["decision_point"]) == (200, True, "past")
        assert found["explanation"]["chains"]
        status, now = ask(served, ASKED, key)
        assert (status, now["allowed"], now["reason"]) == (200, False, "no_membership")
        status, again = ask(served, {**ASKED, "at": found["revision"]}, key)
        assert (status, again["allowed"]) == (200, True)
        triple = {name: value for name, value in ASKED.items() if name != "organization"}
        batch = {"organization": "acme", "checks": [triple], "at": "1"}
        status, many = ask(served, batch, key, "/v1/check/batch")
        assert (status, [each["allowed"] for each in many["decisions"]]) == (200, [True])


@pytest.mark.parametrize("path", LISTS)
def test_lists_are_as_then(both: Both, path: str) -> None:
    """Each of the three."""
    with both.ours.client(both.keys["reading"]) as client:
        then = client.get(path, params={**LISTS[path], "at": "1"})
        now = client.get(path, params=LISTS[path])
    assert then.status_code == now.status_code == 200
    assert set(now.json()["items"]) < set(then.json()["items"])


def test_the_past_is_for_keys_that_may_read_the_log(both: Both) -> None:
    """A key for checks alone is told which scope it lacks."""
    key = both.keys["bound"]
    for served in (both.ours, both.theirs):
        status, found = ask(served, {**ASKED, "at": "1"}, key)
        assert (status, found["code"]) == (403, "scope_missing")
    with both.ours.client(key) as client:
        for path, params in LISTS.items():
            assert client.get(path, params={**params, "at": "1"}).status_code == 403


@pytest.mark.parametrize(
    ("at", "status", "code"),
    [
        ("99", 404, "revision_not_found"),
        ("2001-01-01", 404, "past_unavailable"),
        ("2999-01-01", 400, "invalid_argument"),
        ("2026-01-01T10:00", 400, "invalid_argument"),
        ("nonsense", 400, "invalid_token"),
    ],
)
def test_what_cannot_be_asked(both: Both, at: str, status: int, code: str) -> None:
    """By each kind of route."""
    got, found = ask(both.ours, {**ASKED, "at": at}, both.keys["reading"])
    assert (got, found["code"]) == (status, code)
    with both.ours.client(both.keys["reading"]) as client:
        answer = client.get("/v1/who-can", params={"permission": "write", "at": at})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_bound_key_does_not_see_what_had_its_organizations_name_before(both: Both) -> None:
    """By time, token and number, by checks and lists. A key for all organizations sees it: the control."""
    authority, body = both.ours.service.authority, {**ASKED, "organization": "reused"}
    asked = {"permission": "write", "resource": "doc:1", "organization": "reused"}
    made = authority.apply(WORLD, organization="reused")
    then = datetime.now(UTC).isoformat()
    unbound = both.ours.key("check", "read")
    for at in (then, made.token, "1"):
        assert ask(both.ours, {**body, "at": at}, unbound)[1]["allowed"], at
    authority.apply([changes.DeleteOrganization(cascade=True)], organization="reused")
    authority.apply([changes.CreateOrganization()], organization="reused")
    bound = both.ours.key("check", "read", organization="reused")
    expected = {then: "past_unavailable", made.token: "invalid_token"}
    for at, code in expected.items():
        for served in (both.ours, both.theirs):
            assert ask(served, {**body, "at": at}, bound)[1]["code"] == code
            triple = {name: body[name] for name in ("subject", "permission", "resource")}
            many = {"organization": "reused", "checks": [triple], "at": at}
            assert ask(served, many, bound, "/v1/check/batch")[1]["code"] == code
        with both.ours.client(bound) as client:
            assert client.get("/v1/who-can", params={**asked, "at": at}).json()["code"] == code
    status, found = ask(both.ours, {**body, "at": "1"}, bound)
    assert (status, found["allowed"]) == (200, False)
    assert ask(both.ours, {**body, "at": then}, unbound)[1]["allowed"]


def _found_on_loop(both: Both, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each question about the past, whether it is answered on the event loop."""
    check, found = PastAnswers.check, list[bool]()

    def noted(*arguments: Any) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            found.append(False)
        else:
            found.append(True)
        return check(*arguments)

    monkeypatch.setattr(PastAnswers, "check", noted)
    for served in (both.ours, both.theirs):
        assert ask(served, {**ASKED, "at": "1"}, both.keys["reading"])[0] == 200
    return found


def test_a_question_about_the_past_leaves_the_loop(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind our connections and behind uvicorn's own."""
    found = _found_on_loop(both, monkeypatch)
    assert found
    assert not any(found)


def test_control_where_it_is_taken_for_a_check(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: were nothing between it and the authority, it would be answered on the loop."""

    def check(self: NonblockingAuthority, *names: Any, **options: Any) -> Any:
        return self.authority.check(*names, **options)

    monkeypatch.setattr(NonblockingAuthority, "check", check)
    monkeypatch.setattr(NonblockingAuthority, "store", both.ours.service.authority.store)
    assert any(_found_on_loop(both, monkeypatch))


def test_other_routes_do_not_take_it(both: Both) -> None:
    """AuthZEN's requests know no past."""
    body = {
        "subject": {"type": "user", "id": "ada"},
        "action": {"name": "write"},
        "resource": {"type": "doc", "id": "1"},
        "at": "1",
    }
    status, found = ask(both.ours, body, both.keys["reading"], "/access/v1/evaluation")
    assert status in (200, 400)
    assert found.get("decision") is not True
