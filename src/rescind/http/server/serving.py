"""Serving: from a configuration to processes that listen, and to their orderly end.

One process has one authority, its workers, and one event loop. How several share the sockets is in
`supervising`.
"""

from __future__ import annotations

import logging
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from types import FrameType
from typing import Final, NamedTuple

import uvicorn

from rescind.authority import Authority, load_all
from rescind.decision_log.files import require_writable
from rescind.http.keys import Keys
from rescind.http.server.background import background_tasks
from rescind.http.server.configuration import Configuration, is_postgres, without_effect
from rescind.http.server.entry import HttpEntry
from rescind.http.server.logs import to_stderr
from rescind.http.server.metrics_listener import address_of, listen, metrics_served
from rescind.http.server.service import Service
from rescind.http.server.supervising import on_signals, supervise
from rescind.http.server.uvicorn_config import Applications, fast_path_config
from rescind.insight.metrics.exposition import Exposition
from rescind.instruments import Instruments
from rescind.store import open_store

BACKLOG: Final = 2_048
DESCRIPTORS: Final = 192
"""Of a process, for everything but connections of clients: databases, logs, and connections to be closed."""
LAST_SECONDS: Final = 10.0
"""How long a worker's chunk, and what requests left behind in threads, may take beyond `shutdown_seconds`."""

log = logging.getLogger("rescind.http")

Say = Callable[[str], None]
Migrate = Callable[[str], None]


class Sockets(NamedTuple):
    """Where a service listens, all its processes."""

    service: socket.socket
    metrics: socket.socket | None
    """Where the metrics have a port of their own."""


def serve(
    configuration: Configuration, applications: Applications, *, migrate: Migrate, say: Say
) -> None:
    """Serve until told to stop by SIGINT or SIGTERM; then end in order.

    `say` is told the address, and the first admin key where one was made. Raises StoreUnavailable,
    SchemaMissing and the like; OSError where it cannot listen.
    """
    to_stderr(configuration.log_level)
    for warning in without_effect(configuration):
        log.warning(warning)
    require_writable(configuration.decision_log.options())
    load_all()
    if configuration.migrate or not is_postgres(configuration.database):
        migrate(configuration.settings.listen_database or configuration.database)
    with _listen(configuration) as listening:
        with Authority.open(configuration.database) as authority:
            first = Keys(authority.store).create_first()
        if first is not None:
            say("admin key, shown this once:")
            say(f"  {first}")
        say(f"serving on {_url(listening)}")
        with _metrics_socket(configuration) as scraped:
            if scraped is not None:
                say(f"metrics on {address_of(scraped)}")
            serve_one = partial(run, configuration, applications, Sockets(listening, scraped))
            if configuration.processes == 1:
                serve_one(Instruments(configuration.settings))
            else:
                supervise(configuration.processes, configuration.settings, serve_one)


def _metrics_socket(
    configuration: Configuration,
) -> AbstractContextManager[socket.socket | None]:
    port = configuration.metrics_port
    if port is None or not configuration.settings.metrics:
        return nullcontext()
    return listen(configuration.metrics_host or configuration.host, port)


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(
    configuration: Configuration,
    applications: Applications,
    sockets: Sockets,
    instruments: Instruments,
) -> None:
    """Serve in this process until told to stop: requests and the chunk under way are finished."""
    settings, scraped = configuration.settings, sockets.metrics
    store = open_store(configuration.database, settings)
    with Authority(
        store,
        settings=settings,
        index=True,
        instruments=instruments,
        decision_log=configuration.decision_log.options(),
    ) as authority:
        keys = Keys(authority.store, remember_seconds=configuration.remember_key_seconds)
        service = Service(
            authority,
            keys,
            limits=configuration.limits,
            public_url=configuration.public_url,
            exposition=Exposition(authority) if settings.metrics and scraped is None else None,
            metrics_access=configuration.metrics_access,
        )
        server = Server(_uvicorn(configuration, applications.whole(service)))
        server.drain_seconds = configuration.drain_seconds
        server.is_supervised = configuration.processes > 1

        def told() -> None:
            if not service.is_stopping:
                service.is_stopping = True
                last = configuration.drain_seconds + configuration.shutdown_seconds + LAST_SECONDS
                end_at_last(last)

        def stop(*_: object) -> None:
            told()
            server.should_exit = True

        server.told = told
        with (
            on_signals(stop),
            background_tasks(authority, configuration),
            metrics_served(applications, service, scraped),
        ):
            server.run(sockets=[sockets.service])
        log.info("ended in order")


class Server(uvicorn.Server):
    """uvicorn's server, which has handlers of signals of its own while it runs."""

    told: Callable[[], None] = staticmethod(lambda: None)
    """Called when a signal says that it is to end."""
    drain_seconds: float = 0.0
    """How long it goes on serving after SIGTERM, so that balancers see that it is not ready."""
    is_supervised: bool = False
    """Whether a parent passes signals on: then one key press may arrive twice."""
    _drained_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End in order: after SIGTERM when it has drained, after SIGINT or a second signal at once."""
        self.told()
        if sig == signal.SIGTERM and self._drained_at is None and not self.should_exit:
            self._drained_at = time.monotonic() + self.drain_seconds
            if self.drain_seconds:
                return
        super().handle_exit(signal.SIGTERM if self.is_supervised else sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End. Also when it was told twice, which uvicorn takes for leave to drop the application's end."""
        await super().shutdown(sockets)
        if self.force_exit:
            await self.lifespan.shutdown()

    async def on_tick(self, counter: int) -> bool:
        """Whether to end now."""
        if self._drained_at is not None and time.monotonic() >= self._drained_at:
            self.should_exit = True
        return await super().on_tick(counter)


def end_at_last(seconds: float) -> None:
    """End the process after so many seconds, whatever is under way then: it is as if it were killed, which
    the database and other processes are safe from.
    """

    def end() -> None:
        log.error("not ended in order after %g s: what is under way is given up", seconds)
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def _uvicorn(configuration: Configuration, entry: HttpEntry) -> uvicorn.Config:
    return fast_path_config(
        entry,
        backlog=BACKLOG,
        limit_concurrency=most_connections(configuration.most_connections),
        timeout_graceful_shutdown=configuration.shutdown_seconds,
    )


def most_connections(wanted: int) -> int:
    """As many connections as are wanted, if the process may have so many descriptors; else as many as it may.

    Its soft limit is raised as far as the hard one lets it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    needed = wanted + DESCRIPTORS
    raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if raised > soft:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
            soft = raised
    most = min(wanted, max(soft - DESCRIPTORS, soft // 2))
    if most < wanted:
        log.warning(
            "%d connections at most, of %d: the limit of descriptors is %d", most, wanted, soft
        )
    return most


def _listen(configuration: Configuration) -> socket.socket:
    family = socket.AF_INET6 if ":" in configuration.host else socket.AF_INET
    address = (configuration.host, configuration.port)
    return socket.create_server(address, family=family, backlog=BACKLOG)
