"""Checks that are answered as they are read: the same answers as by the application, in their order."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rescind.http.server import admission
from rescind.http.server.admission import Admission
from rescind.http.server.service import Service
from tests.http.both import ASKED, Both, running, same
from tests.http.raw import LAST, exchanged
from tests.http.raw import request as asking


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def both(
    request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]
) -> Iterator[Both]:
    """On each engine in turn, for all tests of the module, which leave the facts as they are."""
    limits = {"requests_per_second": 0.0, "batch_checks": 5, "depth": 6, "body_bytes": 2_000}
    with running(new_shared_database(request.param), **limits) as made:
        yield made


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
            "Content-Encoding: gzip",
            "X-Request-ID: of/two",
            "Rescind-At-Least: nonsense",
            "Rescind-At-Least: NOW",
            "Rescind-At-Least: LATER",
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
    """The name of a key, and a request in which KEY stands for it, NOW and LATER for revision tokens."""
    more = ["X-Request-ID: given", *draw(LINES)]
    key = draw(st.sampled_from(["check", "bound", "other", "write", "none", "unknown"]))
    sent = asking(draw(BODIES), draw(PATHS), key="KEY" if key != "none" else "", more=more)
    if draw(st.sampled_from([False, False, True])):
        sent = chunked(sent)
    method = draw(st.sampled_from([b"POST"] * 6 + [b"GET", b"HEAD", b"PUT"]))
    return key, method + sent[len(b"POST") :]


def chunked(sent: bytes) -> bytes:
    """The same request with its body in two chunks."""
    head, _, body = sent.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    parts = [part for part in (body[:9], body[9:]) if part]
    told = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", told + b"0\r\n\r\n"])


def test_a_large_body_in_chunks(both: Both) -> None:
    """Is refused as one whose size is announced."""
    large = asking(b" " * 2_500, key=both.keys["check"], more=["X-Request-ID: a"])
    for sent in (large, chunked(large)):
        assert b" 413 " in same(both, [sent + LAST])[0][0]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(requests(), min_size=1, max_size=4), st.data())
def test_the_same_answers(both: Both, made: list[tuple[str, bytes]], data: st.DataObject) -> None:
    """Whatever is asked, with whatever key, one after the other on a connection, however it is cut."""
    authority = both.ours.service.authority
    at = authority.check("user:ada", "read", organization="acme").revision
    assert at is not None
    later = authority.store.seals.revision(at.incarnation, at.organization + 9, 0)
    whole = b"".join(sent.replace(b"KEY", both.keys[key].encode(), 1) for key, sent in made)
    whole = whole.replace(b"NOW", at.token().encode()).replace(b"LATER", later.token().encode())
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
    ask = asking(json.dumps(ASKED).encode(), key=both.keys["check"], more=["X-Request-ID: a"])
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
    ask = asking(json.dumps(ASKED).encode(), key=both.keys["check"], more=["X-Request-ID: a"])
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
        asking(
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
    ask = asking(
        json.dumps(ASKED).encode(),
        key=both.keys["check"],
        more=["X-Request-ID: a", "Content-Type: text/plain"],
    )
    same(both, [ask, LAST])

    def careless(
        service: Service, _: str, headers: Any, body: bytes, *, needed: str
    ) -> Admission | None:
        return Admission(service.keys.recognize(admission.key_of(headers) or ""), body)

    monkeypatch.setattr(admission, "at_once", careless)
    with pytest.raises(AssertionError):
        same(both, [ask, LAST])
