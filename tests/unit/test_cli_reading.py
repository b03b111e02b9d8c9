"""What people read on the command line fits 80 columns, and an error says what to type."""

from __future__ import annotations

import json
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from rescind import cli, errors
from rescind.cli import options
from rescind.cli.history import sentence
from tests.docs.test_complete import all_errors
from tests.unit.command_line import CommandLine

COLUMNS = 80
LONG = "n" * 200


@pytest.fixture
def narrow(acme: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """An organization with something of everything, some of it with hostile names, in 80 columns."""
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    Path("facts.ndjson").write_text(
        "\n".join(
            json.dumps(each)
            for each in (
                {"change": "define_resource_type", "type": "doc"},
                {"change": "define_resource_type", "type": "note", "parents": ["doc"]},
                {"change": "create_resource", "resource": "doc:0"},
                {"change": "create_resource", "resource": "doc:1", "parent": "doc:0"},
                {"change": "define_role", "role": "of-docs", "resource_type": "doc"},
                {"change": "create_group", "group": LONG, "name": "\u202eevil\x1b[2J" + LONG},
                {"change": "add_membership", "subject": f"user:{LONG}", "name": LONG},
                {"change": "add_members", "group": LONG, "members": [f"user:{LONG}"]},
                {
                    "change": "add_members",
                    "group": "eng",
                    "members": [f"user:{LONG}"],
                    "expires_at": "2099-01-01T00:00:00Z",
                },
                {"change": "assign", "role": "reader", "to": f"group:{LONG}", "on": "doc:1"},
                {"change": "add_membership", "subject": "user:old"},
                {"change": "deactivate_membership", "subject": "user:old"},
            )
        )
    )
    code, _, err = acme("apply", "facts.ndjson", "--actor", LONG, "--reason", f"why\n{LONG}")
    assert (code, err) == (0, "")
    assert acme("create-group", "ops", "--key", "used")[0] == 0
    return acme


SHOWN = (
    *("list groups", "list groups ada", "list members eng", "list members eng --effective"),
    *("list memberships", "list memberships --state deactivated", "list roles"),
    *("list permissions", "list permissions reader", "list resources", "list resources doc:0"),
    *("list assignments", "list assignments ada --effective", "list assignments --role reader"),
    *("list assignments --on doc:1", "list expiring --until 2100-01-01", "log", "log --group eng"),
)


def test_what_is_shown_fits(narrow: CommandLine) -> None:
    """No line is longer than the terminal is wide, and nothing in it steers the terminal."""
    for line in SHOWN:
        code, out, err = narrow(*line.split())
        assert (code, err) == (0, ""), line
        assert out.strip(), line
        assert max(map(len, out.splitlines())) <= COLUMNS, line
        assert out.replace("\n", "").isprintable(), line


def test_lists_answer_in_json(narrow: CommandLine) -> None:
    """A line a page, with the cursor of the next and the whole of each item."""
    code, out, _ = narrow("list", "groups", "--limit", "1", "--all", "--json")
    assert code == 0
    (page,) = map(json.loads, out.splitlines())
    assert [each["group"] for each in page["items"]] == ["eng", LONG, "ops"]
    first = json.loads(narrow("list", "groups", "--limit", "1", "--json")[1])
    more = narrow("list", "groups", "--cursor", first["next_cursor"], "--json")[1]
    assert [each["group"] for each in json.loads(more)["items"]] == [LONG, "ops"]


# --- errors ---------------------------------------------------------------------------------------

PROVOKED = {
    "malformed_id": "check ada doc:read document",
    "invalid_change": "edit-role reader --set doc:read --add doc:read",
    "invalid_argument": "log --since x",
    "invalid_cursor": "who-can doc:read --cursor x",
    "invalid_token": "check ada doc:read --at-least x",
    "organization_not_found": "log -o acne",
    "membership_not_found": "assign reader engineer",
    "group_not_found": "add-member egn ada",
    "permission_not_found": "edit-role reader --add doc:raed",
    "role_not_found": "assign raeder ada",
    "resource_type_not_found": "create-resource dco:1",
    "resource_not_found": "assign reader ada --on doc:2",
    "organization_exists": "create-organization --name Other",
    "group_exists": "create-group eng --name Other",
    "membership_exists": "add-membership old",
    "permission_exists": "define-permission doc:read --critical",
    "role_exists": "define-role reader --priority 9",
    "resource_type_exists": "define-resource-type doc --parent doc",
    "resource_exists": "create-resource doc:1",
    "organization_in_use": "delete-organization",
    "group_in_use": "delete-group eng",
    "permission_in_use": "delete-permission doc:read",
    "role_in_use": "delete-role reader",
    "resource_type_in_use": "delete-resource-type doc",
    "resource_in_use": "delete-resource doc:0",
    "nesting_cycle": "nest eng eng",
    "resource_cycle": "move-resource doc:0 --parent doc:1",
    "parent_type_refused": "create-resource note:1",
    "role_not_for_resource": "assign of-docs ada",
    "idempotency_key_reused": "create-group other --key used",
    "bad_input": "import bad.csv --format members",
    "store_unavailable": "check ada doc:read -d none.db",
    "api_key_not_found": "keys revoke key_none",
}
"""A command that ends with each error that one can be made to end with here."""
SAID = {
    "invalid_argument": "--since x",
    "organization_not_found": "Did you mean acme?",
    "group_not_found": "Did you mean eng?",
    "permission_not_found": "Did you mean doc:read?",
    "role_not_found": "Did you mean reader?",
    "resource_type_not_found": "Did you mean doc?",
    "resource_not_found": "Did you mean doc:1 or doc:0?",
    "group_in_use": "--cascade",
    "role_in_use": "such as group:eng on organization",
}


def at_a_terminal(result: tuple[int, str, str]) -> str:
    """The error's text, which fills no line of the terminal beyond its end."""
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith("rescind: ")
    assert all(len(line) <= COLUMNS or " " not in line.strip() for line in err.splitlines()), err
    assert "Traceback" not in err
    text = " ".join(err.split())
    assert not re.search(r"\b\w+=|\{|\bat_least\b|used_by", text), text
    return text


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, narrow: CommandLine) -> CommandLine:
    """The same, with standard error at a terminal."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        return narrow(*arguments)

    return call


def test_every_error_fits_and_says_what_to_type(terminal: CommandLine) -> None:
    """Those that a command can be made to end with, by the command; options are called as they are typed."""
    Path("bad.csv").write_text("group,subject\neng,\n")
    by_code = {error.code: error for error in all_errors()}
    assert PROVOKED.keys() <= by_code.keys()
    for code, line in PROVOKED.items():
        text = at_a_terminal(terminal(*line.split()))
        promise = str(by_code[code].__doc__).strip().splitlines()[0].rstrip(".")
        assert promise in text, (code, text)
        assert SAID.get(code, "") in text, (code, text)


def test_every_other_error_fits(
    terminal: CommandLine, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Those that no command here can be made to end with. (Control: unwrapped, they do not.)"""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert terminal("nonsense")[0] == 2
    others = [each for each in all_errors() if each.code not in PROVOKED]
    assert len(others) > 20
    for each in others:
        capfd.readouterr()
        code = cli.failed(options.told(each()))
        at_a_terminal((code, *capfd.readouterr()))
    monkeypatch.setattr(textwrap, "fill", lambda line, *_args, **_options: line)
    capfd.readouterr()
    cli.failed(options.told(errors.InvalidToken(token="x")))
    with pytest.raises(AssertionError):
        at_a_terminal((2, *capfd.readouterr()))


