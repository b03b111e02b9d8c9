"""A load generator: `python -m lab.load`. Raw sockets in one thread, one request under way on each.

Reads a JSON object from standard input, prints one with the requests a second and the latencies.
"""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from lab.report import percentile

FIRST_SECONDS = 30.0
"""How much longer the first answer may take."""
OVERLOADED = b"HTTP/1.1 503"


@dataclass(frozen=True)
class Load:
    """What is asked of a server, and for how long."""

    host: str
    port: int
    key: str
    path: str
    bodies: list[str]
    connections: int
    seconds: float

    def run(self) -> dict[str, float]:
        """In a process of its own, so that it takes no time of the caller's interpreter."""
        command = [sys.executable, "-m", "lab.load"]
        told = json.dumps(asdict(self))
        done = subprocess.run(command, input=told, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return dict(json.loads(done.stdout))

    def requests(self) -> list[bytes]:
        """The requests as they are sent, in turn."""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {self.host}\r\nAuthorization: Bearer {self.key}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        )
        return [f"{head}{len(body.encode())}\r\n\r\n{body}".encode() for body in self.bodies]


@dataclass
class _Client:
    connection: socket.socket
    sent_at: float
    turn: int
    got: bytes = b""


def generate(load: Load) -> dict[str, float]:
    """Answers a second and their latencies in ms. A refusal for too much load (503) is only counted, and its
    request is sent again. Raises RuntimeError for any other answer that is not 200.
    """
    with ExitStack() as open_connections:
        return _generate(load, open_connections)


def _generate(load: Load, open_connections: ExitStack) -> dict[str, float]:
    requests, chooser = load.requests(), open_connections.enter_context(selectors.DefaultSelector())
    seconds, refused = list[float](), 0
    for number in range(load.connections):
        connection = socket.create_connection((load.host, load.port))
        open_connections.enter_context(connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = _Client(connection, time.perf_counter(), number)
        connection.sendall(requests[number % len(requests)])
        chooser.register(connection, selectors.EVENT_READ, client)
    start = time.perf_counter()
    end = start + load.seconds
    last = end + FIRST_SECONDS
    while (now := time.perf_counter()) < (end if seconds else last):
        for key, _ in chooser.select(1.0):
            client = key.data
            piece = client.connection.recv(262_144)
            if not piece:
                raise RuntimeError("the server closed a connection")
            client.got += piece
            if not _is_whole(client.got):
                continue
            now = time.perf_counter()
            if client.got.startswith(OVERLOADED):
                refused += 1
            else:
                seconds.append(now - client.sent_at)
                client.turn += load.connections
            client.got, client.sent_at = b"", now
            client.connection.sendall(requests[client.turn % len(requests)])
    return {
        "requests": len(seconds),
        "refused": refused,
        "per_s": len(seconds) / (now - start),
        "p50_ms": percentile(seconds, 0.5) * 1e3,
        "p99_ms": percentile(seconds, 0.99) * 1e3,
    }


def _is_whole(got: bytes) -> bool:
    head = got.find(b"\r\n\r\n")
    if head < 0:
        return False
    if not got.startswith((b"HTTP/1.1 200", OVERLOADED)):
        raise RuntimeError(got[:800].decode("latin-1"))
    place = got.find(b"content-length: ", 0, head) + 16
    return len(got) >= head + 4 + int(got[place : got.find(b"\r\n", place)])


def main() -> None:
    """From standard input to standard output."""
    asked: dict[str, Any] = json.load(sys.stdin)
    print(json.dumps(generate(Load(**asked))))


if __name__ == "__main__":
    main()
