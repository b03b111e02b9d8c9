"""Work counted in bytecode instructions, so that a busy machine changes nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


class TooMany(Exception):
    """An action takes more steps than it may."""


def steps(action: Callable[[], Any], most: int = 20_000_000) -> tuple[Any, int]:
    """What an action returns, and how many bytecode instructions it took. Raises TooMany."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        if count > most:
            raise TooMany
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        result = action()
    finally:
        sys.settrace(before)
    return result, count
