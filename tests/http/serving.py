"""A service behind a real socket of this machine, in a thread of the test's process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn

from rescind.http.app import application
from rescind.http.server.entry import HttpEntry
from rescind.http.server.service import Service
from rescind.http.server.serving import fast_path_config


@dataclass(frozen=True, slots=True)
class Served:
    """A running service, its address, and a key that may do everything."""

    service: Service
    url: str
    admin: str

    def client(self, key: str | None = None, **options: Any) -> httpx.Client:
        """A client with a key: the admin's if none is given, none if it is empty."""
        text = self.admin if key is None else key
        headers = {"Authorization": f"Bearer {text}"} if text else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, **options)

    def key(self, *scopes: str, organization: str | None = None) -> str:
        """The text of a new key."""
        return self.service.keys.create("test", scopes, organization=organization)[1]


@contextmanager
def serving(
    service: Service, *, entry: HttpEntry | None = None, **options: Any
) -> Iterator[Served]:
    """Serve until the end of the block; requests under way are finished. Options are uvicorn's."""
    config = fast_path_config(entry or application(service), **options)
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    port = listening.getsockname()[1]
    admin = service.keys.create("admin", ["admin"])[1]
    try:
        yield Served(service, f"http://127.0.0.1:{port}", admin)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
