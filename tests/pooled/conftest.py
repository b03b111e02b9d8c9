"""The fixtures of the contract tests, through PgBouncer in transaction mode."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from rescind import Authority
from rescind.store.migrations import migrate
from tests.conftest import COPYING, Admin, Make, as_url, fill, with_database
from tests.pgbouncer import HOSTILE, Bouncer, bouncing

ROLE = "rescind_pooled_app"
SESSIONS = 3


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str, postgres_admin: Admin) -> Iterator[str]:
    """The name of a migrated database that tests copy. A role that owns nothing may use it."""
    name, worker = f"rescind_pooled_template_{os.getpid()}", os.getpid()
    postgres_admin.execute(f"CREATE ROLE {ROLE}_{worker} LOGIN")
    postgres_admin.execute(f"CREATE DATABASE {name}")
    migrate(as_url(with_database(postgres_server, name)), grant_to=[f"{ROLE}_{worker}"])
    yield name
    postgres_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    postgres_admin.execute(f"DROP ROLE {ROLE}_{worker}")


@pytest.fixture(scope="session")
def postgres_acme(
    postgres_server: str, postgres_admin: Admin, postgres_template: str
) -> Iterator[str]:
    """The name of such a copy, whose organization `acme` has the facts of WORLD."""
    name = f"rescind_pooled_acme_{os.getpid()}"
    postgres_admin.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template} {COPYING}")
    fill(as_url(with_database(postgres_server, name)))
    yield name
    postgres_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def bouncer(postgres_server: str, postgres_template: str) -> Iterator[Bouncer]:
    """In front of the tests' server, as that role. Every session that it lends has been misused by another
    program.
    """
    user = f"{ROLE}_{os.getpid()}"
    with bouncing(postgres_server, connect_query=HOSTILE, user=user) as running:
        yield running


@pytest.fixture(scope="session")
def postgres_door(bouncer: Bouncer) -> str:
    """The pooler's URL."""
    return bouncer.url()


@pytest.fixture(params=["postgres"])
def engine(request: pytest.FixtureRequest) -> str:
    """The only engine that has poolers."""
    return str(request.param)


@pytest.fixture
def database(request: pytest.FixtureRequest, new_database: Make) -> str:
    """The URL of a fresh database, for which the pooler has several sessions that it lends in turn."""
    url = new_database("postgres", is_filled="facts_of_world" in request.fixturenames)
    with ExitStack() as stack:
        for _ in range(SESSIONS):
            held = stack.enter_context(psycopg.connect(url, prepare_threshold=None))
            held.execute("SELECT 1")
    return url


@pytest.fixture
def acme(authority: Authority, facts_of_world: None) -> Authority:
    """An authority whose organization `acme` has the facts of WORLD."""
    return authority


@pytest.fixture
def direct(database: str, postgres_server: str) -> str:
    """The URL of the same database, without the pooler."""
    return as_direct(database, postgres_server)


def as_direct(database: str, server: str) -> str:
    """The URL of a database, at the server itself."""
    return as_url(with_database(server, name_of(database)))


def name_of(url: str) -> str:
    """The database's name in a URL."""
    return str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
