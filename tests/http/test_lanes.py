"""Checks that are answered as they are read: the same answers as by the application, in their order."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from rescind import Authority, changes
from rescind.decision.watch import FileWatch
from rescind.http import admission
from rescind.http.admission import Admission
from rescind.http.app import application
from rescind.http.gate import Answered, Gate
from rescind.http.keys import Keys
from rescind.http.limits import Limits, Rates
from rescind.http.service import Service
from rescind.http.serving import on_wires
from tests.contract.world import WORLD
from tests.http.raw import LAST, answers, connect, exchanged, request
from tests.http.serving import Served, serving

ASKED = {"organization": "acme", "subject": "user:ada", "permission": "write", "resource": "doc:1"}
LEAVE = changes.RemoveMembers(group="eng", members=("user:ada",))
JOIN = changes.AddMembers(group="eng", members=("user:ada",))


@dataclass
class Both:
    """One service behind our connections and behind uvicorn's own."""

    ours: Served
    theirs: Served
    keys: dict[str, str]
    at_once: list[bool] = field(default_factory=list)
    """Of each POST that was asked of a lane, whether it was answered without the application."""


@contextmanager
def running(database: str, **limits: Any) -> Iterator[Both]:
    with Authority.open(database, index=True) as authority:
        authority.apply(WORLD, organization="acme")
        authority.load("acme")
        service = Service(authority, Keys(authority.store), limits=Limits(**limits))
        gate, at_once = application(service), []
        ask = gate.at_once

        def noted(*arguments: Any) -> Answered | Admission | None:
            found = ask(*arguments)
            at_once.append(isinstance(found, Answered))
            return found

        gate.at_once = noted  # type: ignore[method-assign]
        with serving(service, gate=gate) as ours, serving(service, http="httptools") as theirs:
            keys = {
                "check": ours.key("check"),
                "bound": ours.key("check", organization="acme"),
                "other": ours.key("check", organization="beta"),
                "write": ours.key("write"),
                "none": "",
                "unknown": ours.admin[:-1] + "_",
            }
            yield Both(ours, theirs, keys, at_once)


@pytest.fixture(scope="module")
def both(new_shared_database: Callable[[str], str]) -> Iterator[Both]:
    """For all tests of the module, which leave the facts as they are."""
    limits = {"requests_per_second": 0.0, "batch_checks": 5, "depth": 6, "body_bytes": 2_000}
    with running(new_shared_database("sqlite"), **limits) as made:
        yield made


def same(both: Both, pieces: list[bytes]) -> list[tuple[bytes, dict[bytes, bytes], bytes]]:
    """The answers, which are the same on both."""
    ours, theirs = (answers(exchanged(each, pieces)) for each in (both.ours, both.theirs))
    assert ours == theirs
    return ours


# --- the same answers -----------------------------------------------------------------------------

SUBJECTS = st.sampled_from(["user:ada", "ada", "user:bob", "agent:bot", "user:no", "", "é", "\x00"])
PERMISSIONS = st.sampled_from(["read", "write", "purge", "none", "*"])
RESOURCES = st.sampled_from([None, "doc:1", "folder:b", "doc:none", "doc", "organization"])
QUESTIONS = st.fixed_dictionaries(
    {"subject": SUBJECTS, "permission": PERMISSIONS},
    optional={"resource": RESOURCES, "extra": st.just(1)},
)
COMMON = {
    "organization": st.sampled_from(["acme", "beta", "", None]),
    "assurance": st.sampled_from(["standard", "live", "none"]),
}
CHECKS = st.fixed_dictionaries(
    {"subject": SUBJECTS, "permission": PERMISSIONS},
    optional={"resource": RESOURCES, "explain": st.booleans(), **COMMON},
)
BATCHES = st.fixed_dictionaries({"checks": st.lists(QUESTIONS, max_size=7)}, optional=COMMON)
EVALUATIONS = st.fixed_dictionaries(
    {
        "subject": st.just({"type": "user", "id": "ada"}),
        "action": st.fixed_dictionaries({"name": PERMISSIONS}),
        "resource": st.sampled_from([{"type": "doc", "id": "1"}, {"type": "doc"}, 1]),
    },
    optional={"context": st.just({"rescind": {"explain": True}}), "evaluations": st.just([{}])},
)
PATHS = st.sampled_from(
    [
        "/v1/check",
        "/v1/check/batch",
        "/access/v1/evaluation",
        "/access/v1/evaluations",
        "/v1/check?x=1",
        "/v1/check/",
        "/v1/%63heck",
        "/v1/changes",
        "http://x/v1/check",
        "/o/acme/access/v1/evaluation",
    ]
)
BODIES = st.one_of(
    st.one_of(CHECKS, BATCHES, EVALUATIONS).map(lambda asked: json.dumps(asked).encode()),
    st.just(json.dumps(ASKED).encode()),
    st.sampled_from([b"", b"{", b"[" * 9 + b"]" * 9, b'"\xff"', b" " * 2_500, b"\r\n\r\n{}"]),
)
LINES = st.lists(
    st.sampled_from(
        [
            "Content-Type: text/plain",
            "Content-Type: application/json; charset=utf-8",
            "X-Request-ID: of/two",
            "Rescind-At-Least: nonsense",
            "Rescind-At-Least: MS4xLjk5LjA",
            "Authorization: Basic abc",
            "Expect: 100-continue",
            "Upgrade: h2c",
            "X-Forwarded-Proto: https",
        ]
    ),
    max_size=2,
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, bytes]:
    """The name of a key, and a request in which KEY stands for it."""
    more = ["X-Request-ID: given", *draw(LINES)]
    key = draw(st.sampled_from(["check", "bound", "other", "write", "none", "unknown"]))
    sent = request(draw(BODIES), draw(PATHS), key="KEY" if key != "none" else "", more=more)
    method = draw(st.sampled_from([b"POST"] * 6 + [b"GET", b"HEAD", b"PUT"]))
    return key, method + sent[len(b"POST") :]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(requests(), min_size=1, max_size=4), st.data())
