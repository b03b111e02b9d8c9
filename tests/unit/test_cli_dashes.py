"""A value that begins with a dash is never an answer: not 0 without an allow, nor 0 for what was not done."""

from __future__ import annotations

import pytest

from tests.unit.command_line import CommandLine

DASHES = (
    *("--help", "--version", "--live", "--json", "-h", "-d", "-o", "-oacme", "--at=1", "--", "-"),
    *("--show-completion", "--all", ""),
)


@pytest.mark.parametrize("who", DASHES)
def test_whoever_has_the_name_of_an_option_is_not_allowed(acme: CommandLine, who: str) -> None:
    """A script that takes 0 for allowed must not be fooled by a name. (Control: ada is allowed.)"""
    for command in ("check", "explain"):
        assert acme(command, who, "doc:read")[0] in (1, 2)
        assert acme(command, who, "doc:read", "doc:1")[0] in (1, 2)
        assert acme(command, "ada", "doc:read")[0] == 0


@pytest.mark.parametrize(
    "line",
    [
        "check --help doc:read",
        "check ada doc:read --help",
        "log verify --help",
        "audit --repair --help",
        "doctor --json --help",
        "remove-member eng --help",
        "import --help facts.csv",
        "--version check ada doc:read",
        "--help check",
        "-d rescind.db --help",
    ],
)
def test_help_that_does_not_stand_alone_is_no_success(acme: CommandLine, line: str) -> None:
    """It is shown, and the exit code says that nothing else was done."""
    code, out, err = acme(*line.split())
    assert code == 2
    assert out
    assert err.startswith("rescind: Nothing was done: ")
    assert "write '--'" in err


def test_help_alone_is_a_success(acme: CommandLine) -> None:
    """Of the program and of a command, whatever was said before the command."""
    for line in ("--help", "--version", "check --help", "-d rescind.db check --help"):
        code, out, err = acme(*line.split())
        assert (code, err) == (0, ""), line
        assert out


def test_what_follows_two_dashes_is_a_value(acme: CommandLine) -> None:
    """A name that begins with a dash is as good as any."""
    assert acme("check", "--", "--help", "doc:read")[0] == 1
    assert acme("check", "-o", "acme", "--", "ada", "doc:read")[0] == 0
    assert acme("add-membership", "--", "--help")[0] == 0
    assert acme("add-member", "eng", "--", "--help")[0] == 0
    assert acme("check", "--", "--help", "doc:read")[0] == 0
