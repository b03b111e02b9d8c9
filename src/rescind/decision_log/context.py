"""Which request a decision is made for: what the caller's code knows, and the check does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

MOST_CHARACTERS: Final = 1_024
"""Of an id of a request, a trace or a key. The rest is cut off."""
MOST_TRACEPARENT: Final = 128


class DecisionContext:
    """The request that decisions belong to, while it is under way."""

    __slots__ = ("held", "is_answered", "is_noted", "key_id", "request_id", "trace_id")

    def __init__(
        self,
        request_id: str | None = None,
        trace_id: str | bytes | None = None,
        key_id: str | None = None,
        *,
        held: list[Any] | None = None,
    ) -> None:
        """`trace_id` may be a whole `traceparent`. With `held`, decisions wait there, not in the queue."""
        self.request_id = request_id if request_id is None else request_id[:MOST_CHARACTERS]
        self.key_id = key_id if key_id is None else key_id[:MOST_CHARACTERS]
        self.trace_id = trace_id if trace_id is None or len(trace_id) <= MOST_TRACEPARENT else None
        self.held = held
        self.is_noted = False
        """Whether a decision was made, or failed, for this request."""
        self.is_answered = False
        """Whether the caller has its answer. A thread that decides later tells nobody: it is not logged."""


CONTEXT: Final[ContextVar[DecisionContext | None]] = ContextVar("decision_context", default=None)
UNLOGGED: Final = DecisionContext()
"""The context of questions that are no decisions."""


@contextmanager
def request_context(
    *, request_id: str | None = None, trace_id: str | None = None, key_id: str | None = None
) -> Iterator[None]:
    """In the `with` block, this thread's (or task's) decisions are logged with these ids.

    `trace_id` is a W3C trace id, or a whole `traceparent`. Without one it is that of OpenTelemetry's current
    span, if there is an SDK.
    """
    token = CONTEXT.set(DecisionContext(request_id, trace_id, key_id))
    try:
        yield
    finally:
        CONTEXT.reset(token)


@contextmanager
def unlogged() -> Iterator[None]:
    """In the `with` block, questions are no decisions: they are asked for a list, or by the probe."""
    token = CONTEXT.set(UNLOGGED)
    try:
        yield
    finally:
        CONTEXT.reset(token)