def test_the_same_answers(both: Both, made: list[tuple[str, bytes]], data: st.DataObject) -> None:
    """Whatever is asked, with whatever key, one after the other on a connection, however it is cut."""
    whole = b"".join(sent.replace(b"KEY", both.keys[key].encode(), 1) for key, sent in made)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=3)))
    ends = [0, *cuts, len(whole)]
    pieces = [whole[a:b] for a, b in itertools.pairwise(ends)]
    if any(sent.startswith(b"HEAD") for _, sent in made):  # the size is not that of what follows
        ours, theirs = (exchanged(each, [*pieces, LAST]) for each in (both.ours, both.theirs))
        assert undated(ours) == undated(theirs)
    else:
        same(both, [*pieces, LAST])


def undated(got: bytes) -> list[bytes]:
    return [line for line in got.split(b"\r\n") if not line.startswith((b"date: ", b"allow: "))]


def test_checks_are_answered_as_they_are_read(both: Both) -> None:
    """Alone, and one behind the other; not what needs a database, and not what is refused."""
    ask = request(json.dumps(ASKED).encode(), key=both.keys["check"], more=["X-Request-ID: a"])
    exchanged(both.ours, [ask, LAST])  # the use of the key is noted, which goes to the database
    both.at_once.clear()
    assert [status for status, _, _ in same(both, [ask, LAST])] == [b"HTTP/1.1 200 OK"] * 2
    assert both.at_once == [True]
    assert len(same(both, [ask * 5 + LAST])) == 6
    assert both.at_once == [True] * 6
    assert same(both, [ask.replace(b"/json", b"/none"), LAST])[0][0].endswith(b"400 Bad Request")
    assert not any(both.at_once[6:])


@pytest.mark.parametrize("last", ["Connection: close", "HTTP/1.0", "HTTP/1.0 and keep-alive"])
def test_the_end_of_a_connection(both: Both, last: str) -> None:
    """Comes after the answer, and nothing that follows is done."""
    ask = request(json.dumps(ASKED).encode(), key=both.keys["check"], more=["X-Request-ID: a"])
    if last.startswith("Connection"):
        end = ask.replace(b"Host: x", b"Host: x\r\nConnection: close")
    else:
        end = ask.replace(b"HTTP/1.1", b"HTTP/1.0")
        if last.endswith("keep-alive"):
            end = end.replace(b"Host: x", b"Host: x\r\nConnection: keep-alive")
    found = same(both, [ask + end])
    assert len(found) == 2
    assert found[1][1][b"connection"] == b"close"


def test_more_than_one_turn(both: Both) -> None:
    """Requests beyond what is answered in one go are answered after it, in their order."""
    asks = [
        request(
            json.dumps({**ASKED, "permission": ("read", "purge")[n % 7 == 3]}).encode(),
            key=both.keys["check"],
            more=[f"X-Request-ID: {n}"],
        )
        for n in range(60)
    ]
    found = same(both, [b"".join(asks), LAST])
    assert [int(headers[b"x-request-id"]) for _, headers, _ in found[:-1]] == list(range(60))


