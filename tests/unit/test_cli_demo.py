"""The demo tells the truth, with the real organization and with the invented one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from rescind.cli import demo, large_group, people
from rescind.cli import sample_data as invented
from tests.unit.command_line import forked

RESULTS = ("allowed", "denied", "denied", "allowed", "allowed", "denied")


def story(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [line.split("│")[2].strip() for line in done.stdout.splitlines() if line.startswith("│")]


def test_demo_story(tmp_path: Path) -> None:
    """Access follows each change, for every member asked; the commands that it names work."""
    for _ in range(2):
        done = forked(tmp_path, "demo", "--assignments", "20")
        answers = story(done)
        assert [answer.split()[-1] for answer in answers] == list(RESULTS)
        assert all(answer.split()[0] == answer.split()[2] for answer in answers[2:4])
    commands = [line for line in done.stdout.splitlines() if line.startswith("  ")][-6:]
    codes = [forked(tmp_path, *line.split()[1:]).returncode for line in commands]
    assert codes == [0, 0, 0, 1, 0, 0]


def test_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each gains and loses what the story says; who keeps asking is allowed until the call returned, and
    never after. The database in which that happened is gone.
    """
    people.show(tmp_path)
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    answers = re.findall(r"^  (\w+) +(\S+) +(allowed|denied)", said, re.MULTILINE)
    assert answers == [
        ("Grace", people.DEPLOY, "allowed"),
        ("Bob", people.DEPLOY, "denied"),
        ("Bob", people.PAY, "allowed"),
        ("Bob", people.DEPLOY, "allowed"),
        ("Bob", people.PAY, "denied"),
        ("Lin", people.DEPLOY, "allowed"),
        ("Lin", people.DEPLOY, "denied"),
    ]
    tries = r"^  (\d+) of (\d+) tries that began (\w+)"
    (before, _, _), (after, of, _) = re.findall(tries, said.replace(",", ""), re.MULTILINE)
    assert int(before) > 0
    assert (int(after), int(of) > 0) == (0, True)
    assert not list(tmp_path.iterdir())


def test_large_group(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everybody is allowed, and later denied, at once and ever after, while effective roles follow behind;
    the database in which that happened is gone.
    """
    large_group.show(tmp_path, 20)
    said = capsys.readouterr().out
    answers = re.findall(r"asked .*  ([\d,]+) of ([\d,]+) (allowed|denied)$", said, re.MULTILINE)
    assert all(count == asked for count, asked, _ in answers)
    assert [verdict for *_, verdict in answers] == ["allowed"] * 2 + ["denied"] * 2
    rows = re.findall(r"([\d,]+) effective roles$", said, re.MULTILINE)
    assert rows[1:] == ["0", "100,000", "100,000", "0"]
    assert not list(tmp_path.iterdir())


def test_demo_deletes_no_other_database(tmp_path: Path) -> None:
    """A file that is named is never overwritten."""
    (tmp_path / "mine.db").write_text("mine")
    assert forked(tmp_path, "demo", "-d", "mine.db").returncode == 2
    assert (tmp_path / "mine.db").read_text() == "mine"


def test_invented_organization_has_the_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many users, permissions and sets as the real one, the same at every run."""
    lines = list(invented.lines())
    held: dict[str, set[str]] = {}
    for line in lines:
        user, permission = line.split()
        held.setdefault(user, set()).add(permission)
    assert (len(held), len(set().union(*held.values()))) == (3_477, 1_587)
    assert len(set(map(frozenset, held.values()))) == 259
    assert lines == list(invented.lines())
    monkeypatch.setattr(demo, "DATA", "absent")
    assert demo.data_source()[1] == "an invented organization"
