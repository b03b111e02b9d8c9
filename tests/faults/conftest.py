"""Databases, and how statements get there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.faults import children

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


@pytest.fixture(autouse=True)
def no_children_are_left() -> Iterator[None]:
    """Children end with their test."""
    yield
    children.end_all()
