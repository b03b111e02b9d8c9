"""How a program reaches PostgreSQL in production: passwords in files, TLS, few connections."""

from __future__ import annotations

import datetime
import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rescind import Authority, changes
from rescind.errors import InvalidArgument, StoreUnavailable
from rescind.http.server.configuration import load, shown
from rescind.settings import Settings
from rescind.store import open_store
from rescind.store.open import with_password_file
from tests.conftest import Make
from tests.contract.world import WORLD
from tests.pgbouncer import Bouncer, bouncing
from tests.pooled.conftest import as_direct, name_of
from tests.unit.command_line import CommandLine, one_error
from tests.unit.conftest import rescind  # noqa: F401

SECRET, OTHER = "p4ss:w@rd/?%", "an0ther"
QUESTION = ("user:ada", "write", "doc:1")


# --- passwords ------------------------------------------------------------------------------------


@pytest.fixture
def locked(postgres_server: str, tmp_path: Path) -> Iterator[Bouncer]:
    """A pooler that asks for a password."""
    users = tmp_path / "users"
    users.write_text(f'"postgres" "{SECRET}"\n')
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:3]:
        parent.chmod(0o755)
    users.chmod(0o644)
    with bouncing(postgres_server, auth_type="scram-sha-256", auth_file=users) as bouncer:
        yield bouncer


def test_a_password_in_a_file(
    locked: Bouncer, database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Is read for each connection, so that it may be replaced. It is in no error and in no log."""
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "password"
    url = with_password_file(locked.url(name_of(database)), str(file))
    said = []
    for content in (None, "", f"{OTHER}\n", f"{SECRET}\n{SECRET}\n", "\ud800"):
        if content is not None:
            file.write_bytes(content.encode("utf-8", "surrogatepass"))
        with pytest.raises(StoreUnavailable) as caught:
            open_store(url)
        said.append(str(caught.value))
    assert "No such file" in said[0]
    assert all("one line" in each for each in (said[1], said[3]))
    file.write_text(f"{SECRET}\n")
    with Authority.open(url, organization="acme") as authority:
        authority.apply(WORLD)
        authority.store.reconnect()
        assert authority.check(*QUESTION)
        file.write_text(OTHER)
        authority.store.reconnect()
        with pytest.raises(StoreUnavailable) as caught:
            authority.check(*QUESTION)
        said.append(str(caught.value))
        file.write_text(SECRET)
        assert authority.check(*QUESTION)
    for text in (*said, caplog.text, repr(authority.settings), locked.log()):
        assert SECRET not in text
        assert OTHER not in text


def test_the_files_of_libpq(locked: Bouncer, database: str, tmp_path: Path) -> None:
    """`passfile` in the URL is the driver's."""
    file = tmp_path / "pgpass"
    escaped = SECRET.replace("\\", "\\\\").replace(":", "\\:")
    file.write_text(f"*:*:*:postgres:{escaped}\n")
    file.chmod(0o600)
    url = f"{locked.url(name_of(database))}&passfile={file}"
    with Authority.open(url, organization="acme") as authority:
        assert authority.apply([changes.CreateOrganization()]).changed


def test_a_password_is_said_once(database: str) -> None:
    """Not in the URL and in a file; the message shows neither."""
    url = database.replace("postgres@", f"postgres:{OTHER}@")
    with pytest.raises(InvalidArgument, match="not in both") as caught:
        open_store(with_password_file(url, "/a/file"))
    assert OTHER not in str(caught.value)
    with pytest.raises(InvalidArgument, match="password_file"):
        open_store(f"{database}&password_file=")
    assert OTHER not in repr(Settings(listen_database=url))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://h/d", "postgresql://h/d?password_file=/a%20b"),
        ("postgres://h/d?x=1", "postgres://h/d?x=1&password_file=/a%20b"),
        ("postgresql://h/d?password_file=/c", "postgresql://h/d?password_file=/c"),
        ("sqlite:///x.db", "sqlite:///x.db"),
        ("x.db", "x.db"),
    ],
)
def test_the_file_that_the_environment_names(url: str, expected: str) -> None:
    """Counts where the URL names none, and on PostgreSQL."""
    assert with_password_file(url, "/a b") == expected
    assert with_password_file(url, None) == url


