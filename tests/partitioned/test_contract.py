"""A part of the contract tests, on a partitioned database. `make partitions` runs all of them there."""

from __future__ import annotations

from typing import Any

from tests.contract import (
    test_assignments,
    test_chunks,
    test_environment,
    test_first,
    test_organizations,
    test_resources,
)
from tests.members import members_of

MODULES = (
    test_assignments,
    test_chunks,
    test_environment,
    test_first,
    test_organizations,
    test_resources,
)


for each in MODULES:
    globals().update(members_of(each))


def test_the_database_has_partitions(database: str) -> None:
    """The control: these tests are of a partitioned database."""
    from rescind.store import open_store
    from rescind.store.postgres.placement import as_written

    store: Any = open_store(database)
    assert store.place is not as_written
