"""A running service on a fresh database.

Building the application takes longer than most tests. So there are two servers for the whole run, one for
each of the fixtures below, and each test, or module, gives them a database of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from rescind import Authority
from rescind.http.keys import Keys
from rescind.http.server.service import Service
from tests.contract.world import WORLD
from tests.http.serving import Served, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Served]:
    """For the tests that change something."""
    yield from _idle(tmp_path_factory.mktemp("server"), sqlite_template)


@pytest.fixture(scope="session")
def shared_server(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[Served]:
    """For those that do not."""
    yield from _idle(tmp_path_factory.mktemp("server"), sqlite_template)


@pytest.fixture
def served(server: Served, new_database: Callable[[str], str]) -> Iterator[Served]:
    """A service on SQLite whose organization `acme` has the facts of WORLD."""
    with given(server, new_database("sqlite")) as running:
        yield running


@pytest.fixture(scope="module")
def shared(shared_server: Served, new_shared_database: Callable[[str], str]) -> Iterator[Served]:
    """The same for all tests of a module, which leave it as it is."""
    with given(shared_server, new_shared_database("sqlite")) as running:
        yield running


def _idle(folder: Path, template: Path) -> Iterator[Served]:
    """A server that has an empty database until it is given another."""
    database = folder / "rescind.db"
    shutil.copy(template, database)
    with (
        Authority.open(str(database)) as authority,
        serving(Service(authority, Keys(authority.store))) as running,
    ):
        yield running


@contextmanager
def given(server: Served, database: str) -> Iterator[Served]:
    """The server, as a service that was just started on the database."""
    service = server.service
    with Authority.open(database) as authority:
        authority.apply(WORLD, organization="acme")
        service.authority, service.keys = authority, Keys(authority.store)
        service.__post_init__()
        service.is_stopping = False
        yield Served(service, server.url, service.keys.create("admin", ["admin"])[1])


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    """A client with the admin's key."""
    with served.client() as opened:
        yield opened


@pytest.fixture(scope="module")
def onlooker(shared: Served) -> Iterator[httpx.Client]:
    """A client with the admin's key, of a service that all tests of a module leave as it is."""
    with shared.client() as opened:
        yield opened
