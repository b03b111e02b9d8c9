"""The command line: answers, exit codes, and one line for whatever is wrong."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, get_args
from unittest.mock import patch

import pytest
from click import Command, Context, UsageError
from click.shell_completion import BashComplete

import rescind
from rescind.changes import Change
from rescind.cli import change_commands as verbs
from rescind.cli import completion
from rescind.cli.commands import CHANGES, MODULES, application, every_command, find
from rescind.cli.declared import Argument, Commands, Named, Option, Placed, command
from rescind.errors import InvalidArgument
from rescind.transfer import Format
from tests.unit.command_line import CommandLine, one_error, spawned, spawned_shell

# --- answers --------------------------------------------------------------------------------------


def test_check_exits_by_its_answer(acme: CommandLine) -> None:
    """0 allowed, 1 denied, 2 no answer."""
    assert acme("check", "ada", "doc:read")[0] == 0
    code, out, _ = acme("check", "bob", "doc:read", "--live", "--json")
    assert (code, json.loads(out)["reason"]) == (1, "no_membership")
    one_error(acme("check", "ada", "doc:read", "document"))
    one_error(acme("check", "ada", "doc:read", "--at-least", "nonsense"))


def test_revocation_is_told_and_holds(acme: CommandLine) -> None:
    """A receipt tells direction and token; the next check, at that token, is denied."""
    code, out, _ = acme("remove-member", "eng", "ada", "--json", "--reason", "left")
    receipt = json.loads(out)
    assert (code, receipt["direction"], receipt["fan_out"]) == (0, "revokes", 1)
    assert receipt["enforced_at"] is not None
    assert acme("check", "ada", "doc:read", "--at-least", receipt["token"])[0] == 1
    assert "nothing changed" in acme("remove-member", "eng", "ada")[1]


def test_background_route_says_who_settles(acme: CommandLine, tmp_path: Path) -> None:
    """A change that leaves work to the background names the command that does it; then nothing is left."""
    _, out, _ = acme("remove-member", "eng", "ada", "--route", "background")
    assert "fan-out    about 1 effective role\n" in out
    (settled,) = (line for line in out.splitlines() if line.startswith("settled"))
    assert "`rescind worker`" in settled
    assert acme("check", "ada", "doc:read")[0] == 1
    assert spawned(tmp_path, "worker", "--until-settled").returncode == 0
    assert "nothing is pending" in acme("pending")[1]
    assert "`rescind worker`" not in acme("add-member", "eng", "ada")[1]


def test_what_was_counted_is_told_as_such(acme: CommandLine) -> None:
    """Only what is left to the background is an estimate."""
    assert "fan-out    1 effective role\n" in acme("remove-member", "eng", "ada")[1]
    out = acme("create-group", "later", "--route", "background")[1]
    assert "fan-out    0 effective roles\n" in out


def test_version(acme: CommandLine) -> None:
    """The package's, with no database asked."""
    assert acme("--version") == (0, f"rescind {rescind.__version__}\n", "")
    assert rescind.__version__ == version("rescind")


def test_dry_run_changes_nothing(acme: CommandLine) -> None:
    """What would be revoked is shown, and is still held."""
    _, out, _ = acme("delete-group", "eng", "--cascade", "--dry-run")
    assert "- user:ada  doc:read  organization" in out
    assert acme("check", "ada", "doc:read")[0] == 0


def test_options_stand_before_or_after(acme: CommandLine) -> None:
    """Database and organization may be given on either side of the command."""
    assert acme("-d", "rescind.db", "-o", "acme", "check", "ada", "doc:read")[0] == 0
    assert acme("check", "ada", "doc:read", "-d", "./rescind.db", "-o", "acme")[0] == 0
    assert acme("-o", "other", "check", "ada", "doc:read", "-o", "acme")[0] == 0
    assert acme("check", "ada", "doc:read", "-o", "other")[0] == 1


def test_key_has_one_effect(acme: CommandLine) -> None:
    """A change repeated under its key gives the same receipt; another under it is refused."""
    first = json.loads(acme("create-group", "ops", "--key", "k", "--json")[1])
    again = json.loads(acme("create-group", "ops", "--key", "k", "--json")[1])
    assert (first["token"], first["changed"]) == (again["token"], again["changed"])
    assert "key" in one_error(acme("create-group", "other", "--key", "k"))


