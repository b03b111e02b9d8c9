"""A running service on a fresh database."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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
    with Authority.open(new_database("sqlite")) as authority:
        authority.apply(WORLD, organization="acme")
        with serving(Service(authority, Keys(authority.store))) as running:
            yield running


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    """A client with the admin's key."""
    with served.client() as opened:
        yield opened
