"""An organization to change, on each engine in turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy

from rescind import Authority
from rescind.store.migrations import repair
from rescind.store.migrations.catalog import Catalog, wanted
from tests.conftest import ENGINES, Make


@pytest.fixture
def acme(authority: Authority, facts_of_world: None) -> Authority:
    """An authority whose organization `acme` has the facts of WORLD."""
    return authority


@pytest.fixture(scope="module", params=ENGINES)
def settled(request: pytest.FixtureRequest, new_shared_database: Make) -> Iterator[Authority]:
    """The same for all tests of a module, which leave it as it is."""
    database = new_shared_database(request.param, is_filled=True)
    with Authority.open(database, organization="acme") as opened:
        yield opened


@pytest.fixture(scope="session")
def known_catalogs() -> dict[str, dict[str, Catalog]]:
    """What the migrations make on each engine, once that was found out."""
    return {}


@pytest.fixture
def compared_once(
    monkeypatch: pytest.MonkeyPatch, known_catalogs: dict[str, dict[str, Catalog]]
) -> None:
    """What the migrations make is found out once an engine; it does not depend on the database."""

    def remembered(connection: sqlalchemy.Connection, *rest: Any) -> dict[str, Catalog]:
        name = connection.dialect.name
        if name not in known_catalogs:
            known_catalogs[name] = wanted(connection, *rest)
        return known_catalogs[name]

    monkeypatch.setattr(repair, "wanted", remembered)
