"""A read of an SQLite file that ended before its end keeps later reads in no old snapshot."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from rescind import Authority, changes
from rescind.errors import RescindError
from rescind.store.pool import Checkout
from rescind.store.sqlite import files
from tests.contract.world import WORLD

ASKED = ("user:ada", "read")


class Stalling(sqlite3.Connection):
    """Fails in the middle of a statement that somebody goes on holding."""

    is_stalling = False
    held: list[sqlite3.Cursor] = []  # noqa: RUF012

    def execute(self, *args: Any) -> sqlite3.Cursor:
        if not self.is_stalling:
            return super().execute(*args)
        cursor = super().execute("SELECT name FROM sqlite_master")
        cursor.fetchone()
        self.held.append(cursor)
        raise sqlite3.OperationalError("disk I/O error")


@pytest.mark.parametrize("is_guarded", [True, False])
def test_who_was_removed_after_it_is_denied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_guarded: bool
) -> None:
    """Control: where the connection is lent again, the removal is never seen."""
    path = tmp_path / "acme.db"
    connect = sqlite3.connect
    with Authority.open(path, organization="acme", create=True) as other:
        other.apply(WORLD)
        monkeypatch.setattr(
            files.sqlite3,
            "connect",
            lambda *args, **more: connect(*args, **more | {"factory": Stalling}),
        )
        if not is_guarded:
            monkeypatch.setattr(Checkout, "drop", Checkout.release)
        with Authority.open(path, organization="acme") as authority:
            assert authority.check(*ASKED)
            monkeypatch.setattr(Stalling, "is_stalling", True)
            with pytest.raises(RescindError):
                authority.check(*ASKED)
            monkeypatch.setattr(Stalling, "is_stalling", False)
            other.apply([changes.RemoveMembership(subject="user:ada")])
            assert authority.check(*ASKED).allowed == (not is_guarded)
        Stalling.held.clear()
