"""A part of the contract tests, on a partitioned database. `make partitions` runs all of them there."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from tests.contract import (
    test_assignments,
    test_chunks,
    test_environment,
    test_first,
    test_organizations,
    test_resources,
)

MODULES = (
    test_assignments,
    test_chunks,
    test_environment,
    test_first,
    test_organizations,
    test_resources,
)


def members_of(module: ModuleType) -> dict[str, Any]:
    """A module's tests under names of their own, and its fixtures under theirs."""
    short = module.__name__.rpartition(".test_")[2]
    return {
        f"test_{short}_{name.removeprefix('test_')}" if name.startswith("test_") else name: value
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__
        and (name.startswith("test_") or type(value).__name__ == "FixtureFunctionDefinition")
    }


for each in MODULES:
    globals().update(members_of(each))


def test_the_database_has_partitions(database: str) -> None:
    """The control: these tests are of a partitioned database."""
    from rescind.store import open_store
    from rescind.store.postgres.placement import as_written

    store: Any = open_store(database)
    assert store.place is not as_written
