"""The command line, given what nobody should give it: one clear line, and nothing broken behind it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from rescind.store.sqlite import connections as sqlite_connections
from tests.unit.command_line import CommandLine, one_error, spawned, spawned_shell

NOT_UTF8 = os.fsdecode(b"caf\xe9")
TOO_FAR = ("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59")
RESCIND = f'{shlex.quote(sys.executable)} -c "import rescind.cli; rescind.cli.main()"'


# --- arguments ------------------------------------------------------------------------------------


def test_messages_say_the_mend_as_a_sentence(acme: CommandLine) -> None:
    """What is wrong, then what to do, without the names of our own keywords."""
    assert one_error(acme("check", "ada", "doc:read", "document")) == (
        "rescind: An id is malformed: resource document. Write type:id, such as document:1.\n"
    )
    assert one_error(acme("check", "", "doc:read")).startswith(
        "rescind: An id is malformed: subject ''. Use 1 to 255 characters"
    )
    assert one_error(acme("who-can", "doc:read", "--limit", "0")).endswith(
        "from 1 to 10,000. Try `rescind who-can --help`.\n"
    )
    assert "use one of user, service_account, agent" in (
        one_error(acme("who-can", "doc:read", "--kind", "robot")).lower()
    )


def test_empty_options_are_not_left_out_ones(acme: CommandLine) -> None:
    """`-o "$UNSET"` must not do to the default organization what was meant for another."""
    for line in (("-o", ""), ("-d", "")):
        one_error(acme("delete-organization", "--cascade", *line))
        one_error(acme(*line, "delete-organization", "--cascade"))
    one_error(acme("init", "-d", ""))
    assert "key" in one_error(acme("create-group", "ops", "--key", ""))
    assert acme("check", "ada", "doc:read")[0] == 0


def test_init_makes_nothing_for_a_bad_name(rescind: CommandLine) -> None:
    """The organization's name is looked at before a file is made."""
    one_error(rescind("init", "-o", "two\nlines"))
    assert not Path("rescind.db").exists()


def test_numbers_out_of_range(acme: CommandLine) -> None:
    """A number larger than any store's is refused or clamped, never a crash."""
    huge = "9" * 20
    assert "after" in one_error(acme("log", "--after", huge))
    assert acme("log", "--limit", huge)[0] == 0
    one_error(acme("who-can", "doc:read", "--limit", huge))
    one_error(acme("define-role", "x", "--priority", huge))


@pytest.mark.parametrize("time", TOO_FAR)
def test_times_that_utc_cannot_say(acme: CommandLine, time: str) -> None:
    """An expiry outside the years 1 to 9999 is refused: it could be recorded but never shown again."""
    line = f'{{"change": "assign", "role": "reader", "to": "ada", "expires_at": "{time}"}}\n'
    Path("far.ndjson").write_text(line)
    Path("far.csv").write_text(f"group,subject,expires_at\neng,ada,{time}\n")
    one_error(acme("assign", "reader", "ada", "--expires-at", time))
    one_error(acme("add-member", "eng", "ada", "--expires-at", time))
    assert "far.ndjson:1" in one_error(acme("import", "far.ndjson"))
    assert "far.ndjson:1" in one_error(acme("apply", "far.ndjson"))
    assert "far.csv:2" in one_error(acme("import", "far.csv"))
    assert acme("explain", "ada", "doc:read")[0] == 0
    assert acme("export")[0] == 0


def test_text_that_is_not_utf8(acme: CommandLine) -> None:
    """Bytes that are no UTF-8 are refused as text, and do no harm in the name of a file."""
    for option in ("--reason", "--actor", "--key", "--name"):
        assert "UTF-8" in one_error(acme("create-group", "ops", option, NOT_UTF8))
    one_error(acme("create-group", NOT_UTF8))
    one_error(acme("check", NOT_UTF8, "doc:read"))
    Path(f"{NOT_UTF8}.csv").write_text("subject\nbob\n")
    assert acme("import", f"{NOT_UTF8}.csv")[0] == 0
    assert acme("log")[0] == 0
    assert acme("export", "--output", f"{NOT_UTF8}.ndjson")[0] == 0


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_names_that_no_engine_keeps(rescind: CommandLine, database: str) -> None:
    """A display name or description with a NUL, or without bounds, is refused alike on both engines."""
    rescind("-d", database, "init")
    for text in (r"a\u0000b", "x" * 10_001):
        for line in (
            f'{{"change": "create_group", "group": "ops", "name": "{text}"}}',
            f'{{"change": "define_permission", "permission": "p", "description": "{text}"}}',
        ):
            Path("names.ndjson").write_text(line + "\n")
            assert "names.ndjson:1" in one_error(rescind("-d", database, "import", "names.ndjson"))
            one_error(rescind("-d", database, "apply", "names.ndjson"))


# --- files ----------------------------------------------------------------------------------------


