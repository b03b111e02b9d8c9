"""A key that is bound to an organization cannot learn that another one exists, by any route."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rescind import Authority, changes
from rescind.changes import list_from_json
from rescind.http.app import OURS
from rescind.http.auth import Caller
from rescind.http.keys import Keys
from rescind.http.server.service import Service
from tests.contract.world import WORLD
from tests.http.serving import Served, serving

OTHERS = {
    "organization": "rival",
    "subject": "user:ruth",
    "group": "plotters",
    "role": "plotter",
    "permission": "plot",
    "resource": "zplanz:q9q",
}
"""What is there in the other organization only."""
NOWHERE = {
    "organization": "navir",
    "subject": "user:thur",
    "group": "retlops",
    "role": "retlop",
    "permission": "tolp",
    "resource": "znalpz:q8q",
}
"""What is nowhere, each as long as its like."""
RIVAL: list[dict[str, Any]] = [
    {"change": "create_organization"},
    {"change": "define_permission", "permission": "plot"},
    {"change": "define_role", "role": "plotter", "permissions": ["plot"]},
    {"change": "define_resource_type", "type": "zplanz"},
    {"change": "create_resource", "resource": "zplanz:q9q"},
    {"change": "add_membership", "subject": "user:ruth"},
    {"change": "create_group", "group": "plotters"},
    {"change": "add_members", "group": "plotters", "members": ["user:ruth"]},
    {"change": "assign", "role": "plotter", "to": "group:plotters"},
]


@dataclass(frozen=True)
class Ask:
    """A request, made of names."""

    route: str
    method: str
    path: str
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()


def asks(n: dict[str, str]) -> list[Ask]:
    """Every route, with the names; those that name an organization, also without it."""
    o = n["organization"]
    triple = {k: n[k] for k in ("subject", "permission", "resource")}
    kind, _, rest = n["resource"].partition(":")
    entity = {
        "subject": {"type": "user", "id": n["subject"][5:]},
        "action": {"name": n["permission"]},
        "resource": {"type": kind, "id": rest},
    }
    changes = [
        {"change": "add_members", "group": n["group"], "members": [n["subject"]]},
        {"change": "assign", "role": n["role"], "to": n["subject"], "on": n["resource"]},
        {"change": "create_organization"},
        {"change": "delete_organization", "cascade": True},
    ]
    found = []
    for at in ({"organization": o}, {}):
        query = "".join(f"&organization={name}" for name in at.values())
        found += [
            Ask("check", "POST", "/v1/check", {**triple, "explain": True, **at}),
            Ask("check_batch", "POST", "/v1/check/batch", {"checks": [triple], **at}),
            Ask("who_can", "GET", f"/v1/who-can?permission={n['permission']}{query}"),
            Ask("who_can", "GET", f"/v1/who-can?permission=read&resource={n['resource']}{query}"),
            Ask(
                "resources_of",
                "GET",
                f"/v1/resources-of?subject={n['subject']}&permission=read{query}",
            ),
            Ask("permissions_of", "GET", f"/v1/permissions-of?subject={n['subject']}{query}"),
            Ask("list_changes", "GET", f"/v1/changes?limit=10{query}"),
            Ask("list_changes", "GET", f"/v1/changes?group={n['group']}{query}"),
            Ask("list_groups", "GET", f"/v1/groups?holder={n['subject']}{query}"),
            Ask("list_members", "GET", f"/v1/members?group={n['group']}{query}"),
            Ask("list_memberships", "GET", f"/v1/memberships?{query}"),
            Ask("list_roles", "GET", f"/v1/roles?{query}"),
            Ask("list_permissions", "GET", f"/v1/permissions?role={n['role']}{query}"),
            Ask("list_resources", "GET", f"/v1/resources?parent={n['resource']}{query}"),
            Ask("list_assignments", "GET", f"/v1/assignments?holder={n['subject']}{query}"),
            Ask("list_assignments", "GET", f"/v1/assignments?resource={n['resource']}{query}"),
            Ask("list_expiring", "GET", f"/v1/expiring?{query}"),
            Ask("list_look_alikes", "GET", f"/v1/look-alikes?{query}"),
            Ask("read_change", "GET", f"/v1/changes/1?{query}"),
            Ask("list_pending", "GET", f"/v1/pending?{query}"),
            Ask("targets", "GET", f"/v1/targets?{query}"),
            Ask("read_advice", "GET", f"/v1/advice?{query}"),
            Ask("audits", "GET", f"/v1/audits?{query}"),
            Ask("replay", "GET", f"/v1/audits/replay?{query}"),
            Ask("list_actions", "GET", f"/v1/actions?{query}"),
            Ask("read_log_heads", "GET", f"/v1/log/head?{query}"),
            Ask("verify_log", "GET", f"/v1/log/verify?{query}"),
            Ask(
                "verify_log_from",
                "POST",
                "/v1/log/verify",
                {"heads": [{"number": 1, "revision": 1, "digest": "00" * 32}], **at},
            ),
            Ask("list_reviews", "GET", f"/v1/reviews?{query}"),
            Ask("review_lines", "GET", f"/v1/reviews/lines?review={n['group']}{query}"),
            Ask(
                "apply_review",
                "POST",
                "/v1/reviews/apply",
                {"review": n["group"], "decisions": [{"line": "r1", "decision": "keep"}], **at},
            ),
            Ask("verify_reviews", "GET", f"/v1/reviews/verify?{query}"),
            Ask("verify_reviews", "GET", f"/v1/reviews/verify?review={n['group']}{query}"),
            Ask("verify_reviews_from", "POST", "/v1/reviews/verify", {"review": n["group"], **at}),
            Ask("access_history", "GET", f"/v1/access-history?subject={n['subject']}{query}"),
            Ask("access_history", "GET", f"/v1/access-history?permission=read{query}"),
            Ask("park", "POST", "/v1/pending/park", {"group": n["group"], **at}),
            Ask("retry", "POST", "/v1/pending/retry", {"group": n["group"], **at}),
            Ask("list_keys", "GET", f"/v1/keys?{query}"),
        ]
        found += [
            Ask("make_changes", "POST", "/v1/changes", {"changes": [c], "dry_run": dry, **at})
            for c in changes[: 4 if at else 2]
            for dry in (True, False)
        ]
        if at:  # without it, one is started in the organization of the key
            body = {"review": "Q1", "subject": n["subject"], **at}
            found.append(Ask("start_review", "POST", "/v1/reviews", body))
        for headers in ((), (("Content-Type", "application/x-ndjson"),)):
            found.append(
                Ask("import_changes", "POST", f"/v1/import?{query}", {**changes[0], **at}, headers)
            )
    found.append(
        Ask("create_key", "POST", "/v1/keys", {"name": "x", "scopes": ["admin"], "organization": o})
    )
    for at in (f"/o/{o}", ""):
        for name in (
            "evaluation",
            "evaluations",
            "search/subject",
            "search/resource",
            "search/action",
        ):
            route = name.replace("/", "_").replace("search_", "search_")
            found.append(Ask(route, "POST", f"{at}/access/v1/{name}", entity))
        found.append(Ask("discovery", "GET", f"/.well-known/authzen-configuration{at}"))
    return found


@pytest.fixture(scope="module")
def both(new_shared_database: Callable[[str], str]) -> Iterator[Served]:
    """A service of two organizations."""
    with (
        Authority.open(new_shared_database("sqlite")) as authority,
        serving(Service(authority, Keys(authority.store))) as served,
    ):
        authority.apply(WORLD, organization="acme")
        with served.client() as admin:
            body = {"organization": "rival", "changes": RIVAL}
            admin.post("/v1/changes", json=body).raise_for_status()
        yield served


@pytest.fixture(scope="module")
def bound(both: Served) -> Iterator[httpx.Client]:
    """A client whose key may do everything in acme."""
    with both.client(both.key("admin", organization="acme")) as client:
        yield client


def answer(client: httpx.Client, ask: Ask, names: dict[str, str]) -> tuple[int, str]:
    """Status and body, without what differs each time, and with each name as what it stands for."""
    got = client.request(ask.method, ask.path, json=ask.body, headers=dict(ask.headers))
    text = re.sub(r'"request_id":"\w+"|"(since|until)":"[^"]+"', "", got.text)
    for what, name in names.items():
        for part in (name, name.partition(":")[2]):
            text = text.replace(part, f"<{what}>") if part else text
        kind = name.partition(":")[0]
        text = text.replace(kind, "<kind>") if what == "resource" else text
    return got.status_code, text


PAIRS = list(zip(asks(OTHERS), asks(NOWHERE), strict=True))


def test_every_route_is_tried() -> None:
    """But those that name nothing of an organization."""
    tried = {ask.route for ask, _ in PAIRS}
    names = {str(route.handler_name) for route in OURS}
    assert names - tried == {"livez", "readyz", "metrics", "rotate_key", "revoke_key"}


def log_of_rival(both: Served) -> int:
    return len(list(both.service.authority.log(organization="rival")))


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.sampled_from(PAIRS), min_size=1, max_size=4))
def test_what_is_another_organizations_is_as_what_is_nowhere(
    both: Served, bound: httpx.Client, pairs: list[tuple[Ask, Ask]]
) -> None:
    """The same answers, in any order, and nothing is done there."""
    before = log_of_rival(both)
    for ask, like in pairs:
        assert answer(bound, ask, OTHERS) == answer(bound, like, NOWHERE), ask
    assert log_of_rival(both) == before
    assert both.service.authority.check("user:ruth", "plot", organization="rival")


def test_each_pair_once(both: Served, bound: httpx.Client) -> None:
    """Every route with every name, whatever the draw."""
    for ask, like in PAIRS:
        assert answer(bound, ask, OTHERS) == answer(bound, like, NOWHERE), ask


def test_without_the_binding_they_differ(
    both: Served, bound: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: each route that names an organization would tell."""
    monkeypatch.setattr(Caller, "organization_for", lambda _, named: named or "acme")
    pairs = [pair for pair in PAIRS if pair[0].route in ("check", "list_changes", "evaluation")]
    differ = {
        ask.route
        for ask, like in pairs
        if answer(bound, ask, OTHERS) != answer(bound, like, NOWHERE)
    }
    assert differ == {"check", "list_changes", "evaluation"}


