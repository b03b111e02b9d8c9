"""An authority whose methods are asked over HTTP, for tests that were written for `Authority`.

The module of a test says by which client: `CLIENT = AsyncClient`, or else `Client`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rescind import Authority
from rescind.client import OPTIONS_LEFT_OUT, AsyncClient, Client
from rescind.client.clients import METHODS
from rescind.http.keys import Keys
from rescind.store import open_store
from tests import state
from tests.blocking import Blocking, Facing, looping
from tests.clock import SettableClock
from tests.conftest import Make
from tests.http.serving import Served


@contextmanager
def given(server: Served, behind: Authority) -> Iterator[Served]:
    """The server, as a service of this authority that was just started."""
    service = server.service
    service.authority, service.keys = behind, Keys(behind.store)
    service.__post_init__()
    service.is_stopping = False
    yield Served(service, server.url, service.keys.create("admin", ["admin"])[1])


@contextmanager
def facing(request: pytest.FixtureRequest, server: Served, behind: Authority) -> Iterator[Facing]:
    """The authority behind a service and the client that the test's module names."""
    is_async = getattr(request.module, "CLIENT", Client) is AsyncClient
    with given(server, behind) as served:
        if not is_async:
            with Client(served.url, key=served.admin, organization="acme") as client:
                yield Facing(client, behind, METHODS, OPTIONS_LEFT_OUT)
            return
        with looping() as loop:
            awaited = AsyncClient(served.url, key=served.admin, organization="acme")
            try:
                yield Facing(Blocking(awaited, loop), behind, METHODS, OPTIONS_LEFT_OUT)
            finally:
                loop.run(awaited.close())


@pytest.fixture
def authority(
    request: pytest.FixtureRequest, server: Served, new_database: Make, clock: SettableClock
) -> Iterator[Facing]:
    """A client of a service on a fresh database; its organization is `acme`."""
    database = new_database("sqlite", is_filled="facts_of_world" in request.fixturenames)
    with (
        Authority(open_store(database), organization="acme", clock=clock) as behind,
        facing(request, server, behind) as face,
    ):
        yield face


@pytest.fixture
def acme(authority: Facing, facts_of_world: None) -> Facing:
    """The same; the organization has the facts of WORLD."""
    return authority


@pytest.fixture(scope="module")
def settled(
    request: pytest.FixtureRequest, shared_server: Served, new_shared_database: Make
) -> Iterator[Facing]:
    """The same for all tests of a module, which leave it as it is."""
    database = new_shared_database("sqlite", is_filled=True)
    with (
        Authority(open_store(database), organization="acme") as behind,
        facing(request, shared_server, behind) as face,
    ):
        yield face


@pytest.fixture(autouse=True)
def rows_but_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dumps leave out the idempotency keys: a client makes one for each change."""
    rest = tuple(table for table in state.TABLES if table != "idempotency")
    monkeypatch.setattr(state, "TABLES", rest)
