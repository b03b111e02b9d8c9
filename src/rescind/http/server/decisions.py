"""Which request a decision is logged for. Without a decision log, nothing is done."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from rescind.decision_log.context import CONTEXT, DecisionContext
from rescind.http.auth import Caller
from rescind.http.server.headers import Headers
from rescind.http.server.service import Service

_NOTHING: Final = nullcontext()
_CONTEXT: Final = "decision_context"
_TRACEPARENT: Final = b"traceparent"


def held(
    service: Service, request_id: str, caller: Caller, headers: Headers
) -> AbstractContextManager[None]:
    """A block in which decisions are made for a request. If it raises, they are not logged."""
    log = service.decision_log
    if log is None:
        return _NOTHING
    return log.held(request_id, headers.get(_TRACEPARENT), caller.key_id)


def begin(service: Service, state: dict[str, Any], headers: Headers) -> None:
    """From now on, decisions of this task, and of its threads, are for this request."""
    if service.decision_log is not None:
        state[_CONTEXT] = DecisionContext(
            state["request_id"], headers.get(_TRACEPARENT), state["caller"].key_id
        )
        CONTEXT.set(state[_CONTEXT])


def leave_out(state: dict[str, Any]) -> None:
    """The request is no decision, although its address is that of a check: it asks about the past."""
    state.pop(_CONTEXT, None)


def end(service: Service, state: dict[str, Any], status: int, is_check: bool) -> None:
    """The request is answered. If that is a failure, and no decision was noted, the failure is."""
    context, log = state.get(_CONTEXT), service.decision_log
    if is_check and context is not None and log is not None:
        log.note_answered(context, (state["code"] or "internal") if status >= 500 else None)
