"""`rescind review` and `rescind history`: from start to revoked, and what goes wrong on the way."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest

from rescind import Authority
from tests.unit.command_line import CommandLine, one_error, spawned_shell


@pytest.fixture
def reviewed(acme: CommandLine) -> CommandLine:
    """A review of an organization with hostile names."""
    evil = "=cmd|' /C calc'!A0\x1b[31m\nevil"
    for arguments in (
        ("add-membership", "eve", "--name", evil, "--reason", evil),
        ("add-member", "eng", "eve", "--actor", "@evil", "--reason", "<script>\t+1"),
        ("review", "start", "Q1", "--actor", "cyd"),
    ):
        code, _, err = acme(*arguments)
        assert (code, err) == (0, "")
    return acme


def export(reviewed: CommandLine, *options: str) -> list[dict[str, str]]:
    code, out, err = reviewed("review", "export", "Q1", *options)
    assert (code, err) == (0, "")
    assert all(line.isprintable() for line in out.splitlines())
    return list(csv.DictReader(io.StringIO(out)))


def decide(rows: list[dict[str, str]], **words: str) -> str:
    """The file, filled in: a decision by subject."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=";")
    writer.writeheader()
    for row in rows:
        who = row["subject"].removeprefix("user:")
        writer.writerow({**row, "decision": words.get(who, "")})
    return text.getvalue()


def test_from_start_to_revoked(reviewed: CommandLine) -> None:
    """Exported, filled in, seen in a dry run, and applied; once."""
    Path("q1.csv").write_text(decide(export(reviewed), eve="Revoke", ada="keep"), "utf-8")
    code, out, _ = reviewed("review", "apply", "q1.csv")
    assert code == 0
    assert "- user:eve  doc:read  organization" in out
    assert "this was a dry run" in out
    assert reviewed("check", "eve", "doc:read")[0] == 0
    code, out, _ = reviewed(
        "review", "apply", "q1.csv", "--yes", "--actor", "cyd", "--comment", "gone"
    )
    assert code == 0
    assert "enforced" in out
    assert reviewed("check", "eve", "doc:read")[0] == 1
    assert "why: access review Q1: gone" in reviewed("log")[1]
    code, out, _ = reviewed("review", "apply", "q1.csv", "--yes")
    assert code == 0
    assert "applied before, at revision" in out


def test_verification(reviewed: CommandLine) -> None:
    """Of one review, of all, with the decisions and the heads that were kept; and exit codes."""
    Path("q1.csv").write_text(decide(export(reviewed), eve="revoke", ada="keep"), "utf-8")
    reviewed("review", "apply", "q1.csv", "--yes", "--actor", "cyd")
    code, out, err = reviewed("review", "verify", "Q1")
    assert (code, err) == (0, "")
    assert out.startswith("Q1 of acme: 2 lines as started, at revision ")
    assert "by cyd at revision " in out
    assert ": 1 revoked, 1 kept, 0 did not apply  decisions " in out
    Path("heads").write_text(reviewed("log", "head")[1], "utf-8")
    code, out, _ = reviewed("review", "verify", "--from", "heads")
    assert (code, "1 kept head" in out) == (0, True)
    resaved = decide(export(reviewed)[::-1], eve="REVOKE", ada="keep")
    Path("q2.csv").write_text(resaved, "utf-8")
    assert reviewed("review", "verify", "Q1", "--decisions", "q2.csv")[0] == 0
    Path("q2.csv").write_text(decide(export(reviewed), eve="keep", ada="keep"), "utf-8")
    code, out, _ = reviewed("review", "verify", "Q1", "--decisions", "q2.csv")
    assert (code, "were never applied" in out) == (1, True)
    assert "Name the review" in one_error(reviewed("review", "verify", "--decisions", "q2.csv"))
    assert "no access review" in one_error(reviewed("review", "verify", "Q2"))
    kinds = [line.split("  ")[2] for line in reviewed("log", "actions")[1].splitlines()]
    assert kinds == ["review started", "review applied"]