def test_unknown_tables_are_told_the_headers(acme: CommandLine) -> None:
    """Whoever brings their own CSV learns which first line is understood."""
    for first in ("team,user", "team;user", "team\tuser"):
        Path("own.csv").write_text(f"{first}\neng,ada\n")
        error = one_error(acme("import", "own.csv"))
        assert "own.csv:1" in error
        for header in ("group,subject", "role,holder", "subject"):
            assert header in error


def test_refusals_of_the_store_name_their_line(acme: CommandLine) -> None:
    """Also where the refusal says more than the name that was given."""
    cases = {
        '{"change": "add_membership", "subject": "ada", "name": "Ada"}': "membership",
        '{"change": "nest_group", "group": "eng", "into": "eng"}': "contain itself",
        '{"change": "define_permission", "permission": "shared"}': "all organizations",
    }
    assert acme("define-permission", "shared", "-o", "*")[0] == 0
    for line, why in cases.items():
        Path("c.ndjson").write_text('{"change": "create_group", "group": "ops"}\n' + line + "\n")
        error = one_error(acme("import", "c.ndjson"))
        assert "c.ndjson:2" in error
        assert why in error


def test_empty_organization_of_a_line(acme: CommandLine) -> None:
    """A line that names an empty organization does not count as one that names none."""
    line = '{"organization": "", "change": "create_group", "group": "ops"}\n'
    Path("c.ndjson").write_text(line)
    assert "c.ndjson:1" in one_error(acme("import", "c.ndjson"))
    one_error(acme("apply", "c.ndjson"))


def test_json_that_a_terminal_cannot_obey(rescind: CommandLine) -> None:
    """What a terminal would obey or hide is escaped, and is the same text for programs."""
    hidden = "a\x7f\x9b2J\u202eb\u2028\U000e0041 é"
    rescind("init")
    assert rescind("add-membership", "ada", "--reason", hidden)[0] == 0
    assert rescind("create-group", "eng", "--name", hidden)[0] == 0
    for command in (("log",), ("log", "show", "2"), ("list", "groups")):
        code, out, _ = rescind(*command, "--json")
        assert code == 0, command
        raw = out.replace("\n", "")
        assert not [c for c in raw if unicodedata.category(c) in ("Cc", "Cf", "Zl")], command
        read = [json.loads(line) for line in out.splitlines()]
        assert repr(hidden)[1:-1] in repr(read), command


def test_places_that_cannot_be_written(acme: CommandLine) -> None:
    """An export that cannot be written names the file that was asked for."""
    assert one_error(acme("export", "--output", "no/such/x")).startswith("rescind: no/such/x: ")
    assert one_error(acme("export", "--output", ".")) == "rescind: .: Is a directory.\n"
    for command in ("import", "apply"):
        assert "No such file" in one_error(acme(command, ""))


