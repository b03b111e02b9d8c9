"""Lays out the site's sources: pages with their links, section pages, and the generated reference.

Nothing here needs Sphinx. What is staged is Markdown, so that the twin of each page is the page itself.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from docs.site import api
from docs.site.sections import (
    FOLDERS,
    NAVIGATION_TITLES,
    ROOT,
    SECTIONS,
    grouped,
    repository_pages,
    summary_of,
    title_of,
)

_FENCED = re.compile(r"^(?:```|~~~)[^\n]*\n.*?^(?:```|~~~)$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"^<!--.*?^-->\n?", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?\[[^\]]*\])\(([^)\s]+)\)")


def stage(target: Path) -> dict[str, str]:
    """Fill an empty folder with the sources of the site; return each page's file and its twin's text."""
    twins, sources = {}, {}
    for origin, file in repository_pages().items():
        text = _without_comments((ROOT / origin).read_text("utf-8"))
        twins[file] = sources[file] = _outside_code(text, _relinked(origin, file, target))
    for file, page in api.pages().items():
        sources[file], twins[file] = page.source, page.twin
    for section in SECTIONS:
        _add_section(section.folder, sources, twins)
    sources["index.md"] += _root_toctree()
    for file, text in sources.items():
        path = target / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return twins


def write_twins(target: Path, twins: dict[str, str]) -> None:
    """Put each page's Markdown beside its HTML, and the list of all in `llms.txt`."""
    for file, text in twins.items():
        path = target / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (target / "llms.txt").write_text(llms(twins), "utf-8")


def llms(twins: dict[str, str]) -> str:
    """Every page by section, with its first sentence."""
    lines = ["# Rescind", "", f"> {summary_of(twins['index.md'])}", ""]
    lines += ["Each page is Markdown. The same address with `.html` is for browsers.", ""]
    for section in SECTIONS:
        files = [file for _, files in grouped(section, [*twins]) for file in files]
        own = f"{section.folder}/index.md"
        lines += [f"## {section.title}", ""]
        for file in ([own] if own in twins else []) + files:
            summary = summary_of(twins[file])
            lines.append(
                f"- [{title_of(twins[file])}]({file})" + (f": {summary}" if summary else "")
            )
        lines.append("")
    return "\n".join(lines)


def _add_section(folder: str, sources: dict[str, str], twins: dict[str, str]) -> None:
    """A section's first page: the one that is written, or a list of its pages; with the toctree."""
    (section,) = (each for each in SECTIONS if each.folder == folder)
    own = f"{folder}/index.md"
    groups = grouped(section, [*sources])
    if own not in sources:
        lines = [f"# {section.title}", "", section.lead, ""]
        for title, files in groups:
            lines += [f"## {title}", ""] if title else []
            lines += [_entry(file, folder, twins[file]) for file in files]
            lines.append("")
        sources[own] = twins[own] = "\n".join(lines)
    files = [file for _, found in groups for file in found]
    sources[own] += _toctree([_titled(file, folder) for file in files])


def _titled(file: str, folder: str) -> str:
    """A line of a toctree."""
    name = os.path.relpath(file, folder).removesuffix(".md")
    title = NAVIGATION_TITLES.get(file)
    return f"{title} <{name}>" if title else name


def _entry(file: str, folder: str, text: str) -> str:
    title = NAVIGATION_TITLES.get(file) or title_of(text)
    link = f"- [{title}]({os.path.relpath(file, folder)})"
    summary = summary_of(text)
    return f"{link}: {summary}" if summary else link


def _toctree(lines: list[str]) -> str:
    names = "\n".join(lines)
    return f"\n\n```{{toctree}}\n:hidden:\n\n{names}\n```\n"


def _root_toctree() -> str:
    return _toctree([f"{section.title} <{section.folder}/index>" for section in SECTIONS])


def _without_comments(text: str) -> str:
    """The text without what readers do not see: code that only the tests run."""
    return re.sub(r"\n{3,}", "\n\n", _COMMENT.sub("", text))


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """The text, changed everywhere but in fenced blocks."""
    parts, end = [], 0
    for block in _FENCED.finditer(text):
        parts += [change(text[end : block.start()]), block[0]]
        end = block.end()
    return "".join([*parts, change(text[end:])])


def _relinked(origin: str, file: str, target: Path) -> Callable[[str], str]:
    """What gives a page's links the addresses of the site, and copies the files that it links to."""
    pages = repository_pages()
    here = PurePosixPath(file).parent

    def moved(match: re.Match[str]) -> str:
        link = match[2]
        if "://" in link or link.startswith(("#", "mailto:")):
            return match[0]
        path, mark, anchor = link.partition("#")
        found = (ROOT / origin).parent.joinpath(path).resolve().relative_to(ROOT).as_posix()
        goal = pages.get(found) or FOLDERS.get(found) or _copied(found, target)
        return f"{match[1]}({os.path.relpath(goal, here)}{mark}{anchor})"

    return lambda text: _LINK.sub(moved, text)


def _copied(name: str, target: Path) -> str:
    """A file that is no page, at its place on the site. A folder is an error: it has no address."""
    source = ROOT / name
    if not source.is_file():
        raise ValueError(f"a page links to {name}, which is neither a page nor a file")
    goal = name.removeprefix("docs/") if name.startswith("docs/") else f"files/{name}"
    (target / goal).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target / goal)
    return goal