def test_a_row_that_was_altered(reviewed: CommandLine) -> None:
    """Is named, with what it was; hostile names come out harmless; and one that was deleted is missed."""
    with Authority.open("rescind.db") as authority, authority.store.connection() as connection:
        connection.execute("UPDATE rescind_review SET actor = char(27) || 'eve'")  # type: ignore[attr-defined]
    code, out, _ = reviewed("review", "verify")
    assert code == 1
    assert all(line.isprintable() for line in out.splitlines())
    assert "Q1 of acme: does not fit: its row is not as it was when it was started (actor: " in out
    assert "eve" in out
    found = json.loads(reviewed("review", "verify", "Q1", "--json")[1])
    assert (found["fits"], found["fault"]["kind"], found["review"]) == (False, "altered", "Q1")
    with Authority.open("rescind.db") as authority, authority.store.connection() as connection:
        connection.execute("DELETE FROM rescind_review")  # type: ignore[attr-defined]
    Path("q1.csv").write_text("line,decision\nr1,keep\n", "utf-8")
    code, out, _ = reviewed("review", "verify", "Q1", "--decisions", "q1.csv")
    assert (code, "its row is not there any more" in out) == (1, True)


def test_not_all(reviewed: CommandLine) -> None:
    """Lines that do not apply any more are said aloud, and in the exit code."""
    Path("q1.csv").write_text(decide(export(reviewed), eve="revoke", ada="revoke"), "utf-8")
    assert reviewed("remove-member", "eng", "eve")[0] == 0
    code, out, err = reviewed("review", "apply", "q1.csv", "--yes")
    assert code == 1
    assert "is not there any more" in out
    assert "NOT ALL: 1 line did not apply" in err
    assert reviewed("check", "ada", "doc:read")[0] == 1


def test_json(reviewed: CommandLine) -> None:
    """Every answer, as JSON."""
    assert json.loads(reviewed("review", "list", "--json")[1])["review"] == "Q1"
    shown = json.loads(reviewed("review", "show", "Q1", "--json")[1])
    assert (shown["lines"], shown["subjects"], shown["actor"]) == (2, 2, "cyd")
    out = reviewed("review", "export", "Q1", "--json")[1]
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["subject"] for line in lines] == ["user:ada", "user:eve"]
    Path("q1.ndjson").write_text(json.dumps({**lines[1], "decision": "revoke"}), "utf-8")
    done = json.loads(reviewed("review", "apply", "q1.ndjson", "--json")[1])
    assert done["lost"] == [["user:eve", "doc:read", "organization"]]
    assert (done["dry_run"], done["undecided"], done["revision"]) == (True, 0, None)


def test_lists_and_starts(acme: CommandLine) -> None:
    """What there is; a name only once."""
    assert "no reviews" in acme("review")[1]
    assert "is started" in acme("review", "start", "Q1", "--role", "reader")[1]
    assert "role reader" in acme("review", "list")[1]
    assert "1 of 1 subject" in acme("review", "show", "Q1")[1]
    assert "started already" in one_error(acme("review", "start", "Q1"))
    assert "no access review" in one_error(acme("review", "show", "Q2"))
    assert "Name it" in one_error(acme("review", "export"))


def test_bad_files(reviewed: CommandLine) -> None:
    """Line, column, value and remedy; several at once, and nothing is done."""
    rows = export(reviewed)
    Path("bad.csv").write_text(decide(rows, eve="delete", ada="remove"), "utf-8")
    code, _, err = reviewed("review", "apply", "bad.csv", "--yes")
    assert code == 2
    assert "bad.csv:2:decision, 'remove' is no decision. Write keep or revoke" in err
    assert "bad.csv:3:decision, 'delete' is no decision" in err
    rows[0]["subject"], rows[1]["subject"] = rows[1]["subject"], rows[0]["subject"]
    Path("bad.csv").write_text(decide(rows, eve="revoke"), "utf-8")
    assert "sorted alone" in one_error(reviewed("review", "apply", "bad.csv", "--yes"))
    Path("bad.csv").write_text("line,decision\nr1,keep\n", "utf-8")
    assert "no row says of which review" in one_error(reviewed("review", "apply", "bad.csv"))
    assert "has no line 'r1'" in one_error(reviewed("review", "apply", "bad.csv", "--review", "Q1"))
    assert "No such file" in one_error(reviewed("review", "apply", "none.csv"))


def test_a_reader_that_goes_away(reviewed: CommandLine, tmp_path: Path) -> None:
    """Does no harm; and what is written to a file appears whole, or not at all."""
    command = f"{sys.executable} -c 'import rescind.cli; rescind.cli.main()'"
    done = spawned_shell(tmp_path, f"{command} review export Q1 | head -c 10")
    assert (done.stdout, done.stderr) == ("decision,c", "")
    assert reviewed("review", "export", "Q1", "--output", "q1.csv", "--bom")[0] == 0
    assert Path("q1.csv").read_bytes().startswith("\ufeffdecision,".encode())
    assert "after" in one_error(
        reviewed("review", "export", "Q1", "--output", "q1.csv", "--after", "r")
    )
    assert Path("q1.csv").read_bytes().startswith("\ufeffdecision,".encode())
    assert [path.name for path in Path().iterdir() if path.name.startswith(".q1")] == []


