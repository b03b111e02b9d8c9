"""A running service on a fresh database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from rescind import Authority
from rescind.http.keys import Keys
from rescind.http.service import Service
from tests.contract.world import WORLD
from tests.http.serving import Served, serving


@pytest.fixture
def served(new_database: Callable[[str], str]) -> Iterator[Served]:
    """A service on SQLite whose organization `acme` has the facts of WORLD."""
    with _running(new_database("sqlite")) as running:
        yield running


@pytest.fixture(scope="module")
def shared(new_shared_database: Callable[[str], str]) -> Iterator[Served]:
    """The same for all tests of a module, which leave it as it is."""
    with _running(new_shared_database("sqlite")) as running:
        yield running


@contextmanager
def _running(database: str) -> Iterator[Served]:
    with Authority.open(database) as authority:
        authority.apply(WORLD, organization="acme")
        with serving(Service(authority, Keys(authority.store))) as running:
            yield running


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
