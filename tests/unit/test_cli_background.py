"""The command line of background work: worker, pending, audit."""

from __future__ import annotations

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from rescind import Authority, changes
from rescind.cli import output, watching
from rescind.model import PendingWork
from tests.unit.command_line import CommandLine, one_error

LEAVE = ("remove-member", "eng", "ada", "--route", "background")
WAIT_SECONDS = 60


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """A worker takes signals for itself."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_work_is_listed_done_and_gone(acme: CommandLine) -> None:
    """What a change leaves is listed, a worker does it, and nothing is left."""
    acme(*LEAVE)
    (work,) = (json.loads(line) for line in acme("pending", "--json")[1].splitlines())
    assert (work["group"], work["kind"], work["subject"]) == ("eng", "member", "user:ada")
    code, out, _ = acme("worker", "--until-settled", "--json")
    told = json.loads(out)
    assert (code, told["settled"], told["unmade"]) == (0, 1, 1)
    assert acme("pending")[1] == "nothing is pending\n"
    assert "0 jobs settled" in acme("worker", "--until-settled", "--concurrency", "2")[1]
    assert acme("audit")[0] == 0


def test_work_is_parked_and_retried(acme: CommandLine) -> None:
    """Parked work is left alone, still denies, is shown as parked, and is done when it is retried."""
    acme(*LEAVE)
    assert acme("pending", "park", "eng")[1] == "eng: parked\n"
    assert acme("pending", "park", "eng")[1] == "eng: it is so already\n"
    assert "0 jobs settled" in acme("worker", "--until-settled")[1]
    assert "parked after 0 attempts" in acme("pending", "show", "eng")[1]
    assert acme("check", "ada", "doc:read")[0] == 1
    assert acme("pending", "retry", "eng")[1] == "eng: retried\n"
    assert "1 job settled" in acme("worker", "--until-settled")[1]
    assert "Nothing is pending for it" in one_error(acme("pending", "show", "eng"))
    one_error(acme("pending", "retry"))


def test_a_groups_work_is_found_behind_any_other(acme: CommandLine) -> None:
    """However much is more urgent, and whatever is to be listed; each item in a paragraph."""
    with Authority.open("rescind.db", organization="acme") as authority:
        many = [changes.CreateGroup(group=f"g{n}") for n in range(120)]
        full = [changes.AddMembers(group=f"g{n}", members=("user:ada",)) for n in range(120)]
        give = [changes.Assign(role="reader", to=f"group:g{n}") for n in range(120)]
        authority.apply([*many, *full, *give], route="background")
        last = authority.pending()[-1].group
        expected = [work for work in authority.pending() if work.group == last]
    assert last is not None
    code, out, _ = acme("pending", "show", last, "--limit", "1")
    assert (code, out.count("revisions"), out.count("\n\n")) == (
        0,
        len(expected),
        len(expected) - 1,
    )
    assert "not counted yet" in out
    assert acme("pending", "park", last)[1] == f"{last}: parked\n"


def test_a_deleted_groups_work_is_retried_by_its_number(acme: CommandLine) -> None:
    """As the list shows it."""
    acme("delete-group", "eng", "--cascade", "--route", "background")
    with Authority.open("rescind.db", organization="acme") as authority:
        number = abs(authority.pending()[0].group_number)
    assert f"(deleted: {number})" in acme("pending")[1]
    assert acme("pending", "park", str(number))[1] == f"{number}: parked\n"
    assert acme("pending", "retry", "--", f"-{number}")[1] == f"-{number}: retried\n"


def test_a_group_of_several_organizations_is_named_with_its_own(acme: CommandLine) -> None:
    """Nobody's work is parked in place of another's."""
    acme(*LEAVE)
    for line in (
        "create-organization",
        "define-permission doc:read",
        "define-role reader --permission doc:read",
        "add-membership ada",
        "create-group eng",
        "add-member eng ada",
        "assign reader group:eng --route background",
    ):
        assert acme(*line.split(), "-o", "other")[0] == 0
    everywhere = ("pending", "park", "eng")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RESCIND_ORGANIZATION", raising=False)
        assert "ame one with --organization" in one_error(acme(*everywhere))
    assert acme(*everywhere)[1] == "eng: parked\n"


def test_work_is_watched(acme: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The view is drawn until nothing is due, and tells how much there is."""
    acme(*LEAVE)
    frames = []

    def sleep(_: float) -> None:
        frames.append(len(frames))
        if len(frames) == 2:
            with Authority.open("rescind.db", organization="acme") as authority:
                authority.reconcile("eng")

    clock = SimpleNamespace(sleep=sleep, monotonic=time.monotonic)
    monkeypatch.setattr(watching, "time", clock)
    code, out, err = acme("pending", "--watch")
    assert (code, err, len(frames)) == (0, "", 3)
    assert "oldest that revokes" in out
    assert "1 job, 0 parked" not in out  # the last view alone is left in a pipe
    assert "0 jobs, 0 parked" in out
    one_error(acme("pending", "--watch", "--json"))
    one_error(acme("pending", "retry", "eng", "--watch"))


def work(**known: Any) -> PendingWork:
    """Some pending work."""
    unknown = dict.fromkeys(field.name for field in fields(PendingWork))
    numbers = {"group_number": -1, "organization_number": 1, "done": 0, "lag_seconds": 1.0}
    return PendingWork(**{**unknown, **numbers, "is_parked": False, "direction": "grants", **known})


