"""Fresh databases on both engines, and a bare durable insert on each to compare with."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from lab.servers import postgres
from rescind import Authority
from rescind.store.migrations import migrate
from rescind.store.postgres import configure
from rescind.store.sqlite import connect

_numbers = itertools.count()


@contextmanager
def servers(*, with_log_files: bool = True) -> Iterator[Callable[[str], str]]:
    """Gives the URL of a fresh, migrated database on the named engine; for the option see `postgres`."""
    with (
        tempfile.TemporaryDirectory(prefix="rescind-lab-") as folder,
        postgres(with_log_files=with_log_files) as socket,
    ):

        def make(engine: str) -> str:
            number = next(_numbers)
            if engine == "sqlite":
                url = str(Path(folder) / f"lab-{number}.db")
            else:
                name = f"lab_{number}"
                with psycopg.connect(f"postgresql://postgres@/postgres?host={socket}") as admin:
                    admin.autocommit = True
                    admin.execute(f"CREATE DATABASE {name}")
                url = f"postgresql://postgres@/{name}?host={socket}"
            migrate(url)
            return url

        yield make


def drop(engine: str, url: str) -> None:
    """Remove a database that nobody uses any more."""
    if engine == "sqlite":
        for ending in ("", "-wal", "-shm"):
            Path(url + ending).unlink(missing_ok=True)
        return
    parts = psycopg.conninfo.conninfo_to_dict(url)
    with psycopg.connect(url, dbname="postgres", autocommit=True) as admin:
        name = psycopg.sql.Identifier(str(parts["dbname"]))
        admin.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@contextmanager
def bare(engine: str, url: str) -> Iterator[Any]:
    """A connection to the database as ours are set up, each statement a transaction of its own."""
    if engine == "sqlite":
        with closing(connect(url)) as connection:
            yield connection
        return
    with psycopg.connect(url, autocommit=True) as server:
        configure(server)
        yield server


def numbers(count: int) -> str:
    """The beginning of a statement that reads the numbers from 1 to `count`, FROM n."""
    return f"WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count})"


def called(engine: str, url: str, name: str) -> str:
    """The URL with a name that the server knows its connections by."""
    return url if engine == "sqlite" else f"{url}&application_name={name}"


def writer(authority: Authority) -> Any:
    """The connection that an authority's changes go over, where there is one: SQLite's."""
    return authority.store.writer  # type: ignore[attr-defined]


def bare_insert(engine: str, connection: Any) -> Callable[[], object]:
    """A durable insert of one row, the least that a change can cost."""
    key = "INTEGER PRIMARY KEY" if engine == "sqlite" else "serial PRIMARY KEY"
    connection.execute(f"CREATE TABLE IF NOT EXISTS bare (id {key}, note text)")
    options = {} if engine == "sqlite" else {"prepare": True}
    return lambda: connection.execute("INSERT INTO bare (note) VALUES ('x')", **options)
