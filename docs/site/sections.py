"""The table of contents: which pages the site has, in which section, and under which address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]

ROOT_PAGES = {
    "README.md": "project/readme.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "CODE_OF_CONDUCT.md": "project/code-of-conduct.md",
}
NAVIGATION_TITLES = {"project/readme.md": "README"}
"""Titles in the table of contents, of pages that are called like the site."""
FOLDERS = {
    "docs": "index.md",
    "docs/howto": "howto/index.md",
    "docs/reference": "reference/index.md",
    "docs/explanation": "explanation/index.md",
    "docs/decisions": "decisions/index.md",
    "docs/lab": "lab/index.md",
    "examples": "examples/index.md",
}
"""What a link to a folder of the repository means on the site."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the site: an address that its pages begin with, and groups of patterns in order.

    A page is in the first group that it fits. Pages that fit none are in a group without a title.
    """

    folder: str
    title: str
    lead: str
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()


SECTIONS = (
    Section("tutorial", "Tutorial", "Learn it in ten minutes."),
    Section(
        "howto",
        "How-to guides",
        "One page for each thing that you want to get done.",
        (
            (
                "Use it in your program",
                (
                    "*django*",
                    "protect-routes",
                    "list-with-*",
                    "join-in-sql",
                    "change-in-*",
                    "use-*",
                    "test-*",
                    "retry-*",
                    "ids",
                    "authzen",
                ),
            ),
            ("Come from another system", ("coming-from-*", "come-from-*", "move-from-*")),
            ("Bring in your data", ("import-*",)),
            (
                "Run it",
                (
                    "run-*",
                    "serve",
                    "upgrade",
                    "back-up-*",
                    "size-*",
                    "key-*",
                    "live-in-*",
                    "partition-*",
                ),
            ),
            (
                "Watch it",
                ("monitor", "set-targets", "measure-*", "probe-*", "audit-in-*"),
            ),
            (
                "Answer for it",
                (
                    "log-decisions",
                    "review-*",
                    "investigate-*",
                    "answer-*",
                    "keep-the-head-*",
                    "prune-*",
                ),
            ),
            ("Runbooks: what to do about an alert", ("runbooks/*",)),
        ),
    ),
    Section("examples", "Example applications", "Whole applications to start from."),
    Section(
        "reference",
        "Reference",
        "Every name, field, setting, route, error and metric.",
        (
            ("The Python API", ("python", "api/*", "changes", "errors")),
            (
                "The command, the service, SQL",
                ("cli", "http", "workos", "sql", "configuration", "import"),
            ),
            ("Operating", ("metrics", "performance", "releases", "dependencies")),
            ("Words and tests", ("glossary", "mutants")),
        ),
    ),
    Section(
        "explanation",
        "Explanation",
        "How it works, what it promises, and what it does not.",
        (
            ("What holds", ("guarantees", "holes", "consistency")),
            ("How it works", ("how-it-works", "propagation", "replay", "scaling-out", "figures")),
        ),
    ),
    Section("decisions", "Decisions", "Why it is built this way."),
    Section("lab", "Lab report", "What was measured, beside other systems."),
    Section("project", "Project", "The repository's own pages."),
)


def repository_pages() -> dict[str, str]:
    """Every Markdown page of the repository and its file on the site."""
    found = dict(ROOT_PAGES)
    for path in sorted(ROOT.glob("docs/**/*.md")):
        name = path.relative_to(ROOT).as_posix()
        found[name] = name.removeprefix("docs/").replace("README.md", "index.md")
    for path in sorted(ROOT.glob("examples/*/README.md")):
        found[path.relative_to(ROOT).as_posix()] = f"examples/{path.parent.name}.md"
    return found


def grouped(section: Section, files: list[str]) -> list[tuple[str, list[str]]]:
    """The section's pages by group, each page once."""
    names = [name for name in files if PurePosixPath(name).parts[0] == section.folder]
    waiting = [name for name in names if name != f"{section.folder}/index.md"]
    groups = []
    for title, patterns in section.groups:
        chosen = [
            name
            for pattern in patterns
            for name in waiting
            if fnmatch(name.removeprefix(f"{section.folder}/").removesuffix(".md"), pattern)
        ]
        chosen = [*dict.fromkeys(chosen)]
        waiting = [name for name in waiting if name not in chosen]
        groups.append((title, chosen))
    groups.append(("More" if section.groups else "", waiting))
    return [(title, chosen) for title, chosen in groups if chosen]


def title_of(text: str) -> str:
    """A page's first heading."""
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"a page has no title: {text[:80]!r}")
    return found[1]


def summary_of(text: str) -> str:
    """The first sentence of a page, without its links."""
    body = text.partition("\n# ")[2] if not text.startswith("# ") else text[2:]
    paragraphs = [part for part in body.partition("\n")[2].strip().split("\n\n") if part.strip()]
    first = next((" ".join(part.split()) for part in paragraphs if part[0] not in "#`|>!-"), "")
    plain = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", first)
    plain = re.sub(r"^\*\*[^*]+\.\*\*\s+", "", plain)
    return re.split(r"(?<=\.)\s", plain, maxsplit=1)[0].rstrip(":")
