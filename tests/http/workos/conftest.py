"""WorkOS's own Python SDK, pointed at a running service."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import workos

from rescind import Authority, changes
from rescind.http.keys import Keys
from rescind.http.server.service import Service
from rescind.model import ENVIRONMENT
from tests.clock import SettableClock
from tests.conftest import ENGINES
from tests.http.serving import Served, serving

FACES = {"sqlite": "sync", "postgres": "async"}
"""Each client on one engine: what differs between clients does not depend on the engine."""

on_postgres = pytest.mark.parametrize("service", ["postgres"], indirect=True)
"""For what can only go wrong there: SQLite lets one write at a time, and takes any text."""


class Blocking:
    """An asynchronous client to be used like the other one: each call is awaited at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: Any) -> None:
        self._loop, self._target = loop, target

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if not callable(found):
            return Blocking(self._loop, found)

        def call(*arguments: Any, **options: Any) -> Any:
            result = found(*arguments, **options)
            if inspect.isawaitable(result):
                return self._loop.run_until_complete(_awaited(result))
            return result

        return call


async def _awaited(result: Any) -> Any:
    return await result


CLOCK = SettableClock()
"""The clock of all services here."""


@pytest.fixture(scope="session", params=ENGINES)
def service(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Served]:
    """A service on each engine in turn, for all tests: each makes organizations of its own."""
    from tests.conftest import databases_in

    folder = tmp_path_factory.mktemp("workos")
    databases = databases_in(request, folder)
    make: Callable[[str], str] = next(databases)
    with Authority.open(make(request.param), clock=CLOCK) as authority:
        authority.apply(
            [
                changes.DefineResourceType(type="workspace"),
                changes.DefineResourceType(type="project", parents=("workspace", "organization")),
            ],
            organization=ENVIRONMENT,
        )
        with serving(Service(authority, Keys(authority.store))) as served:
            yield served
    for _ in databases:
        pass


def client_of(served: Served, key: str | None = None) -> workos.WorkOSClient:
    """The synchronous client with a key: the admin's if none is given."""
    return workos.WorkOSClient(
        api_key=key or served.admin, client_id="client_1", base_url=served.url, max_retries=0
    )


@pytest.fixture
def client(service: Served) -> Iterator[workos.WorkOSClient]:
    """The synchronous client with the admin's key."""
    with client_of(service) as opened:
        yield opened


@pytest.fixture
def sdk(service: Served) -> Iterator[Any]:
    """The synchronous client and the asynchronous one in turn, with the admin's key."""
    if FACES[service.service.authority.store.engine] == "sync":
        with client_of(service) as opened:
            yield opened
        return
    loop = asyncio.new_event_loop()
    options = {"client_id": "client_1", "base_url": service.url, "max_retries": 0}
    opened_async = workos.AsyncWorkOSClient(api_key=service.admin, **options)
    try:
        yield Blocking(loop, opened_async)
    finally:
        loop.run_until_complete(opened_async.close())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
