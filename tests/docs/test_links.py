"""Links lead somewhere, and every page can be reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import ROOT, anchors, links, name, pages


@pytest.mark.parametrize("page", pages(), ids=name)
def test_links_resolve(page: Path) -> None:
    """A link to a file or a heading of this repository finds it."""
    for link in links(page):
        if "://" in link:
            continue
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{name(page)}: {link}"
        if anchor:
            assert anchor in anchors(path), f"{name(page)}: {link}"


def test_every_page_is_reached_from_the_readme() -> None:
    """Following links from README.md, a link to a folder being one to all its pages, finds each page."""
    waiting, reached = [ROOT / "README.md"], set()
    while waiting:
        page = waiting.pop()
        if page in reached or not page.exists():
            continue
        if page.is_dir():
            waiting += page.glob("*.md")
            continue
        reached.add(page)
        if page.suffix == ".md":
            targets = (link.partition("#")[0] for link in links(page) if "://" not in link)
            waiting += [(page.parent / target).resolve() for target in targets if target]
    assert set(pages()) <= reached, set(pages()) - reached


def test_every_decision_is_in_the_index() -> None:
    """By its title, which begins with its number; each once, and no number twice."""
    folder = ROOT / "docs/decisions"
    index = " ".join((folder / "README.md").read_text().split())
    paths = sorted(folder.glob("[0-9]*.md"))
    assert len({path.name[:3] for path in paths}) == len(paths)
    for path in paths:
        title = path.read_text().partition("\n")[0].removeprefix("# ")
        assert title.startswith(f"{path.name[:3]} "), path.name
        assert index.count(f"[{title}]({path.name})") == 1, path.name
