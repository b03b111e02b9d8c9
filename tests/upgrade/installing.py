"""Rescind as it was at an earlier commit: its wheel, in an environment of its own.

What it depends on is taken from the environment of the tests, so nothing but the program differs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path
from typing import Final

from tests.release.building import Fault, run
from tests.release.changelog import ROOT

KEPT: Final = ROOT / "build/upgrade"
"""Environments that were made once, by commit."""
COMMITS: Final[dict[str, str]] = json.loads(
    Path(__file__).with_name("versions.json").read_text("utf-8")
)
"""The last commit of each schema, before the one that brought the next. Of the newest, the first commit."""


def installed(commit: str | None) -> Path:
    """The folder of the commands of a commit. None is the working tree. Raises Fault."""
    if commit is None:
        return Path(sysconfig.get_path("scripts"))
    place = KEPT / commit
    commands = place / "bin"
    if not (commands / "rescind").exists():
        wheel = _wheel(commit, KEPT / f"{commit}.wheel")
        run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(place)])
        pip = [sys.executable, "-m", "pip", "--python", str(commands / "python"), "install"]
        (packages,) = place.glob("lib/python3.*/site-packages")
        dependencies = sysconfig.get_path("purelib")
        (packages / "dependencies.pth").write_text(f"{dependencies}\n", "utf-8")
        run([*pip, "--quiet", "--no-deps", "--ignore-installed", str(wheel)])
        run([*pip, "--quiet", f"{wheel}[server,postgres]"])  # what is needed no more
    _require_own(commands / "python", place)
    return commands


def _wheel(commit: str, folder: Path) -> Path:
    try:
        run(["git", "-C", str(ROOT), "cat-file", "-e", f"{commit}^{{commit}}"])
    except Fault as fault:
        raise Fault(
            f"commit {commit[:12]} is not here: fetch the whole history (git fetch --unshallow)."
        ) from fault
    source = folder / "source"
    source.mkdir(parents=True, exist_ok=True)
    archive = folder / "source.tar"
    run(["git", "-C", str(ROOT), "archive", f"--output={archive}", commit])
    with tarfile.open(archive) as files:
        files.extractall(source, filter="data")
    run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"),
            *("--wheel-dir", str(folder), str(source)),
        ]
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def _require_own(python: Path, place: Path) -> None:
    """Refuse an environment that would run the code of the working tree."""
    code = "import rescind; print(rescind.__file__)"
    done = subprocess.run(
        [str(python), "-c", code],
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    if not done.stdout.startswith(str(place)):
        raise Fault(f"{python} loads {done.stdout.strip()}, which is not of its commit.")
