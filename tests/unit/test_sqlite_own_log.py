"""A database whose log is not the one that other processes write: it is refused, never answered from."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from rescind import Authority, changes
from rescind.errors import StoreError, StoreUnavailable
from rescind.store.migrations import migrate
from rescind.store.rows.reconcile import FIND_GROUP
from rescind.store.sqlite import files, incarnation, log_files, own_log, write_queue
from rescind.store.sqlite.own_log import OwnLog
from tests.contract.world import WORLD
from tests.unit.command_line import forked

ADA = ("user:ada", "write", "doc:1")
ENG = {"organization": "acme", "group": "eng"}
REVOKE = ("remove-member", "eng", "user:ada")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(files, "without_log", set())
    monkeypatch.setattr(files, "keep_for_good", lambda _: None)
    path = tmp_path / "acme.db"
    with Authority.open(path, organization="acme", create=True) as authority:
        authority.apply(WORLD)
    return str(path)


def revoked_elsewhere(path: str) -> None:
    """Another process takes Ada out of her group, and returns."""
    done = forked(Path(path).parent, *REVOKE, "-d", path)
    assert done.returncode == 0, done.stderr


def looked(authority: Authority) -> bool:
    """Whether Ada may, once it is time to look at the file's names again."""
    authority.store.incarnation.next_look = 0.0  # type: ignore[attr-defined]
    return bool(authority.check(*ADA))


@pytest.mark.parametrize("index", [False, True], ids=["store", "memory"])
@pytest.mark.parametrize("is_on", [True, False])
def test_a_log_that_was_deleted_and_made_anew(
    path: str, is_on: bool, index: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another process revoked by the new log is not allowed here: nothing is. The control, without a
    look at the log: it is allowed for ever.
    """
    if not is_on:
        monkeypatch.setattr(OwnLog, "require", lambda _: (0, 0, 0))
    with Authority.open(path, organization="acme", index=index) as authority:
        assert not index or authority.load()
        assert authority.check(*ADA)
        os.unlink(f"{path}-shm")
        revoked_elsewhere(path)
        if not is_on:
            assert looked(authority)
            return
        with pytest.raises(StoreUnavailable, match="restart this process"):
            looked(authority)
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="restart this process"):
                authority.check(*ADA)
            with pytest.raises(StoreUnavailable, match="restart this process"):
                authority.apply(WORLD[:1])
        with pytest.raises(StoreUnavailable, match="restart this process"):
            Authority.open(path)


def test_a_log_beside_what_a_link_leads_to(path: str, tmp_path: Path) -> None:
    """A symbolic link is no second name. What is deleted beside the file is noticed by the link too."""
    link = tmp_path / "links" / "linked.db"
    link.parent.mkdir()
    link.symlink_to(path)
    with Authority.open(link, organization="acme", index=True) as authority:
        assert authority.check(*ADA)
        revoked_elsewhere(path)
        assert not looked(authority)
        os.unlink(f"{path}-shm")
        with pytest.raises(StoreUnavailable, match="restart this process"):
            looked(authority)


def test_a_link_that_leads_elsewhere_now(path: str, tmp_path: Path) -> None:
    """It is another file, as after any exchange."""
    with Authority.open(tmp_path / "other.db", organization="acme", create=True):
        pass
    link = tmp_path / "linked.db"
    link.symlink_to(path)
    with Authority.open(link, organization="acme", index=True) as authority:
        assert authority.check(*ADA)
        link.unlink()
        link.symlink_to(tmp_path / "other.db")
        for _ in range(3):
            assert not looked(authority)
        assert authority.apply(WORLD).changed
        assert looked(authority)


@pytest.mark.parametrize("is_on", [True, False])
def test_a_write_is_refused_without_a_look_before(
    path: str, is_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would overwrite what the other process committed. The control, without a look at the log: it is
    taken, and this process goes on to allow what was revoked.
    """
    if not is_on:
        monkeypatch.setattr(OwnLog, "require", lambda _: (0, 0, 0))
    with Authority.open(path, organization="acme") as authority:
        authority.check(*ADA)
        os.unlink(f"{path}-shm")
        revoked_elsewhere(path)
        authority.store.incarnation.next_look = float("inf")  # type: ignore[attr-defined]
        change = changes.AddMembership(subject="user:new")
        if not is_on:
            assert authority.apply([change]).changed
            assert authority.check(*ADA)
            return
        with pytest.raises(StoreUnavailable, match="restart this process"):
            authority.apply([change])


@pytest.mark.parametrize("is_time_to_look", [True, False])
def test_a_connection_of_the_callers_is_refused_too(path: str, is_time_to_look: bool) -> None:
    """It has the former log: what it reads may be revoked, and what it writes nobody else would see."""
    with (
        Authority.open(path, organization="acme") as authority,
        closing(sqlite3.connect(path, isolation_level=None)) as own,
    ):
        own.execute("BEGIN")
        assert authority.check(*ADA, within=own)
        own.execute("COMMIT")
        os.unlink(f"{path}-shm")
        revoked_elsewhere(path)
        known = authority.store.incarnation  # type: ignore[attr-defined]
        known.next_reading = float("inf")
        known.next_look = 0.0 if is_time_to_look else float("inf")
        own.execute("BEGIN")
        for _ in range(0 if is_time_to_look else 2):
            with pytest.raises(StoreUnavailable, match="restart this process"):
                authority.apply(WORLD[:1], within=own)
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="restart this process"):
                authority.check(*ADA, within=own)
        own.execute("ROLLBACK")