USAGE = {
    "check ada": "rescind check",
    "check --nope": "rescind check",
    "who-can doc:read --limit 0": "rescind who-can",
    "list nothing": "rescind list",
    "nonsense": "rescind",
}
UNFIT = {
    "list members": "list members GROUP",
    "list roles --on doc:1": "`list assignments`",
    "list groups --days 3": "`list expiring`",
    "list expiring --days 3 --until 2030-01-01": "either --days or --until",
    "list expiring --days 1e300": "--days",
    "list expiring --days 0": "a time to come",
    "list expiring --days nan": "--days",
    "list expiring --until 2020-01-01": "a time to come",
    "keys create late --scope check --days 0": "more than 0",
    "keys create late --scope check --days -1": "more than 0",
    "keys create late --scope check --days nan": "days",
    "what-can group:eng --permission doc:read": "list assignments group:eng",
}


def test_usage_errors_name_the_command(terminal: CommandLine) -> None:
    """The help that they point to is the command's own; an option that does not fit is not left unread."""
    for line, command in USAGE.items():
        text = at_a_terminal(terminal(*line.split()))
        assert text.endswith(f"Try `{command} --help`."), line
    for line, mend in UNFIT.items():
        assert mend in at_a_terminal(terminal(*line.split())), line


# --- names that do not exist ----------------------------------------------------------------------


def test_a_mistyped_question_is_no_decision(acme: CommandLine) -> None:
    """It is denied as before, and says what does not exist; a decision about roles says no such thing."""
    code, out, _ = acme("check", "adda", "doc:raed")
    assert code == 1
    assert "there is no subject user:adda; did you mean user:ada?" in out
    assert "there is no permission doc:raed; did you mean doc:read?" in out
    assert "no organization acne; did you mean acme?" in acme("check", "ada", "p", "-o", "acne")[1]
    acme("define-permission", "doc:write")
    code, out, _ = acme("check", "ada", "doc:write")
    assert (code, "there is no" in out) == (1, False)
    told = json.loads(acme("check", "ada", "doc:raed", "--json")[1])
    assert told["unknown"] == [{"what": "permission", "name": "doc:raed", "similar": ["doc:read"]}]
    assert "unknown" not in json.loads(acme("check", "ada", "doc:write", "--json")[1])


