"""Calls that run side by side: their results, their context, and what is left of them after an error."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from functools import partial

import pytest

from rescind.errors import ThreadsExhausted
from rescind.threads import side_by_side

PLACE: ContextVar[str] = ContextVar("place", default="nowhere")


def test_calls_are_side_by_side() -> None:
    """Each waits for the other, so neither would end if they ran in turn; results keep their order."""
    both = threading.Barrier(3)

    def call(number: int) -> tuple[int, str]:
        both.wait(60)
        return number, PLACE.get()

    token = PLACE.set("here")
    try:
        calls = [partial(call, number) for number in range(3)]
        assert side_by_side(calls, "t") == [(0, "here"), (1, "here"), (2, "here")]
    finally:
        PLACE.reset(token)
    assert side_by_side([lambda: 7], "t") == [7]


@pytest.mark.parametrize("fails", [0, 1])
def test_all_have_ended_when_one_fails(fails: int) -> None:
    """Its error is raised, and the other call is not left behind."""
    ended = list[int]()

    def call(number: int) -> None:
        if number == fails:
            raise LookupError(number)
        ended.append(number)

    with pytest.raises(LookupError, match=str(fails)):
        side_by_side([partial(call, number) for number in range(2)], "t")
    assert ended == [1 - fails]


def test_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error of ours that may be tried again."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(ThreadsExhausted, match="can't start new thread"):
        side_by_side([lambda: 1, lambda: 2], "t")
