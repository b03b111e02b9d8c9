"""Each method of `Authority`, asked of `AsyncAuthority`, `Client` and `AsyncClient`: all say the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from rescind import Authority, changes
from rescind.client import LEFT_OUT, AsyncClient, Client
from rescind.client.clients import METHODS
from rescind.errors import RescindError
from rescind.model import LineDecision, Verdict
from rescind.store import open_store
from tests.clock import SettableClock
from tests.conftest import Make
from tests.contract.test_aio import PUBLIC
from tests.contract.test_aio_contract import METHODS as ON_A_LOOP
from tests.contract.test_aio_contract import facing as on_a_loop
from tests.http.over_http import facing
from tests.http.serving import Served

NOW = datetime(2090, 1, 1, tzinfo=UTC)
ADA = ("user:ada", "write", "doc:1")
Call = Callable[[Any], Any]


def work(asked: Any) -> Any:
    return asked.pending()[0]


def keep(asked: Any) -> list[LineDecision]:
    return [LineDecision(line.line, Verdict.KEEP) for line in asked.review_lines("2030")]


TOUR: dict[str, Call] = {
    "check": lambda asked: asked.check(*ADA, assurance="live"),
    "check_many": lambda asked: asked.check_many([ADA, ("user:cyd", "write", None)]),
    "explain": lambda asked: asked.explain(*ADA),
    "permissions_of": lambda asked: asked.permissions_of("user:ada", "doc:1", limit=1),
    "resources_of": lambda asked: asked.resources_of("user:ada", "write", limit=2),
    "who_can": lambda asked: asked.who_can("read", limit=1),
    "list_assignments": lambda asked: asked.list_assignments("group:eng", effective=True),
    "list_expiring": lambda asked: asked.list_expiring(),
    "list_groups": lambda asked: asked.list_groups("user:ada"),
    "list_members": lambda asked: asked.list_members("staff", effective=True, limit=1),
    "list_memberships": lambda asked: asked.list_memberships(subject_kind="agent"),
    "list_permissions": lambda asked: asked.list_permissions("writer"),
    "list_resources": lambda asked: asked.list_resources("folder:a"),
    "list_roles": lambda asked: asked.list_roles(limit=2),
    "look_alikes": lambda asked: asked.look_alikes(),
    "preview": lambda asked: asked.preview([changes.DeleteRole(role="reader", cascade=True)]),
    "apply": lambda asked: asked.apply(
        [changes.RemoveMembers(group="eng", members=("ada",))],
        route="background",
        detail=True,
        reason="left",
    ),
    "pending": lambda asked: asked.pending(),
    "park": lambda asked: asked.park(work(asked)),
    "retry": lambda asked: asked.retry(work(asked)),
    "start_review": lambda asked: asked.start_review("2030"),
    "find_review": lambda asked: asked.find_review("2030"),
    "list_reviews": lambda asked: asked.list_reviews(),
    "review_lines": lambda asked: list(asked.review_lines("2030")),
    "apply_review": lambda asked: asked.apply_review("2030", keep(asked)),
    "verify_reviews": lambda asked: asked.verify_reviews("2030", decisions=keep(asked)),
    "access_history": lambda asked: asked.access_history("user:ada"),
    "log": lambda asked: list(asked.log(after=1)),
    "log_page": lambda asked: asked.log_page(limit=1),
    "log_heads": lambda asked: list(asked.log_heads(organization="acme")),
    "verify_log": lambda asked: list(asked.verify_log(organization="acme")),
    "actions": lambda asked: [action.kind for action in asked.actions(organization="acme")],
}
"""What both an authority and the service offer, in an order in which each has something to say."""
BESIDE: dict[str, Call] = {
    "count_review": lambda asked: asked.count_review("2030"),
    "review_lines_of": lambda asked: asked.review_lines_of(
        "2030", [line.line for line in asked.review_lines("2030")][:1]
    ),
    "similar_organizations": lambda asked: asked.similar_organizations("acne"),
    "unknown_names": lambda asked: asked.unknown_names(subject="user:adda", permission="raed"),
    "has_due_work": lambda asked: asked.has_due_work(),
    "reconcile": lambda asked: asked.reconcile("eng"),
    "load": lambda asked: asked.load(),
    "enforce": lambda asked: asked.enforce(
        asked.apply([changes.RemoveMembership(subject="user:bob")], wait="recorded")
    ),
    "audit_replay": lambda asked: asked.audit_replay(),
    "prune_log": lambda asked: asked.prune_log(1, dry_run=True),
}
"""What only an authority offers, afterwards."""
REFUSED: dict[str, Call] = {
    "check, refused": lambda asked: asked.check("user:ada", "no such"),
    "explain, refused": lambda asked: asked.explain("user:ada", "read", at_least="x"),
    "who_can, refused": lambda asked: asked.who_can("read", limit=0),
    "apply, refused": lambda asked: asked.apply([changes.DeleteGroup(group="nowhere")]),
    "list_members, refused": lambda asked: asked.list_members("nowhere"),
    "list_groups, refused": lambda asked: asked.list_groups(organization="nowhere"),
    "find_review, refused": lambda asked: asked.find_review("none"),
    "verify_reviews, refused": lambda asked: asked.verify_reviews("none"),
    "log, refused": lambda asked: list(asked.log(after=-1)),
    "access_history, refused": lambda asked: asked.access_history("user:nobody"),
}
VARIES = re.compile(
    r"(?<=token )[\w-]+|\b(?:next_cursor|actor|idempotency_key|digest|decisions|request)='[^']*'|"
    r"idempotency_key=None|"
    r"\b(?:revision=(?:Revision\(|<Revision )|link=ChainLink\(content=Content\()[^)>]*[)>](?:, [^)]*\))?|"
    r"link=None|\b(?:enforcement_seconds|lag_seconds|organization_number|action)=[\d.e-]+|"
    r"datetime\.datetime\(20[0-8][^)]*\)"
)
"""Of what is shown, what differs between two authorities, or is not told over HTTP: tokens, digests, actors,
times of the real clock, numbers within the database.
"""


def told(tour: dict[str, Call], asked: Any) -> dict[str, str]:
    """What each method says, as text."""
    found = {}
    for name, call in tour.items():
        try:
            found[name] = VARIES.sub("~", repr(call(asked)))
        except RescindError as error:
            found[name] = VARIES.sub("~", f"{type(error).__name__} {error} {error.facts}")
    return found


@contextmanager
def opened(make: Make) -> Iterator[Authority]:
    """An authority whose organization has the facts of WORLD; its clock stands still."""
    store = open_store(make("sqlite", is_filled=True))
    with Authority(store, organization="acme", clock=SettableClock(NOW)) as authority:
        yield authority


@pytest.fixture(scope="module")
def expected(new_shared_database: Make) -> dict[str, str]:
    """What an authority says."""
    with opened(new_shared_database) as authority:
        return told(REFUSED | TOUR | BESIDE, authority)


def differing(found: dict[str, str], expected: dict[str, str]) -> dict[str, tuple[str, str]]:
    return {name: (found[name], expected[name]) for name in found if found[name] != expected[name]}


def test_each_method_is_asked() -> None:
    """So a new one finds its place here."""
    assert set(METHODS) == set(TOUR)
    assert set(TOUR) | set(BESIDE) == ON_A_LOOP
    assert set(PUBLIC) - ON_A_LOOP <= {"close", "open", "recall", "together", "workers"}
    assert set(BESIDE) <= set(LEFT_OUT)


def test_on_an_event_loop(new_database: Make, expected: dict[str, str]) -> None:
    """Every method, and what it refuses."""
    with opened(new_database) as behind, on_a_loop(behind) as face:
        found = told(REFUSED | TOUR | BESIDE, face)
    assert found.keys() == expected.keys()
    assert not differing(found, expected)


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_over_http(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    new_database: Make,
    expected: dict[str, str],
    server: Served,
    client: type,
) -> None:
    """Every method that the service offers, and what it refuses."""
    monkeypatch.setattr(request.module, "CLIENT", client, raising=False)
    with opened(new_database) as behind, facing(request, server, behind) as face:
        found = told(REFUSED | TOUR, face)
        assert set(face.asked) == set(TOUR)
    assert not differing(found, expected)


def test_control_a_difference_is_seen(new_database: Make, expected: dict[str, str]) -> None:
    """One decision that is not what the facts say."""
    with opened(new_database) as behind:
        behind.apply([changes.Assign(role="owner", to="user:cyd")])
        assert {"check_many", "preview"} <= differing(told(TOUR, behind), expected).keys()
