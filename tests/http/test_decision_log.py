"""A decision over HTTP is logged once, with the ids of the request, the trace and the key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pytest

from rescind import Authority, DecisionLog
from rescind.decision.past import PastAnswers
from rescind.decision.router import DecisionRouter
from rescind.decision_log import DecisionRecorder
from rescind.errors import DecisionUnavailable
from rescind.http import workos
from rescind.http.app import OURS
from rescind.http.authzen import routes as authzen
from rescind.http.keys import Keys
from rescind.http.routes import checks
from rescind.http.server import decisions
from tests.contract.world import WORLD
from tests.http.serving import Served

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "x-request-id": "request-1"}
ADA = {"subject": "user:ada", "permission": "write", "resource": "doc:1"}
BOB = {"subject": "user:bob", "permission": "purge", "resource": "doc:1"}


def evaluation(subject: str, action: str, resource: str = "1", **context: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "subject": {"type": "user", "id": subject},
        "action": {"name": action},
        "resource": {"type": "doc", "id": resource},
    }
    return {**found, "context": {"rescind": context}} if context else found


ITEMS = [
    evaluation("ada", "write"),
    evaluation("bob", "write"),
    evaluation("ada", "write", assurance="live"),
    evaluation("a\nb", "write"),
]
ROADS: dict[str, list[tuple[Any, list[bool]]]] = {
    "/v1/check": [
        ({"organization": "acme", **ADA}, [True]),
        ({"organization": "acme", **BOB}, [False]),
        ({"organization": "acme", **ADA, "explain": True}, [True]),
        ({"organization": "acme", **ADA, "assurance": "live"}, [True]),
    ],
    "/v1/check/batch": [
        ({"organization": "acme", "checks": [ADA, {**ADA, "subject": "user:bob"}]}, [True, False]),
        ({"organization": "acme", "checks": [ADA, BOB]}, [True, False]),
    ],
    "/access/v1/evaluation": [
        (evaluation("ada", "write"), [True]),
        (evaluation("ada", "write", explain=True), [True]),
        (evaluation("a\nb", "write"), [False]),
    ],
    "/access/v1/evaluations": [({"evaluations": ITEMS}, [True, False, True, False])],
    "/o/acme/access/v1/evaluation": [(evaluation("ada", "write"), [True])],
    "/o/acme/access/v1/evaluations": [({"evaluations": ITEMS}, [True, False, True, False])],
    "/authorization/organization_memberships/{membership}/check": [
        (
            {"permission_slug": "write", "resource_type_slug": "doc", "resource_external_id": "1"},
            [True],
        )
    ],
}
"""Each address that decides: bodies, and the answers that are to be in the log."""


@dataclass
class Logging:
    """A service whose decisions are logged."""

    served: Served
    authority: Authority
    key: str
    membership: str

    def lines_of(
        self, path: str, *bodies: Any, at_least: str | None = None
    ) -> list[Mapping[str, Any]]:
        """What requests to a path log."""
        lines: list[Mapping[str, Any]] = []
        options = DecisionLog("all", to=lines.append, close_seconds=30.0)
        router = DecisionRouter(
            self.authority.store,
            None,
            lambda: 0,  # type: ignore[arg-type, return-value]
            check_seconds=30.0,
            instruments=self.authority.instruments,
        )
        recorder = DecisionRecorder(options, router.explanation, self.authority.instruments)
        service = self.served.service
        self.authority.decision_log = recorder
        service.__post_init__()
        headers = HEADERS if at_least is None else {**HEADERS, "Rescind-At-Least": at_least}
        with self.served.client(self.key) as client:
            client.headers.update(headers)
            for body in bodies:
                self.status = client.post(
                    path.format(membership=self.membership), json=body
                ).status_code
        recorder.close()
        self.authority.decision_log = None
        service.__post_init__()
        return [line for line in lines if "event" not in line]


@pytest.fixture(scope="module")
def logging(shared_server: Served, new_shared_database: Callable[[str], str]) -> Iterator[Logging]:
    """On SQLite, with `acme` in memory."""
    service = shared_server.service
    with Authority.open(new_shared_database("sqlite"), index=True) as authority:
        authority.apply(WORLD, organization="acme")
        authority.load("acme")
        service.authority, service.keys = authority, Keys(authority.store)
        service.__post_init__()
        admin = service.keys.create("admin", ["admin"], organization="acme")[1]
        unbound = service.keys.create("admin", ["admin"])[1]
        served = Served(service, shared_server.url, admin)
        with served.client(unbound) as client:
            (organization,) = client.get("/organizations").json()["data"]
            told = client.get(
                "/user_management/organization_memberships",
                params={"organization_id": organization["id"]},
            ).json()["data"]
        (membership,) = [m["id"] for m in told if m["user_id"].endswith("ada")]
        yield Logging(served, authority, admin, membership)


@pytest.mark.parametrize("path", ROADS)
@pytest.mark.parametrize("is_fresh", [False, True])
def test_every_address_logs_each_decision_once(logging: Logging, path: str, is_fresh: bool) -> None:
    """Whether the event loop answers it or a thread; with the ids of the request."""
    token = logging.authority.check("user:ada", "read", organization="acme").token
    for body, answers in ROADS[path]:
        lines = logging.lines_of(path, body, at_least=token if is_fresh else None)
        assert logging.status == 200
        assert sorted(line["allowed"] for line in lines) == sorted(answers)
        assert {(line["request_id"], line["trace_id"]) for line in lines} == {("request-1", TRACE)}
        (key_id,) = {line["key_id"] for line in lines}
        assert key_id in logging.key
        assert logging.key not in str(lines)


def test_every_address_that_decides_is_tried() -> None:
    """Those that are said to be checks, and the fast routes."""
    handlers = [h for h in [*OURS, *workos.HANDLERS] if h.opt.get("is_check")] + checks.ROUTES
    paths = {path for handler in handlers for path in handler.paths}
    paths |= {*checks.FAST_ROUTES, *authzen.FAST_ROUTES}
    shown = {
        path.replace("{organization:str}", "acme").replace("{membership_id:str}", "{membership}")
        for path in paths
    }
    assert shown == set(ROADS)


def test_what_the_event_loop_gives_up_is_not_logged_twice(
    logging: Logging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop decides some items, comes to one that must wait; a thread decides all. (Control: it is.)"""
    path, body = "/access/v1/evaluations", {"evaluations": ITEMS[:3]}
    logging.lines_of(path, body)  # from now on its key is known
    assert len(logging.lines_of(path, body)) == 3
    monkeypatch.setattr(decisions, "held", lambda *_: nullcontext())
    assert len(logging.lines_of(path, body)) > 3


