"""Requests as bytes, and what comes back."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence

from tests.http.serving import Served


def connect(served: Served) -> socket.socket:
    """A connection to a service."""
    host, _, port = served.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=20)


def request(
    body: bytes = b"{}", path: str = "/v1/check", *, key: str = "", more: Sequence[str] = ()
) -> bytes:
    """A POST of JSON; `more` are further lines of its head."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *more]
    if key:
        lines.append(f"Authorization: Bearer {key}")
    if not any(line.lower().startswith("content-type") for line in more):
        lines.append("Content-Type: application/json")
    return "\r\n".join([*lines, "", ""]).encode() + body


LAST = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-ID: last\r\nConnection: close\r\n\r\n"
"""After the answer to it the service closes."""


def exchanged(served: Served, pieces: Sequence[bytes]) -> bytes:
    """What comes back, until the service closes, when the pieces are sent one by one."""
    with connect(served) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                connection.sendall(piece)
        return until_closed(connection)


def until_closed(connection: socket.socket) -> bytes:
    """All that comes, until the other end closes."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65_536):
            got += piece
    return got


def whole_answer(connection: socket.socket) -> bytes:
    """The next answer, with all of its body: head and body may come in pieces."""
    got = b""
    while b"\r\n\r\n" not in got or len(answers(got)[0][2]) < _size(got):
        piece = connection.recv(65_536)
        assert piece, got
        got += piece
    return got


def _size(got: bytes) -> int:
    return int(answers(got)[0][1].get(b"content-length", b"0"))


def answers(got: bytes) -> list[tuple[bytes, dict[bytes, bytes], bytes]]:
    """Status line, headers and body of each answer, but for the date and the order of methods."""
    found = []
    while got:
        head, _, got = got.partition(b"\r\n\r\n")
        status, *lines = head.split(b"\r\n")
        headers = dict(line.split(b": ", 1) for line in lines)
        headers.pop(b"date", None)
        if b"allow" in headers:
            headers[b"allow"] = b", ".join(sorted(headers[b"allow"].split(b", ")))
        size = int(headers.get(b"content-length", b"0"))
        found.append((status, headers, got[:size]))
        got = got[size:]
    return found
