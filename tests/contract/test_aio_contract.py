"""A part of the contract suite, asked of `AsyncAuthority`. `test_every_method` asks it all methods."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rescind import Authority
from rescind.aio import AsyncAuthority
from rescind.aio import authority as made
from rescind.store import open_store
from tests.blocking import Blocking, Facing, looping
from tests.clock import SettableClock
from tests.conftest import Make
from tests.contract import (
    test_assignments,
    test_chains_shown,
    test_groups,
    test_if_revision,
    test_lists,
    test_organizations,
    test_refusals,
    test_resources,
    test_roles,
)
from tests.taking import taken

MODULES = (
    test_assignments,
    test_chains_shown,
    test_groups,
    test_if_revision,
    test_lists,
    test_organizations,
    test_refusals,
    test_resources,
    test_roles,
)
METHODS = made.CHANGING | made.READING | made.ITERATING | {"check", "check_many", "explain"}
IN_PROCESS = {"database", "probe"}
"""Fixtures of tests that open a database themselves, or look at statements."""

NOT_WITH_AN_INDEX = {"test_edit_permission_changes_what_is_given": "it names the decision point"}

globals().update(taken(MODULES, but=NOT_WITH_AN_INDEX, without=IN_PROCESS))


@contextmanager
def facing(behind: Authority) -> Iterator[Facing]:
    """The same authority, asked on an event loop."""
    with looping() as loop:
        awaited = AsyncAuthority(behind, threads=1)
        yield Facing(Blocking(awaited, loop), behind, METHODS, {})
        loop.run(awaited.close())


@pytest.fixture
def authority(
    request: pytest.FixtureRequest, new_database: Make, clock: SettableClock
) -> Iterator[Facing]:
    """An authority with an index, asked on an event loop; its organization is `acme`."""
    database = new_database("sqlite", is_filled="facts_of_world" in request.fixturenames)
    with facing(
        Authority(open_store(database), organization="acme", clock=clock, index=True)
    ) as face:
        yield face


@pytest.fixture
def acme(authority: Facing, facts_of_world: None) -> Facing:
    """The same; the organization has the facts of WORLD."""
    return authority


@pytest.fixture(scope="module")
def settled(new_shared_database: Make) -> Iterator[Facing]:
    """The same for all tests of a module, which leave it as it is."""
    database = new_shared_database("sqlite", is_filled=True)
    with facing(Authority.open(database, organization="acme", index=True)) as face:
        yield face
