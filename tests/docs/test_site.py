"""The site has every page and every public name, and its Markdown twins lead to each other."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from docs.site.sections import SECTIONS, grouped
from docs.site.staging import stage

from tests.docs.pages import ROOT, anchors, links, name, pages

PUBLIC = ("", "aio", "changes", "errors", "client", "testing", "decision_log")


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sources and of the twins, made in a process that imports what it needs."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "docs.site", "--stage", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def files(folder: Path) -> set[str]:
    """The pages of a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.md")}


def public_names() -> dict[str, list[str]]:
    """What each public module lists, read without importing it."""
    package = ROOT / "src/rescind"
    paths = [package / part / "__init__.py" for part in PUBLIC]
    paths += sorted(package.glob("integrations/*.py")) + sorted(
        package.glob("integrations/*/__init__.py")
    )
    found = {}
    for path in paths:
        for node in ast.parse(path.read_text("utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            if any(isinstance(each, ast.Name) and each.id == "__all__" for each in targets):
                module = path.relative_to(ROOT / "src").as_posix().removesuffix(".py")
                module = module.removesuffix("/__init__").replace("/", ".")
                found[module] = ast.literal_eval(node.value)
    return found


def test_every_page_is_on_the_site(staged: Path) -> None:
    """Each Markdown page of the repository is there once, with a twin, and is in `llms.txt`."""
    twins = files(staged / "twins")
    assert twins == files(staged / "sources")
    titles = {page.read_text("utf-8").partition("\n")[0]: name(page) for page in pages()}
    shown = {(staged / "twins" / twin).read_text("utf-8").partition("\n")[0] for twin in twins}
    assert not {titles[title] for title in titles.keys() - shown}
    assert len(twins) >= len(pages())
    listed = re.findall(r"\]\(([^)]+)\)", (staged / "twins/llms.txt").read_text("utf-8"))
    assert sorted(listed) == sorted(twins - {"index.md"})


def test_every_page_is_reached_through_the_toctrees(staged: Path) -> None:
    """From the start page, each page once."""
    sources, reached, waiting = staged / "sources", [], ["index.md"]
    while waiting:
        page = waiting.pop()
        reached.append(page)
        for tree in re.findall(
            r"```\{toctree\}\n(.*?)```", (sources / page).read_text(), re.DOTALL
        ):
            for line in filter(None, tree.splitlines()[2:]):
                entry = re.sub(r".*<(.*)>$", r"\1", line)
                waiting.append(os.path.normpath(Path(page).parent / f"{entry}.md"))
    assert sorted(reached) == sorted(files(sources))


def test_every_public_name_is_in_the_reference(staged: Path) -> None:
    """Each name of `__all__` has a heading on its module's page, and no page has others."""
    expected = public_names()
    assert {"rescind", "rescind.aio", "rescind.client", "rescind.testing"} <= expected.keys()
    assert "rescind.integrations.fastapi" in expected
    folder = staged / "twins/reference/api"
    assert {path.stem for path in folder.glob("*.md")} == {
        module.replace(".", "-") for module in expected
    }
    for module, names in expected.items():
        text = (folder / f"{module.replace('.', '-')}.md").read_text("utf-8")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == sorted(names), module


def test_no_signature_has_an_address(staged: Path) -> None:
    """The reference says the same whenever it is made, and types as they are written."""
    for path in (staged / "twins/reference/api").glob("*.md"):
        text = path.read_text("utf-8")
        assert not re.search(r" at 0x|ForwardRef|<class|<function", text), path.name


def test_links_of_twins_resolve(staged: Path) -> None:
    """They lead to twins and to copied files, and to headings that are there."""
    twins = staged / "twins"
    for page in files(twins):
        for link in links(twins / page):
            if "://" in link or link.startswith("mailto:"):
                continue
            target, _, anchor = link.partition("#")
            path = (twins / page).parent.joinpath(target).resolve() if target else twins / page
            if path.suffix != ".md":
                path = staged / "sources" / path.relative_to(twins)
            assert path.is_file(), f"{page}: {link}"
            assert not anchor or anchor in anchors(path), f"{page}: {link}"


def test_what_readers_do_not_see_is_not_there(staged: Path) -> None:
    """Code in comments, which only the tests run, is on neither page nor twin."""
    assert "<!--" in (ROOT / "docs/index.md").read_text("utf-8")
    for page in files(staged):
        assert "\n<!--\n" not in (staged / page).read_text("utf-8"), page


def test_a_page_without_a_place_is_shown_nevertheless() -> None:
    """It comes last in its section; each page is there once, though several patterns fit it."""
    (howto,) = (section for section in SECTIONS if section.folder == "howto")
    pages = ["howto/new.md", "howto/serve.md", "howto/use-with-django.md", "lab/index.md"]
    groups = grouped(howto, pages)
    assert groups[-1] == ("More", ["howto/new.md"])
    assert sorted(page for _, found in groups for page in found) == sorted(pages[:3])


def test_a_link_to_a_folder_without_a_page_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The site would have no address for it."""
    monkeypatch.setattr("docs.site.staging.FOLDERS", {})
    with pytest.raises(ValueError, match="neither a page nor a file"):
        stage(tmp_path)