def test_the_rate_is_of_all_that_is_done() -> None:
    """Also of work that is done to its end and gone; work that begins anew takes nothing off it."""
    meter = watching.Meter()
    first, second = (work(group_number=-n, total=1_000) for n in (1, 2))
    assert meter.rate([first, second], 10.0) == 0
    assert meter.rate([replace(first, done=400), replace(second, done=100)], 11.0) == 500
    assert meter.rate([replace(second, done=0)], 12.0) == (500 + 600) / 2
    assert meter.rate([], 13.0) == (500 + 600 + 1_000) / 3


def test_what_is_watched_is_what_can_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parked work is not waited for; what nobody has counted yet is not taken for nothing."""
    screen = Console(file=io.StringIO(), width=80)
    found = [
        work(total=100, done=50),
        work(group_number=-2),
        work(group_number=-3, total=9_999, is_parked=True),
    ]
    screen.print(watching.frame(found, 25.0))
    assert isinstance(screen.file, io.StringIO)
    told = dict(line.split("  ", 1) for line in screen.file.getvalue().splitlines())
    told = {name: value.strip() for name, value in told.items()}
    assert told["pending"] == "2 jobs, 1 parked"
    assert told["pairs"] == "50 of 100 looked at; 1 job not counted yet"
    assert told["time left"] == "2 s and more"


def test_a_list_says_that_there_is_more(acme: CommandLine) -> None:
    """And only then; a list of one group is refused, and so is one of an organization that never was."""
    acme(*LEAVE)
    acme("delete-group", "eng", "--cascade", "--route", "background")
    assert "and more" in acme("pending", "--limit", "1")[1]
    assert "and more" not in acme("pending", "--limit", "2")[1]
    assert len(acme("pending", "--limit", "1", "--json")[1].splitlines()) == 1
    assert "List takes none" in one_error(acme("pending", "list", "eng"))
    assert "does not exist" in one_error(acme("pending", "-o", "never"))
    assert "does not exist" in one_error(acme("pending", "-o", "never", "--watch"))
    acme("delete-organization", "--cascade", "--route", "background")
    assert "all of it" in acme("pending")[1]
    assert "Nothing is pending for it" in one_error(acme("pending", "park", "0"))
    acme("worker", "--until-settled")
    assert acme("pending")[:2] == (0, "nothing is pending\n")


def test_a_list_fits_a_terminal(acme: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """In 80 columns no word of ours is folded, however long somebody's names are; the names are all there."""
    monkeypatch.setattr(output, "PIPE_WIDTH", 80)
    long = "service_account:a-rather-long-name-of-an-account@corp.example.com"
    acme("add-membership", long)
    acme("add-member", "eng", long, "--route", "background")
    acme("unassign", "reader", "group:eng", "--route", "background")
    acme("pending", "park", "eng")
    out = acme("pending")[1]
    assert max(map(len, out.splitlines())) <= 80
    for word in ("direction", "assignment", "member", "revokes", "parked"):
        assert word in out.split()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_ends_when_told(acme: CommandLine, tmp_path: Path, number: signal.Signals) -> None:
    """It says that it works, does what comes, and ends in order."""
    process = subprocess.Popen(
        [sys.executable, "-c", "import rescind.cli; rescind.cli.main()", "worker"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("working on ./rescind.db")
        acme(*LEAVE)
        while acme("pending")[1] != "nothing is pending\n":
            assert process.poll() is None
        process.send_signal(number)
        out, err = process.communicate(timeout=WAIT_SECONDS)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, err) == (0, "")
    assert "1 job settled" in out


def test_drift_is_told_and_repaired(acme: CommandLine) -> None:
    """Rows that no change made, and rows that are missing, make the audit fail until they are repaired."""
    with sqlite3.connect("rescind.db") as connection:
        connection.execute("DELETE FROM rescind_effective_role")
    connection.close()
    code, out, _ = acme("audit")
    assert code == 1
    assert "user:ada lacks reader on organization" in out
    assert acme("audit", "--repair")[0] == 1
    acme("worker", "--until-settled")
    code, out, _ = acme("audit", "--json")
    assert (code, json.loads(out)["clean"], json.loads(out)["effective_roles"]) == (0, True, 1)


def test_an_import_says_what_it_leaves(acme: CommandLine, tmp_path: Path) -> None:
    """It does itself what was too much for its batches. Where something is parked, it says who goes on."""
    lines: list[dict[str, Any]] = [{"change": "create_group", "group": "large"}]
    lines += [{"change": "add_membership", "subject": f"user:{n}"} for n in range(2_000)]
    members = [f"user:{n}" for n in range(2_000)]
    lines += [{"change": "add_members", "group": "large", "members": members}]
    (tmp_path / "small").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert "settled" not in acme("import", "small", "--batch-size", "5000")[1]
    lines = [{"change": "define_resource_type", "type": "doc"}]
    for n in range(60):
        on = f"doc:{n}"
        lines += [{"change": "create_resource", "resource": on}]
        lines += [{"change": "assign", "role": "reader", "to": "group:large", "on": on}]
    (tmp_path / "large").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert "settled" not in acme("import", "large", "--batch-size", "5000")[1]
    assert acme("audit")[0] == 0
    with Authority.open("rescind.db", organization="acme") as authority:
        take = changes.Unassign(role="reader", to="group:large", on="doc:0")
        authority.apply([take], route="background")
        authority.park(authority.pending()[0])
    again = json.loads(acme("import", "large", "--batch-size", "5000", "--json")[1])
    assert (again["repeated"], again["settled"]) == (1, False)
    assert "`rescind worker` does that" in acme("import", "large", "--batch-size", "5000")[1]
