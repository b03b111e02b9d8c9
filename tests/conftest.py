"""Real databases for every test: SQLite files, and databases of one PostgreSQL server."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import signal
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rescind import Authority
from rescind.store import Store, open_store
from rescind.store.migrations import migrate
from tests.clock import SettableClock
from tests.contract.world import WORLD
from tests.kept import KeptDatabase, KeptDatabases
from tests.pgbouncer import bouncing
from tests.probe import Probe
from tests.server import running_server

SHARED = Path(__file__).resolve().parents[2] / "shared"
ENGINES = ("sqlite", "postgres")
MEMORY = Path("/dev/shm")
ROOM_BYTES = 2 << 30
PARTITIONS = int(os.environ.get("RESCIND_TEST_PARTITIONS", "0")) or None
"""How many partitions the per-organization tables of PostgreSQL have; none if they are plain."""
POOLED = bool(os.environ.get("RESCIND_TEST_POOLED"))
"""Whether tests reach PostgreSQL through PgBouncer in transaction mode."""
COPYING = "STRATEGY FILE_COPY"
"""Cheaper than through the log, for a database this small."""

_numbers = itertools.count()

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # as in the background of a shell: processes inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _folder() -> str:
    """Where tests keep their files: in memory where there is room, since no test cuts the power."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    return str(MEMORY) if has_room else "/tmp"


def pytest_collection() -> None:
    """Nothing that is loaded for the tests becomes garbage before they run."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what was loaded: else it looks through it again and again."""
    _share_certificates()
    gc.collect()
    gc.freeze()
    gc.enable()


def _share_certificates() -> None:
    """Load the certificates of authorities once. Each client of httpx would load them, which takes longer
    than most tests.
    """
    if "httpx" in sys.modules:
        import httpx

        context = httpx.create_ssl_context()
        for transport in (httpx.HTTPTransport, httpx.AsyncHTTPTransport):
            transport.__init__ = _verifying_by(context, transport.__init__)


def _verifying_by(context: ssl.SSLContext, made: Callable[..., None]) -> Callable[..., None]:
    def make(self: object, verify: object = True, **options: Any) -> None:
        made(self, context if verify is True else verify, **options)

    return make


FOLDER = os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", _folder())


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own, or of the one that RESCIND_TEST_POSTGRES names."""
    named = os.environ.get("RESCIND_TEST_POSTGRES")
    if named:
        yield named
        return
    with running_server(FOLDER) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_door(postgres_server: str) -> Iterator[str]:
    """The URL by which the program under test reaches that server: the same, or a pooler's."""
    if not POOLED:
        yield postgres_server
        return
    with bouncing(postgres_server) as bouncer:
        yield bouncer.url()


def with_database(url: str, name: str) -> str:
    """The same server's URL for another database."""
    return psycopg.conninfo.make_conninfo(url, dbname=name)


class Admin:
    """A connection that makes and drops databases. It is opened anew if a test ended it, and in a fork."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._open()

    def _open(self) -> None:
        self._process = os.getpid()
        self._connection = psycopg.connect(self._url, autocommit=True)

    def execute(self, statement: str) -> None:
        """Execute a statement that has no rows."""
        if self._process != os.getpid():
            self._open()
        try:
            self._connection.execute(statement)
        except psycopg.OperationalError:
            if not self._connection.closed:
                raise
            self._open()
            self._connection.execute(statement)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@pytest.fixture(scope="session")
def postgres_admin(postgres_server: str) -> Iterator[Admin]:
    """One connection for all tests, since each takes time to open."""
    with closing(Admin(postgres_server)) as admin:
        yield admin


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str, postgres_admin: Admin) -> Iterator[str]:
    """The name of a migrated database that tests copy."""
    name = f"rescind_template_{os.getpid()}"
    postgres_admin.execute(f"CREATE DATABASE {name}")
    migrate(as_url(with_database(postgres_server, name)), partitions=PARTITIONS)
    yield name
    postgres_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file that tests copy."""
    path = tmp_path_factory.mktemp("template") / "rescind.db"
    migrate(str(path))
    return path


@pytest.fixture(scope="session")
def sqlite_acme(sqlite_template: Path) -> Path:
    """A copy of it whose organization `acme` has the facts of WORLD."""
    path = sqlite_template.with_name("acme.db")
    shutil.copy(sqlite_template, path)
    fill(str(path))
    return path


