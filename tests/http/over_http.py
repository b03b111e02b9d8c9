"""An authority whose methods are asked over HTTP, for tests that were written for `Authority`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rescind import Authority
from rescind.client import OPTIONS_LEFT_OUT, Client
from rescind.client.clients import METHODS
from rescind.http.keys import Keys
from rescind.store import open_store
from tests import state
from tests.clock import SettableClock
from tests.conftest import Make
from tests.http.serving import Served


class OverHttp:
    """What the service offers is asked of a client; the rest, of the authority that the service has."""

    def __init__(self, client: Client, behind: Authority) -> None:
        self.client, self.behind = client, behind
        self.asked: Counter[str] = Counter()

    @property
    def engine(self) -> str:
        """That of the authority behind the service, for tests that look at its tables."""
        return self.behind.store.engine

    def __getattr__(self, name: str) -> Any:
        theirs = getattr(self.behind, name)
        if name not in METHODS:
            return theirs
        mine = getattr(self.client, name)

        def call(*arguments: Any, **named: Any) -> Any:
            if not named.keys().isdisjoint(OPTIONS_LEFT_OUT.get(name, ())):
                return theirs(*arguments, **named)
            self.asked[name] += 1
            return mine(*arguments, **named)

        return call


@contextmanager
def given(server: Served, behind: Authority) -> Iterator[Served]:
    """The server, as a service of this authority that was just started."""
    service = server.service
    service.authority, service.keys = behind, Keys(behind.store)
    service.__post_init__()
    service.is_stopping = False
    yield Served(service, server.url, service.keys.create("admin", ["admin"])[1])


@pytest.fixture
def authority(
    request: pytest.FixtureRequest, server: Served, new_database: Make, clock: SettableClock
) -> Iterator[OverHttp]:
    """A client of a service on a fresh database; its organization is `acme`."""
    database = new_database("sqlite", is_filled="facts_of_world" in request.fixturenames)
    with (
        Authority(open_store(database), organization="acme", clock=clock) as behind,
        given(server, behind) as served,
        Client(served.url, key=served.admin, organization="acme") as client,
    ):
        yield OverHttp(client, behind)


@pytest.fixture
def acme(authority: OverHttp, facts_of_world: None) -> OverHttp:
    """The same; the organization has the facts of WORLD."""
    return authority


@pytest.fixture(scope="module")
def settled(shared_server: Served, new_shared_database: Make) -> Iterator[OverHttp]:
    """The same for all tests of a module, which leave it as it is."""
    database = new_shared_database("sqlite", is_filled=True)
    with (
        Authority(open_store(database), organization="acme") as behind,
        given(shared_server, behind) as served,
        Client(served.url, key=served.admin, organization="acme") as client,
    ):
        yield OverHttp(client, behind)


@pytest.fixture(autouse=True)
def rows_but_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dumps leave out the idempotency keys: a client makes one for each change."""
    rest = tuple(table for table in state.TABLES if table != "idempotency")
    monkeypatch.setattr(state, "TABLES", rest)
