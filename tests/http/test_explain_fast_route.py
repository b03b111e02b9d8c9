"""Explanations, which cost more than a check, are never worked out on the event loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rescind.authority import Authority
from rescind.decision import explain as questions
from rescind.http.server.nonblocking import NonblockingAuthority
from tests.http.both import ASKED, Both, running
from tests.http.raw import LAST, exchanged
from tests.http.raw import request as asking

EVALUATION = {
    "subject": {"type": "user", "id": "ada"},
    "action": {"name": "write"},
    "resource": {"type": "doc", "id": "1"},
    "context": {"rescind": {"explain": True}},
}
EXPLAINED: dict[str, dict[str, Any]] = {
    "/v1/check": {**ASKED, "explain": True},
    "/access/v1/evaluation": EVALUATION,
}


@pytest.fixture(scope="module")
def both(new_shared_database: Callable[[str], str]) -> Iterator[Both]:
    """A service that holds the organization in memory."""
    with running(new_shared_database("sqlite"), requests_per_second=0.0) as made:
        yield made


def _is_on_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _ask(both: Both, path: str, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each explanation that a request takes, whether it is worked out on the event loop."""
    explained, found = questions.explain, list[bool]()

    def noted(*arguments: Any, **options: Any) -> Any:
        found.append(_is_on_loop())
        return explained(*arguments, **options)

    monkeypatch.setattr(questions, "explain", noted)
    body = json.dumps(EXPLAINED[path]).encode()
    for served in (both.ours, both.theirs):
        got = exchanged(served, [asking(body, key=both.keys["bound"], path=path), LAST])
        assert b" 200 OK" in got
    return found


@pytest.mark.parametrize("path", EXPLAINED)
def test_an_explanation_leaves_the_loop(
    both: Both, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By each route, behind our connections and behind uvicorn's own."""
    found = _ask(both, path, monkeypatch)
    assert found
    assert not any(found)


def test_control_where_all_is_at_hand(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: were an explanation taken for a check out of memory, it would be made on the loop."""

    def check(self: NonblockingAuthority, *names: Any, **options: Any) -> Any:
        return Authority.check(self.authority, *names, **options)

    monkeypatch.setattr(NonblockingAuthority, "check", check)
    assert any(_ask(both, "/v1/check", monkeypatch))
