"""What is set but empty is refused: a secret that was not filled in must not mean the default."""

from __future__ import annotations

from pathlib import Path

import pytest

from rescind import Authority
from rescind.errors import InvalidArgument
from rescind.http.server.configuration import load, names, variable
from rescind.store.migrations import migrate
from rescind.store.open import with_password_file
from tests.unit.command_line import CommandLine, one_error

BLANK = ("", "  ")
DATABASES = ("", "  ", "sqlite://", "sqlite:///", "sqlite:/// ")


@pytest.mark.parametrize("database", DATABASES)
def test_a_database_without_a_name_is_refused(database: str) -> None:
    """SQLite would make one that is gone when it is closed, with all that was written to it."""
    for create in (False, True):
        with pytest.raises(InvalidArgument, match="empty"):
            Authority.open(database, create=create)
    if database != "sqlite://":
        with pytest.raises(InvalidArgument, match="empty"):
            migrate(database)


@pytest.mark.parametrize("text", BLANK)
@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("RESCIND_DATABASE", "check ada doc:read"),
        ("RESCIND_DATABASE", "init"),
        ("RESCIND_DATABASE", "config"),
        ("RESCIND_ORGANIZATION", "check ada doc:read"),
        ("RESCIND_ORGANIZATION", "keys create everything"),
        ("RESCIND_CONFIG", "config"),
        ("RESCIND_CONFIG", "targets"),
        ("RESCIND_KEY", "probe --url http://localhost:1"),
        ("RESCIND_SETTINGS_LISTEN_DATABASE", "worker --until-settled"),
        ("RESCIND_DEMO_DATA", "demo"),
        ("RESCIND_PORT", "config"),
    ],
)
def test_an_empty_variable_is_refused(
    acme: CommandLine, monkeypatch: pytest.MonkeyPatch, name: str, text: str, line: str
) -> None:
    """By its name, before anything is done. (Control: unset, the default holds.)"""
    monkeypatch.setenv(name, text)
    assert name in one_error(acme(*line.split()))
    if line.startswith("check") and name == "RESCIND_DATABASE":
        monkeypatch.delenv(name)
        assert acme(*line.split())[0] == 0


@pytest.mark.parametrize(
    ("name", "option"), [("RESCIND_DATABASE", "-d rescind.db"), ("RESCIND_ORGANIZATION", "-o acme")]
)
def test_an_empty_variable_that_is_not_used_is_no_error(
    acme: CommandLine, monkeypatch: pytest.MonkeyPatch, name: str, option: str
) -> None:
    """The option may stand before or after the command."""
    monkeypatch.setenv(name, "")
    assert acme(*option.split(), "check", "ada", "doc:read")[0] == 0
    assert acme("check", "ada", "doc:read", *option.split())[0] == 0
    assert acme("sql", "--list")[0] == 0


def test_a_password_file_without_a_name(acme: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server might let somebody in without a password. SQLite has none, and a URL may name its own."""
    monkeypatch.setenv("RESCIND_DATABASE_PASSWORD_FILE", "")
    url = "postgresql://nowhere.invalid/x"
    assert "RESCIND_DATABASE_PASSWORD_FILE" in one_error(acme("-d", url, "check", "a", "b"))
    assert acme("check", "ada", "doc:read")[0] == 0
    assert with_password_file(f"{url}?password_file=/x", "") == f"{url}?password_file=/x"


@pytest.mark.parametrize("text", BLANK)
def test_every_setting_of_the_service(tmp_path: Path, text: str) -> None:
    """In the environment, in the file, and on its command line."""
    for name in names():
        with pytest.raises(InvalidArgument, match=f"{variable(name)} is empty"):
            load(None, {variable(name): text}, {})
    file = tmp_path / "rescind.toml"
    file.write_text(f'database = "{text}"\n')
    with pytest.raises(InvalidArgument, match="empty"):
        load(str(file), {}, {})
    with pytest.raises(InvalidArgument, match="public_url"):
        load(None, {}, {"public_url": text})
    assert load(None, {}, {"public_url": None})[0].public_url is None
