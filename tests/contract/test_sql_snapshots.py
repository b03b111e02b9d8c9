"""Statements that engines get are the ones that were reviewed, and people can read them."""

from __future__ import annotations

import pytest

from rescind.store.legible import legible
from rescind.store.queries import queries, source_files
from tests.sql_snapshots.files import FOLDER, expected
from tests.unit.command_line import CommandLine, one_error
from tests.unit.conftest import rescind as rescind


def test_snapshots_are_current() -> None:
    """What changed in a statement is seen in its snapshot: `make sql-snapshots` writes them anew."""
    there = {path: path.read_text("utf-8") for path in FOLDER.glob("*/*.sql")}
    wanted = expected()
    assert sorted(there) == sorted(wanted)
    for path, text in wanted.items():
        assert there[path] == text, f"{path.name} differs: run make sql-snapshots"


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_layout_changes_white_space_alone(engine: str) -> None:
    """Between its words a statement has other spaces; its words, and texts in quotes, are the same."""
    for sql in queries(engine).values():  # type: ignore[arg-type]
        assert legible(sql).split() == sql.split()
    assert legible("SELECT 'two\n  lines', (\nb)") == "SELECT 'two\n  lines', (\n    b)"


def test_printed(rescind: CommandLine) -> None:
    """A statement is printed as the engine gets it, with its file; without a database."""
    code, out, _ = rescind("sql", "check_live_multiple", "--engine", "sqlite")
    assert code == 0
    head, _, text = out.partition("\n")
    assert head == "-- check_live_multiple (decisions.sql, sqlite)"
    assert text.split() == queries("sqlite")["check_live_multiple"].split()
    _, out, _ = rescind("sql", "check_live_multiple")
    assert "LATERAL" in out


def test_listed(rescind: CommandLine) -> None:
    """All statements are listed with their files."""
    code, out, _ = rescind("sql", "--list", "--engine", "sqlite", "--json")
    assert code == 0
    assert len(out.splitlines()) == len(queries("sqlite")) == len(source_files("sqlite"))
    _, out, _ = rescind("sql", "--list")
    assert "decisions.sql" in out


def test_unknown_name(rescind: CommandLine) -> None:
    """A name that is none is refused with names like it; a hostile one does no harm."""
    assert "check_live_multiple" in one_error(rescind("sql", "chek_live_multiple"))
    assert "--list" in one_error(rescind("sql"))
    assert "--list" in one_error(rescind("sql", "\x1b[2J'; DROP TABLE x"))