def test_an_empty_list_says_if_it_was_mistyped(acme: CommandLine) -> None:
    """On standard error, so that a program that reads the list reads nothing."""
    assert acme("who-can", "doc:raed") == (
        0,
        "",
        "rescind: there is no permission doc:raed; did you mean doc:read?\n",
    )
    assert "did you mean eng?" in acme("what-can", "group:egn")[2]
    acme("define-permission", "doc:write")
    assert acme("what-can", "group:eng") == (0, "doc:read\n", "")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("who-can doc:write", "nobody can doc:write"),
        ("who-can doc:write --all", "nobody can doc:write"),
        ("who-can doc:write doc:1", "nobody can doc:write on doc:1"),
        ("who-can doc:read --kind service_account", "no service account can doc:read"),
        ("who-can doc:read --at 1", "nobody could doc:read"),
        (
            "what-can bob",
            "bob can do nothing on the organization itself: --on asks about a resource",
        ),
        ("what-can bob --on doc:1", "bob can do nothing on doc:1"),
        ("what-can bob --permission doc:read", "bob can doc:read on no resource"),
        ("what-can bob --permission doc:read --type doc", "on no resource of type doc"),
        ("what-can group:ops", "itself: --on asks about a resource"),
    ],
)
def test_an_empty_list_of_known_names_says_so(acme: CommandLine, line: str, said: str) -> None:
    """To people, on standard error; a program reads nothing, or JSON as before."""
    for change in (
        *("define-permission doc:write", "define-resource-type doc", "create-resource doc:1"),
        *("add-membership bob", "create-group ops"),
    ):
        assert acme(*change.split())[0] == 0
    code, out, err = acme(*line.split())
    assert (code, out) == (0, "")
    assert err.startswith("rescind: ")
    assert err.endswith(f"{said}\n")
    assert err.count("\n") == 1
    code, out, err = acme(*line.split(), "--json")
    assert (code, json.loads(out)["items"], err) == (0, [], "")


# --- keys -----------------------------------------------------------------------------------------


def test_keys_that_are_good_for_all_are_listed_for_each(
    acme: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever RESCIND_ORGANIZATION says; those of another organization are not."""
    assert acme("init", "-o", "other")[0] == 0
    acme("keys", "create", "ours", "--scope", "read")
    acme("keys", "create", "theirs", "--scope", "read", "-o", "other")
    monkeypatch.delenv("RESCIND_ORGANIZATION")
    acme("keys", "create", "everywhere", "--scope", "admin")

    def listed(*options: str) -> set[str]:
        return {
            json.loads(line)["name"] for line in acme("keys", *options, "--json")[1].splitlines()
        }

    assert listed() == {"ours", "theirs", "everywhere"}
    monkeypatch.setenv("RESCIND_ORGANIZATION", "acme")
    assert listed() == {"ours", "everywhere"}
    assert listed("-o", "other") == {"theirs", "everywhere"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"change": "create_organization", "name": None}, "create organization"),
        ({"change": "create_organization", "name": "Acme"}, "create organization Acme"),
        ({"change": "set_default_role", "role": None}, "set default role none"),
        ({"change": "unassign", "role": "r", "to": "user:a", "on": None}, "unassign r from user:a"),
    ],
)
def test_the_log_says_a_change_in_words(change: dict[str, Any], said: str) -> None:
    """What was left out is not said, unless leaving it out is what the change does."""
    assert sentence(change) == said


# --- names that do not exist ----------------------------------------------------------------------


def test_a_log_without_changes_says_which_names_are_unknown(acme: CommandLine) -> None:
    """Who misspells a name must not read that nobody ever changed it."""
    for option, name, said in (
        ("--subject", "adda", "there is no subject user:adda now; did you mean user:ada?"),
        ("--group", "egn", "there is no group egn now; did you mean eng?"),
        ("--role", "raeder", "there is no role raeder now; did you mean reader?"),
        ("--resource", "doc:404", "there is no resource doc:404 now"),
    ):
        code, out, err = acme("log", option, name)
        assert (code, out) == (0, "no changes are about that\n")
        assert err == f"rescind: {said}\n"
    assert acme("log", "--subject", "ada", "--until", "2020-01-01")[2] == ""


def test_an_unknown_name_is_said_once(acme: CommandLine) -> None:
    code, out, _ = acme("explain", "ada", "nope")
    assert (code, out.count("nope")) == (1, 1)


def test_a_dry_run_names_ids_that_look_alike(acme: CommandLine) -> None:
    """That is when somebody looks at what a file would add."""
    Path("hr.csv").write_text("group,subject\nENG,user:Ada\n")
    for line in (
        ("import", "hr.csv", "--dry-run"),
        ("add-membership", "Ada", "--dry-run"),
    ):
        code, _, err = acme(*line)
        assert (code, "user:Ada looks like user:ada" in err) == (0, True), err
        told = json.loads(acme(*line, "--json")[1])
        assert {"user:ada"} in [set(each["others"]) for each in told["look_alikes"]]
    assert "looks like user:ada and KEEPS" not in acme("remove-member", "eng", "ada")[2]
    assert "KEEPS all it has" in acme("remove-membership", "ADA", "--dry-run")[2]
