"""Databases, and how statements get there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

WAYS = {
    "sqlite": ("sqlite", False),
    "postgres": ("postgres", False),
    "postgres, one by one": ("postgres", True),
}
"""PostgreSQL gets a transaction as one pipeline; one by one it has done each statement before the next."""


@dataclass(frozen=True)
class Way:
    """A fresh database, and whether children send their statements there one by one."""

    database: str
    one_by_one: bool


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> Way:
    """Each way in turn."""
    engine, one_by_one = WAYS[request.param]
    return Way(new_database(engine), one_by_one)
