"""A part of the contract tests, on a partitioned database. `make partitions` runs all of them there."""

from __future__ import annotations

from typing import Any

from rescind import Authority, changes
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


def test_a_review_rests_on_logs_in_two_partitions(acme: Authority) -> None:
    """The organization's own and that of `*`: it is bound to both, and their digests are found again."""
    acme.apply([changes.DefinePermission(permission="ship")], organization="*")
    acme.start_review("Q1", organization="acme")
    (found,) = acme.verify_reviews(heads=list(acme.log_heads()), organization="acme")
    assert (found.fault, found.heads) == (None, 3)
    (started,) = acme.actions(organization="acme")
    assert started.detail["environment_revision"] > 0
    assert started.detail["environment_digest"] != started.detail["digest"]
