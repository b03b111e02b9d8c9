"""The command line, called in an empty folder."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from rescind.cli import run
from tests.unit.command_line import CommandLine


@pytest.fixture
def rescind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> CommandLine:
    """Runs a command in an empty folder; gives its exit code, output and error output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RESCIND_ORGANIZATION", "acme")
    monkeypatch.delenv("RESCIND_DATABASE", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)  # readline sets it for the children of a process

    def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run(list(arguments))
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return code, out, err

    return call


@pytest.fixture
def acme(rescind: CommandLine, sqlite_template: Path, tmp_path: Path) -> CommandLine:
    """The same, with a database where ada can read through the group eng."""
    shutil.copy(sqlite_template, tmp_path / "rescind.db")
    for line in (
        "create-organization",
        "define-permission doc:read",
        "define-role reader --permission doc:read",
        "add-membership ada",
        "create-group eng",
        "add-member eng ada",
        "assign reader group:eng",
    ):
        code, _, err = rescind(*line.split())
        assert (code, err) == (0, ""), line
    return rescind