def test_the_command_line(
    rescind: CommandLine,  # noqa: F811
    locked: Bouncer,
    database: str,
    direct: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Takes the password's file from the environment, and migrates with the server itself only."""
    with Authority.open(direct, organization="acme") as authority:
        authority.apply(WORLD)
    file = tmp_path / "password"
    file.write_text(SECRET)
    asked = ("check", *QUESTION, "-d", locked.url(name_of(database)))
    assert "password" in one_error(rescind(*asked))
    monkeypatch.setenv("RESCIND_DATABASE_PASSWORD_FILE", str(file))
    code, out, _ = rescind(*asked)
    assert (code, out.partition(" ")[0]) == (0, "allowed")
    said = one_error(rescind("migrate", "-d", locked.url(name_of(database))))
    assert "pooler" in said
    assert "the server itself" in said
    assert SECRET not in said


def test_the_configuration_shows_no_password() -> None:
    """Nor where listeners go; and both URLs get the password's file."""
    given = {
        "RESCIND_DATABASE": "postgresql://app@pooler/acme",
        "RESCIND_SETTINGS_LISTEN_DATABASE": f"postgresql://app:{OTHER}@server/acme",
    }
    made, named = load(None, given, {})
    assert OTHER not in repr([shown(each) for each in named])
    assert OTHER not in repr(made)
    given["RESCIND_SETTINGS_LISTEN_DATABASE"] = "postgresql://app@server/acme"
    made, _ = load(None, {**given, "RESCIND_DATABASE_PASSWORD_FILE": "/a/file"}, {})
    assert made.database == "postgresql://app@pooler/acme?password_file=/a/file"
    assert made.settings.listen_database == "postgresql://app@server/acme?password_file=/a/file"


# --- TLS ------------------------------------------------------------------------------------------


class Authorities:
    """A certificate authority of a test, and another one, and what they have signed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.chmod(0o755)
        self.trusted, key = self._authority("trusted")
        self.other, _ = self._authority("other")
        self._sign("server", "localhost", self.trusted, key)

    def path(self, name: str) -> Path:
        return self.folder / name

    def _authority(self, name: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._certificate(
            name, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key
        )
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        signed = made.sign(key, hashes.SHA256())
        self.path(f"{name}.crt").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        return signed, key

    def _sign(
        self, name: str, host: str, issuer: x509.Certificate, by: ec.EllipticCurvePrivateKey
    ) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._certificate(host, issuer.subject, key)
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        signed = made.sign(by, hashes.SHA256())
        self.path(f"{name}.crt").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        self.path(f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )

    def _certificate(
        self, name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
        )


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_tls(postgres_server: str, database: str, tmp_path: Path) -> None:
    """`sslmode=verify-full` reaches the host that the authority has signed for, and nothing else."""
    signed = Authorities(tmp_path)
    for parent in tmp_path.parents[:3]:
        parent.chmod(0o755)
    port, name = free_port(), name_of(database)
    with bouncing(
        postgres_server,
        listen_addr="127.0.0.1",
        listen_port=port,
        client_tls_sslmode="require",
        client_tls_cert_file=signed.path("server.crt"),
        client_tls_key_file=signed.path("server.key"),
    ):

        def url(host: str, more: str) -> str:
            return f"postgresql://postgres@{host}:{port}/{name}?gssencmode=disable&{more}"

        full = f"sslmode=verify-full&sslrootcert={signed.path('trusted.crt')}"
        with Authority.open(url("localhost", full), organization="acme", index=True) as authority:
            authority.apply(WORLD)
            assert authority.load()
            assert authority.check(*QUESTION)
            connection = authority.store.pool.connections()[0].connection  # type: ignore[attr-defined]
            assert connection.pgconn.ssl_in_use
        for host, more, why in (
            ("127.0.0.1", full, "does not match host name"),
            ("localhost", full.replace("trusted", "other"), "certificate verify failed"),
            ("localhost", "sslmode=disable", "SSL required"),
        ):
            with pytest.raises(StoreUnavailable, match=why):
                open_store(url(host, more))


# --- connections ----------------------------------------------------------------------------------


def counted(server: str, database: str) -> int:
    """The sessions that the server has for a database."""
    with psycopg.connect(server) as connection:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
        row = connection.execute(asked, (name_of(database),)).fetchone()
        assert row is not None
        return int(row[0])


def busy(authority: Authority) -> None:
    """Ask and change from more threads than there are connections."""
    with ThreadPoolExecutor(24) as threads:
        tasks = [threads.submit(authority.check, *QUESTION, assurance="live") for _ in range(120)]
        tasks += [
            threads.submit(authority.apply, [changes.CreateGroup(group=f"busy-{number}")])
            for number in range(24)
        ]
        for task in tasks:
            task.result()


@pytest.mark.parametrize("most", [2, 5])
def test_connections_are_bounded(new_database: Make, postgres_server: str, most: int) -> None:
    """An authority has at most `database_connections`; a replica two more, and each worker one."""
    direct = as_direct(new_database("postgres"), postgres_server)
    settings = Settings(database_connections=most)
    with Authority.open(direct, organization="acme", settings=settings, index=True) as replica:
        replica.apply(WORLD)
        assert replica.load()
        with replica.workers(concurrency=2):
            busy(replica)
            assert len(replica.store.pool.connections()) == most  # type: ignore[attr-defined]
            assert most < counted(postgres_server, direct) <= most + 2 + 2


def test_a_pooler_bounds_the_servers_connections(database: str, postgres_server: str) -> None:
    """However many authorities there are: the pool's size, which here is 8."""
    opened = [Authority.open(database, organization="acme", index=True) for _ in range(4)]
    try:
        opened[0].apply(WORLD)
        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(busy_reading, each) for each in opened]:
                done.result()
        assert counted(postgres_server, database) <= 8
    finally:
        for each in opened:
            each.close()


def busy_reading(authority: Authority) -> None:
    authority.load()
    with ThreadPoolExecutor(8) as threads:
        for task in [
            threads.submit(authority.check, *QUESTION, assurance="live") for _ in range(40)
        ]:
            assert task.result()
