"""The policies: every guarantee is named, and the supported versions are those of the package."""

from __future__ import annotations

import re

import pytest

import rescind
from tests.docs.pages import pages, section
from tests.release.changelog import ROOT
from tests.release.installing import supported

SECURITY = ROOT / "SECURITY.md"
RELEASES = ROOT / "docs/reference/releases.md"
GUARANTEES = [f"G{number}" for number in range(1, 11)]


def test_each_guarantee_can_be_reported() -> None:
    """One line for each, in order."""
    listed = section(SECURITY, "What counts as a vulnerability")
    assert re.findall(r"^\| (G\d+) \|", listed, re.MULTILINE) == GUARANTEES


@pytest.mark.parametrize("version", [rescind.__version__, "0.2.0"])
def test_supported_versions(version: str) -> None:
    """The version that is here is among the supported ones."""
    listed = re.findall(r"^\| (\d+\.\d+) \|", section(SECURITY, "Supported versions"), re.MULTILINE)
    assert version.rpartition(".")[0] in listed


def test_versions_of_python() -> None:
    """The page names the oldest and the newest."""
    said = re.search(r"today (3\.\d+) to (3\.\d+)", RELEASES.read_text("utf-8"))
    assert said
    assert list(said.groups()) == [supported()[0], supported()[-1]]


def test_policies_are_pages() -> None:
    """What holds for the documentation holds for them: links, width, and that they are found."""
    assert {SECURITY, ROOT / "CODE_OF_CONDUCT.md"} <= set(pages())
