"""Builds what a release ships, and checks it: `python -m tests.release`. `make release-check` is this.

    python -m tests.release [--all-versions] [--tag v1.2.3] [--python PATH …] [--output FOLDER]

It builds the commit that is checked out, twice and under different circumstances, and compares the bytes. It
installs the wheel with each extra, in clean environments and on each version of Python that it finds, and
uses it there. It lists what each extra brings, as CycloneDX. What it made is in `dist/`.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

from tests.release.building import Fault, built_twice, check_packages, commit
from tests.release.changelog import CHANGELOG, ROOT, releases
from tests.release.installing import check_installed, interpreters


def main() -> int:
    """0 if everything holds; else 1, and one line that says what does not."""
    parser = argparse.ArgumentParser(prog="python -m tests.release", description=__doc__)
    parser.add_argument(
        "--all-versions", action="store_true", help="fail without a supported version"
    )
    parser.add_argument("--tag", help="the tag that is released; the version must be the same")
    parser.add_argument("--python", action="append", default=[], help="an interpreter to try too")
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    asked = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="rescind-release-") as folder:
            check(asked, Path(folder))
    except Fault as fault:
        print(f"release-check: {fault}", file=sys.stderr)
        return 1
    return 0


def check(asked: argparse.Namespace, folder: Path) -> None:
    """Raises Fault for the first thing that does not hold."""
    at = commit()
    packages = built_twice(at, folder)
    print(f"{', '.join(path.name for path in packages)}: two builds of {at.name}, the same bytes")
    version = check_packages(packages, at)
    if asked.tag is not None:
        _check_tag(asked.tag, version)
    print("metadata, contents and the list of files are right")
    found, missing = interpreters(asked.python)
    if missing:
        print(f"not tried, since there is no such Python here: {', '.join(missing)}")
        if asked.all_versions:
            raise Fault(f"no Python {', '.join(missing)} was found.")
    (wheel,) = [path for path in packages if path.suffix == ".whl"]
    boms = check_installed(wheel, version, found, at, folder)
    _keep([*packages, *boms], asked.output)
    print(f"{asked.output}: {len(packages)} packages, {len(boms)} bills of materials, SHA256SUMS")


def _check_tag(tag: str, version: str) -> None:
    top = releases(CHANGELOG.read_text("utf-8"))[0]
    if tag != f"v{version}":
        raise Fault(f"the tag is {tag}, and the version {version}.")
    if top.version != version:
        raise Fault(f"CHANGELOG.md begins with {top.version}, and {version} is to be released.")


def _keep(paths: list[Path], output: Path) -> None:
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    sums = []
    for path in sorted(paths, key=lambda path: path.name):
        shutil.copy(path, output)
        sums.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    (output / "SHA256SUMS").write_text("".join(sums), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
