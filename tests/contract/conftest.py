"""An organization to change, on each engine in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rescind import Authority
from tests.conftest import ENGINES
from tests.contract.world import WORLD


@pytest.fixture
def acme(authority: Authority) -> Authority:
    """An authority whose organization `acme` has the facts of WORLD."""
    authority.apply(WORLD)
    return authority


@pytest.fixture(scope="module", params=ENGINES)
def settled(
    request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]
) -> Iterator[Authority]:
    """The same for all tests of a module, which leave it as it is."""
    with Authority.open(new_shared_database(request.param), organization="acme") as opened:
        opened.apply(WORLD)
        yield opened
