"""`--at` of questions, and `rescind log prune`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.command_line import CommandLine, one_error

YEAR = 365 * 86_400_000_000


@pytest.fixture
def left(acme: CommandLine) -> CommandLine:
    """An organization that Ada has left by revision 8; she could read at revision 7."""
    assert acme("remove-member", "eng", "ada")[0] == 0
    return acme


def test_checks_as_then(left: CommandLine) -> None:
    """The exit code tells the answer of that time."""
    assert left("check", "ada", "doc:read")[0] == 1
    code, out, err = left("check", "ada", "doc:read", "--at", "7")
    assert (code, err) == (0, "")
    assert out.startswith("allowed  (past, token ")
    token = json.loads(left("check", "ada", "doc:read", "--at", "7", "--json")[1])["token"]
    code, out, _ = left("explain", "ada", "doc:read", "--at", token)
    assert code == 0
    assert "user:ada → group:eng → role reader" in out
    code, out, _ = left("check", "nobody", "doc:read", "--at", "7")
    assert (code, "there is no" in out) == (1, False), "what exists now says nothing of then"


def test_lists_as_then(left: CommandLine) -> None:
    """Both lists."""
    assert left("who-can", "doc:read", "--at", "7")[1] == "user:ada\n"
    assert left("what-can", "ada", "--at", "7")[1] == "doc:read\n"
    assert left("who-can", "doc:read")[1] == ""


@pytest.mark.parametrize(
    ("question", "told"),
    [
        (
            ("who-can", "doc:raed", "--at", "7"),
            "no permission doc:raed now; did you mean doc:read?",
        ),
        (("what-can", "adda", "--at", "7"), "no subject user:adda now; did you mean user:ada?"),
        (("history", "adda"), "no subject user:adda now; did you mean user:ada?"),
        (("history", "-", "doc:raed"), "no permission doc:raed now"),
    ],
)
def test_an_empty_answer_names_what_may_be_mistyped(
    left: CommandLine, question: tuple[str, ...], told: str
) -> None:
    """On the error stream: an investigator must not take a mistyped name for "nobody"."""
    code, out, err = left(*question)
    assert (code, told in err, "adda" in out) == (0, True, False)


def test_another_id_is_named(left: CommandLine, tmp_path: Path) -> None:
    """What a membership had before is told of the id that it had then."""
    path = tmp_path / "renamed.ndjson"
    path.write_text('{"change": "change_membership_id", "subject": "ada", "new_id": "ada.l"}')
    assert left("apply", str(path))[0] == 0
    for asked in ("ada", "ada.l"):
        code, _, err = left("history", asked)
        assert (code, "user:ada became user:ada.l with revision 9" in err) == (0, True)


def test_an_empty_answer_of_known_names_says_nothing_more(left: CommandLine) -> None:
    """It is the answer."""
    assert left("who-can", "doc:read", "--at", "2")[2] == "rescind: nobody could doc:read\n"
    assert left("history", "ada", "doc:read")[2] == ""


@pytest.mark.parametrize(
    ("times", "told"),
    [
        (("--until", "2001-01-01"), "was created at"),
        (("--since", "2001-01-02", "--until", "2001-01-01"), "2001-01-01"),
        (("--since", "2999-01-01"), "2999-01-01"),
    ],
)
def test_times_that_cannot_be_asked_about(
    left: CommandLine, times: tuple[str, ...], told: str
) -> None:
    """Are an error: an investigator must not take them for "no access"."""
    code, out, err = left("history", "ada", "doc:read", *times)
    assert (code != 0, out, told in err) == (True, "", True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--at", "99"), "no change of this number"),
        (("--at", "2001-01-01"), "it was created at"),
        (("--at", "2999-01-01"), "a time that has passed"),
        (("--at", "2026-01-01T10:00"), "--at 2026-01-01T10:00"),
        (("--at", "yesterday"), "--at yesterday. Write a day"),
        (("--at=-5",), "--at -5. Write a day"),
        (("--at", ""), "--at ''. Write a day"),
        (("--at", "9" * 25), "a whole number from 1 to"),
        (("--at", "x" * 32), "was not issued for this organization"),
        (("--at", "7", "--live"), "no access decision"),
    ],
)
def test_what_cannot_be_asked(left: CommandLine, options: tuple[str, ...], told: str) -> None:
    """One sentence that says what can."""
    assert told in one_error(left("check", "ada", "doc:read", *options))


def test_prune(left: CommandLine) -> None:
    """Young changes stay. Of old ones it is shown what would go, and deleted with --yes."""
    code, out, _ = left("log", "prune", "--before", "2999-01-01")
    assert (code, out.splitlines()[0]) == (0, "nothing to prune")
    assert "changes of the last 31 days stay" in out
    with closing(sqlite3.connect("rescind.db")) as connection, connection:
        for column in ("recorded_at", "settled_at"):
            connection.execute(f"UPDATE rescind_change SET {column} = {column} - {YEAR}")
        connection.execute(f"UPDATE rescind_organization SET created_at = created_at - {YEAR}")
    _, out, _ = left("log", "prune", "--before", "6")
    assert "would prune 5 changes, up to revision 5; 3 stay" in out
    assert "add --yes" in out
    assert len(left("log", "--json")[1].splitlines()) == 8
    _, out, _ = left("log", "prune", "--before", "6", "--yes")
    assert "pruned 5 changes" in out
    assert len(left("log", "--json")[1].splitlines()) == 3
    assert left("check", "ada", "doc:read", "--at", "7")[0] == 0
    assert "revision 5, recorded at" in left("check", "ada", "doc:read", "--at", "4")[2]
    found = json.loads(left("log", "prune", "--before", "7", "--json")[1])
    assert (found["changes"], found["is_done"]) == (1, False)


@pytest.mark.parametrize(
    "line", ["log prune", "log --before 7", "log --yes", "log prune --before soon"]
)
def test_options_of_pruning(left: CommandLine, line: str) -> None:
    """They belong together, and a mistake is one sentence."""
    assert one_error(left(*line.split()))
