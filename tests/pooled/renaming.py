"""A stand-in for a pooler that keeps prepared statements apart: it gives each a name of its own.

It has one session of the server for each client, and tells a process number of its own. So it shows what is
sent, not what several clients do to each other.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Final

OWN_PROCESS: Final = struct.pack("!I", 77)


class RenamingProxy:
    """Forwards from loopback to a server's socket. `renamed` has the names that clients gave."""

    def __init__(self, socket_path: str) -> None:
        self.renamed: list[bytes] = []
        self._socket_path = socket_path
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def url(self, database: str) -> str:
        """A database of that server by way of the proxy."""
        options = "sslmode=disable&gssencmode=disable"
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?{options}"

    def close(self) -> None:
        """Accept no more, and end when all connections are closed."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._socket_path)
            self._threads.append(threading.Thread(target=self._serve, args=(near, far)))
            self._threads[-1].start()

    def _serve(self, near: socket.socket, far: socket.socket) -> None:
        with near, far:
            back = threading.Thread(target=_forward, args=(far, near, self._answered, False))
            back.start()
            _forward(near, far, self._asked, True)
            back.join()

    def _asked(self, kind: bytes, body: bytes) -> bytes:
        """A client's message, with the statement's name replaced."""
        if kind == b"P":  # Parse
            front, rest = b"", body
        elif kind == b"B":  # Bind: the portal's name comes first
            portal, _, rest = body.partition(b"\0")
            front = portal + b"\0"
        elif kind in (b"D", b"C") and body[:1] == b"S":  # Describe or Close a statement
            front, rest = body[:1], body[1:]
        else:
            return body
        name, _, rest = rest.partition(b"\0")
        if not name:
            return body
        if kind == b"P":
            self.renamed.append(name)
        return front + b"PGBOUNCER_" + name + b"\0" + rest

    def _answered(self, kind: bytes, body: bytes) -> bytes:
        """A server's message, with the process number replaced."""
        return OWN_PROCESS + body[4:] if kind == b"K" else body


def _forward(
    source: socket.socket,
    target: socket.socket,
    change: Callable[[bytes, bytes], bytes],
    has_start: bool,
) -> None:
    """Pass on message by message. A client's first one has no kind."""
    stream = source.makefile("rb")
    with suppress(OSError), closing(stream):
        while head := stream.read(4 if has_start else 5):
            kind, size = (b"", head) if has_start else (head[:1], head[1:])
            body = stream.read(struct.unpack("!I", size)[0] - 4)
            changed = change(kind, body)
            target.sendall(kind + struct.pack("!I", len(changed) + 4) + changed)
            has_start = False
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
