"""A base back-up and its archive, recovered on another server to a point in time: `make backup-test`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from rescind import Authority, changes
from rescind.cli.commands import application
from rescind.errors import InvalidCursor, InvalidToken
from rescind.settings import Settings
from tests.contract.world import WORLD
from tests.faults.lost import Lost, lose
from tests.faults.server import Server, execute, running, until, until_answered

SHORT = Settings(lease_seconds=1.0, silence_seconds=3.0)
POINT = "before_the_loss"
KEPT = changes.Assign(role="reader", to="user:cyd", on="doc:1")


class Recovered:
    """A server that was made from the back-up and the archive of another one, as it was at POINT."""

    def __init__(self, primary: Server, base: Path, archive: Path) -> None:
        self.folder, self._primary = base, primary
        (base / ".s.PGSQL.5432.lock").unlink(missing_ok=True)  # of the other one's socket
        (base / "recovery.signal").touch()
        own(base / "recovery.signal", primary)
        with (base / "postgresql.auto.conf").open("a") as settings:
            settings.write(
                f"archive_mode = off\nrestore_command = 'cp {archive}/%f %p'\n"
                f"recovery_target_name = '{POINT}'\nrecovery_target_action = promote\n"
            )
        options = f"-c unix_socket_directories={base} -c listen_addresses="
        self._control("-w", "-l", str(base / "log"), "-o", options, "start")
        until(lambda: execute(base, "SELECT NOT pg_is_in_recovery()") == [(True,)])

    def stop(self) -> None:
        """End it at once."""
        self._control("-w", "-m", "immediate", "stop")

    def _control(self, *arguments: str) -> None:
        self._primary.run("pg_ctl", *arguments, data=self.folder)


def own(path: Path, server: Server) -> None:
    """Give it to the user that the server runs as."""
    owner = server.folder.stat()
    os.chown(path, owner.st_uid, owner.st_gid)


@dataclass
class Recovery:
    """Where the database is now, a URL that found the former server too, and who knew what was lost."""

    database: str
    replica: Authority
    lost: Lost


@pytest.fixture
def recovery() -> Iterator[Recovery]:
    with running() as primary, ExitStack() as stack:
        archive, base = (primary.folder.parent / name for name in ("archive", "base"))
        for folder in (archive, base):
            folder.mkdir(mode=0o700)
            own(folder, primary)
        primary.execute("ALTER SYSTEM SET archive_mode = on")
        primary.execute(f"ALTER SYSTEM SET archive_command = 'cp %p {archive}/%f'")
        primary.crash()
        primary.start()
        database = primary.new_database()
        both = database.replace(str(primary.folder), f"{primary.folder},{base}")
        url = f"{both}&target_session_attrs=read-write"
        with Authority.open(database, organization="acme") as writer:
            writer.apply(WORLD)
            source = f"host={primary.folder} user=postgres"
            options = ("-X", "fetch", "-c", "fast", "--no-sync")
            primary.run("pg_basebackup", "-d", source, "-D", str(base), *options)
            replica = stack.enter_context(
                Authority.open(url, organization="acme", settings=SHORT, index=True)
            )
            writer.apply([KEPT])
            primary.execute(f"SELECT pg_create_restore_point('{POINT}')")
            lost = lose(writer)
            until(lambda: replica.check("user:cyd", "read", at_least=lost.token))
        last = primary.execute("SELECT pg_walfile_name(pg_switch_wal())")[0][0]
        archived = f"SELECT 1 FROM pg_stat_archiver WHERE last_archived_wal >= '{last}'"
        until(lambda: primary.execute(archived))
        primary.crash()
        recovered = Recovered(primary, base, archive)
        stack.callback(recovered.stop)
        yield Recovery(database.replace(str(primary.folder), str(base)), replica, lost)


def test_a_point_in_time(recovery: Recovery) -> None:
    """What came before the point is there. A replica that had cached what came after drops it by itself.
    Control, without the command: a token of what was lost is taken for another change of the same number.
    With it, the running replica and a new process refuse it.
    """
    replica, lost = recovery.replica, recovery.lost
    assert not until_answered(lambda: replica.check("user:cyd", "read"))
    assert until_answered(lambda: replica.check("user:cyd", "read", "doc:1"))
    with Authority.open(recovery.database, organization="acme") as authority:
        authority.apply([changes.CreateGroup(group="another")])
        assert not authority.check("user:cyd", "read", at_least=lost.token)  # the control
        arguments = ["restored", "-d", recovery.database, "--reason", "the disk was lost"]
        found = CliRunner().invoke(application(), arguments)
        assert found.exit_code == 0, found.output
        with Authority.open(recovery.database, organization="acme", index=True) as started:
            for asked in (replica, started):
                until(lambda asked=asked: refuses(asked, lost))  # type: ignore[misc]
                assert not until_answered(lambda asked=asked: asked.check("user:cyd", "read"))  # type: ignore[misc]
            authority.apply([changes.RemoveMembers(group="eng", members=("user:ada",))])
            for asked in (replica, started):
                assert not asked.check("user:ada", "write", "doc:1")


def refuses(authority: Authority, lost: Lost) -> bool:
    """Whether both are refused. A replica learns of the command with the next renewal of its lease."""
    try:
        until_answered(lambda: authority.check("user:cyd", "read", at_least=lost.token))
    except InvalidToken:
        with pytest.raises(InvalidCursor):
            authority.who_can("read", limit=1, cursor=lost.cursor)
        return True
    return False
