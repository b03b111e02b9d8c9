"""The workflows that test and publish: audited, with the Python versions of the package, and no secret."""

from __future__ import annotations

import re
import subprocess
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.release.changelog import ROOT

FOLDER = ROOT / ".github/workflows"
FILES = sorted(FOLDER.glob("*.yml"))
Workflow = dict[Any, Any]


def audit(folder: Path) -> str:
    """What the audit of workflows finds, in its strictest way and without the network."""
    zizmor = str(Path(sysconfig.get_path("scripts")) / "zizmor")
    options = ["--offline", "--no-config", "--quiet", "--persona", "pedantic", "--format", "plain"]
    command = [zizmor, *options, "--color", "never", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "findings" in done.stdout, done.stderr
    return done.stdout


def test_audit() -> None:
    """Nothing is found: no injection, no action by a name that can move, no permission too many."""
    assert "No findings" in audit(FOLDER.parent)


def test_control_audit(tmp_path: Path) -> None:
    """It finds an action by its tag, and permissions for all jobs."""
    worse = (FOLDER / "tests.yml").read_text("utf-8")
    worse = re.sub(r"@[0-9a-f]{40} # v(\d+)\S*", r"@v\1", worse)
    worse = worse.replace("permissions: {}", "permissions: write-all")
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / ".github/workflows/tests.yml").write_text(worse, "utf-8")
    found = audit(tmp_path)
    for name in ("unpinned-uses", "excessive-permissions"):
        assert name in found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_secrets(path: Path) -> None:
    """No workflow is given a secret: publishing is trusted by its identity."""
    assert "secrets." not in path.read_text("utf-8")


def versions() -> list[str]:
    """The versions of Python that the package says it is for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    marker = "Programming Language :: Python :: 3."
    return [each.rpartition(" ")[2] for each in project["classifiers"] if each.startswith(marker)]


def jobs(name: str) -> Workflow:
    """The jobs of one workflow."""
    found: Workflow = yaml.safe_load((FOLDER / name).read_text("utf-8"))["jobs"]
    return found


def test_versions_of_python() -> None:
    """Tests run on each version that the package is for, and releases are checked on each."""
    assert jobs("tests.yml")["check"]["strategy"]["matrix"]["python"] == versions()
    for name, job in (("tests.yml", "release-check"), ("release.yml", "build")):
        (python,) = [
            step["with"]["python-version"]
            for step in jobs(name)[job]["steps"]
            if "setup-python" in step.get("uses", "")
        ]
        assert sorted(python.split(), key=versions().index) == versions()


def test_what_is_published_was_checked() -> None:
    """Files are attested after they were built and checked, and published after that, with attestations."""
    release = jobs("release.yml")
    assert any("make release-check" in step.get("run", "") for step in release["build"]["steps"])
    assert release["attest"]["needs"] == "build"
    assert release["publish"]["needs"] == release["image"]["needs"] == "attest"
    assert set(release["notes"]["needs"]) == {"publish", "image"}
    uploads = release["publish"]["steps"][-1]
    assert uploads["uses"].startswith("pypa/gh-action-pypi-publish@")
    assert uploads["with"]["attestations"] is True
    assert release["publish"]["permissions"].keys() == {"id-token"}
    assert release["publish"]["environment"]
