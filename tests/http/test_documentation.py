"""The pages of the service: every route, status, setting and limit is there; what is to be sent works."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from rescind.http import answers, problems
from rescind.http.app import OURS
from rescind.http.auth import SCOPES
from rescind.http.server.configuration import load
from rescind.http.server.limits import Limits
from rescind.settings import Settings
from tests.docs.pages import ROOT, blocks, section
from tests.docs.test_complete import all_errors
from tests.http.serving import Served

PAGE = ROOT / "docs/reference/http.md"
HOWTO = ROOT / "docs/howto"


def test_routes() -> None:
    """Each once, with its scope."""
    rows = re.findall(r"^\| `(\w+) (\S+)` \| (\w+) \|", section(PAGE, "Routes"), re.MULTILINE)
    expected = set()
    for route in OURS:
        scopes = [getattr(guard, "scope", "") for guard in route.guards or ()] or ["public"]
        for path in route.paths:
            shown = re.sub(r":(int|str)", "", path)
            if not shown.startswith("/o/") and not shown.endswith("/o/{organization}"):
                expected |= {(m, shown, scopes[0]) for m in route.http_methods - {"OPTIONS"}}
    assert sorted(rows) == sorted({*expected, ("GET", "/openapi.json", "public")})


def test_statuses() -> None:
    """Each error under its status."""
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", section(PAGE, "Errors"), re.MULTILINE)
    found = {
        code: int(status) for status, codes in rows for code in re.findall(r"`([a-z_]+)`", codes)
    }
    assert found == {error.code: problems.status_of(error()) for error in all_errors()}


def test_headers_scopes_and_limits() -> None:
    """Each is named."""
    text = PAGE.read_text("utf-8")
    ours = (answers.REVISION, answers.AT_LEAST, answers.IDEMPOTENCY_KEY, answers.ACTOR)
    named = [*ours, *SCOPES, *(limit.name for limit in fields(Limits))]
    assert [name for name in named if f"`{name}`" not in text] == []


def test_settings_of_the_service() -> None:
    """Each with its default; those of the library are in their own table."""
    text = section(ROOT / "docs/reference/configuration.md", "Service")
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| (.*?) \|", text, re.MULTILINE))
    _, named = load(None, {}, {})
    library = {f"settings.{each.name}" for each in fields(Settings)}
    expected = {each.name: shown(each.value) for each in named if each.name not in library}
    assert {name: value.strip() for name, value in rows.items()} == expected


def shown(value: object) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) and value <= 1e5 else str(value)


def posts(page: Path) -> Iterator[tuple[str, str]]:
    """The path and the body of each call of the shell function `post` that the page defines."""
    for block in blocks(page):
        if "post() {" in block.text:
            words = shlex.split(block.text)
            called = words[words.index("}") + 1 :]
            assert "http://127.0.0.1:8080/$1" in words
            assert "Authorization: Bearer $KEY" in words
            assert called[::3] == ["post"] * (len(called) // 3), called
            yield from zip(called[1::3], called[2::3], strict=True)


def test_what_is_to_be_sent_works(served: Served) -> None:
    """Each call in turn, with the admin's key; the last check of the first page is denied."""
    said = []
    with served.client() as client:
        for page in (HOWTO / "serve.md", HOWTO / "authzen.md"):
            for path, body in posts(page):
                mine = path.replace("o/acme", "o/page")
                answer = client.post(f"/{mine}", json=json.loads(body.replace('"acme"', '"page"')))
                said.append(answer.raise_for_status().json())
    assert [each["allowed"] for each in said if "allowed" in each] == [True, False]
    assert len(said) == 7
