"""Hostile clients: whatever they send, or do not, others are served."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rescind import Authority
from rescind.http.keys import Keys
from rescind.http.server.limits import Limits
from rescind.http.server.service import Service
from tests.http.raw import whole_answer
from tests.http.serving import Served, serving

MANY = int(os.environ.get("RESCIND_TEST_MANY", "300"))
"""How many connections are dropped."""
ASKED = {"organization": "acme", "subject": "ada", "permission": "read"}


def connect(served: Served) -> socket.socket:
    host, _, port = served.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=20)


def request(served: Served, body: bytes = b"{}", path: str = "/v1/check") -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {served.admin}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def exchanged(served: Served, sent: bytes, *, is_whole: bool = False) -> bytes:
    """What comes back until the server closes; what is not whole is followed by our own end."""
    with connect(served) as connection:
        got = b""
        try:
            connection.sendall(sent)
            if not is_whole:
                connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65_536):
                got += piece
        except ConnectionError:
            pass
        return got


def others_are_served(onlooker: httpx.Client) -> bool:
    return bool(onlooker.post("/v1/check", json=ASKED).raise_for_status().json()["allowed"])


def no_5xx(got: bytes) -> bool:
    return not any(
        line.startswith(b"HTTP/1.1 5") for line in got.replace(b"\r\n", b"\n").split(b"\n")
    )


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, bytes]:
    """A route, and what to do to a request for it: bytes put in, taken out, or altered."""
    path = draw(
        st.sampled_from(
            [
                "/v1/check",
                "/v1/changes",
                "/v1/import",
                "/access/v1/evaluations",
                "/v1/keys",
                "/livez",
            ]
        )
    )
    body = draw(
        st.one_of(
            st.binary(max_size=200),
            st.sampled_from([b"[" * 5_000, b'{"a":' * 3_000, b'{"checks":[' + b"{}," * 500]),
            st.text(max_size=50).map(lambda text: text.encode("utf-8", "surrogatepass")),
        )
    )
    return path, body


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(spoiled(), st.data())
def test_raw_bytes(
    shared: Served, onlooker: httpx.Client, made: tuple[str, bytes], data: st.DataObject
) -> None:
    """Never a 5xx, and never an end of the service."""
    whole = request(shared, made[1], made[0])
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(whole)))
        cut = data.draw(st.integers(0, 20))
        whole = whole[:place] + data.draw(st.binary(max_size=20)) + whole[place + cut :]
    assert no_5xx(exchanged(shared, whole))
    assert others_are_served(onlooker)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "/%",
        "/%00",
        "/%ff",
        "/v1/%2e%2e/keys",
        "/v1/check/" + "a" * 60_000,
        "/v1/changes/%F0%9F",
    ],
)
def test_odd_paths(shared: Served, onlooker: httpx.Client, path: str) -> None:
    """Are refused."""
    whole = request(shared, path=path).replace(b"Host: x", b"Host: x\r\nConnection: close")
    assert exchanged(shared, whole, is_whole=True).startswith(b"HTTP/1.1 4")
    assert others_are_served(onlooker)


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: -1",
        b"Content-Length: 99999999999999999999",
        b"Content-Length: x",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: gzip",
        b"Authorization: Bearer \xff\xfe",
        b"X-Request-ID: \xff\xfe",
        b"Rescind-At-Least: \xff",
        b"Idempotency-Key: \xff",
        b"Content-Type: \xff",
        b"Host: \xff",
        b"Expect: 100-continue",
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13",
        b"Upgrade: h2c",
    ],
)
def test_odd_headers(shared: Served, onlooker: httpx.Client, head: bytes) -> None:
    """Are refused or ignored."""
    for path in ("/v1/check", "/v1/changes", "/readyz"):
        whole = request(shared, b'{"organization":"acme","subject":"a","permission":"b"}', path)
        whole = whole.replace(b"Host: x\r\n", b"Host: x\r\n" + head + b"\r\n")
        assert no_5xx(exchanged(shared, whole)), path
    assert others_are_served(onlooker)


def test_nested_json(shared: Served, onlooker: httpx.Client) -> None:
    """However deep, and in whatever field, it is 400."""
    json = {"Content-Type": "application/json"}
    for opened, closed in ((b"[", b"]"), (b'{"a":', b"}")):
        for depth in (40, 2_000, 100_000):
            deep = opened * depth + b"1" + closed * depth
            for body in (deep, b'{"context":' + deep + b"}", b'{"evaluations":[' + deep + b"]}"):
                for path in ("/v1/check", "/access/v1/evaluations", "/v1/changes"):
                    answer = onlooker.post(path, content=body, headers=json)
                    assert answer.status_code == 400, answer.text
    assert others_are_served(onlooker)


def test_dropped_connections(shared: Served, onlooker: httpx.Client) -> None:
    """Opened and dropped at every point of a request: the others are answered in between."""
    whole = request(shared, b'{"organization":"acme","subject":"a","permission":"b"}')
    for number in range(MANY):
        with connect(shared) as connection:
            connection.sendall(whole[: number * 7 % (len(whole) + 1)])
            if number % 3 == 0:  # a reset instead of an orderly end
                linger = b"\1\0\0\0\0\0\0\0"
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if number % 50 == 0:
            assert others_are_served(onlooker)
    assert others_are_served(onlooker)


def test_slow_clients(shared: Served, onlooker: httpx.Client) -> None:
    """Who sends half a head, half a body, or reads nothing keeps nobody waiting."""
    whole = request(shared, b'{"organization":"acme","subject":"a","permission":"b"}')
    with ExitStack() as stack:
        slow = [stack.enter_context(connect(shared)) for _ in range(90)]
        for number, connection in enumerate(slow):
            connection.sendall((whole[:20], whole[:-5], whole * 20)[number % 3])
        for _ in range(20):
            assert others_are_served(onlooker)
        slow[1].sendall(whole[-5:])
        assert slow[1].recv(100).startswith(b"HTTP/1.1 200")


@pytest.fixture
def impatient(shared: Served, new_database: object) -> Iterator[Served]:
    """A service that waits for a body a moment only."""
    database = new_database("sqlite")  # type: ignore[operator]
    with Authority.open(database) as authority:
        limits = Limits(body_seconds=0.2)
        with serving(Service(authority, Keys(authority.store), limits=limits)) as running:
            yield running


def test_a_body_that_does_not_come_is_408(impatient: Served) -> None:
    """Whether none of it comes, or part of it, or a stream stops."""
    whole = request(impatient, b'{"organization":"acme"}')
    import_head = whole.replace(b"/v1/check", b"/v1/import").replace(
        b"application/json", b"application/x-ndjson"
    )
    for part in (whole[:-23], whole[:-5], import_head[:-5]):
        with connect(impatient) as connection:
            connection.sendall(part)
            start = time.monotonic()
            got = whole_answer(connection)
            assert got.startswith(b"HTTP/1.1 408"), got
            assert b"body_too_slow" in got
            assert time.monotonic() - start < 15