def test_lists_are_paged(acme: CommandLine) -> None:
    """A page ends with the cursor of the next; --all gives all."""
    for name in ("bob", "cleo"):
        acme("add-membership", name)
        acme("add-member", "eng", name)
    code, out, _ = acme("who-can", "doc:read", "--limit", "2")
    assert code == 0
    *items, more = out.splitlines()
    rest = acme("who-can", "doc:read", "--cursor", more.split()[-1])[1].split()
    everybody = acme("who-can", "doc:read", "--all")[1].split()
    assert [*items, *rest] == everybody == ["user:ada", "user:bob", "user:cleo"]
    assert acme("what-can", "ada")[1] == "doc:read\n"
    assert acme("what-can", "ada", "--permission", "doc:read")[1] == "organization\n"


def test_explain_names_the_chain(acme: CommandLine) -> None:
    """The chain from subject to resource, or the obstacle."""
    assert "group:eng → role reader" in acme("explain", "ada", "doc:read")[1]
    code, out, _ = acme("explain", "bob", "doc:read")
    assert code == 1
    assert "no membership" in out


def test_log_as_ndjson(acme: CommandLine) -> None:
    """One JSON object a line, oldest first, after a revision."""
    lines = acme("log", "--json", "--after", "2", "--limit", "2")[1].splitlines()
    assert [json.loads(line)["revision"] for line in lines] == [3, 4]


def test_log_sends_no_control_characters(acme: CommandLine) -> None:
    """What a caller wrote cannot steer the terminal of who reads the log."""
    acme("create-group", "ops", "--reason", "\x1b[2Jgone\u202e")
    out = acme("log")[1]
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_every_change_has_a_command(rescind: CommandLine) -> None:
    """No change was forgotten, and each command explains itself."""
    for change in get_args(Change):
        if change not in verbs.BY_FILE_ONLY:
            code, out, _ = rescind(verbs.command_name(change), "--help")
            assert code == 0
            assert change.__doc__.split()[0] in out


def test_init_can_be_repeated(acme: CommandLine) -> None:
    """A second init leaves everything as it is."""
    assert "exists already" in acme("init")[1]
    assert acme("migrate")[0] == 0
    assert acme("check", "ada", "doc:read")[0] == 0


def test_what_is_not_found_is_said(acme: CommandLine) -> None:
    """Taking away from who has gone is no error; the name is shown, since it may be misspelled."""
    assert "not found: subject user:gone" in acme("remove-membership", "gone")[1]
    shown = json.loads(acme("remove-membership", "gone", "--json")[1])
    assert shown["not_found"] == [{"what": "subject", "name": "user:gone"}]


# --- files ----------------------------------------------------------------------------------------


def test_export_and_import(acme: CommandLine, tmp_path: Path) -> None:
    """An export imports into another database as the same facts."""
    assert acme("export", "--output", "facts.ndjson")[0] == 0
    assert acme("init", "-d", "other.db")[0] == 0
    assert acme("import", "facts.ndjson", "-d", "other.db")[0] == 0
    assert acme("export", "-d", "other.db")[1] == (tmp_path / "facts.ndjson").read_text()
    summary = json.loads(acme("import", "facts.ndjson", "-d", "other.db", "--json")[1])
    assert summary["repeated"] == summary["batches"]


def test_apply_is_one_batch(acme: CommandLine, tmp_path: Path) -> None:
    """All of a file's changes, or none."""
    good = '{"change": "create_group", "group": "g1"}\n'
    refused = '{"change": "rename_group", "group": "none", "name": "None"}\n'
    (tmp_path / "c.ndjson").write_text(good + refused)
    before = acme("export")[1]
    assert "group" in one_error(acme("apply", "c.ndjson"))
    assert acme("export")[1] == before
    (tmp_path / "c.ndjson").write_text(good + '{"change": "create_group", "group": "g2"}\n')
    assert json.loads(acme("apply", "c.ndjson", "--json")[1])["revision"] == 8