def test_of_a_deleted_one_of_its_name_nothing_is_seen(both: Served) -> None:
    """A new tenant learns nothing of an earlier one of its name, nor what is left of that to clear away."""
    authority, name = both.service.authority, "again"
    secret = [{**change, "name": "Formerly"} for change in RIVAL[:1]] + RIVAL[1:]
    former = authority.apply(list_from_json(json.dumps(secret)), organization=name)
    authority.apply(
        [changes.DeleteOrganization(cascade=True)], organization=name, route="background"
    )
    authority.apply([changes.CreateOrganization()], organization=name)
    key = both.service.keys.create("new", ["admin"], organization=name)[1]
    with both.client(key) as client:
        assert client.get("/v1/pending").json() == {"pending": []}
        for path in ("/v1/changes", "/v1/keys", "/events", "/organizations"):
            text = client.get(path).text
            assert "Formerly" not in text, path
            assert "plot" not in text, path
        token = {"Rescind-At-Least": former.token}
        asked = {"subject": "ruth", "permission": "plot"}
        answer = client.post("/v1/check", json=asked, headers=token)
        assert answer.json()["code"] == "invalid_token"
    with both.client() as operator:
        assert [each["kind"] for each in operator.get("/v1/pending").json()["pending"]]


def test_keys_and_tokens_of_others(both: Served, bound: httpx.Client) -> None:
    """As unknown as those that are nowhere."""
    key, _ = both.service.keys.create("theirs", ["read"], organization="rival")
    unbound, _ = both.service.keys.create("everybody's", ["read"])
    for other, (method, path) in itertools.product(
        (key.id, unbound.id), (("DELETE", "/v1/keys/{}"), ("POST", "/v1/keys/{}/rotate"))
    ):
        body = {} if method == "POST" else None
        answers = {
            bound.request(method, path.format(k), json=body)
            .text.replace(k, "")
            .partition("request_id")[0]
            for k in (other, "0123456789abcdef")
        }
        assert len(answers) == 1
        assert "api_key_not_found" in answers.pop()
    listed = {each["organization"] for each in bound.get("/v1/keys").json()["keys"]}
    assert listed == {"acme"}
    token = both.service.authority.check("user:ruth", "plot", organization="rival").token
    asked = {"subject": "ada", "permission": "read"}
    answers = {
        bound.post("/v1/check", json=asked, headers={"Rescind-At-Least": str(t)}).json()["code"]
        for t in (token, "MS45OS4xLjE")
    }
    assert answers == {"invalid_token"}


def test_a_bound_key_makes_only_bound_keys(both: Served, bound: httpx.Client) -> None:
    """Whether it names the organization or not."""
    for body in ({}, {"organization": "acme"}):
        made = bound.post("/v1/keys", json={"name": "x", "scopes": ["admin"], **body}).json()
        assert made["key"]["organization"] == "acme"
