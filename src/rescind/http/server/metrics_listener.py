"""A listener for the metrics alone, at a port of its own: in a thread, with an event loop of its own.

It has the limits, keys and log lines of the service. It answers `/metrics`, `/livez` and `/readyz`.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn

from rescind.http.server.service import Service
from rescind.http.server.uvicorn_config import Applications, fast_path_config
from rescind.insight.metrics.exposition import Exposition
from rescind.threads import started

BACKLOG: Final = 128
MOST_CONNECTIONS: Final = 64
END_SECONDS: Final = 5
"""How long a scrape that is under way may take when the process ends."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def address_of(listening: socket.socket) -> str:
    """Where the metrics are."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/metrics" if ":" in host else f"http://{host}:{port}/metrics"


@contextmanager
def metrics_served(
    applications: Applications, service: Service, listening: socket.socket | None
) -> Iterator[None]:
    """While the block lasts, the metrics of a service are at the socket, if there is one. Raises
    ThreadsExhausted.
    """
    if listening is None:
        yield
        return
    scraped = Service(
        service.authority,
        service.keys,
        limits=service.limits,
        exposition=Exposition(service.authority),
        metrics_access=service.metrics_access,
        lifetime=service.lifetime,
    )
    server = uvicorn.Server(
        fast_path_config(
            applications.metrics(scraped),
            backlog=BACKLOG,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=END_SECONDS,
        )
    )

    def run() -> None:
        server.run(sockets=[listening])

    thread = started(run, "rescind-metrics")
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
