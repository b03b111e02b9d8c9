"""One version, in every place that has one, and a changelog that ends with it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rescind
from tests.release import changelog, version
from tests.release.changelog import CHANGELOG, ROOT, UNRELEASED, releases


def test_one_version() -> None:
    """The manifests deploy the version that is here."""
    assert {place: rescind.__version__ for place, _ in version.stated()} == dict(version.stated())


def test_the_top_release_is_the_version() -> None:
    """The first release of the changelog, below what is unreleased, is the version of the package."""
    listed = releases(CHANGELOG.read_text("utf-8"))
    released = [each for each in listed if each.version != UNRELEASED]
    assert listed[1:] == released or listed == released  # unreleased comes first, and once
    assert released[0].version == rescind.__version__
    numbers = [tuple(map(int, each.version.split("."))) for each in released]
    assert numbers == sorted(set(numbers), reverse=True)
    assert all(each.notes for each in listed)


def test_dates_of_releases() -> None:
    """Each release says when it was made; 0.1.0 was not published."""
    for release in releases(CHANGELOG.read_text("utf-8")):
        assert (release.date is None) == (release.version in {UNRELEASED, "0.1.0"}), release.version


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that have a version, with something unreleased."""
    for place in (*(place for place, _ in version.stated()), "CHANGELOG.md"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / place, tmp_path / place)
    text = CHANGELOG.read_text("utf-8")
    if f"## {UNRELEASED}" not in text:
        text = re.sub(r"\n## ", f"\n## {UNRELEASED}\n\n- More.\n\n## ", text, count=1)
        (tmp_path / "CHANGELOG.md").write_text(text, "utf-8")
    return tmp_path


def test_the_next_version(copy: Path) -> None:
    """One command sets the version everywhere, and dates what was unreleased, word for word."""
    before = releases((copy / "CHANGELOG.md").read_text("utf-8"))
    version.set_version("9.8.7", "2027-01-31", copy)
    assert {stated for _, stated in version.stated(copy)} == {"9.8.7"}
    assert "rescind-migration-9-8-7" in (copy / "deploy/kubernetes/base/migration.yaml").read_text()
    after = releases((copy / "CHANGELOG.md").read_text("utf-8"))
    assert after[0] == ("9.8.7", "2027-01-31", before[0].notes)
    assert after[1:] == before[1:]
    with pytest.raises(SystemExit, match="has no"):
        version.set_version("9.8.8", "2027-02-01", copy)


@pytest.mark.parametrize("asked", [("v9.8.7", "2027-01-31"), ("9.8", "2027-01-31"), ("9.8.7", "")])
def test_a_version_that_is_none(copy: Path, asked: tuple[str, str]) -> None:
    """Nothing is written."""
    before = dict(version.stated(copy))
    with pytest.raises(SystemExit, match="usage"):
        version.set_version(*asked, copy)
    assert dict(version.stated(copy)) == before


def test_a_place_without_the_version(copy: Path) -> None:
    """It is named."""
    (copy / version.SOURCE).write_text("")
    with pytest.raises(SystemExit, match=re.escape(version.SOURCE)):
        dict(version.stated(copy))


def test_notes_of_a_release() -> None:
    """They are printed by a Python that has nothing installed; a release that is none is an error."""
    top = next(each for each in releases(CHANGELOG.read_text("utf-8")) if each.version == "0.1.0")
    command = [sys.executable, "-S", "-m", changelog.__name__, "0.1.0"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == top.notes
    assert changelog.main("0.0.0") == 1
