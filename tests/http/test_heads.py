"""Heads of requests: how large, how slow, how odd; and who is closed when."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from rescind import Authority
from rescind.http.keys import Keys
from rescind.http.server.fast_path import FastPathProtocol
from rescind.http.server.limits import Limits
from rescind.http.server.service import Service
from tests.http.raw import LAST, answers, connect, exchanged, request, until_closed
from tests.http.serving import Served, serving

LIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = (
    b"POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n"
)


def served(database: str, **limits: float) -> Iterator[Served]:
    with Authority.open(database) as authority:
        service = Service(authority, Keys(authority.store), limits=Limits(**limits))  # type: ignore
        with serving(service, timeout_keep_alive=1) as running:
            yield running


@pytest.fixture(scope="module")
def impatient(new_shared_database: Callable[[str], str]) -> Iterator[Served]:
    """A service that waits a moment for a head."""
    yield from served(new_shared_database("sqlite"), head_seconds=0.2)


@pytest.fixture(scope="module")
def narrow(new_shared_database: Callable[[str], str]) -> Iterator[Served]:
    """A service that takes short heads only."""
    yield from served(new_shared_database("sqlite"), head_bytes=2_000)


@pytest.fixture(scope="module")
def wide(new_shared_database: Callable[[str], str]) -> Iterator[Served]:
    """A service that takes the longest heads."""
    yield from served(new_shared_database("sqlite"), head_bytes=1 << 24)


# --- slow -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [b"", LIVE, request(), LIVE * 3])
@pytest.mark.parametrize("part", [b"G", LIVE[:-1], request()[:60]])
def test_a_head_that_does_not_come_is_408(impatient: Served, before: bytes, part: bytes) -> None:
    """On a new connection, and after other requests, whose answers come first."""
    with connect(impatient) as connection:
        connection.sendall(before + part)
        found = answers(until_closed(connection))
    assert len(found) == before.count(b"HTTP/1.1") + 1
    status, headers, body = found[-1]
    assert status == b"HTTP/1.1 408 Request Timeout"
    assert headers[b"connection"] == b"close"
    assert b'"code":"head_too_slow"' in body


def test_a_head_that_comes_in_time_is_answered(
    impatient: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: without the deadline, one that is late is answered like any other."""
    late = threading.Event()
    monkeypatch.setattr(FastPathProtocol, "end_late", lambda _: late.set())
    with connect(impatient) as connection:
        connection.sendall(LAST[:-2])
        assert late.wait(20)
        connection.sendall(LAST[-2:])
        assert answers(until_closed(connection))[0][0] == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize("sent", [b"", LIVE, b"\r\n", LIVE + b"\r\n" * 9])
def test_who_sends_nothing_is_closed(impatient: Served, sent: bytes) -> None:
    """Without an answer: a new connection, and one that was used."""
    with connect(impatient) as connection:
        connection.sendall(sent)
        assert len(answers(until_closed(connection))) == sent.count(b"HTTP/1.1")


def test_dripping_keeps_nothing_open(impatient: Served) -> None:
    """Neither empty lines before a head, nor a head by the byte, nor a body that nobody reads."""
    for drip in (b"\r\n", b"a", b"X: y\r\n"):
        with connect(impatient) as connection:
            connection.sendall({b"\r\n": b"", b"a": b"GET /", b"X: y\r\n": LIVE[:-2]}[drip])
            send_until_closed(connection, drip)
    with connect(impatient) as connection:
        head = request().replace(b"Content-Length: 2", b"Content-Length: 1000000000")
        connection.sendall(head)  # has no key: answered without the body
        send_until_closed(connection, b"x")


def send_until_closed(connection: socket.socket, piece: bytes) -> None:
    """Returns when the other end has closed."""
    with contextlib.suppress(ConnectionError):
        while True:
            connection.sendall(piece)


def test_requests_under_way_are_not_late(impatient: Served) -> None:
    """A body has its own time, be the head's and the pause between requests long over."""
    whole = request(
        b'{"organization":"acme","subject":"ada","permission":"x"}', key=impatient.admin
    )
    looks = threading.Semaphore(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            FastPathProtocol,
            "end_late",
            lambda connection: looks.release() or connection.transport.close(),
        )
        with connect(impatient) as waiting, connect(impatient) as connection:
            connection.sendall(whole[:-5])
            assert until_closed(waiting) == b""  # which was told so after the head's time
            assert looks.acquire(timeout=20)
            connection.sendall(whole[-5:])
            assert connection.recv(1_000).startswith(b"HTTP/1.1 200 OK")


# --- large ----------------------------------------------------------------------------------------

