"""What the pages tell readers to do works, as it stands, from top to bottom."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.conftest import as_url, with_database
from tests.docs.pages import NOT_RUN, ROOT, RUN, blocks, name, pages
from tests.docs.run_page import URL, main

SHOWN_ONLY: dict[str, str] = {
    "GRANT USAGE ON SCHEMA rescind TO app;": "there is no role of that name",
    "$ OLD=postgresql://localhost/plain NEW=postgresql://localhost/acme": "there is one database",
    "$ rescind migrate --partitions 16 -d postgresql://localhost/acme": "it has plain tables",
    "from openfga_sdk.client.models import ClientCheckRequest, ClientTuple, ClientWriteRequest": (
        "it is OpenFGA's client"
    ),
    "from oso_cloud import Oso, Value": "it is Oso Cloud's client",
    "$ rescind migrate --partitions 8 -d postgresql://localhost/acme": "it has plain tables",
}
"""Blocks that are marked as not run: their first line, and why."""
OTHER_LANGUAGES = ("json", "csv", "text", "mermaid", "yaml")
WITH_CODE = [page for page in pages() if any(block.is_run for block in blocks(page))]


@pytest.fixture(scope="module")
def follower() -> Iterator[subprocess.Popen[str]]:
    """The process that follows pages, each in a fork with this environment's `rescind`."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tests.docs.run_page"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


@pytest.fixture
def postgres_of_page(postgres_server: str, postgres_template: str, page: Path) -> Iterator[str]:
    """The URL of a page's own database, if it uses one."""
    if not any(URL in block.text for block in blocks(page)):
        yield ""
        return
    database = f"rescind_page_{os.getpid()}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {database} TEMPLATE {postgres_template} STRATEGY FILE_COPY"
        )
        yield as_url(with_database(postgres_server, database))
        connection.execute(f"DROP DATABASE {database} WITH (FORCE)")


@pytest.mark.parametrize("page", WITH_CODE, ids=name)
def test_page_runs(
    page: Path, tmp_path: Path, postgres_of_page: str, follower: subprocess.Popen[str]
) -> None:
    """Every command and every line of Python of the page does what the page says it does."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("RESCIND_")
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment["PYTHONPATH"] = str(ROOT)
    assert follower.stdin is not None
    assert follower.stdout is not None
    request = json.dumps([[str(page), postgres_of_page], str(tmp_path), environment])
    print(request, file=follower.stdin, flush=True)
    code, printed = json.loads(follower.stdout.readline())
    assert code == 0, printed


WRONG = {
    "exit code": "```console\n$ false\n```\n",
    "output": "```console\n$ echo one\ntwo\n```\n",
    "denied": "```console\n$ echo denied # check\nallowed\n```\n",
    "python": "```python\nassert not 'so'\n```\n",
    "second block": "```python\nx = 1\n```\n```python\nassert x == 2\n```\n",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_wrong_pages_fail(text: str, tmp_path: Path) -> None:
    """What a page promises and does not keep is noticed."""
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises((SystemExit, AssertionError)):
        main(str(page), "")


def test_all_code_is_run() -> None:
    """A block is run, or its language is no code, or it is one of the few that are named here."""
    shown = set()
    for page in pages():
        for block in blocks(page):
            assert block.mark in ("", NOT_RUN), f"{block}: {block.mark}"
            assert block.language in RUN + OTHER_LANGUAGES, f"{block}: {block.language}"
            if block.mark == NOT_RUN:
                shown.add(block.text.splitlines()[0])
    assert shown == set(SHOWN_ONLY)


def test_one_url() -> None:
    """Code that needs a server names it by the one URL that the test replaces."""
    for page in WITH_CODE:
        for block in blocks(page):
            if block.is_run:
                named = set(re.findall(r"postgres(?:ql)?://[^\s'\",)…]*", block.text))
                assert named <= {URL}, block


def test_json_is_json() -> None:
    """Each line of a JSON block is a JSON value."""
    for page in pages():
        for block in blocks(page):
            if block.language == "json":
                for line in block.text.splitlines():
                    json.loads(line)