def test_demo_of_nothing(rescind: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data for the demo that hold nothing are refused before a story is told."""
    Path("empty.txt").touch()
    monkeypatch.setenv("RESCIND_DEMO_DATA", "empty.txt")
    assert "empty.txt" in one_error(rescind("demo"))


# --- databases ------------------------------------------------------------------------------------


def test_folder_as_database(acme: CommandLine) -> None:
    """A folder, or a file in a folder that is not there, is called what it is."""
    Path("folder").mkdir()
    for command in ("init", "migrate", "log"):
        assert "is a folder" in one_error(acme("-d", "folder", command))
    assert "folder" in one_error(acme("-d", "no/such/x.db", "init"))


@pytest.mark.parametrize("rest", ["u:hidden@[::1/x", "u:hid%ZZden@h/x", "u:hidden@h:port/x"])
def test_malformed_url(rescind: CommandLine, rest: str) -> None:
    """A URL that cannot be read is one line, and its password is not repeated."""
    for command in (("init",), ("migrate",), ("check", "ada", "doc:read")):
        error = one_error(rescind("-d", f"postgresql://{rest}", *command))
        assert "hid" not in error


@pytest.mark.parametrize("engine", ["postgres"])
def test_passwords_are_not_printed(rescind: CommandLine, database: str) -> None:
    """A URL's password is in no answer, since answers are kept in the logs of builds."""
    url = database.replace("postgres@", "postgres:hidden@")
    assert "hidden" in url
    for command in ("init", "init --json", "migrate", "migrate --json"):
        code, out, err = rescind("-d", url, *command.split())
        assert (code, err) == (0, "")
        assert "hidden" not in out


def test_read_only_database(acme: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of a read-only database says what to mend; questions are answered."""
    connect = sqlite_connections.connect

    def read_only(path: str) -> sqlite3.Connection:
        connection = connect(path)
        connection.execute("PRAGMA query_only = ON")
        return connection

    monkeypatch.setattr(sqlite_connections, "connect", read_only)
    assert "write access" in one_error(acme("create-group", "ops"))
    assert acme("check", "ada", "doc:read")[0] == 0


# --- the process ----------------------------------------------------------------------------------


@pytest.fixture
def folder(acme: CommandLine, tmp_path: Path) -> Path:
    """The folder of a database in which ada is allowed to read."""
    return tmp_path


def test_a_reader_that_went_away_is_not_a_denial(folder: Path) -> None:
    """1 means denied and nothing else: what cannot be told exits with 2."""
    for command in ("check ada doc:read", "log", "--help"):
        done = spawned_shell(folder, f"({RESCIND} {command}; echo $? >&2) | true")
        assert done.stderr.splitlines()[-1] in ("0", "2"), command
        assert "Traceback" not in done.stderr


def test_output_that_cannot_be_written_is_not_a_denial(folder: Path) -> None:
    """Neither an error that cannot be printed, nor an answer in JSON, which is written at the end. (Control:
    with a stream that takes it, the answer is 0.)
    """
    for script, code in (
        ("check '' doc:read 2>/dev/full", 2),
        ("check ada doc:read >/dev/full", 2),
        ("check ada doc:read --json >/dev/full 2>/dev/full", 2),
        ("check ada doc:read --json >/dev/full", 2),
        ("check ada doc:read --json >/dev/null", 0),
    ):
        assert spawned_shell(folder, f"{RESCIND} {script}").returncode == code, script


def test_a_fault_of_the_program_is_not_a_denial(tmp_path: Path) -> None:
    """Python's own exit code for it is 1. It is shown whole, to be reported."""
    (tmp_path / "click.py").write_text("raise RuntimeError('broken')\n")
    for code, why in (
        ("import rescind.cli as it; it.run = lambda: 1 / 0; it.main()", "ZeroDivisionError"),
        (
            f"import sys; sys.path.insert(0, {str(tmp_path)!r});"
            " import rescind_start; rescind_start.main()",
            "broken",
        ),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert (done.returncode, why in done.stderr) == (2, True), done.stderr


def test_closed_streams(folder: Path) -> None:
    """A daemon's closed streams are no error; a closed standard input is an empty one."""
    for script in ("check ada doc:read >&-", "check ada doc:read 2>&-", "apply <&-"):
        done = spawned_shell(folder, f"{RESCIND} {script}")
        assert (done.returncode, done.stderr) == (0, ""), script


def test_interrupted(folder: Path) -> None:
    """Ctrl-C is one line and no traceback, and exits with 2."""
    os.mkfifo(folder / "pipe")
    command = [*shlex.split(RESCIND), "-o", "acme", "apply", "pipe"]
    with (
        subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process,
        (folder / "pipe").open("w"),  # returns once the command is reading
    ):
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert (process.returncode, err) == (2, "rescind: interrupted; what was committed stays.\n")


@pytest.mark.parametrize(("begin", "is_quiet"), [("rescind_start", True), ("rescind.cli", False)])
def test_interrupted_while_it_loads(tmp_path: Path, begin: str, is_quiet: bool) -> None:
    """Ctrl-C before the command has begun ends it by the signal, and says nothing. (Control: without the
    module that it begins with, there is a traceback.)
    """
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "click.py").write_text("open('pipe').read()\n")
    code = f"import importlib; importlib.import_module('{begin}').main()"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with (
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
        (tmp_path / "pipe").open("w"),  # returns once the part is being loaded
    ):
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert (process.returncode == -signal.SIGINT, "Traceback" in err) == (True, not is_quiet)
    assert (err == "") is is_quiet


def test_narrow_output_encodings(folder: Path) -> None:
    """What a terminal's encoding cannot say is escaped."""
    environment = {**os.environ, "RESCIND_ORGANIZATION": "acme", "PYTHONIOENCODING": "ascii"}
    for command in (["explain", "ada", "doc:read"], ["--help"], ["check", "nö", "doc:read"]):
        done = subprocess.run(
            [sys.executable, "-c", "import rescind.cli; rescind.cli.main()", *command],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, command
        assert done.returncode < 2


def test_tokens_are_never_cut(folder: Path) -> None:
    """A receipt in a narrow terminal still holds its whole token."""
    code = (
        "import os, pty, sys;"
        "os.environ['COLUMNS'] = '12';"
        "sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    )
    command = [sys.executable, "-c", code, *shlex.split(RESCIND), "create-group", "ops"]
    environment: dict[str, Any] = {**os.environ, "RESCIND_ORGANIZATION": "acme"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, input=""
    )
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("token"))
    token = line.split()[-1]
    assert spawned(folder, "check", "ada", "doc:read", "--at-least", token).returncode == 0


def test_commands_start_without_the_migrations(tmp_path: Path) -> None:
    """A question of a SQLite file does not wait for the parts of other commands to be imported."""
    parts = ("sqlalchemy", "alembic", "psycopg")
    code = f"import sys, rescind.cli; print([m for m in {parts} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