@pytest.fixture(scope="session")
def postgres_acme(
    postgres_server: str, postgres_admin: Admin, postgres_template: str
) -> Iterator[str]:
    """The name of such a copy."""
    name = f"rescind_acme_{os.getpid()}"
    postgres_admin.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template} {COPYING}")
    fill(as_url(with_database(postgres_server, name)))
    yield name
    postgres_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def kept_databases(postgres_server: str, postgres_admin: Admin) -> Iterator[KeptDatabases]:
    """Databases that serve many tests."""

    def make(name: str, template: str) -> str:
        postgres_admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} {COPYING}")
        return as_url(with_database(postgres_server, name))

    def drop(name: str) -> None:
        postgres_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    with closing(KeptDatabases(make, drop)) as kept:
        yield kept


def fill(database: str) -> None:
    with Authority.open(database, organization="acme") as authority:
        authority.apply(WORLD)


Make = Callable[..., str]
"""Makes a fresh, migrated database on the named engine and returns its URL. With `is_filled` its organization
`acme` has the facts of WORLD.
"""


@pytest.fixture
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes databases for one test."""
    yield from databases_in(request, tmp_path)


@pytest.fixture(scope="module")
def new_shared_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Make]:
    """The same, for databases that all tests of a module share."""
    yield from databases_in(request, tmp_path_factory.mktemp("shared"))


def databases_in(request: pytest.FixtureRequest, folder: Path) -> Iterator[Make]:
    made: list[str] = []

    def make(engine: str, *, is_filled: bool = False) -> str:
        number = next(_numbers)
        template = request.getfixturevalue(f"{engine}_{'acme' if is_filled else 'template'}")
        if engine == "sqlite":
            path = folder / f"rescind-{number}.db"
            shutil.copy(template, path)
            return f"sqlite:///{path}"
        door = request.getfixturevalue("postgres_door")
        name = f"rescind_test_{os.getpid()}_{number}"
        admin = request.getfixturevalue("postgres_admin")
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} {COPYING}")
        made.append(name)
        return as_url(with_database(door, name))

    yield make
    for name in made:
        request.getfixturevalue("postgres_admin").execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    return str(request.param)


@pytest.fixture
def kept_database(request: pytest.FixtureRequest, kept_databases: KeptDatabases) -> KeptDatabase:
    """A database that has served other tests, as `database` is to be on PostgreSQL."""
    is_filled = "facts_of_world" in request.fixturenames
    template = request.getfixturevalue("postgres_acme" if is_filled else "postgres_template")
    return kept_databases.restored(template)


@pytest.fixture
def database(request: pytest.FixtureRequest, engine: str) -> str:
    """The URL of a fresh database, on each engine in turn. It is empty unless `facts_of_world` is named.

    On PostgreSQL it may have served other tests. Who needs one that was just made uses `new_database`.
    """
    if is_kept(request, engine):
        kept: KeptDatabase = request.getfixturevalue("kept_database")
        return kept.url
    make: Make = request.getfixturevalue("new_database")
    return make(engine, is_filled="facts_of_world" in request.fixturenames)


@pytest.fixture
def facts_of_world() -> None:
    """Where a test or fixture names this, the organization `acme` of the fixture `database` has the facts of
    WORLD, recorded before the test began. A copy of them costs less than to apply them.
    """


@pytest.fixture
def clock() -> SettableClock:
    """The clock of the fixture `authority`."""
    return SettableClock()


@pytest.fixture
def probe() -> Probe:
    """The probe of the store of the fixture `authority`. It has none where no test or fixture names this."""
    return Probe()


@pytest.fixture
def authority(
    request: pytest.FixtureRequest, engine: str, clock: SettableClock
) -> Iterator[Authority]:
    """An authority on a fresh database, on each engine in turn; its organization is `acme`.

    It is the one of the fixture `database`, where that is named as well.
    """
    probe = request.getfixturevalue("probe") if "probe" in request.fixturenames else None
    if is_kept(request, engine):
        store: Store = request.getfixturevalue("kept_database").lend(probe)
    else:
        store = open_store(request.getfixturevalue("database"), probe=probe)
    with Authority(store, organization="acme", clock=clock) as opened:
        yield opened


def is_kept(request: pytest.FixtureRequest, engine: str) -> bool:
    """Whether a test has a database that serves others too: on PostgreSQL, but through a pooler."""
    fixture = request.getfixturevalue
    return engine != "sqlite" and fixture("postgres_door") == fixture("postgres_server")


def as_url(conninfo: str) -> str:
    """A URL from a connection string, since that is what users give."""
    parts = psycopg.conninfo.conninfo_to_dict(conninfo)
    user, dbname = parts.pop("user", "postgres"), parts.pop("dbname")
    port = parts.pop("port", None)
    password = parts.pop("password", None)
    host = str(parts.pop("host", ""))
    login = f"{user}:{password}" if password else user
    at = f":{port}" if port else ""
    if host.startswith("/") or not host:
        return f"postgresql://{login}@{at}/{dbname}?host={host}"
    return f"postgresql://{login}@{host}{at}/{dbname}"
