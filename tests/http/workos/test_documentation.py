"""The page of the management API: every route, what is not supported, and WorkOS's codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from workos.authorization import Authorization

from rescind.http import workos
from rescind.http.workos.unsupported import MODULES, REASONS
from tests.docs.pages import ROOT, section
from tests.http.workos.test_every_method import PAIRS, methods

PAGE = ROOT / "docs/reference/workos.md"
CODE = Path(workos.__file__).parent
BEYOND = {"delete_environment_role"}


def routes() -> Iterator[tuple[str, str, str, str]]:
    for handler in workos.HANDLERS:
        scope = getattr((handler.guards or [])[0], "scope", "")
        for path in handler.paths:
            for method in handler.http_methods - {"OPTIONS"}:
                yield method, path.replace(":str", ""), scope, handler.handler_name


def test_routes() -> None:
    """Each once, with its scope and the SDK's method, which is there."""
    rows = re.findall(
        r"^\| `(\w+) (\S+)` \| (\w+) \| `(\w+)` \|$", section(PAGE, "Routes"), re.MULTILINE
    )
    assert sorted(rows) == sorted(row for row in routes() if row[3] != "refuse")
    known = set[str]().union(*(methods(kind) for kind, _ in PAIRS))
    assert {row[3] for row in rows} - known == BEYOND
    assert len({row[3] for row in rows} & methods(Authorization)) == len(methods(Authorization))


def test_what_is_not_supported() -> None:
    """Each with the SDK's method and the reason that it answers."""
    rows = re.findall(
        r"^\| `(\w+) (\S+)` \| `(\w+)` \| (.+) \|$", section(PAGE, "Not supported"), re.MULTILINE
    )
    assert {(method, path): reason for method, path, _, reason in rows} == {
        (method.value, path.replace(":str", "")): reason
        for (method, path), reason in REASONS.items()
    }
    listed = {name for *_, name, _ in rows} | {row[3] for row in routes()}
    assert set[str]().union(*(methods(kind) for kind, _ in PAIRS)) <= listed


def test_modules_that_are_not_here() -> None:
    """Each once, with its addresses and the reason that they answer."""
    text = section(PAGE, "Modules that are not here")
    rows = re.findall(r"^\| `(\w+)` \| (`.+`) \| (.+) \|$", text, re.MULTILINE)
    assert sorted(
        (name, tuple(re.findall("`(.+?)`", below)), why) for name, below, why in rows
    ) == (sorted(MODULES))


def test_codes() -> None:
    """Each code that only these routes answer."""
    text = "".join(file.read_text("utf-8") for file in CODE.glob("*.py"))
    made = re.findall(r'(?:conflict|Refused)\(\s*(?:\d+,\s*)?"(\w+)"', text)
    assert {code for code in made if f"`{code}`" not in PAGE.read_text("utf-8")} == set()
