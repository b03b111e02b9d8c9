"""Encodings that a PostgreSQL database, or a role, has for its clients: ours speaks UTF-8 to every one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from rescind import Authority, changes
from rescind.errors import RescindError
from rescind.store.migrations import migrate
from rescind.store.postgres.address import Address
from tests.conftest import Admin, Make, as_url, with_database
from tests.contract.world import WORLD

ZOE = "user:zoë\N{GRINNING FACE}"


def comes_and_goes(authority: Authority) -> None:
    authority.apply(
        [changes.AddMembership(subject=ZOE), changes.AddMembers(group="eng", members=(ZOE,))]
    )
    assert authority.check(ZOE, "write", "doc:1")
    assert ZOE in authority.who_can("write", "doc:1").items
    authority.apply([changes.RemoveMembers(group="eng", members=(ZOE,))])
    assert not authority.check(ZOE, "write", "doc:1")


@pytest.fixture
def latin(new_database: Make, postgres_admin: Admin) -> str:
    """A database whose clients speak another encoding, where they do not say which."""
    url = new_database("postgres", is_filled=True)
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    postgres_admin.execute(f"ALTER DATABASE {name} SET client_encoding = 'LATIN1'")
    return url


@pytest.mark.parametrize("index", [False, True], ids=["store", "memory"])
def test_of_the_database_s_clients(latin: str, index: bool) -> None:
    with Authority.open(latin, organization="acme", index=index) as authority:
        assert not index or authority.load()
        comes_and_goes(authority)


def test_of_the_environment(new_database: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    with Authority.open(new_database("postgres", is_filled=True), organization="acme") as authority:
        comes_and_goes(authority)


def test_control_as_the_database_says(latin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver's own error, which no caller expects."""
    arguments = Address.arguments

    def without(self: Address) -> dict[str, Any]:
        found = arguments(self)
        del found["client_encoding"]
        return found

    monkeypatch.setattr(Address, "arguments", without)
    with (
        Authority.open(latin, organization="acme") as authority,
        pytest.raises(UnicodeEncodeError),
    ):
        comes_and_goes(authority)


@pytest.fixture
def of_encoding(postgres_server: str, postgres_admin: Admin) -> Iterator[Any]:
    made: list[str] = []

    def make(encoding: str) -> str:
        name = f"rescind_{encoding.lower()}"
        made.append(name)
        postgres_admin.execute(
            f"CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
            " TEMPLATE template0"
        )
        url = as_url(with_database(postgres_server, name))
        migrate(url)
        return url

    yield make
    for name in made:
        postgres_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_database_without_an_encoding(of_encoding: Any) -> None:
    """`SQL_ASCII` keeps the bytes as they are."""
    with Authority.open(of_encoding("SQL_ASCII"), organization="acme") as authority:
        authority.apply(WORLD)
        comes_and_goes(authority)


def test_a_database_of_few_characters(of_encoding: Any) -> None:
    """What it cannot keep is an error of ours, and the connection goes on."""
    with Authority.open(of_encoding("LATIN1"), organization="acme") as authority:
        authority.apply(WORLD)
        with pytest.raises(RescindError, match="no equivalent"):
            comes_and_goes(authority)
        with pytest.raises(RescindError, match="no equivalent"):
            authority.check(ZOE, "write", "doc:1")
        assert authority.check("user:ada", "write", "doc:1")


def test_the_log_is_verified_whatever_the_encoding(of_encoding: Any) -> None:
    """A length is one of UTF-8, which the server keeps texts in or not. Control: lengths as it keeps them."""
    for encoding in ("LATIN1", "SQL_ASCII"):
        with Authority.open(of_encoding(encoding), organization="acme") as authority:
            authority.apply(WORLD, actor="Zoë", reason="für Zoë")
            (found,) = authority.verify_log(organization="acme")
            assert (found.fault, found.rows) == (None, 1)
            queries: Any = authority.store.queries  # type: ignore[attr-defined]
            sql = queries["read_chain_page"]
            queries["read_chain_page"] = sql.replace("getdatabaseencoding() = 'UTF8'", "TRUE")
            (found,) = authority.verify_log(organization="acme")
            assert (found.fault is None) == (encoding == "SQL_ASCII")