def test_import_refusals_change_nothing(acme: CommandLine, tmp_path: Path) -> None:
    """Bad input is one line naming the place, and the facts are as before."""
    before = acme("export")[1]
    cases = {
        "members.csv": ("group,subject\neng,bob\neng,\n", "members.csv:3:subject"),
        "roles.csv": ("role,holder\nreader,bob\nnone,cleo\n", "roles.csv:3"),
        "on.csv": ("role,holder,resource\nreader,bob,document:1\n", "on.csv:2"),
    }
    for name, (text, place) in cases.items():
        (tmp_path / name).write_text(text)
        assert place in one_error(acme("import", name))
        assert place in one_error(acme("import", name, "--dry-run"))
    assert "No such file" in one_error(acme("import", "none.csv"))
    assert "directory" in one_error(acme("import", "."))
    assert acme("export")[1] == before


def test_import_dry_run(acme: CommandLine, tmp_path: Path) -> None:
    """A dry run of an import says what would be granted, and grants nothing."""
    (tmp_path / "members.csv").write_text("group,subject\neng,bob\n")
    assert "+ user:bob  doc:read  organization" in acme("import", "members.csv", "--dry-run")[1]
    assert acme("check", "bob", "doc:read")[0] == 1
    assert acme("import", "members.csv")[0] == 0
    assert acme("check", "bob", "doc:read")[0] == 0


# --- what is wrong --------------------------------------------------------------------------------


def test_usage_errors(rescind: CommandLine) -> None:
    """Wrong options, missing arguments and unknown commands are one line."""
    for line in ("nonsense", "check ada", "check --nope", "log --after x", "set-role-mode x"):
        one_error(rescind(*line.split()))
    assert "Did you mean 'check'? Try `" in one_error(rescind("chekc"))


def test_no_database(rescind: CommandLine) -> None:
    """A missing file says what to run, and is not made."""
    assert "rescind init" in one_error(rescind("check", "ada", "doc:read"))
    assert "rescind init" in one_error(rescind("migrate"))
    assert not Path("rescind.db").exists()


