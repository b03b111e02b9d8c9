"""Routes that wait for the database in a thread, without the framework: what such a route is and answers.

The framework costs more than a small change. So a request that is well formed goes straight to its thread;
whatever is wrong with it, the framework says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol, TypeAlias

from rescind.http import problems
from rescind.http.auth import Caller
from rescind.http.server.asgi import Send, respond
from rescind.http.server.fast_routes import Sent
from rescind.http.server.headers import Headers
from rescind.http.server.service import Service
from rescind.http.server.threads import in_thread

Call: TypeAlias = Callable[[], Sent]
MOST_BYTES: Final = 16_384
"""Of a body that is read on the event loop."""


class DirectRoute(Protocol):
    """A POST that is answered without the framework."""

    def __call__(
        self, service: Service, caller: Caller, headers: Headers, body: bytes
    ) -> Call | None:
        """What answers, with the status 200, to be called in a thread; it raises what was wrong.

        None where the framework is to answer. Does not wait.
        """


async def answer_in_thread(call: Call, state: dict[str, Any], send: Send) -> None:
    """Answer a request that an entry point has admitted, as the framework would."""
    request_id: str = state["request_id"]
    try:
        extra, body = await in_thread(call)
        status, fields = 200, [(b"content-type", b"application/json"), *extra]
    except Exception as raised:
        error = problems.as_error(raised)
        problems.note(raised, error, request_id)
        state["code"], status = error.code, problems.status_of(error)
        hints = problems.may_read(state)
        fields, body = problems.encoded(error, request_id, hints=hints)
    await respond(send, status, fields, body)
