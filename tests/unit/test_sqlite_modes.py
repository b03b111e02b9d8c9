"""Who may read a database's files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from rescind import Authority, changes
from rescind.store.migrations import migrate
from rescind.store.sqlite import files


@pytest.fixture(autouse=True)
def generous() -> Iterator[None]:
    """Files are made for everybody, where nothing else is said."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(path: Path) -> dict[str, int]:
    """Of the database and all that is beside it, while it is in use."""
    migrate(str(path))
    with Authority.open(path, organization="acme") as authority:
        authority.apply([changes.CreateOrganization()])
        found = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert {f"acme.db{end}" for end in ("", "-wal", "-shm", "-turn")} == found.keys()
    return found


def test_the_files_of_a_new_database_are_its_owners(tmp_path: Path) -> None:
    """The database, its log, its shared memory and the file of turns: nobody else may open them."""
    assert set(modes(tmp_path / "acme.db").values()) == {0o600}


def test_files_beside_a_database_have_its_mode(tmp_path: Path) -> None:
    """One that a group shares stays shared, with its file of turns."""
    path = tmp_path / "acme.db"
    path.touch()
    path.chmod(0o660)
    assert set(modes(path).values()) == {0o660}


def test_control_sqlite_makes_files_for_everybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for what is done to a new file, these would be."""
    monkeypatch.setattr(files, "PRIVATE", 0o644)
    assert 0o600 not in modes(tmp_path / "acme.db").values()