LONG = b"a" * 3_000
LARGE = {
    "a header": LIVE[:-2] + b"X: " + LONG + b"\r\n\r\n",
    "its name": LIVE[:-2] + LONG + b": x\r\n\r\n",
    "many headers": LIVE[:-2] + b"X: yyyy\r\n" * 300 + b"\r\n",
    "the address": b"GET /" + LONG + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "of a check": request(more=[f"X: {LONG.decode()}"]),
}


@pytest.mark.parametrize("which", LARGE)
def test_a_large_head_is_431(narrow: Served, which: str) -> None:
    """And the end of the connection."""
    ((status, headers, body),) = answers(exchanged(narrow, [LARGE[which]]))
    assert status == b"HTTP/1.1 431 Request Header Fields Too Large"
    assert headers[b"connection"] == b"close"
    assert b'"code":"head_too_large"' in body


def test_a_large_head_after_others(narrow: Served) -> None:
    """Closes when they are answered, and takes no answer's place."""
    large = LARGE["a header"]
    found = answers(exchanged(narrow, [LIVE * 3 + large + LIVE]))
    assert [status for status, _, _ in found] == [b"HTTP/1.1 200 OK"] * 3
    assert found[-1][1][b"connection"] == b"close"


@pytest.mark.parametrize("which", LARGE)
def test_the_limit_can_be_set(wide: Served, which: str) -> None:
    """Control: a service that takes longer heads takes these."""
    found = answers(exchanged(wide, [LARGE[which], LAST]))
    assert not any(b" 431 " in status for status, _, _ in found)
    assert found[-1][0] == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (LIVE[:-2] + b"X: ", b"a" * 1_000),
        (LIVE[:-2], b"X: yyyyyy\r\n" * 100),
        (b"GET /", b"a" * 1_000),
        (CHUNKED + b"\r\n0\r\n", b"X: yyyyyy\r\n" * 100),
        (CHUNKED + b"\r\n0\r\nX: ", b"a" * 1_000),
        (CHUNKED + b"\r\n1;", b"a" * 1_000),
    ],
)
def test_a_head_without_end_is_refused(narrow: Served, start: bytes, more: bytes) -> None:
    """A header, headers, an address; and what may follow a body, or stand between its parts."""
    with connect(narrow) as connection:
        connection.sendall(start)
        send_until_closed(connection, more)


def test_a_large_body_is_no_large_head(narrow: Served) -> None:
    """Nor are many small requests, in whatever pieces."""
    body = b'{"organization":"acme","subject":"ada","permission":"x"}' + b" " * 300_000
    whole = request(body, key=narrow.admin) * 2 + LIVE * 500
    pieces = [whole[n : n + 70_001] for n in range(0, len(whole), 70_001)]
    found = answers(exchanged(narrow, [*pieces, LAST]))
    assert [status for status, _, _ in found] == [b"HTTP/1.1 200 OK"] * 503


# --- odd ------------------------------------------------------------------------------------------


def test_what_is_no_request_is_400(narrow: Served) -> None:
    """In the shape of the other errors; after the answers to what came before."""
    for before in (b"", LIVE, LIVE * 5, request(b"{", key=narrow.admin)):
        found = answers(exchanged(narrow, [before + b"nonsense\r\n\r\n"]))
        assert len(found) >= max(1, before.count(b"HTTP/1.1"))
        for (status, _, _), asked in zip(found, before.split(b"HTTP/1.1")[:-1], strict=False):
            assert (status == b"HTTP/1.1 200 OK") == asked.endswith(b"/livez ")
    assert b'"code":"invalid_request"' in answers(exchanged(narrow, [b"nonsense\r\n\r\n"]))[0][2]


def test_what_looks_like_the_end_of_a_head(narrow: Served) -> None:
    """In a body or behind it, is none: answers are those to the requests, in their order."""
    for body in (b"\r\n\r\n", b"{}\r\n\r\n", b"\r\n\r\n" + LIVE):
        sent = request(body, key=narrow.admin, more=["X-Request-ID: a"])
        found = answers(exchanged(narrow, [sent, LAST]))
        assert [h[b"x-request-id"] for _, h, _ in found] == [b"a", b"last"]


def test_an_upgrade_is_not_made(narrow: Served) -> None:
    """The request is answered as if it had not been asked for."""
    for kind in ("h2c", "websocket"):
        more = ["Connection: Upgrade", f"Upgrade: {kind}"]
        with connect(narrow) as connection:
            connection.sendall(request(b'{"organization":"acme"}', key=narrow.admin, more=more))
            assert connection.recv(1_000).startswith(b"HTTP/1.1 400")


def test_many_connections_are_opened_and_dropped(narrow: Served) -> None:
    """None is left: the service ends at once, not after their time."""
    for number in range(50):
        connection = connect(narrow)
        connection.sendall(request()[: number * 3])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
    assert answers(exchanged(narrow, [LAST]))[0][0] == b"HTTP/1.1 200 OK"
