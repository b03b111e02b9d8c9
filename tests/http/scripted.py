"""A server on a socket of this machine that does with each request what a test says."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import urlsplit

Act: TypeAlias = Callable[[socket.socket, "Received"], None]


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came."""

    head: bytes
    body: bytes

    @property
    def target(self) -> str:
        """The path with its query."""
        return self.head.split(b" ", 2)[1].decode()

    def header(self, name: str) -> str | None:
        """A header's value."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.decode().lower() == name.lower():
                return value.strip().decode()
        return None


@dataclass
class Scripted:
    """What came, and what is to be done next. The last act is repeated."""

    url: str
    acts: list[Act]
    received: list[Received] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    connections: int = 0
    open: set[socket.socket] = field(default_factory=set)

    def next(self) -> Act:
        """What to do with the request that came last."""
        return self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]


@contextmanager
def scripted(*acts: Act, context: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """Serve until the end of the block, over TLS if there is a context."""
    listening = socket.create_server(("127.0.0.1", 0))
    scheme = "http" if context is None else "https"
    script = Scripted(f"{scheme}://127.0.0.1:{listening.getsockname()[1]}", list(acts))
    threads: list[threading.Thread] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            script.connections += 1
            if context is not None:
                connection = context.wrap_socket(  # the handshake is the thread's
                    connection, server_side=True, do_handshake_on_connect=False
                )
            script.open.add(connection)
            thread = threading.Thread(target=_serve, args=(script, connection))
            thread.start()
            threads.append(thread)

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield script
    finally:
        script.ended.set()
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join()
        for connection in tuple(script.open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def _serve(script: Scripted, connection: socket.socket) -> None:
    with connection:
        data = b""
        with suppress(OSError):
            while True:
                while b"\r\n\r\n" not in data:
                    part = connection.recv(65_536)
                    if not part:
                        return
                    data += part
                head, _, data = data.partition(b"\r\n\r\n")
                length = int(Received(head, b"").header("content-length") or 0)
                while len(data) < length:
                    data += connection.recv(65_536)
                received = Received(head, data[:length])
                data = data[length:]
                script.received.append(received)
                script.next()(connection, received)
        script.open.discard(connection)


# --- acts -----------------------------------------------------------------------------------------------


def raw(*parts: bytes) -> Act:
    """Send these bytes."""

    def act(connection: socket.socket, received: Received) -> None:
        for part in parts:
            connection.sendall(part)

    return act


def answer(
    status: int, body: Any = None, *, media: str = "application/json", **headers: str
) -> Act:
    """Send an answer; a body that is no bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Told", f"Content-Type: {media}", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return raw("\r\n".join(lines).encode() + b"\r\n\r\n" + content)


def problem(status: int, code: str, facts: dict[str, Any] | None = None, **headers: str) -> Act:
    """Send problem details."""
    said = {"type": f"urn:rescind:problem:{code}", "code": code, "detail": "told in words."}
    body = {**said, "status": status, "facts": facts or {}}
    return answer(status, body, media="application/problem+json", **headers)


def reset(connection: socket.socket, received: Received) -> None:
    """Reset the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def close(connection: socket.socket, received: Received) -> None:
    """Close the connection without an answer."""
    connection.shutdown(socket.SHUT_RDWR)


def dripping(script: Callable[[], Scripted], head: bytes) -> Act:
    """Send a head, and then a byte now and then, for ever."""

    def act(connection: socket.socket, received: Received) -> None:
        connection.sendall(head)
        while not script().ended.wait(0.05):
            connection.sendall(b" ")

    return act


def silent(script: Callable[[], Scripted]) -> Act:
    """Send nothing."""

    def act(connection: socket.socket, received: Received) -> None:
        script().ended.wait(30)

    return act


def forward(url: str, then: Act | None = None) -> Act:
    """Send the request on to another server, and its answer back; or do something else with the connection
    once the other server has answered.
    """

    def act(connection: socket.socket, received: Received) -> None:
        where = urlsplit(url)
        assert where.hostname is not None
        with socket.create_connection((where.hostname, where.port or 80)) as other:
            head = b"\r\n".join(
                line
                for line in received.head.split(b"\r\n")
                if not line.lower().startswith(b"connection:")
            )
            other.sendall(head + b"\r\nConnection: close\r\n\r\n" + received.body)
            parts: Sequence[bytes] = list(iter(lambda: other.recv(65_536), b""))
        if then is not None:
            then(connection, received)
        else:
            connection.sendall(b"".join(parts))
            connection.shutdown(socket.SHUT_RDWR)

    return act
