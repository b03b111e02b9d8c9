"""A TCP proxy on loopback to a server's unix socket that cuts a connection at the worst moment."""

from __future__ import annotations

import select
import socket
import threading
from enum import Enum

COMMIT = b"COMMIT\0"
"""In a client's message the end of the statement, in a server's answer the tag of what was done."""


class Cut(Enum):
    """When to cut a connection, once."""

    NEVER = 0
    BEFORE_COMMIT = 1
    """The server gets everything up to the commit."""
    AFTER_COMMIT = 2
    """The server has committed; its answer is lost."""
    ANSWER = 3
    """The server's next answer is lost."""


class CuttingProxy:
    """Forwards what passes until `cut` applies."""

    def __init__(self, socket_path: str) -> None:
        self.cut = Cut.NEVER
        self._socket_path = socket_path
        self._server = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self.port: int = self._server.getsockname()[1]

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
            self._threads.append(threading.Thread(target=self._forward, args=(near, far)))
            self._threads[-1].start()

    def _forward(self, near: socket.socket, far: socket.socket) -> None:
        others = {near: far, far: near}
        seen = {near: b"", far: b""}
        with near, far:
            while True:
                for ready in select.select([near, far], [], [])[0]:
                    data = self._received(ready)
                    passes = self._passing(seen[ready], data, from_server=ready is far)
                    seen[ready] = (seen[ready] + data)[-len(COMMIT) :]
                    try:
                        others[ready].sendall(passes)
                    except OSError:
                        return
                    if not data or len(passes) < len(data):
                        return

    def _passing(self, seen: bytes, data: bytes, *, from_server: bool) -> bytes:
        """As much of the data as passes; less than all of it cuts the connection."""
        cuts = {Cut.AFTER_COMMIT, Cut.ANSWER} if from_server else {Cut.BEFORE_COMMIT}
        if self.cut not in cuts:
            return data
        if self.cut is Cut.ANSWER:
            at = 0
        else:
            at = max((seen + data).find(COMMIT) - len(seen), 0)
            if COMMIT not in seen + data:
                return data
        self.cut = Cut.NEVER
        return data[:at]

    def _received(self, source: socket.socket) -> bytes:
        try:
            return source.recv(1 << 16)
        except OSError:
            return b""
