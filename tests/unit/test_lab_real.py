"""Real data is asked what the file says, before and after people and roles have changed."""

from __future__ import annotations

import gzip
import json
import random
from contextlib import nullcontext
from pathlib import Path

import pytest
from lab import real
from lab.real import companies, roles

from rescind.store.migrations import migrate


def fresh(folder: Path) -> str:
    """A migrated database."""
    url = str(folder / "real.db")
    migrate(url)
    return url


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve users with one of four sets of permissions, in the form of HP Labs' files."""
    file = tmp_path_factory.mktemp("company") / "pairs.txt.gz"
    lines = [f"   {user}   {user % 4 + step}\n" for user in range(1, 13) for step in range(3)]
    file.write_bytes(gzip.compress("".join(lines).encode()))
    return file


def test_a_company_answers_as_its_file(company: Path, tmp_path: Path) -> None:
    """No check differs from the file, in SQL and from memory, also after people moved."""
    figures = companies.measured(fresh(tmp_path), company, rounds=12, seed=3)
    assert figures["wrong"] == 0
    assert (figures["users"], figures["pairs"]) == (12, 36)
    assert {"import_s", "check_us", "sql_us", "churn_ms", "load_s"} <= figures.keys()


def test_a_wrong_answer_is_counted(
    company: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If somebody held other permissions than the file says, `wrong` would tell."""
    whole = companies.pairs(company)
    whole["1"] = set(whole["2"])
    monkeypatch.setattr(companies, "pairs", lambda _: whole)
    assert companies.measured(fresh(tmp_path), company, rounds=1, seed=3)["wrong"] > 0


def test_cloud_roles_answer_as_their_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No check differs from what the roles and groups hold, also after roles were edited."""
    for name, value in (
        ("PEOPLE", 20),
        ("GROUPS", 5),
        ("PROJECTS", 6),
        ("GIVEN", 4),
        ("ASKED", 200),
    ):
        monkeypatch.setattr(roles, name, value)
    file = tmp_path / "roles.json.gz"
    whole = {f"roles/r{n}": [f"thing.{(n + k) % 9}.get" for k in range(n % 4)] for n in range(9)}
    file.write_bytes(gzip.compress(json.dumps(whole).encode()))
    figures = roles.measured(fresh(tmp_path), file, None, rounds=15, seed=3)
    assert figures["wrong"] == 0
    assert figures["roles"] == sum(1 for held in whole.values() if held)


def test_questions_are_allowed_and_denied() -> None:
    """Both answers are expected, each about as often."""
    held = {str(user): {str(user), "all"} for user in range(50)}
    answers = [allowed for _, allowed in companies.expected(held, random.Random(1), 200)]
    assert 80 <= sum(answers) <= 120


def test_the_table_has_the_goal() -> None:
    """A line for each data set that was measured, and whether any answer was wrong."""
    text = real.shape({"real.hc.sqlite.users": 46, "real.wrong": 0}, real.GOALS).markdown()
    lines = text.splitlines()
    assert lines[2].startswith("| HP Labs, healthcare, SQLite | 46 |")
    assert lines[3].endswith("| 0 | ≤ 0: met |")
    assert {line.count("|") for line in lines} == {lines[0].count("|")}


def test_all_data_that_is_there_is_measured(tmp_path: Path) -> None:
    """The folder is found beside the repository or above it; a file that nobody expected is a company."""
    data = tmp_path / "shared" / "data"
    data.mkdir(parents=True)
    for name in ("hp_labs_hc", "hp_labs_emea"):
        (data / f"{name}.txt.gz").touch()
    assert real.data_folder(tmp_path / "worktrees" / "one" / "lab" / "real.py") == data
    found = real.companies_in(data)
    assert list(found) == [*real.COMPANIES, "emea"]
    assert found["emea"] == data / "hp_labs_emea.txt.gz"
    text = real.shape({"real.emea.sqlite.users": 35}, {}).markdown()
    assert "| HP Labs, emea, SQLite | 35 |" in text


def test_what_is_absent_is_left_out_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without data there are no figures, and each expected file is named."""
    monkeypatch.setattr(real, "servers", lambda: nullcontext(str))
    measured = real.run(quick=True, seed=3, data=tmp_path)
    assert measured.figures == {}
    assert len(measured.left_out) == len(real.COMPANIES) + 1