def test_no_rule_is_lost(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: with the rules of admission off for what is answered at once, the answers differ."""
    ask = request(
        json.dumps(ASKED).encode(),
        key=both.keys["check"],
        more=["X-Request-ID: a", "Content-Type: text/plain"],
    )
    same(both, [ask, LAST])

    def careless(service: Service, _: str, headers: Any, body: bytes) -> Admission | None:
        return Admission(service.keys.recognize(admission.key_of(headers) or ""), body)

    monkeypatch.setattr(admission, "at_once", careless)
    with pytest.raises(AssertionError):
        same(both, [ask, LAST])


# --- rates, revocations ---------------------------------------------------------------------------


def test_the_rate_counts_once(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that is tried at once and goes to the application is one request."""
    spent: list[str] = []
    spend = Rates.spend

    def noted(self: Rates, key: str) -> None:
        spent.append(key)
        spend(self, key)

    monkeypatch.setattr(Rates, "spend", noted)
    with running(new_database("sqlite"), requests_per_second=4.0) as made:
        for body in (json.dumps(ASKED).encode(), b"{"):
            exchanged(made.ours, [request(body, key=made.keys["check"]), LAST])
        assert len(spent) == 2
        many = request(json.dumps(ASKED).encode(), key=made.keys["check"]) * 40
        found = answers(exchanged(made.ours, [many, LAST]))
        assert b"HTTP/1.1 429 Too Many Requests" in {status for status, _, _ in found}


@contextmanager
def unseeing(watch: FileWatch) -> Iterator[None]:
    """As `together`, without the look."""
    watch._seen.is_together = True
    yield
    watch._seen.is_together = False


@pytest.mark.parametrize("looks", [True, False])
def test_what_another_process_revokes(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, looks: bool
) -> None:
    """Is denied at once, also where many are answered together. Control: not if nobody looks."""
    database = new_database("sqlite")
    with running(database) as made, Authority.open(database, organization="acme") as other:
        asks = [json.dumps(ASKED)] * 4
        key = made.keys["check"]
        exchanged(made.ours, [request(asks[0].encode(), key=key), LAST])
        if not looks:
            monkeypatch.setattr(FileWatch, "together", unseeing)
        with ExitStack() as stack:
            clients = [stack.enter_context(connect(made.ours)) for _ in asks]
            for _ in range(20 if looks else 1):
                for change, expected in ((LEAVE, b"false"), (JOIN, b"true")):
                    other.apply([change])
                    for client, ask in zip(clients, asks, strict=True):
                        client.sendall(request(ask.encode(), key=key))
                    got = [client.recv(65_536) for client in clients]
                    are_right = [b'"allowed":' + expected in each for each in got]
                    assert all(are_right) or (not looks and not any(are_right))
                    if not looks:
                        return
        assert made.at_once.count(True) > 100


def test_one_look_for_those_that_had_begun(new_database: Callable[[str], str]) -> None:
    """It sees what was written before; what is written later is seen after."""
    database = new_database("sqlite")
    with (
        Authority.open(database, organization="acme", index=True) as authority,
        Authority.open(database, organization="acme") as other,
    ):
        authority.apply(WORLD)
        authority.load()
        question = ("user:ada", "write", "doc:1")
        assert authority.check(*question)
        other.apply([LEAVE])
        with authority.together():
            assert not authority.check(*question)
            other.apply([JOIN])
        assert authority.check(*question)
        with authority.together():
            assert authority.check(*question)


# --- slow readers ---------------------------------------------------------------------------------


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.calls: list[str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return "close" in self.calls

    def close(self) -> None:
        self.calls.append("close")

    def pause_reading(self) -> None:
        self.calls.append("pause_reading")

    def resume_reading(self) -> None:
        self.calls.append("resume_reading")


@pytest.mark.parametrize("is_paused", [True, False])
def test_who_does_not_read_is_not_read_from(
    new_database: Callable[[str], str], is_paused: bool
) -> None:
    """Nothing is answered while the client takes nothing, and no more is read. Control: else it is."""
    with Authority.open(new_database("sqlite"), index=True) as authority:
        authority.apply(WORLD, organization="acme")
        keys = Keys(authority.store)
        key = keys.create("test", ["check"])[1]
        keys.note_use(keys.recognize(key))
        gate = application(Service(authority, keys))
        ask = request(json.dumps(ASKED).encode(), key=key)
        written, calls = asyncio.run(_fed(gate, ask, is_paused=is_paused))
        assert len(written) == (0 if is_paused else 3)
        assert ("pause_reading" in calls) == is_paused


async def _fed(gate: Gate, ask: bytes, *, is_paused: bool) -> tuple[list[bytes], list[str]]:
    config = on_wires(gate)
    config.load()
    transport = Transport()
    state = ServerState()
    wire: Any = config.http_protocol_class(config=config, server_state=state, app_state={})
    wire.connection_made(transport)
    if is_paused:
        wire.pause_writing()
    wire.data_received(ask * 3)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    found = list(transport.written), list(transport.calls)
    wire.connection_lost(None)
    await asyncio.gather(*state.tasks)
    return found