@pytest.mark.parametrize("is_on", [True, False])
def test_what_the_other_process_committed_stays(
    path: str, is_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if this one never looked before it ended. The control, which closes its connections: SQLite
    deletes the new log, and the revocation with it.
    """
    if not is_on:
        monkeypatch.setattr(OwnLog, "require", lambda _: (0, 0, 0))
    authority = Authority.open(path, organization="acme")
    assert authority.check(*ADA)
    os.unlink(f"{path}-shm")
    revoked_elsewhere(path)
    authority.close()
    found = forked(Path(path).parent, "check", *ADA, "-d", path)
    assert found.returncode == int(is_on), found.stdout + found.stderr


@pytest.mark.parametrize("ends", [("-wal",), ("-shm",), ("-wal", "-shm")])
def test_a_log_that_is_only_deleted_loses_nothing(path: str, ends: tuple[str, ...]) -> None:
    """This process refuses the file, and leaves in it what it had committed."""
    authority = Authority.open(path, organization="acme")
    authority.apply([*WORLD], organization="beta")
    for end in ends:
        os.unlink(f"{path}{end}")
    with pytest.raises(StoreUnavailable, match="restart this process"):
        looked(authority)
    authority.close()
    found = forked(Path(path).parent, "check", *ADA, "-d", path, "-o", "beta")
    assert found.returncode == 0, found.stdout + found.stderr


def test_nothing_waits_for_a_long_read(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check that notices the loss is refused at once, and what was committed gets into the file when the
    read has ended.
    """
    monkeypatch.setattr(write_queue, "BUSY_SECONDS", 3_600.0)
    authority = Authority.open(path, organization="acme", index=True)
    assert authority.load()
    assert authority.check(*ADA)
    with authority.store.snapshot() as snapshot:
        with authority.store.snapshot():
            """So that another reader is free."""
        assert snapshot.fetch_many([(FIND_GROUP, ENG)])[0]
        authority.apply([*WORLD], organization="beta")
        for end in ("-wal", "-shm"):
            os.unlink(f"{path}{end}")
        with pytest.raises(StoreUnavailable, match="restart this process"):
            looked(authority)
    authority.close()
    found = forked(Path(path).parent, "check", *ADA, "-d", path, "-o", "beta")
    assert found.returncode == 0, found.stdout + found.stderr


def test_a_log_that_sqlite_deleted_itself(path: str) -> None:
    """Of a store whose connections were all closed, as before a fork: it goes on."""
    with Authority.open(path, organization="acme", index=True) as authority:
        assert authority.check(*ADA)
        authority.store.before_fork()  # type: ignore[attr-defined]
        assert not Path(f"{path}-shm").exists()
        authority.store.after_fork()  # type: ignore[attr-defined]
        revoked_elsewhere(path)
        assert not looked(authority)
        authority.apply(WORLD[:1])


@pytest.mark.parametrize("index", [False, True], ids=["store", "memory"])
def test_another_file_in_the_place_of_one_that_lost_its_log(
    path: str, index: bool, tmp_path: Path
) -> None:
    """It is opened, as after any exchange."""
    with Authority.open(tmp_path / "other.db", organization="acme", create=True):
        pass
    with Authority.open(path, organization="acme", index=index) as authority:
        assert not index or authority.load()
        assert authority.check(*ADA)
        os.unlink(f"{path}-wal")
        os.unlink(f"{path}-shm")
        with pytest.raises(StoreUnavailable):
            looked(authority)
        os.replace(tmp_path / "other.db", path)
        assert not looked(authority)
        assert authority.apply(WORLD).changed


@pytest.mark.parametrize("index", [False, True], ids=["store", "memory"])
@pytest.mark.parametrize("is_on", [True, False])
def test_another_file_beside_the_log_of_the_former(
    path: str, is_on: bool, index: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not opened before that log is deleted. The control: SQLite copies the former file's pages into
    the back-up, which is destroyed.
    """
    if not is_on:
        monkeypatch.setattr(incarnation, "require_no_former_log", lambda *_: None)
    backup = tmp_path / "backup.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(backup),))
    authority = Authority.open(path, organization="acme", index=index)
    assert not index or authority.load()
    authority.apply([changes.AddMembership(subject=f"user:new-{n}") for n in range(200)])
    authority.apply([changes.RemoveMembers(group="eng", members=("user:ada",))])
    assert not looked(authority)
    os.replace(backup, path)
    if not is_on:
        with pytest.raises(StoreError, match="malformed"):
            looked(authority)
        authority.close()
        return
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="delete these two"):
            looked(authority)
        with pytest.raises(StoreUnavailable, match="delete these two"):
            authority.apply(WORLD[:1])
    for end in ("-wal", "-shm"):
        os.unlink(f"{path}{end}")
    assert looked(authority)
    authority.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_another_file_beside_an_empty_log(path: str, tmp_path: Path) -> None:
    """Nothing is in it that SQLite could copy: the file is opened."""
    with Authority.open(tmp_path / "other.db", organization="acme", create=True):
        pass
    with Authority.open(path, organization="acme") as authority:
        assert looked(authority)
        assert Path(f"{path}-wal").stat().st_size == 0
        os.replace(tmp_path / "other.db", path)
        assert not looked(authority)


@pytest.mark.parametrize("is_known", [True, False])
def test_another_file_while_the_former_is_read(
    path: str, tmp_path: Path, is_known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long read of the former file goes on, and the new one is opened. The control, where it is not known
    which database a log is of: the new file is refused for good.
    """
    if not is_known:
        monkeypatch.setattr(own_log, "is_other", lambda now, opened: now[1:] != opened[1:])
    with Authority.open(tmp_path / "other.db", organization="acme", create=True):
        pass
    with Authority.open(path, organization="acme") as authority:
        with authority.store.snapshot() as snapshot:
            assert snapshot.fetch_many([(FIND_GROUP, ENG)])[0]
            for end in ("-wal", "-shm"):
                os.unlink(f"{path}{end}")
            os.replace(tmp_path / "other.db", path)
            assert not looked(authority)
            if not is_known:
                with pytest.raises(StoreUnavailable, match="restart this process"):
                    looked(authority)
                return
            for _ in range(3):
                assert not looked(authority)
            assert snapshot.fetch_many([(FIND_GROUP, ENG)])[0]
        assert authority.apply(WORLD).changed
        assert looked(authority)


def test_threads_that_look_at_once_when_another_file_is_there(path: str, tmp_path: Path) -> None:
    """One noticed it, and has not yet let go of the former file's connections when the other looks."""
    with Authority.open(tmp_path / "other.db", organization="acme", create=True):
        pass
    with Authority.open(path, organization="acme") as authority:
        assert authority.check(*ADA)
        for end in ("-wal", "-shm"):
            os.unlink(f"{path}{end}")
        os.replace(tmp_path / "other.db", path)
        known = authority.store.incarnation  # type: ignore[attr-defined]
        assert known.is_replaced()
        assert not known.is_replaced()
        authority.store.reconnect()
        assert not looked(authority)


def test_a_log_that_others_delete_while_a_copy_becomes_one(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy by `VACUUM INTO` has no log yet. Another process opens it, and closes it before the first read
    here: the log that this one opens then is its own.
    """
    copy = str(tmp_path / "copy.db")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (copy,))
    others: list[subprocess.Popen[bytes]] = []
    configure, found = files.configure, log_files.found_beside

    def configured(connection: sqlite3.Connection) -> None:
        configure(connection)
        if not others:
            others.append(opened_elsewhere(copy))

    def found_while_open(path: str) -> log_files.LogFiles:
        beside = found(path)
        others[0].communicate()
        Path(f"{path}.numbered").touch()  # so that the number of a deleted log is not used again
        Path(f"{path}.numbered2").touch()
        return beside

    monkeypatch.setattr(files, "configure", configured)
    monkeypatch.setattr(files, "found_beside", found_while_open)
    with Authority.open(copy, organization="acme") as authority:
        assert looked(authority)


def opened_elsewhere(path: str) -> subprocess.Popen[bytes]:
    """A process that has the file open until its input ends."""
    script = (
        "import sqlite3, sys\n"
        f"connection = sqlite3.connect({path!r})\n"
        "connection.execute('SELECT count(*) FROM sqlite_master').fetchone()\n"
        "print(flush=True)\n"
        "sys.stdin.read()\n"
        "connection.close()\n"
    )
    program = [sys.executable, "-c", script]
    other = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert other.stdout.readline()
    return other


def test_control_a_connection_of_the_callers(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a look at the log, what was revoked is allowed in its transaction."""
    monkeypatch.setattr(OwnLog, "require", lambda _: (0, 0, 0))
    with (
        Authority.open(path, organization="acme") as authority,
        closing(sqlite3.connect(path, isolation_level=None)) as own,
    ):
        own.execute("BEGIN")
        assert authority.check(*ADA, within=own)
        own.execute("COMMIT")
        os.unlink(f"{path}-shm")
        revoked_elsewhere(path)
        own.execute("BEGIN")
        assert authority.check(*ADA, within=own)
        own.execute("ROLLBACK")


def test_a_file_with_two_names(path: str) -> None:
    """Neither is opened, or migrated."""
    other = f"{path}.2"
    os.link(path, other)
    done = forked(Path(path).parent, *REVOKE, "-d", other)
    assert done.returncode == 2
    assert "2 names (hard links)" in done.stderr
    for name in (path, other):
        for create in (False, True):
            with pytest.raises(StoreUnavailable, match="hard links"):
                Authority.open(name, create=create)
        with pytest.raises(StoreUnavailable, match="hard links"):
            migrate(name)
    os.unlink(other)
    with Authority.open(path, organization="acme") as authority:
        assert authority.check(*ADA)


def test_control_two_processes_with_two_names(path: str) -> None:
    """A revocation by one name has returned, and is allowed by the other."""
    other = f"{path}.2"
    with Authority.open(path, organization="acme", index=True) as authority:
        assert authority.check(*ADA)
        os.link(path, other)
        script = (
            "from rescind import Authority, changes\n"
            "from rescind.store.sqlite import incarnation\n"
            "incarnation.require_one_log = lambda _: None\n"
            f"authority = Authority.open({other!r}, organization='acme')\n"
            "change = changes.RemoveMembers(group='eng', members=('user:ada',))\n"
            f"print(authority.apply([change]).changed, bool(authority.check(*{ADA!r})))\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert done.stdout.split() == ["True", "False"], done.stderr
        assert looked(authority)


@pytest.mark.parametrize(
    ("mounted", "is_refused"),
    [((), False), (("",), True), (("", "-wal", "-shm"), False), (("x",), False)],
    ids=["nothing", "the file", "all files", "another"],
)
def test_a_file_that_is_mounted_by_itself(
    tmp_path: Path, mounted: tuple[str, ...], is_refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its log would be outside: in a container's own layer, where a restart loses the last commits."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    path, listed = folder / "acme.db", tmp_path / "mountinfo"
    lines = [
        "36 35 98:0 / / rw - ext4 /dev/sda1 rw",
        *(
            f"37 36 98:0 /f {str(path).replace(' ', chr(92) + '040')}{end} rw - ext4 x rw"
            for end in mounted
        ),
        "short",
    ]
    with Authority.open(path, organization="acme", create=True):
        pass
    listed.write_text("\n".join(lines))
    monkeypatch.setattr(log_files, "MOUNTS", listed)
    if is_refused:
        with pytest.raises(StoreUnavailable, match="mounted by itself"):
            Authority.open(path, organization="acme")
    else:
        Authority.open(path, organization="acme").close()


def test_where_mounts_are_not_listed(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "MOUNTS", Path("/nowhere/mountinfo"))
    Authority.open(path, organization="acme").close()
