"""The example project of Django: 100,000 documents, of which ada may read one of a hundred."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Admin, as_url, with_database
from tests.examples.apps import ROOT


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> Any:
    if engine == "sqlite":
        yield str(tmp_path / "library.db")
        return
    admin: Admin = request.getfixturevalue("postgres_admin")
    name = f"rescind_library_{os.getpid()}"
    admin.execute(f"CREATE DATABASE {name}")
    yield as_url(with_database(request.getfixturevalue("postgres_server"), name))
    admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_page_of_many_documents_is_one_query(empty_url: str, tmp_path: Path) -> None:
    """The project is migrated, filled and asked as its README says. Walked page by page, the list has each
    document once; a removal empties it.
    """
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "examples" / "django", folder, ignore=shutil.ignore_patterns("*.db*"))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.examples.django_asked", str(folder)],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": empty_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    found = json.loads(done.stdout.splitlines()[-1])
    ada, grace, eve = found["ada"], found["grace"], found["eve"]
    assert [len(each["page"]) for each in (ada, grace, eve)] == [20, 20, 0]
    assert [each["queries"] for each in (ada, grace, eve)] == [1, 1, 1]
    assert [each["html"] for each in (ada, grace, eve)] == [20, 20, 0]
    assert all(number % 100 == 7 for number in ada["page"])
    assert [each["document 7"] for each in (ada, grace, eve)] == [200, 200, 403]
    assert [each["document 8"] for each in (ada, grace, eve)] == [403, 200, 403]
    assert ada["login"]
    assert found["walked"] == {"rows": 1_000, "distinct": 1_000, "right": True}
    assert found["removed"] == []