def test_a_review_of_nothing(acme: CommandLine) -> None:
    """A mistyped name in an option is no proof that nobody has anything: no review is started."""
    error = one_error(acme("review", "start", "Q1", "--role", "raeder"))
    assert "role raeder. Did you mean reader?" in error
    assert "no reviews" in acme("review")[1]
    assert acme("define-role", "empty")[0] == 0
    code, out, err = acme("review", "start", "Q1", "--role", "empty")
    assert (code, "is started" in out) == (0, True)
    assert err == "rescind: the review has no lines: nobody has what the options say\n"
    code, _, err = acme("review", "start", "Q2", "--role", "reader", "--json")
    assert (code, err) == (0, "")


def test_a_file_that_is_no_decision_log(reviewed: CommandLine) -> None:
    """Is refused by name: `no data` for every line would look like an answer."""
    lines = (b"", b"\x00\xff\n", b'{"timestamp": "2030-01-01T00:00:00Z", "event": "GET /"}\n')
    for content in lines:
        Path("used.log").write_bytes(content)
        error = one_error(reviewed("review", "export", "Q1", "--used", "used.log"))
        assert "used.log, it has no line of a decision log" in error


def test_history(reviewed: CommandLine) -> None:
    """From when to when, through what, by whose change and why; names come out harmless."""
    assert reviewed("remove-member", "eng", "eve", "--actor", "cyd", "--reason", "left")[0] == 0
    code, out, _ = reviewed("history", "eve", "doc:read")
    assert code == 0
    assert all(line.isprintable() for line in out.splitlines())
    assert "user:eve  reader on organization  through eng" in out
    assert "by @evil: <script>" in out
    assert "by cyd: left" in out
    found = [
        json.loads(line) for line in reviewed("history", "-", "doc:read", "--json")[1].splitlines()
    ]
    assert [(p["subject"], p["ended"] is None) for p in found] == [
        ("user:ada", True),
        ("user:eve", False),
    ]
    assert "no access" in reviewed("history", "nobody")[1]
    assert "to:   now" in reviewed("history", "-", "doc:read", "--until", "2999-01-01")[1]
    assert "name a permission" in one_error(reviewed("history", "-")).lower()
    code, _, err = reviewed("history", "eve", "--most-changes", "2")
    assert "go on with --after 2" in err


def test_a_deleted_organization(reviewed: CommandLine) -> None:
    """Its reviews and its history are told as its own, beside those of another that has its name."""
    assert reviewed("delete-organization", "--cascade")[0] == 0
    code, out, err = reviewed("review", "export", "Q1")
    assert (code, out.count("\n")) == (0, 3)
    assert "acme was deleted" in err
    assert reviewed("create-organization")[0] == 0
    assert reviewed("review", "list")[1].startswith("no reviews")
    assert "Q1" in reviewed("review", "list", "--life", "1")[1]
    code, out, _ = reviewed("history", "eve", "doc:read")
    assert code == 0
    assert out.index("acme, life 1: created") < out.index("user:eve") < out.index("acme, life 2")
    assert out.endswith("no access\n")
    code, out, _ = reviewed("history", "eve", "doc:read", "--life", "1", "--json")
    assert [json.loads(line)["life"] for line in out.splitlines()] == [1]


@pytest.mark.parametrize("action", ["list", "show", "start", "export", "apply", "verify"])
def test_an_option_of_another_action_is_refused(reviewed: CommandLine, action: str) -> None:
    """`apply` with --role would revoke all roles, and `show` with --from would look like a proof."""
    Path("q1.csv").write_text(decide(export(reviewed), eve="revoke"))
    Path("heads").write_text(reviewed("log", "head")[1])
    options = {
        "start": ("--role", "reader"),
        "export": ("--output", "x.csv"),
        "apply": ("--yes",),
        "verify": ("--from", "heads"),
    }
    which = {"start": "Q2", "apply": "q1.csv"}.get(action, "Q1")
    for other, given in options.items():
        if other != action:
            error = one_error(reviewed("review", action, which, *given))
            assert given[0] in error
            assert f"rescind review {other}" in error
