"""`Authority.open(…, create=True)`: the schema of a new file."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rescind import Authority
from rescind.changes import CreateOrganization
from rescind.errors import InvalidArgument, SchemaMissing, StoreError, StoreUnavailable
from rescind.store.migrations import migrate
from rescind.store.migrations.plan import plan_of
from rescind.store.sqlite import connect, new_file
from tests.unit.command_line import CommandLine, one_error


def content(path: Path) -> tuple[list[Any], dict[str, list[Any]]]:
    """All objects of a file, and the rows of its tables but for its secret."""
    with closing(sqlite3.connect(path)) as connection:
        made = connection.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"
        ).fetchall()
        tables = [name for kind, name, *_ in made if kind == "table"]
        rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
    del rows["rescind_directory_secret"]
    return made, {name: sorted(found, key=repr) for name, found in rows.items()}


def test_a_new_file_is_what_migrations_make(tmp_path: Path) -> None:
    migrate(str(tmp_path / "migrated.db"))
    for name in ("missing.db", "empty.db"):
        path = tmp_path / name
        if name == "empty.db":
            path.touch()
        with Authority.open(path, organization="acme", create=True) as authority:
            assert content(path) == content(tmp_path / "migrated.db")
            assert authority.apply([CreateOrganization()]).changed
        with Authority.open(f"sqlite:///{path}", organization="acme", create=True) as authority:
            assert not authority.apply([CreateOrganization()]).changed


def test_another_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE invoice (id INTEGER)")
    before = path.read_bytes()
    with pytest.raises(SchemaMissing):
        Authority.open(path, create=True)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("invoice",)]
    text = tmp_path / "text.db"
    text.write_text("no database" * 100, "utf-8")
    with pytest.raises(StoreUnavailable):
        Authority.open(text, create=True)
    assert text.read_text("utf-8") == "no database" * 100
    assert before


def test_without_it_a_missing_file_stays_missing(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        Authority.open(tmp_path / "missing.db")
    assert not (tmp_path / "missing.db").exists()
    with pytest.raises(StoreUnavailable):
        Authority.open(tmp_path / "no" / "folder.db", create=True)


def test_the_owner_makes_it_on_postgresql() -> None:
    with pytest.raises(InvalidArgument, match="rescind migrate"):
        Authority.open("postgresql://localhost/acme", create=True)


NO_FILES = {
    ":memory:": "in a temporary folder",
    " :memory: ": "in a temporary folder",
    "file::memory:": "in a temporary folder",
    "file::memory:?cache=shared": "in a temporary folder",
    "file:x?mode=memory": "in a temporary folder",
    "file:x.db": r"\./file:",
    "sqlite://:memory:": "in a temporary folder",
    "sqlite:///:memory:": "in a temporary folder",
    "sqlite:///file:x?mode=memory&uri=true": "in a temporary folder",
    "sqlite:///x.db?mode=memory": "no parameters",
    "": "It is empty",
    " ": "It is empty",
    "sqlite://": "It is empty",
    "sqlite:///": "It is empty",
}
"""What names no file, to SQLite or to those who know other programs; and what the error says."""


@pytest.mark.parametrize("name", NO_FILES)
def test_what_names_no_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """By everything that takes a database; and none is left that is called so."""
    monkeypatch.chdir(tmp_path)
    for use in (
        lambda: Authority.open(name, create=True),
        lambda: Authority.open(name),
        lambda: migrate(name),
        lambda: plan_of(name),
    ):
        with pytest.raises(InvalidArgument, match=NO_FILES[name]):
            use()
    if "sqlite:" not in name:
        with pytest.raises(InvalidArgument):
            connect(name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [":memory:", "sqlite:///:memory:", "file:x?mode=memory"])
def test_the_command_line_refuses_it_too(
    rescind: CommandLine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """By the variable and by the option, in commands that make a database and in others."""
    monkeypatch.setenv("RESCIND_DATABASE", name)
    for arguments in (("init",), ("migrate",), ("migrate", "--check"), ("check", "ada", "read")):
        assert "name a file, in a temporary folder" in one_error(rescind(*arguments))
    monkeypatch.delenv("RESCIND_DATABASE")
    assert "name a file, in a temporary folder" in one_error(rescind("-d", name, "init"))
    assert list(Path().glob("*mem*")) == []


@pytest.mark.parametrize("name", ["x.db?mode=memory", "./file:x", "memory:", ":memory:.db"])
def test_what_looks_alike_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The control of that: a path is taken as it is."""
    monkeypatch.chdir(tmp_path)
    Authority.open(name, create=True).close()
    assert Path(name).name in [path.name for path in tmp_path.iterdir()]


def test_interrupted_it_leaves_an_empty_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new.db"
    whole = new_file.statements

    def broken(text: str) -> list[str]:
        return [*whole(text)[:40], "SELECT no_such_function()"]

    with monkeypatch.context() as patch:
        patch.setattr(new_file, "statements", broken)
        with pytest.raises(StoreError, match="no_such_function"):
            Authority.open(path, create=True)
    with pytest.raises(SchemaMissing):
        Authority.open(path)
    Authority.open(path, create=True).close()


def test_many_may_make_it_at_once(tmp_path: Path) -> None:
    path, failures = tmp_path / "new.db", []

    def made() -> None:
        try:
            Authority.open(path, create=True).close()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=made) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_it_needs_no_alembic(tmp_path: Path) -> None:
    program = (
        "import sys;"
        "sys.modules.update(dict.fromkeys(('alembic', 'sqlalchemy', 'psycopg', 'litestar', 'click')));"
        f"from rescind import Authority; Authority.open({str(tmp_path / 'new.db')!r}, create=True).close()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
