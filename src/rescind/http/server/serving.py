"""Serving: from a configuration to processes that listen, and to their orderly end.

One process has one authority, its workers, and one event loop. Several share the listening socket, which
is opened before they fork; whatever holds a connection or a thread is opened after.
"""

from __future__ import annotations

import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final

import uvicorn

from rescind.authority import Authority
from rescind.http.keys import Keys
from rescind.http.server.background import background_tasks
from rescind.http.server.configuration import Configuration, is_postgres
from rescind.http.server.entry import HttpEntry
from rescind.http.server.fast_path import FastPathConnections
from rescind.http.server.logs import to_stderr
from rescind.http.server.service import Service
from rescind.insight.metrics.exposition import Exposition

BACKLOG: Final = 2_048
DESCRIPTORS: Final = 192
"""Of a process, for everything but connections of clients: databases, logs, and connections to be closed."""
LAST_SECONDS: Final = 10.0
"""How long a worker's chunk, and what requests left behind in threads, may take beyond `shutdown_seconds`."""
RESTART_SECONDS: Final = 1.0
"""How long a process that died is left alone before another takes its place."""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

log = logging.getLogger("rescind.http")

Application = Callable[[Service], HttpEntry]
"""Makes the application of a service. Closing the service's authority is not its work."""
Say = Callable[[str], None]
Migrate = Callable[[str], None]


def serve(
    configuration: Configuration, application: Application, *, migrate: Migrate, say: Say
) -> None:
    """Serve until told to stop by SIGINT or SIGTERM; then end in order.

    `say` is told the address, and the first admin key where one was made. Raises StoreUnavailable,
    SchemaMissing and the like; OSError where it cannot listen.
    """
    to_stderr(configuration.log_level)
    if configuration.migrate or not is_postgres(configuration.database):
        migrate(configuration.database)
    with _listen(configuration) as listening:
        with Authority.open(configuration.database) as authority:
            first = Keys(authority.store).create_first()
        if first is not None:
            say("admin key, shown this once:")
            say(f"  {first}")
        say(f"serving on {_url(listening)}")
        if configuration.processes == 1:
            run(configuration, application, listening)
        else:
            _supervise(configuration, application, listening)


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(configuration: Configuration, application: Application, listening: socket.socket) -> None:
    """Serve in this process until told to stop: requests and the chunk under way are finished."""
    with Authority.open(
        configuration.database, settings=configuration.settings, index=True
    ) as authority:
        keys = Keys(authority.store, remember_seconds=configuration.remember_key_seconds)
        has_metrics = configuration.settings.metrics and configuration.metrics_port is None
        service = Service(
            authority,
            keys,
            limits=configuration.limits,
            public_url=configuration.public_url,
            exposition=Exposition(authority) if has_metrics else None,
            metrics_access=configuration.metrics_access,
        )
        server = Server(_uvicorn(configuration, application(service)))
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
        with _on_signals(stop), background_tasks(authority, configuration):
            server.run(sockets=[listening])
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


def fast_path_config(entry: HttpEntry, **options: Any) -> uvicorn.Config:
    """How uvicorn is to serve an application: with our connections, and nothing but HTTP."""
    return uvicorn.Config(
        entry,
        **{
            "http": FastPathConnections(entry),
            "lifespan": "on",
            "ws": "none",
            "log_config": None,
            "access_log": False,
            "server_header": False,
            **options,
        },
    )


def _listen(configuration: Configuration) -> socket.socket:
    family = socket.AF_INET6 if ":" in configuration.host else socket.AF_INET
    address = (configuration.host, configuration.port)
    return socket.create_server(address, family=family, backlog=BACKLOG)


@contextmanager
def _on_signals(stop: Callable[..., None]) -> Iterator[None]:
    """uvicorn has handlers of its own while it runs, and raises what it caught again when it has ended."""
    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# --- several processes ----------------------------------------------------------------------------


def _supervise(
    configuration: Configuration, application: Application, listening: socket.socket
) -> None:
    """Keep so many processes running; told to stop, tell them, and wait for their end."""
    children: set[int] = set()
    stopping = False

    def stop(number: int, *_: object) -> None:
        nonlocal stopping
        stopping = True
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, number)

    def begin() -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # until it is known whom to tell
        try:
            if not stopping:
                children.add(_fork(configuration, application, listening))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    with _on_signals(stop):
        for _ in range(configuration.processes):
            begin()
        while children:
            child, status = os.wait()
            children.discard(child)
            if not stopping:
                log.error("process %d ended with %d; another takes its place", child, status)
                time.sleep(RESTART_SECONDS)
                begin()


def _fork(configuration: Configuration, application: Application, listening: socket.socket) -> int:
    """Another process; told to stop before it serves, it ends at once."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        _forget_handlers()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        run(configuration, application, listening)
        code = 0
    except BaseException as error:
        log.error("%s", error, exc_info=error)
    finally:
        sys.stdout.flush()
        os._exit(code)


def _forget_handlers() -> None:
    """The parent's would stop the parent's children, and not this process."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
