"""Requests that read whole logs leave threads to others."""

from __future__ import annotations

import httpx
import pytest

from rescind.errors import ThreadsExhausted
from rescind.http.routes.targets import AT_ONCE, WHOLE_LOG
from rescind.http.server.turns import Turns


@pytest.mark.parametrize("path", ["/v1/targets", "/v1/advice"])
def test_few_read_whole_logs_at_a_time(client: httpx.Client, path: str) -> None:
    """One more is refused at once and may try again; a check is answered meanwhile."""
    turns = [WHOLE_LOG.one() for _ in range(AT_ONCE)]
    for turn in turns:
        turn.__enter__()
    try:
        refused = client.get(path)
        assert (refused.status_code, refused.json()["code"]) == (503, "threads_exhausted")
        assert refused.json()["retry"]
        assert "Retry-After" in refused.headers
        question = {"subject": "user:ada", "permission": "doc:read", "organization": "acme"}
        assert client.post("/v1/check", json=question).status_code == 200
    finally:
        for turn in turns:
            turn.__exit__(None, None, None)
    assert client.get(path).status_code == 200


def test_a_turn_ends_with_an_error() -> None:
    """The next one has it."""
    turns = Turns(1, why="requests are under way")

    def fail() -> None:
        with turns.one():
            with pytest.raises(ThreadsExhausted, match="1 requests are under way"), turns.one():
                pass
            raise LookupError

    for _ in range(2):
        with pytest.raises(LookupError):
            fail()