def test_what_was_never_decided_is_a_line(
    logging: Logging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where no thread was free in time. What is refused before, is none."""

    def check(*_: Any, **__: Any) -> None:
        raise DecisionUnavailable(why="no thread")

    body = {"organization": "acme", **ADA}
    with monkeypatch.context() as patched:
        patched.setattr(logging.authority, "check", check)
        (line,) = logging.lines_of("/v1/check", {**body, "assurance": "live"})
        assert logging.status == 503
    assert (line["error"], line["allowed"]) == ("decision_unavailable", None)
    assert line["request_id"] == "request-1"
    assert logging.lines_of("/v1/check", {"organization": "other", **ADA}, {"subject": 7}) == []
    assert logging.status == 400


def test_a_failed_question_about_the_past_is_no_line(
    logging: Logging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no decision. Control: it is a line where it is taken for one."""

    def find(*_: Any) -> None:
        raise DecisionUnavailable(why="others ask")

    monkeypatch.setattr(PastAnswers, "check", find)
    monkeypatch.setattr(PastAnswers, "check_many", find)
    triple = {"organization": "acme", "checks": [ADA], "at": "1"}
    roads = {"/v1/check": {"organization": "acme", **ADA, "at": "1"}, "/v1/check/batch": triple}
    for path, body in roads.items():
        assert logging.lines_of(path, body) == []
        assert logging.status == 503
    monkeypatch.setattr(decisions, "leave_out", lambda _: None)
    assert len(logging.lines_of(*roads.popitem())) == 1


def test_lists_and_searches_log_nothing(logging: Logging) -> None:
    """Although a check may be made for one."""
    search = {**evaluation("ada", "write"), "resource": {"type": "organization"}}
    assert logging.lines_of("/access/v1/search/resource", search) == []
    assert logging.status == 200
