"""`rescind log show` and `rescind log export`: one change in full, and the log as evidence."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rescind.model import (
    EnforcedReplica,
    Enforcement,
    ReplicaOutcome,
    encode_enforcement,
)
from tests.unit.command_line import CommandLine, one_error

EVIL = "evil\x1b[2J\n" + "h" * 10_000 + ":31"
DONE = Enforcement(
    2.5,
    (
        EnforcedReplica("a1", "web-1:7", ReplicaOutcome.ACKNOWLEDGED, 1.8),
        EnforcedReplica("a2", "web-2:9", ReplicaOutcome.WAITED_OUT, 2_500.0),
        EnforcedReplica("a3", "web-3:9", ReplicaOutcome.RELEASED, 3.0),
        EnforcedReplica("a4", EVIL, ReplicaOutcome.CURRENT, 0.0, is_own=True),
    ),
    7,
)


@pytest.fixture
def left(acme: CommandLine) -> CommandLine:
    """An organization whose last change, revision 8, revoked something."""
    assert acme("remove-member", "eng", "ada", "--reason", "left\x1b[31m")[0] == 0
    return acme


def keep(record: str | None) -> None:
    """Have the log say so of revision 8."""
    with closing(sqlite3.connect("rescind.db")) as connection, connection:
        connection.execute(
            "UPDATE rescind_enforcement SET record = ? WHERE revision = 8", (record,)
        )


def shown(acme: CommandLine) -> dict[str, str]:
    """The lines with a name, of revision 8."""
    code, out, err = acme("log", "show", "8")
    assert (code, err) == (0, "")
    assert all(line.isprintable() for line in out.splitlines())
    return dict(line.split(":", 1) for line in out.splitlines() if line[0].islower())


def test_show(left: CommandLine) -> None:
    """What was changed, by whom and why; when that was enforced, and on which replicas."""
    found = shown(left)
    assert found["enforced"].endswith("after it was recorded")
    assert found["replicas"] == " none held the organization"
    assert "left" in left("log", "show", "8")[1]
    assert left("log", "show", "7")[1].count("enforced: nothing was revoked") == 1
    keep(None)
    assert shown(left)["replicas"] == " not recorded"
    told = shown(left)["enforced"]
    assert told.startswith(" when was not recorded; by ")
    assert "after it was recorded" not in told, "the time of asking is no measurement"
    keep(encode_enforcement(Enforcement(2.1, are_replicas_known=False)))
    assert shown(left)["replicas"].startswith(" not known")


def test_a_number_that_no_change_can_have(left: CommandLine) -> None:
    """Is refused by its own name."""
    code, out, err = left("log", "show", "9" * 20)
    assert (code, out) == (2, "")
    assert err.startswith("rescind: An argument is not well formed: revision 9999")


def test_show_replicas(left: CommandLine) -> None:
    """Each with what it did and after how long; hostile names come out harmless."""
    keep(encode_enforcement(DONE))
    out = left("log", "show", "8")[1]
    assert out.isascii() or "…" in out
    told = out[out.index("replicas: ") :].splitlines()[:5]
    assert told[0] == "replicas: web-1:7, acknowledged after 1.8 ms"
    assert told[1].strip() == "web-2:9, waited out for 2.50 s"
    assert told[2].strip() == "web-3:9, let go after 3.0 ms"
    assert told[3].strip().startswith("evil?[2J?h")
    assert told[3].endswith(":31 (this process), at once")
    assert told[4].strip() == "and 7 more"
    assert max(map(len, told)) < 200


def test_export_is_evidence(left: CommandLine) -> None:
    """A line for each change with all that is digested, which verifies with nothing but the file."""
    keep(encode_enforcement(DONE))
    code, out, _ = left("log", "export", "--evidence")
    lines: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    assert (code, [line["revision"] for line in lines]) == (0, list(range(1, 9)))
    assert [line["previous"] for line in lines[1:]] == [line["digest"] for line in lines[:-1]]
    assert len({line["digest"] for line in lines}) == 8
    last = lines[-1]
    assert (last["actor"] != "", last["reason"]) == (True, "left\x1b[31m")
    assert [each["name"] for each in last["enforcement"]["replicas"]][:2] == ["web-1:7", "web-2:9"]
    assert [each["host"] for each in last["enforcement"]["replicas"]][:2] == ["web-1", "web-2"]
    assert last["enforcement"]["outcome"] == "waited_out"
    assert [line["enforcement_status"] for line in lines] == ["nothing_revoked"] * 7 + ["recorded"]
    assert left("log", "export", "--evidence", "--output", "e.ndjson")[0] == 0
    assert Path("e.ndjson").read_text("utf-8") == out
    assert json.loads(left("log", "show", "8", "--json")[1]) == last
    plain = json.loads(left("log", "export", "--after", "7")[1])
    assert plain == json.loads(left("log", "--after", "7", "--json")[1])
    assert plain.items() <= last.items()
    assert last.keys() - plain.keys() == {
        *("number", "granted", "revoked", "estimated", "environment"),
        *("body", "previous", "digest"),
    }


def test_a_digest_shows_that_the_log_was_altered(left: CommandLine) -> None:
    """Who rewrites a reason is found out: in the database, and in an export that is made of it."""
    assert left("log", "verify")[0] == 0
    with closing(sqlite3.connect("rescind.db")) as connection, connection:
        connection.execute("UPDATE rescind_change SET reason = 'nothing' WHERE revision = 8")
    code, out, _ = left("log", "verify")
    assert (code, "acme: revision 8 does not fit" in out) == (1, True)
    assert left("log", "export", "--evidence", "--output", "e.ndjson")[0] == 0
    code, out, _ = left("log", "verify", "--file", "e.ndjson", "--json")
    found = json.loads(out)
    assert (code, found["fits"], found["fault"]["revision"]) == (1, False, 8)


def test_a_head_that_was_kept(left: CommandLine, tmp_path: Path) -> None:
    """It fits until the end of the log is taken away, in the database and in a file."""
    heads, file = tmp_path / "heads", tmp_path / "evidence"
    heads.write_text(left("log", "head")[1], "utf-8")
    head = json.loads(heads.read_text("utf-8"))
    assert (head["organization"], head["number"], head["revision"]) == ("acme", 1, 8)
    shown_digest = shown(left)["digest"]
    assert shown_digest.strip() == head["digest"]
    assert left("log", "verify", "--from", str(heads))[0] == 0
    assert left("log", "export", "--evidence", "--output", str(file))[0] == 0
    with closing(sqlite3.connect("rescind.db")) as connection, connection:
        connection.execute("DELETE FROM rescind_change WHERE revision = 8")
        connection.execute("UPDATE rescind_organization SET revision = 7 WHERE slug = 'acme'")
    assert left("log", "verify")[0] == 0
    code, out, _ = left("log", "verify", "--from", str(heads), "--json")
    faults = [line["fault"] for line in map(json.loads, out.splitlines()) if line["fault"]]
    assert (code, [fault["kind"] for fault in faults]) == (1, ["head_missing"])
    asked = ("log", "verify", "--file", str(file), "--from", str(heads))
    assert left(*asked)[0] == 0
    lines = file.read_text("utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:-1]), "utf-8")
    assert left(*asked)[0] == 1


def test_a_line_that_was_taken_out(left: CommandLine, tmp_path: Path) -> None:
    """It is named, unless the file was exported with a filter."""
    file = tmp_path / "evidence"
    assert left("log", "export", "--evidence", "--output", str(file))[0] == 0
    lines = file.read_text("utf-8").splitlines(keepends=True)
    file.write_text("".join([*lines[:3], *lines[4:]]), "utf-8")
    code, out, _ = left("log", "verify", "--file", str(file))
    assert (code, "acme: revision 4 does not fit: it is not in the file" in out) == (1, True)
    code, out, _ = left("log", "verify", "--file", str(file), "--with-gaps")
    assert (code, "in 2 parts without a gap: 1 to 3, 5 to 8" in out) == (0, True)
    assert "log verify" in one_error(left("log", "--with-gaps"))
    assert "--file" in one_error(left("log", "verify", "--with-gaps"))


def test_a_file_that_proves_nothing(left: CommandLine, tmp_path: Path) -> None:
    """Without a head or a change in it, nothing is verified; that is no success."""
    empty = tmp_path / "empty"
    empty.write_text("\n", "utf-8")
    assert "it has no change" in one_error(left("log", "verify", "--file", str(empty))).lower()
    for text in ("", '{"number": 1, "revision": 1, "digest": null}'):
        empty.write_text(text, "utf-8")
        told = one_error(left("log", "verify", "--from", str(empty))).lower()
        assert "it has no head" in told


def test_an_unknown_action(left: CommandLine) -> None:
    """In the words of a command line."""
    told = one_error(left("log", "bogus"))
    assert told.startswith("rescind: Invalid value for 'ACTION': 'bogus' is not one of 'list', ")


def test_access_that_ended_after_what_was_asked(left: CommandLine) -> None:
    """A history up to a time does not say that what lasted then lasts now."""
    revoked = json.loads(left("log", "show", "8", "--json")[1])["recorded_at"]
    code, out, _ = left("history", "ada", "doc:read")
    assert (code, "to:   now" in out) == (0, False)
    before = datetime.fromisoformat(revoked) - timedelta(microseconds=1)
    code, out, _ = left("history", "ada", "doc:read", "--until", before.isoformat())
    assert code == 0
    assert f"to:   still so at {before:%Y-%m-%d %H:%M:%S}" in out


def test_logs_of_older_versions_get_their_chain(left: CommandLine) -> None:
    with closing(sqlite3.connect("rescind.db")) as connection, connection:
        connection.execute("UPDATE rescind_change SET digest = NULL")
    assert shown(left)["digest"].strip() == "none yet: run `rescind log chain`"
    assert left("log", "verify")[0] == 1
    assert left("log", "chain") == (0, "8 changes got a digest\n", "")
    assert left("log", "verify")[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        "log show",
        "log show 99",
        "log 7",
        "log list 7",
        "log --evidence",
        "log show 8 --output x",
        "log verify --limit 3",
        "log head --actor x",
        "log --from x",
        "log head --file x",
        "log verify 7",
    ],
)
def test_what_does_not_fit_is_refused(left: CommandLine, arguments: str) -> None:
    """In one line that says how to do it."""
    one_error(left(*arguments.split()))