def test_no_organization(acme: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an organization, the error says how to name one."""
    monkeypatch.delenv("RESCIND_ORGANIZATION")
    assert "--organization" in one_error(acme("check", "ada", "doc:read"))
    assert "not exist" in one_error(acme("create-group", "g", "-o", "other"))


def test_databases_that_cannot_be_used(acme: CommandLine, tmp_path: Path) -> None:
    """No database file, no schema, a newer schema, no such engine, no server: one line each."""
    Path("junk.db").write_text("this is no database, but it is long enough to look at" * 100)
    assert "not a database" in one_error(acme("-d", "junk.db", "check", "ada", "p"))
    sqlite3.connect("empty.db").close()
    Path("empty.db").touch()
    assert "rescind migrate" in one_error(acme("-d", "empty.db", "check", "ada", "p"))
    shutil.copy("rescind.db", "newer.db")
    connection = sqlite3.connect("newer.db")
    connection.execute("UPDATE rescind_schema_version SET version_num = '9999'")
    connection.execute("UPDATE rescind_installation SET usable_from = '9999'")
    connection.commit()
    connection.close()
    assert "newer" in one_error(acme("-d", "newer.db", "check", "ada", "p"))
    assert "newer" in one_error(acme("-d", "newer.db", "migrate"))
    assert "sqlite:///" in one_error(acme("-d", "mysql://x", "init"))
    url = "postgresql://u:hidden@127.0.0.1:1/x"
    assert "hidden" not in one_error(acme("-d", url, "check", "ada", "p"))
    assert "hidden" not in one_error(acme("-d", url, "init"))
    one_error(acme("-d", "no/such/folder/x.db", "init"))


def test_locked_database(acme: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change while another process holds the lock fails in one line; questions are answered."""
    monkeypatch.setattr("rescind.store.sqlite.write_queue.BUSY_SECONDS", 0.05)
    connection = sqlite3.connect("rescind.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        assert "locked" in one_error(acme("create-group", "ops"))
        assert acme("check", "ada", "doc:read")[0] == 0
    finally:
        connection.close()


@pytest.mark.parametrize("engine", ["postgres"])
def test_on_postgres(rescind: CommandLine, engine: str, database: str) -> None:
    """The same commands work on a PostgreSQL URL."""
    assert rescind("-d", database, "init")[0] == 0
    assert rescind("-d", database, "add-membership", "ada")[0] == 0
    assert rescind("-d", database, "check", "ada", "doc:read")[0] == 1
    assert "user:ada" in rescind("-d", database, "export")[1]


# --- as a process ---------------------------------------------------------------------------------


def test_as_a_process(tmp_path: Path) -> None:
    """The real command: exit codes, changes from standard input, and a reader that went away."""
    assert spawned(tmp_path, "init").returncode == 0
    lines = "".join(f'{{"change": "create_group", "group": "g{n}"}}\n' for n in range(5_000))
    assert spawned(tmp_path, "apply", input=lines).returncode == 0
    missing = spawned(tmp_path, "check", "ada")
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)
    script = f'{sys.executable} -c "import rescind.cli; rescind.cli.main()" export | head -1'
    piped = spawned_shell(tmp_path, script)
    assert (piped.stdout.count("\n"), piped.stderr) == (1, "")


def test_a_repeated_change_has_its_receipt(acme: CommandLine) -> None:
    """But for why it took its route, which is not kept."""
    once = ("create-group", "more", "--key", "k")
    assert "route      inline: no effective roles to move\n" in acme(*once)[1]
    code, out, _ = acme(*once)
    assert (code, "route      inline\n" in out) == (0, True)


def test_import_says_what_it_leaves_out(acme: CommandLine, tmp_path: Path) -> None:
    """A row of somebody deactivated: the others are done, it is named, and the exit code is 1."""
    acme("add-membership", "zed")
    acme("deactivate", "zed")
    (tmp_path / "members.csv").write_text("group,subject\neng,zed\neng,bob\n")
    for options, word in (["--dry-run"], "would leave out 1"), ([], "left out 1"):
        code, out, err = acme("import", "members.csv", *options)
        assert (code, err) == (1, "")
        assert word in out
        assert "members.csv:2: user:zed in eng is deactivated" in out
        assert max(map(len, out.splitlines())) <= 80
    assert acme("check", "bob", "doc:read")[0] == 0
    code, out, _ = acme("import", "members.csv", "--json")
    assert (code, json.loads(out)["left_out"][0]["at"]) == (1, "members.csv:2")
    acme("reactivate", "zed")
    assert acme("import", "members.csv")[0] == 0
    assert acme("check", "zed", "doc:read")[0] == 0


def test_import_tells_all_that_is_wrong(acme: CommandLine, tmp_path: Path) -> None:
    """Of all files: the first twenty, a line each, and how many there are."""
    (tmp_path / "a.csv").write_text("group,subject\n" + "eng,\n" * 30)
    (tmp_path / "b.csv").write_text("group,subject,expires_at\neng,ada,03/04/2030\n")
    before = acme("export")[1]
    code, out, err = acme("import", "a.csv", "b.csv")
    lines = err.splitlines()
    assert (code, out, len(lines)) == (2, "", 22)
    assert "31 problems" in lines[0]
    assert lines[1].startswith("  a.csv:2:subject, it is empty.")
    assert lines[-1] == "  … and 11 more"
    assert acme("export")[1] == before


def test_import_of_words_makes_no_permission(acme: CommandLine, tmp_path: Path) -> None:
    """Two words a line are no pairs unless that is said: an export would grant what it never said."""
    (tmp_path / "hr.tsv").write_text("ada@acme.example\tdoc:read\n")
    before = acme("export")[1]
    assert "hr.tsv:1" in one_error(acme("import", "hr.tsv"))
    assert acme("export")[1] == before
    assert acme("import", "hr.tsv", "--format", "pairs")[0] == 0
    assert acme("check", "ada@acme.example", "doc:read")[0] == 0


def test_each_module_has_the_commands_named() -> None:
    """A command is found in the module of the table; those of no module are of changes."""
    for module, names in MODULES.items():
        commands = Commands()
        import_module(module).register(commands)
        if module != CHANGES:
            assert tuple(commands.names()) == names
        for name in commands.names():
            found = find(name)
            assert found is not None
            assert found.name == name
    assert find("chekc") is None
    assert list(every_command()) == application().list_commands(Context(Command("rescind")))


def test_completion_finds_commands_and_values(rescind: CommandLine) -> None:
    """What a shell asks: the names of commands, options, and the values of a choice."""
    for typed, expected in (
        ("rescind who", "who-can"),
        ("rescind check --at", "--at-least"),
        ("rescind keys ro", "rotate"),
    ):
        words = typed.split()
        asked = {"COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)}
        done = BashComplete(application(), {}, "rescind", "_RESCIND_COMPLETE")
        with patch.dict(os.environ, asked):
            assert expected in done.complete()
    assert rescind("--version")[0] == 0


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_completion_is_installed_where_the_shell_looks(
    shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice does what once does; what zsh is set up with stays."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SHELL", f"/bin/{shell}")
    (tmp_path / ".zshrc").write_text("alias ll='ls -l'\n")
    for _ in range(2):
        completion.install()
    assert "_RESCIND_COMPLETE" in completion.place(shell).read_text("utf-8")
    settings = (tmp_path / ".zshrc").read_text("utf-8")
    assert settings.startswith("alias ll='ls -l'\n")
    assert settings.count("compinit;") == (shell == "zsh")


def test_completion_of_a_shell_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which shells are."""
    monkeypatch.setenv("SHELL", "/bin/csh")
    with pytest.raises(InvalidArgument, match="bash, fish, zsh"):
        completion.show()


def test_commands_are_made_from_functions() -> None:
    """Types, lists, bounds, choices, defaults and flags, as the annotations say."""

    def function(
        first: Annotated[str, Argument()],
        rest: Annotated[list[int] | None, Argument(max=9)] = None,
        kind: Annotated[Format, Option("--format")] = Format.AUTO,
        share: Annotated[float | None, Option()] = None,
        tags: Annotated[list[str] | None, Option("--tag")] = None,
        quiet: Annotated[bool | None, Option("--quiet/--not-quiet")] = None,
        place: Annotated[Path | None, Option(envvar="PLACE")] = None,
    ) -> None:
        given.append((first, rest, kind, share, tags, quiet, place))

    given: list[object] = []
    made = command("made", function, "Panel")
    for line in (
        "a",
        "a 1 2 --format ndjson",
        "a --tag x --tag y --not-quiet --share .5 --place b",
    ):
        made.main(line.split(), standalone_mode=False)
    assert given == [
        ("a", None, Format.AUTO, None, None, None, None),
        ("a", [1, 2], Format.NDJSON, None, None, None, None),
        ("a", None, Format.AUTO, 0.5, ["x", "y"], False, Path("b")),
    ]
    for wrong, why in (
        ("", "Missing argument 'FIRST'"),
        ("a x", "'x' is not a whole number of at most 9"),
        ("a 10", "'10' is not a whole number of at most 9"),
        ("a --share x", "'x' is not a number"),
        ("a --format x", "'x' is not one of 'auto'"),
        ("a --tag", "Option '--tag' requires an argument"),
    ):
        with pytest.raises(UsageError) as caught:
            made.main(wrong.split(), standalone_mode=False)
        assert why in caught.value.format_message()
        assert caught.value.ctx is not None
        assert caught.value.ctx.command is made


def test_every_parameter_says_what_it_is() -> None:
    """In the help, which is no wider than the terminal."""
    unsaid = {
        f"{name} {parameter.name}"
        for name, each in every_command().items()
        for parameter in each.params
        if isinstance(parameter, (Placed, Named)) and not parameter.declared.help
    }
    assert unsaid == set()


def test_the_help_fits_a_terminal(rescind: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """In 80 columns nothing is cut off, and a choice names its values."""
    monkeypatch.setenv("COLUMNS", "80")
    for line, expected in ((["--help"], "who-can"), (["keys", "--help"], "create, list, rotate")):
        code, out, _ = rescind(*line)
        assert code == 0
        assert expected in out
        assert max(map(len, out.splitlines())) <= 80
