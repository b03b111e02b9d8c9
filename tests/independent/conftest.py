"""What several tests of this folder ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from rescind import Authority
from tests.independent.scattered import Scattered


@pytest.fixture
def scattered(database: str) -> Iterator[Scattered]:
    """A database for random rows, on each engine in turn."""
    with (
        Authority.open(database) as authority,
        closing(Scattered(authority, database)) as scattered,
    ):
        yield scattered
