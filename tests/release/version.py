"""Every place that has the version: `python -m tests.release.version 0.2.0 2026-11-28` sets them all."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.release.changelog import ROOT, UNRELEASED

SOURCE: Final = "src/rescind/__init__.py"
KUBERNETES: Final = "deploy/kubernetes"
VERSION: Final = re.compile(r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$")
DATE: Final = re.compile(r"^\d{4}-\d{2}-\d{2}$")

PLACES: Final = {
    SOURCE: r'(?m)^(__version__ = ")(?P<version>[^"]+)(")$',
    f"{KUBERNETES}/base/kustomization.yaml": r"(?m)^(    newTag: )(?P<version>.+)()$",
    f"{KUBERNETES}/overlays/production/kustomization.yaml": r"(?m)^(    newTag: )(?P<version>.+)()$",
}
"""The pattern of the version in each file."""
JOB: Final = r"(?m)^(  name: rescind-migration-)(?P<version>\d+-\d+-\d+)()$"
"""A Job's name has no dots here: it becomes the name of a pod."""


def stated(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Each place, and the version that it has."""
    for place, pattern in PLACES.items():
        yield place, _only(pattern, root / place)
    job = f"{KUBERNETES}/base/migration.yaml"
    yield job, _only(JOB, root / job).replace("-", ".")


def _only(pattern: str, path: Path) -> str:
    found = [match["version"] for match in re.finditer(pattern, path.read_text("utf-8"))]
    if len(found) != 1:
        raise SystemExit(f"{path}: the version should be there once, and is {len(found)} times.")
    return found[0]


def set_version(version: str, date: str, root: Path = ROOT) -> None:
    """Set the version in all places, and make a release of what the changelog calls unreleased."""
    if not VERSION.match(version) or not DATE.match(date):
        raise SystemExit("usage: python -m tests.release.version 0.2.0 2026-11-28")
    changelog = (root / "CHANGELOG.md").read_text("utf-8")
    if f"\n## {UNRELEASED}\n" not in changelog:
        raise SystemExit(f'CHANGELOG.md has no "## {UNRELEASED}" to release.')
    if f"\n## {version}" in changelog:
        raise SystemExit(f"CHANGELOG.md has {version} already.")
    for place, pattern in PLACES.items():
        _replace(pattern, root / place, version)
    _replace(JOB, root / KUBERNETES / "base/migration.yaml", version.replace(".", "-"))
    released = changelog.replace(f"\n## {UNRELEASED}\n", f"\n## {version} — {date}\n", 1)
    (root / "CHANGELOG.md").write_text(released, "utf-8")


def _replace(pattern: str, path: Path, version: str) -> None:
    _only(pattern, path)
    path.write_text(re.sub(pattern, rf"\g<1>{version}\g<3>", path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    set_version(*(sys.argv[1:] if len(sys.argv) == 3 else ("", "")))
