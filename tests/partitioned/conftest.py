"""The fixtures of the contract tests, on a PostgreSQL database with partitions."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from rescind import Authority
from rescind.store.migrations import migrate
from tests.conftest import COPYING, Admin, as_url, fill, with_database

PARTITIONS = 3
"""Organization 1 is not in the same partition as number 0, the definitions for all organizations."""


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str, postgres_admin: Admin) -> Iterator[str]:
    """The name of a migrated database with partitions that tests copy."""
    name = f"rescind_parted_template_{os.getpid()}"
    postgres_admin.execute(f"CREATE DATABASE {name}")
    migrate(as_url(with_database(postgres_server, name)), partitions=PARTITIONS)
    yield name
    postgres_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres_acme(
    postgres_server: str, postgres_admin: Admin, postgres_template: str
) -> Iterator[str]:
    """The name of such a copy, whose organization `acme` has the facts of WORLD."""
    name = f"rescind_parted_acme_{os.getpid()}"
    postgres_admin.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template} {COPYING}")
    fill(as_url(with_database(postgres_server, name)))
    yield name
    postgres_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["postgres"])
def engine(request: pytest.FixtureRequest) -> str:
    """The only engine that has partitions."""
    return str(request.param)


@pytest.fixture
def acme(authority: Authority, facts_of_world: None) -> Authority:
    """An authority whose organization `acme` has the facts of WORLD."""
    return authority
