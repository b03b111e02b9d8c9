"""The releases of CHANGELOG.md: `python -m tests.release.changelog 0.2.0` prints the notes of one."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
CHANGELOG = ROOT / "CHANGELOG.md"
HEADING = re.compile(r"^## (?P<version>\S+)(?: — (?P<date>\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)
UNRELEASED = "Unreleased"


class Release(NamedTuple):
    """One section of the changelog."""

    version: str
    date: str | None
    notes: str


def releases(text: str) -> list[Release]:
    """All sections, in the order of the file. What is not released yet has the version `UNRELEASED`."""
    headings = list(HEADING.finditer(text))
    ends = [*(heading.start() for heading in headings[1:]), len(text)]
    return [
        Release(heading["version"], heading["date"], text[heading.end() : end].strip())
        for heading, end in zip(headings, ends, strict=True)
    ]


def main(version: str) -> int:
    """Print the notes of a release. 1 if the changelog has no such release."""
    for release in releases(CHANGELOG.read_text("utf-8")):
        if release.version == version:
            print(release.notes)
            return 0
    print(f"CHANGELOG.md has no release {version}.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
