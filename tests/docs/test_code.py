"""What the pages tell readers to do works, as it stands, from top to bottom."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.pages import NOT_RUN, ROOT, RUN, blocks, name, pages
from tests.docs.run_page import URL

SHOWN_ONLY: dict[str, str] = {}
"""Blocks that are marked as not run: their first line, and why."""
OTHER_LANGUAGES = ("json", "csv", "text", "mermaid")
WITH_CODE = [page for page in pages() if any(block.is_run for block in blocks(page))]


@pytest.mark.parametrize("page", WITH_CODE, ids=name)
def test_page_runs(page: Path, tmp_path: Path, new_database: Callable[[str], str]) -> None:
    """Every command and every line of Python of the page does what the page says it does."""
    arguments = [str(page)]
    if any(URL in block.text for block in blocks(page) if block.is_run):
        arguments.append(new_database("postgres"))
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("RESCIND_")
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.docs.run_page", *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


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
